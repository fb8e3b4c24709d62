"""Merging: every record arrives whole, parts keep their names, other classes are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record, merge_datasets
from clearcoat.errors import DatasetError


def _dataset(path: Path, seed: int, count: int, parts: list[str], classes: str = "ab") -> Dataset:
    rng = np.random.default_rng(seed)
    writer = DatasetWriter.create(path, list(classes), {"kind": "synthetic"}, parts=parts)
    for index in range(count):
        ids = rng.integers(0, len(parts) + 1, (6, 7)).astype(np.uint16)
        planes = rng.random((2, 6, 7)) < 0.5
        writer.write(
            Record(
                index=index,
                image=rng.integers(0, 256, (6, 7, 3), dtype=np.uint8),
                labels=LabelRaster.from_planes(planes, rng.random((6, 7)) < 0.2),
                parts=ids,
                metadata={"number": index},
            )
        )
    return Dataset.open(path)


def test_records_follow_each_other_and_parts_keep_their_names(tmp_path: Path) -> None:
    one = _dataset(tmp_path / "one", 1, 3, ["body", "wheel"])
    two = _dataset(tmp_path / "two", 2, 2, ["hood"])
    # The first call is cut off after two records; the second goes on.
    merge_datasets([one, two], tmp_path / "all")
    for file in (tmp_path / "all" / "records").glob("00000[234].json"):
        file.unlink()
    assert merge_datasets([one, two], tmp_path / "all") == 3
    merged = Dataset.open(tmp_path / "all")
    assert len(merged) == 5
    assert merged.part_names == ("one/body", "one/wheel", "two/hood")
    for number, (source, index) in enumerate([(one, 0), (one, 1), (one, 2), (two, 0), (two, 1)]):
        assert np.array_equal(merged.image(number), source.image(index))
        assert merged.labels(number).same_as(source.labels(index))
        was, now = source.parts(index), merged.parts(number)
        assert was is not None
        assert now is not None
        for value, name in enumerate(source.part_names):
            here = merged.part_names.index(f"{source.path.name}/{name}")
            assert np.array_equal(now == here + 1, was == value + 1)
        assert merged.record_info(number).metadata["number"] == index


def test_more_parts_than_pixels_can_tell_apart_are_refused(tmp_path: Path) -> None:
    many = [f"part {number}" for number in range(40_000)]
    sets = [_dataset(tmp_path / name, 1, 1, many) for name in ("one", "two")]
    with pytest.raises(DatasetError, match="too many parts"):
        merge_datasets(sets, tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_other_classes_are_refused(tmp_path: Path) -> None:
    one = _dataset(tmp_path / "one", 1, 1, ["body"])
    two = _dataset(tmp_path / "two", 2, 1, ["body"], classes="ac")
    with pytest.raises(DatasetError, match="differ in their classes"):
        merge_datasets([one, two], tmp_path / "all")
    assert not (tmp_path / "all").exists()
