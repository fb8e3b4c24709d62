from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record, load_class_map
from clearcoat.dataset.class_map import ClassMap
from clearcoat.dataset.formats import as_coco, import_coco, run_lengths
from clearcoat.errors import DatasetError, SpecError, UsageError

from ..strategies import planes_and_ignore

# The oracle itself warns, see clearcoat.dataset.formats.run_lengths.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SQUARE = [2, 2, 12, 2, 12, 10, 2, 10]
SHAPE = (20, 30)


def _ring() -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:16, 8:24] = 1
    mask[8:12, 12:20] = 0
    return mask


def _compressed(mask: np.ndarray) -> dict[str, object]:
    code = coco_mask.encode(np.asfortranarray(mask))
    return {"size": code["size"], "counts": code["counts"].decode()}


def _uncompressed(mask: np.ndarray) -> dict[str, object]:
    flat = mask.T.ravel()
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat, [2]])))
    counts = np.diff(np.concatenate([[0], changes]))
    return {"size": list(mask.shape), "counts": counts.tolist()}


def _write(folder: Path, segmentations: list[tuple[int, object]], **more: object) -> Path:
    """A file of three images; the segmentations belong to the first, as (category, mask)."""
    names = ("a.png", "b.png", "c.png")
    for number, name in enumerate(names):
        Image.fromarray(np.full((*SHAPE, 3), 50 * number, np.uint8)).save(folder / name)
    document = {
        "images": [
            {"id": 10 + number, "file_name": name, "width": SHAPE[1], "height": SHAPE[0]}
            for number, name in enumerate(names)
        ],
        "categories": [{"id": 7, "name": "hood"}, {"id": 3, "name": "wheel"}],
        "annotations": [
            {
                "id": number,
                "image_id": 10,
                "category_id": category,
                "iscrowd": 0,
                "segmentation": segmentation,
                "bbox": [1, 1, 4.5, 3],
                **more,
            }
            for number, (category, segmentation) in enumerate(segmentations)
        ],
    }
    (folder / "labels.json").write_text(json.dumps(document))
    return folder / "labels.json"


def _oracle(file: Path, image_id: int) -> dict[int, np.ndarray]:
    """Masks by category id, from pycocotools."""
    coco = COCO(file)
    masks: dict[int, np.ndarray] = {}
    for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[image_id])):
        mask = coco.annToMask(annotation).astype(bool)
        number = annotation["category_id"]
        masks[number] = masks.get(number, False) | mask
    return masks


@pytest.mark.parametrize(
    "segmentations",
    [
        [(7, [SQUARE])],
        [(7, [SQUARE, [20, 5, 28, 5, 24, 18]])],
        [(7, [SQUARE]), (3, [[5, 5, 25, 5, 25, 15, 5, 15]])],
        [(7, [[-5, -5, 12, -5, 40, 10, 2, 50]])],
        [(7, _compressed(_ring())), (3, [SQUARE])],
        [(7, _uncompressed(_ring())), (7, [SQUARE])],
        [(7, _uncompressed(np.ones(SHAPE, np.uint8)))],
        [],
    ],
    ids=["one", "pieces", "overlap", "outside", "hole", "run lengths", "full", "none"],
)
def test_masks_are_those_of_pycocotools(tmp_path, segmentations):
    file = _write(tmp_path, segmentations)
    import_coco(file, tmp_path / "data")
    dataset = Dataset.open(tmp_path / "data")
    assert dataset.classes == ("wheel", "hood"), "by ascending category id"
    masks = _oracle(file, 10)
    labels = dataset.labels(0)
    for number, category in enumerate((3, 7)):
        expected = masks.get(category, np.zeros(SHAPE, bool))
        assert np.array_equal(labels.mask(number), expected)
    assert not labels.ignore().any()


@given(planes_and_ignore())
def test_every_code_of_pycocotools_fills_its_image(drawn):
    for mask in drawn[0]:
        code = run_lengths.encode(mask)
        run_lengths.require_filled(code)
        height, width = mask.shape
        with pytest.raises(ValueError, match="pixels, the image has"):
            run_lengths.require_filled({**code, "size": [height + 1, width]})


