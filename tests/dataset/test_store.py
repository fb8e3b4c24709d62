from __future__ import annotations

import json
import tempfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from clearcoat.dataset import Dataset, DatasetWriter, EncodedImage, LabelRaster, Record
from clearcoat.errors import DatasetError

from .records import CLASSES, make_record
from .strategies import many_sets, planes_and_ignore


def _round_trip(raster: LabelRaster, class_count: int) -> LabelRaster:
    with tempfile.TemporaryDirectory() as folder:
        writer = DatasetWriter.create(Path(folder), [f"c{n}" for n in range(class_count)], {})
        writer.write(Record(0, np.zeros((*raster.shape, 3), np.uint8), raster))
        return Dataset.open(Path(folder)).labels(0)


@settings(max_examples=40, deadline=None)
@given(planes_and_ignore())
def test_labels_survive_bit_for_bit(drawn):
    raster = LabelRaster.from_planes(*drawn)
    assert _round_trip(raster, len(drawn[0])).same_as(raster)


def test_more_than_256_sets_survive():
    assert _round_trip(many_sets(), 9).same_as(many_sets())


def test_everything_in_a_record_survives(make_dataset):
    dataset = Dataset.open(make_dataset(3, 1_000_017))
    assert dataset.classes == CLASSES
    assert dataset.indices == (3, 1_000_017)
    assert len(dataset) == 2
    for index in dataset:
        record = make_record(index)
        assert np.array_equal(dataset.image(index), record.image)
        assert dataset.labels(index).same_as(record.labels)
        assert np.array_equal(dataset.parts(index), record.parts)
        info = dataset.record_info(index)
        depth = dataset.depth(index)
        near = np.isfinite(record.depth)
        assert np.array_equal(np.isfinite(depth), near)
        assert np.abs(depth[near] - record.depth[near]).max() <= info.depth.unit_m * 0.51
        assert (info.height, info.width) == record.labels.shape
        assert info.metadata == record.metadata
        assert info.source_name == record.source_name


def test_parts_and_depth_are_optional(tmp_path):
    writer = DatasetWriter.create(tmp_path, ["a"], {})
    labels = LabelRaster.from_planes(np.ones((1, 2, 2), np.bool_))
    writer.write(Record(0, np.zeros((2, 2, 3), np.uint8), labels))
    dataset = Dataset.open(tmp_path)
    assert dataset.parts(0) is None
    assert dataset.depth(0) is None


def test_an_original_file_is_kept_byte_for_byte(tmp_path):
    buffer = BytesIO()
    Image.fromarray(make_record(0).image).save(buffer, "JPEG")
    with Image.open(buffer) as picture:
        pixels = np.asarray(picture)
    labels = LabelRaster.from_planes(np.zeros((1, 12, 10), np.bool_))
    writer = DatasetWriter.create(tmp_path, ["a"], {})
    writer.write(Record(0, pixels, labels, original=EncodedImage(buffer.getvalue(), ".jpg")))
    assert (tmp_path / "images/000000.jpg").read_bytes() == buffer.getvalue()
    assert np.array_equal(Dataset.open(tmp_path).image(0), pixels)


def test_a_person_sees_the_classes(make_dataset):
    with Image.open(make_dataset(0) / "labels/000000.png") as picture:
        assert picture.mode == "P"
        colors = np.asarray(picture.convert("RGB"))
    assert colors[0, 0].tolist() == [128, 128, 128], "ignore"
    assert colors[11, 0].tolist() == [0, 0, 0], "background"
    assert len(np.unique(colors.reshape(-1, 3), axis=0)) == 5


def test_the_digest_is_that_of_the_documentation(make_dataset):
    path = make_dataset(0, 5)
    text = json.dumps(list(CLASSES))
    for name in ("000000", "000005"):
        record = json.loads((path / f"records/{name}.json").read_text())
        hashes = [record[key]["sha256"] for key in ("image", "labels", "parts", "depth")]
        text += json.dumps([record["index"], hashes, record["labels"]["sets"]])
    assert Dataset.open(path).digest() == sha256(text.encode()).hexdigest()


