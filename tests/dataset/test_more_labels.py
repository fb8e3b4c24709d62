"""Instances, normals, what is behind glass, objects and extents: stored, read back, merged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clearcoat.dataset import (
    Dataset,
    DatasetWriter,
    LabelRaster,
    ObjectEntry,
    ObjectPixels,
    PartPixels,
    Record,
    check_dataset,
    merge_datasets,
)
from clearcoat.dataset.objects import box_of
from clearcoat.errors import DatasetError

_PARTS = ("rim", "tyre", "seat")
_OBJECTS = (
    ObjectEntry(class_name="wheel", name="front", parts=(1, 2)),
    ObjectEntry(class_name="seat", name="seat", parts=(3,), through_glass=True),
)


def _record(index: int, seed: int) -> Record:
    rng = np.random.default_rng(seed)
    parts = rng.integers(0, 4, (7, 9)).astype(np.uint16)
    behind = rng.integers(0, 4, (7, 9)).astype(np.uint16)
    masks = np.stack([np.isin(parts, (1, 2)), behind == 3])
    normals = rng.normal(size=(7, 9, 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return Record(
        index=index,
        image=rng.integers(0, 256, (7, 9, 3), dtype=np.uint8),
        labels=LabelRaster.from_planes(masks),
        parts=parts,
        behind=behind,
        instances=parts,
        normals=np.where(parts[..., None] > 0, normals, 0).astype(np.float32),
        objects=tuple(
            ObjectPixels(
                object=number,
                pixels=int(mask.sum()),
                box=box_of(mask),
                full_pixels=40,
                full_box=(0, 0, 9, 7),
            )
            for number, mask in enumerate(masks)
        ),
        part_pixels=(PartPixels(1, 3, 8), PartPixels(3, 0, 5)),
    )


def _write(path: Path, *records: Record) -> Dataset:
    writer = DatasetWriter.create(
        path, ["wheel", "seat"], {"kind": "synthetic"}, _PARTS, instances=_PARTS, objects=_OBJECTS
    )
    for record in records:
        writer.write(record)
    return Dataset.open(path)


def _check_equal(data: Dataset, number: int, record: Record, shift: int = 0) -> None:
    def moved(ids: np.ndarray | None) -> np.ndarray:
        assert ids is not None
        return np.where(ids > 0, ids + shift, 0)

    assert np.array_equal(data.behind(number), moved(record.behind))
    assert np.array_equal(data.instances(number), moved(record.instances))
    normals = data.normals(number)
    assert normals is not None
    assert record.normals is not None
    assert np.array_equal(normals.any(axis=-1), record.normals.any(axis=-1))
    shown = record.normals.any(axis=-1)
    cosine = (normals[shown] * record.normals[shown]).sum(axis=-1).clip(-1, 1)
    assert np.degrees(np.arccos(cosine)).max() < 0.6
    shown_objects = dict(data.object_masks(number))
    assert record.objects is not None
    for one, kept in zip(record.objects, data.record_info(number).objects or (), strict=True):
        entry = data.objects[kept.object]
        mask = shown_objects[kept.object]
        assert mask.sum() == one.pixels == kept.pixels
        assert box_of(mask) == one.box == kept.box
        assert (kept.full_pixels, kept.full_box) == (40, (0, 0, 9, 7))
        assert np.array_equal(mask, data.labels(number).mask(data.classes.index(entry.class_name)))
    assert data.record_info(number).part_pixels == (
        PartPixels(1 + shift, 3, 8),
        PartPixels(3 + shift, 0, 5),
    )


def test_everything_is_read_back(tmp_path: Path) -> None:
    record = _record(4, 0)
    data = _write(tmp_path / "a", record)
    _check_equal(data, 4, record)
    assert not check_dataset(data).errors


def test_merging_renumbers_parts_instances_and_objects(tmp_path: Path) -> None:
    one, two = _record(0, 1), _record(0, 2)
    merge_datasets([_write(tmp_path / "a", one), _write(tmp_path / "b", two)], tmp_path / "m")
    merged = Dataset.open(tmp_path / "m")
    _check_equal(merged, 0, one)
    _check_equal(merged, 1, two, shift=3)
    assert [e.parts for e in merged.objects] == [(1, 2), (3,), (4, 5), (6,)]
    assert merged.instance_names[3] == "b/rim"
    assert not check_dataset(merged).errors


def test_a_series_of_other_objects_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "a")
    with pytest.raises(DatasetError, match="other instances or objects"):
        DatasetWriter.create(tmp_path / "a", ["wheel", "seat"], {}, _PARTS, instances=_PARTS)


def test_object_counts_that_do_not_fit_the_mask_are_found(tmp_path: Path) -> None:
    data = _write(tmp_path / "a", _record(0, 0))
    file = tmp_path / "a" / "records" / "000000.json"
    document = json.loads(file.read_text())
    document["objects"][0]["pixels"] += 1
    file.write_text(json.dumps(document))
    (error,) = check_dataset(data).errors
    assert "pixels of object 0" in error.what


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instances", np.full((7, 9), 4, np.uint16)),
        ("behind", np.full((7, 9), 4, np.uint16)),
        ("objects", (ObjectPixels(object=2, pixels=0),)),
    ],
)
def test_numbers_beyond_the_names_are_refused(tmp_path: Path, field: str, value: object) -> None:
    record = replace(_record(0, 0), **{field: value})
    with pytest.raises(ValueError, match="record 0"):
        _write(tmp_path / "a", record)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("normals", np.zeros((7, 9), np.float32)),
        ("normals", np.zeros((7, 9, 3))),
        ("instances", np.zeros((9, 7), np.uint16)),
        ("behind", np.zeros((7, 9), np.int64)),
    ],
)
def test_rasters_of_another_shape_or_type_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        replace(_record(0, 0), **{field: value})