def test_crowds_are_ignored_where_nothing_else_labels_a_pixel(tmp_path):
    file = _write(tmp_path, [(7, [SQUARE]), (3, _uncompressed(_ring()))])
    document = json.loads(file.read_text())
    document["annotations"][1]["iscrowd"] = 1
    file.write_text(json.dumps(document))
    summary = import_coco(file, tmp_path / "data")
    labels = Dataset.open(tmp_path / "data").labels(0)
    hood = _oracle(file, 10)[7]
    assert np.array_equal(labels.mask(1), hood)
    assert np.array_equal(labels.ignore(), _ring().astype(bool) & ~hood)
    assert not labels.mask(0).any()
    assert (summary.annotations, summary.crowds, summary.without_mask) == (2, 1, 0)


@pytest.mark.parametrize("nothing", [[], None, [[1, 1, 5, 5]]])
def test_a_box_without_a_mask_is_unknown(tmp_path, nothing):
    summary = import_coco(_write(tmp_path, [(7, nothing)]), tmp_path / "data")
    ignore = Dataset.open(tmp_path / "data").labels(0).ignore()
    expected = np.zeros(SHAPE, bool)
    expected[1:4, 1:6] = True
    assert np.array_equal(ignore, expected)
    assert summary.without_mask == 1


def test_a_class_map_merges_hides_and_drops(tmp_path):
    file = _write(tmp_path, [(7, [SQUARE]), (3, _compressed(_ring()))])
    masks = _oracle(file, 10)
    for name, targets, hood, both in (
        ("several", {"hood": frozenset({0, 1}), "wheel": frozenset({1})}, masks[7], True),
        ("hidden", {"hood": frozenset({0}), "wheel": None}, masks[7] & ~masks[3], False),
        ("dropped", {"hood": frozenset({0}), "wheel": frozenset()}, masks[7], False),
    ):
        class_map = ClassMap(classes=("x", "y"), targets=targets, source="test")
        import_coco(file, tmp_path / name, class_map=class_map)
        labels = Dataset.open(tmp_path / name).labels(0)
        assert np.array_equal(labels.mask(0), hood)
        assert np.array_equal(labels.mask(1), (masks[7] | masks[3]) & both)
        assert np.array_equal(labels.ignore(), masks[3] & (name == "hidden"))


def test_a_map_of_other_labels(tmp_path):
    class_map = ClassMap(classes=("x",), targets={"hod": frozenset({0})}, source="test")
    with pytest.raises(SpecError, match="'hod'"):
        import_coco(_write(tmp_path, []), tmp_path / "data", class_map=class_map)
    assert not (tmp_path / "data").exists()


def test_selections(tmp_path):
    file = _write(tmp_path, [])
    import_coco(file, tmp_path / "tail", start=1)
    assert Dataset.open(tmp_path / "tail").indices == (1, 2)
    assert Dataset.open(tmp_path / "tail").record_info(2).source_name == "c.png"
    import_coco(file, tmp_path / "one", stop=1, shuffle=5)
    import_coco(file, tmp_path / "rest", start=1, shuffle=5)
    one, rest = Dataset.open(tmp_path / "one"), Dataset.open(tmp_path / "rest")
    assert sorted(one.indices + rest.indices) == [0, 1, 2]
    for start, stop in ((3, None), (2, 1), (-1, None)):
        with pytest.raises(UsageError):
            import_coco(file, tmp_path / "nothing", start=start, stop=stop)


def test_a_second_import_goes_on(tmp_path):
    file = _write(tmp_path, [(7, [SQUARE])])
    first = import_coco(file, tmp_path / "data", stop=2)
    second = import_coco(file, tmp_path / "data")
    assert (first.imported, first.already_there, first.records) == (2, 0, 2)
    assert (second.imported, second.already_there, second.records) == (1, 2, 3)
    with pytest.raises(DatasetError, match="made from something else"):
        import_coco(file, tmp_path / "data", shuffle=0)