def test_equal_content_has_an_equal_digest(make_dataset):
    one = Dataset.open(make_dataset(0, 1, name="one"))
    assert one.digest() == Dataset.open(make_dataset(1, 0, name="two")).digest()
    assert one.digest() != Dataset.open(make_dataset(0, name="three")).digest()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "this is not a data set"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"format": "other"}', "damaged"),
        ('{"format": "clearcoat-dataset", "version": 1}', "classes: Field required"),
        ('{"format": "clearcoat-dataset", "version": 2, "classes": []}', "newer clearcoat"),
        (
            '{"format": "clearcoat-dataset", "version": 1, "classes": ["a", "a"]}',
            "stands there twice",
        ),
        (
            '{"format": "clearcoat-dataset", "version": 1, "classes": ["ignore"]}',
            "meaning of its own",
        ),
    ],
)
def test_what_is_no_data_set(tmp_path, content, message):
    if content is not None:
        (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(DatasetError) as caught:
        Dataset.open(tmp_path)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_folder_and_a_file_are_no_data_sets(tmp_path):
    (tmp_path / "file").write_text("")
    for name in ("nowhere", "file"):
        with pytest.raises(DatasetError, match="not a data set"):
            Dataset.open(tmp_path / name)


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("harm", [_truncate, _flip, Path.unlink])
@pytest.mark.parametrize("kind", ["image", "labels", "parts", "depth"])
def test_reading_a_damaged_file_names_it(make_dataset, kind, harm):
    path = make_dataset(0)
    file = path / f"{'images' if kind == 'image' else kind}/000000.png"
    harm(file)
    with pytest.raises(DatasetError) as caught:
        getattr(Dataset.open(path), kind)(0)
    assert caught.value.where == str(file)


def test_a_damaged_file_is_described_without_addresses_in_memory(make_dataset):
    path = make_dataset(0)
    file, record = path / "images/000000.png", path / "records/000000.json"
    file.write_bytes(b"no picture")
    facts = json.loads(record.read_text())
    facts["image"]["sha256"] = sha256(file.read_bytes()).hexdigest()
    record.write_text(json.dumps(facts))
    with pytest.raises(DatasetError) as caught:
        Dataset.open(path).image(0)
    assert caught.value.found == "cannot identify the kind of picture"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.pop("labels"), "labels: Field required"),
        (lambda r: r.update(index=1), "index 1"),
        (lambda r: r["labels"]["sets"][0].append("hod"), "did you mean 'hood'?"),
        (lambda r: r["labels"]["sets"].pop(), "differ in length"),
        (lambda r: r["image"].update(file="../elsewhere.png"), "image.file"),
        (lambda r: r.update(width=11), "10 × 12 pixels, the record says 11 × 12"),
    ],
)
def test_a_record_that_contradicts_itself(make_dataset, change, message):
    path = make_dataset(0)
    file = path / "records/000000.json"
    record = json.loads(file.read_text())
    record["labels"]["sets"].sort(key=lambda members: members == "ignore")
    change(record)
    file.write_text(json.dumps(record))
    dataset = Dataset.open(path)
    with pytest.raises(DatasetError) as caught:
        dataset.image(0)
        dataset.labels(0)
    assert message in str(caught.value)


def test_a_record_that_is_not_there(make_dataset):
    with pytest.raises(DatasetError, match="no record 7"):
        Dataset.open(make_dataset(0)).image(7)


def test_a_subset_is_a_data_set_of_its_own(make_dataset):
    dataset = Dataset.open(make_dataset(0, 1, 2, 3))
    part = dataset.subset([2, 0])
    assert part.indices == (0, 2) and len(part) == 2
    assert part.labels(2).same_as(dataset.labels(2))
    assert len({part.digest(), dataset.digest(), dataset.subset([0]).digest()}) == 3
    assert dataset.subset(dataset.indices).digest() == dataset.digest()
    with pytest.raises(DatasetError, match="no record 1"):
        part.record_info(1)
    with pytest.raises(DatasetError, match="no record 9"):
        dataset.subset([0, 9])
