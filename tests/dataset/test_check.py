from __future__ import annotations

import json

import numpy as np
import pytest

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record, check_dataset


def test_a_good_data_set(make_dataset):
    report = check_dataset(Dataset.open(make_dataset(0, 1)))
    assert report.clean
    assert report.records == 2
    assert [(w.where, w.what) for w in report.warnings] == [
        ("wheel", "the class occurs in no image")
    ]


@pytest.mark.parametrize("folder", ["images", "labels", "parts", "depth", "records"])
def test_damage_is_found_in_every_file(make_dataset, folder):
    path = make_dataset(0, 1)
    (file,) = (path / folder).glob("000001.*")
    file.write_bytes(file.read_bytes()[:-5])
    report = check_dataset(Dataset.open(path))
    assert [error.where for error in report.errors] == [str(file)]
    assert not report.clean


def test_pixel_counts_are_compared(make_dataset):
    path = make_dataset(0)
    file = path / "records/000000.json"
    record = json.loads(file.read_text())
    record["labels"]["pixels"][0] += 1
    file.write_text(json.dumps(record))
    (error,) = check_dataset(Dataset.open(path)).errors
    assert "other than the record states" in error.what


def test_part_ids_have_names(make_dataset):
    path = make_dataset(0)
    manifest = json.loads((path / "dataset.json").read_text())
    manifest["parts"].pop()
    (path / "dataset.json").write_text(json.dumps(manifest))
    (error,) = check_dataset(Dataset.open(path)).errors
    assert "part id 3" in error.what


def test_files_of_no_record_are_odd(make_dataset):
    path = make_dataset(0, 1)
    (path / "records/000001.json").unlink()
    report = check_dataset(Dataset.open(path))
    assert report.clean
    orphans = [warning.where for warning in report.warnings if "no record" in warning.what]
    assert orphans == [f"{kind}/000001.png" for kind in ("images", "labels", "parts", "depth")]


def test_slivers_are_counted(tmp_path):
    planes = np.zeros((2, 20, 20), np.bool_)
    planes[0, 2:10, 2:10] = True
    planes[0, 15, 15] = planes[0, 16, 16] = True  # touch at a corner: one piece of two pixels
    planes[0, 19, 0] = True
    planes[1, 0:2, 18:20] = True
    writer = DatasetWriter.create(tmp_path, ["a", "b"], {})
    for index in (3, 4):
        labels = LabelRaster.from_planes(planes)
        writer.write(Record(index, np.zeros((20, 20, 3), np.uint8), labels))
    (warning,) = check_dataset(Dataset.open(tmp_path), sliver_pixels=4).warnings
    assert warning.where == "a"
    assert warning.what == "4 pieces of fewer than 4 pixels in 2 images, the first 3"
    (a, b) = check_dataset(Dataset.open(tmp_path), sliver_pixels=5).warnings
    assert (a.where, b.where) == ("a", "b")


def test_an_empty_data_set_is_odd(tmp_path):
    DatasetWriter.create(tmp_path, ["a"], {})
    report = check_dataset(Dataset.open(tmp_path))
    assert report.clean
    assert "no records" in report.warnings[0].what
