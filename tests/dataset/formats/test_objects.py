"""Objects in COCO and VOC files, read back by pycocotools, by our import and from the XML."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from pycocotools.coco import COCO

from clearcoat.cli import main
from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, ObjectEntry, ObjectPixels, Record
from clearcoat.dataset.formats import as_coco, as_voc, import_coco
from clearcoat.dataset.objects import box_of
from clearcoat.errors import DatasetError


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Two wheels (one of them hidden by a half), and a hood that is not divided into objects."""
    parts = np.zeros((12, 16), np.uint16)
    parts[2:6, 0:4], parts[7:10, 9:14], parts[8, 10] = 1, 2, 0
    hood = np.zeros((12, 16), bool)
    hood[0:3, 5:16] = True
    planes = np.stack([parts > 0, hood])
    writer = DatasetWriter.create(
        tmp_path / "data",
        ["wheel", "hood"],
        {"kind": "synthetic"},
        ["front", "rear"],
        objects=[
            ObjectEntry(class_name="wheel", name=name, parts=(number,))
            for number, name in enumerate(("front", "rear"), start=1)
        ],
    )
    objects = tuple(
        ObjectPixels(
            object=number - 1,
            pixels=int((parts == number).sum()),
            box=box_of(parts == number),
            full_pixels=16 if number == 1 else 28,
            full_box=box_of(parts == number),
        )
        for number in (1, 2)
    )
    image = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    labels = LabelRaster.from_planes(planes)
    writer.write(Record(0, image, labels, parts=parts, objects=objects))
    return Dataset.open(tmp_path / "data")


# pycocotools 2.0 does not follow NumPy 2's protocol for copies yet.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_coco_has_an_annotation_per_object(dataset: Dataset, tmp_path: Path) -> None:
    as_coco(dataset, tmp_path / "out.json")
    coco = COCO(tmp_path / "out.json")
    wheel = coco.getCatIds(catNms=["wheel"])
    found = coco.loadAnns(coco.getAnnIds(catIds=wheel))
    parts = dataset.parts(0)
    assert parts is not None
    for number, one in enumerate(found, start=1):
        assert np.array_equal(coco.annToMask(one).astype(bool), parts == number)
        assert tuple(one["bbox"]) == box_of(parts == number)
    assert len(found) == 2
    assert len(coco.anns) == 3
    import_coco(tmp_path / "out.json", tmp_path / "back")
    back = Dataset.open(tmp_path / "back")
    for name in dataset.classes:
        assert np.array_equal(
            back.labels(0).mask(back.classes.index(name)),
            dataset.labels(0).mask(dataset.classes.index(name)),
        )


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("classes", ["hood"], "object 0 is of class 'wheel', not in classes"),
        ("parts", ["front"], "object 1 has part 2, there are 1 parts"),
    ],
)
def test_objects_of_nothing_are_a_damaged_manifest(
    dataset: Dataset, key: str, value: list[str], says: str
) -> None:
    file = dataset.path / "dataset.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    with pytest.raises(DatasetError, match="manifest of the data set is damaged") as caught:
        Dataset.open(dataset.path)
    assert (caught.value.where, caught.value.found) == (str(file), says)


def test_voc_has_the_boxes(dataset: Dataset, tmp_path: Path) -> None:
    as_voc(dataset, tmp_path / "voc")
    root = ElementTree.parse(tmp_path / "voc" / "000000.xml").getroot()
    assert root.findtext("filename") == "000000.png"
    assert (root.findtext("size/width"), root.findtext("size/height")) == ("16", "12")
    found = [
        (
            entry.findtext("name"),
            [int(entry.findtext(f"bndbox/{k}") or 0) for k in ("xmin", "ymin", "xmax", "ymax")],
            entry.findtext("truncated"),
            entry.findtext("occluded"),
        )
        for entry in root.iter("object")
    ]
    assert found == [
        ("wheel", [1, 3, 4, 6], "1", "0"),
        ("wheel", [10, 8, 14, 10], "0", "1"),
        ("hood", [6, 1, 16, 3], "1", "0"),
    ]


def test_the_command(dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["dataset", "export", "voc", str(dataset.path), "--out", str(tmp_path / "v")])
    assert "1 images, 2 classes" in capsys.readouterr().out
    assert (tmp_path / "v" / "000000.xml").is_file()