def test_a_missing_image_leaves_nothing_behind(tmp_path):
    file = _write(tmp_path, [])
    (tmp_path / "c.png").unlink()
    with pytest.raises(DatasetError, match=r"'c\.png' is missing"):
        import_coco(file, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_name_too_long_for_a_file_is_a_missing_image(tmp_path):
    file = _write(tmp_path, [])
    document = json.loads(file.read_text())
    document["images"][1]["file_name"] = "x" * 300
    file.write_text(json.dumps(document))
    with pytest.raises(DatasetError, match="is missing"):
        import_coco(file, tmp_path / "data")
    # Another name of it may do.
    document["images"][1]["path"] = "b.png"
    file.write_text(json.dumps(document))
    assert import_coco(file, tmp_path / "data").imported == 3


def _without(key):
    return lambda document: document.pop(key)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("annotations"), "no list 'annotations'"),
        (lambda d: d.update(images=[3]), "no list 'images'"),
        (lambda d: d["images"][1].pop("width"), "images[1]"),
        (lambda d: d["images"][1].update(height=0), "'height' is not a number of pixels"),
        (lambda d: d["images"][1].update(id=10), "two images have the same id"),
        (lambda d: d["categories"][1].update(id=7), "two categories have the same id"),
        (lambda d: d["images"][1].update(width=10**30), "'width' is not a number of pixels"),
        (lambda d: d["annotations"][0].update(image_id=99), "unknown image"),
        (lambda d: d["annotations"][0].update(iscrowd="0"), "'iscrowd' is malformed"),
        (
            lambda d: d["annotations"][0].update(segmentation=[[1, 1, 1e5, 1, 5, 20]]),
            "a polygon lies far outside its image",
        ),
        (
            lambda d: d["annotations"][0].update(segmentation=[[1, 1, 10**400, 1, 5, 20]]),
            "a polygon lies far outside its image",
        ),
        (lambda d: d["annotations"][0].update(bbox=[1e308, 0, 1e308, 5]), "a box lies far outside"),
        (lambda d: d["annotations"][0].update(category_id=99), "unknown category"),
        (lambda d: d["annotations"][0].update(id=math.nan), "'id' is missing or malformed"),
        (lambda d: d["annotations"][0].update(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), "polygon"),
        (lambda d: d["annotations"][0].update(segmentation=[[1, 2, 3, 4, 5, "6"]]), "polygon"),
        (lambda d: d["annotations"][0].update(segmentation="x"), "kind of segmentation"),
        (lambda d: d["annotations"][0].update(bbox=[1, 2]), "a box"),
        (
            lambda d: d["annotations"][0].update(segmentation={"size": [1, 1], "counts": [1]}),
            "another size",
        ),
        (
            lambda d: d["annotations"][0].update(
                segmentation={"size": list(SHAPE), "counts": [5, 6]}
            ),
            "do not fill the image",
        ),
        (
            lambda d: d["annotations"][0].update(
                segmentation={"size": list(SHAPE), "counts": "0oP2"}
            ),
            "do not fill the image",
        ),
        # Cut off: pycocotools decodes it, the rest of the mask is whatever was in memory.
        (
            lambda d: d["annotations"][0].update(
                segmentation={"size": list(SHAPE), "counts": _compressed(_ring())["counts"][:-8]}
            ),
            "do not fill the image",
        ),
        (
            lambda d: d["annotations"][0].update(segmentation={"size": list(SHAPE), "counts": "P"}),
            "do not fill the image",
        ),
        (
            lambda d: d["annotations"][0].update(
                segmentation={"size": list(SHAPE), "counts": [1.5, 598.5]}
            ),
            "do not fill the image",
        ),
    ],
)
def test_a_file_that_contradicts_itself(tmp_path, change, message):
    file = _write(tmp_path, [(7, [SQUARE])])
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
    with pytest.raises(DatasetError) as caught:
        import_coco(file, tmp_path / "data")
    assert message in str(caught.value)
    assert str(file) in caught.value.where
    assert not (tmp_path / "data").exists()


def test_an_export_through_a_link_finds_its_images(tmp_path):
    import_coco(_write(tmp_path, [(7, [SQUARE])]), tmp_path / "data")
    (tmp_path / "far" / "off").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "off")
    out = tmp_path / "link" / "labels.json"
    as_coco(Dataset.open(tmp_path / "data"), out)
    import_coco(out, tmp_path / "again")
    assert len(Dataset.open(tmp_path / "again")) == 3


def test_an_export_does_not_replace_a_manifest(tmp_path):
    import_coco(_write(tmp_path, [(7, [SQUARE])]), tmp_path / "data")
    before = (tmp_path / "data" / "dataset.json").read_bytes()
    with pytest.raises(UsageError, match="manifest"):
        as_coco(Dataset.open(tmp_path / "data"), tmp_path / "data" / "dataset.json")
    assert (tmp_path / "data" / "dataset.json").read_bytes() == before


@pytest.mark.parametrize("content", [None, "{", "\0", "[" * 100_000])
def test_what_is_no_annotation_file(tmp_path, content):
    if content is not None:
        (tmp_path / "labels.json").write_text(content)
    with pytest.raises(DatasetError):
        import_coco(tmp_path / "labels.json", tmp_path / "data")


@settings(max_examples=25, deadline=None)
@given(planes_and_ignore(most_classes=5))
def test_export_and_import_keep_every_bit(drawn):
    planes, ignore = drawn
    raster = LabelRaster.from_planes(planes, ignore)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        classes = [f"c{number}" for number in range(len(planes))]
        writer = DatasetWriter.create(folder / "one", classes, {})
        image = np.random.default_rng(0).integers(0, 256, (*raster.shape, 3)).astype(np.uint8)
        writer.write(Record(5, image, raster))
        as_coco(Dataset.open(folder / "one"), folder / "labels" / "out.json")
        import_coco(folder / "labels" / "out.json", folder / "two")
        two = Dataset.open(folder / "two")
        assert two.classes == tuple(classes)
        assert two.labels(0).same_as(raster)
        assert np.array_equal(two.image(0), image)


def test_a_file_that_cannot_be_written_is_said_before_the_labels_are_read(make_dataset, tmp_path):
    dataset = Dataset.open(make_dataset(1))
    (tmp_path / "afile").write_text("")
    seen = []
    with pytest.raises(DatasetError, match="cannot write the file"):
        as_coco(dataset, tmp_path / "afile" / "out.json", lambda *done: seen.append(done))
    with pytest.raises(DatasetError, match="cannot write the file") as caught:
        as_coco(dataset, tmp_path, lambda *done: seen.append(done))
    assert "a folder has this name" in caught.value.do
    assert not seen


def test_real_photos_agree_with_pycocotools(shared, tmp_path):
    folder = shared / "photos/car_parts"
    file = folder / "annotations.json"
    examples = Path(__file__).parents[3] / "examples/classes"
    class_map = load_class_map(examples / "car_parts_13.yaml")
    summary = import_coco(
        file,
        tmp_path / "data",
        images=folder / "JPEGImages",
        class_map=class_map,
        stop=8,
        shuffle=1,
    )
    assert summary.imported == 8
    dataset = Dataset.open(tmp_path / "data")
    coco = COCO(file)
    for index in dataset:
        info = dataset.record_info(index)
        source = folder / "JPEGImages" / info.source_name
        assert (dataset.path / info.image.file).read_bytes() == source.read_bytes()
        expected = np.zeros((13, info.height, info.width), bool)
        for category, mask in _oracle(file, info.metadata["coco_image_id"]).items():
            for number in class_map.targets[coco.cats[category]["name"]]:
                expected[number] |= mask
        assert np.array_equal(dataset.labels(index).planes(13), expected)
