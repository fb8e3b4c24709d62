"""YOLO polygons, drawn again by pycocotools and by counting crossings, are the masks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from clearcoat.cli import main
from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record
from clearcoat.dataset.formats import as_yolo, run_lengths
from clearcoat.dataset.formats.outlines import Outline, outlines
from clearcoat.errors import DatasetError


def _inside(corners: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Even-odd rule at the centres of pixels: crossings of a ray to the left."""
    y, x = np.indices(shape) + 0.5
    inside = np.zeros(shape, bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if ay != by:
            at = ax + (y - ay) / (by - ay) * (bx - ax)
            inside ^= (np.minimum(ay, by) <= y) & (y < np.maximum(ay, by)) & (at < x)
    return inside


def _drawn(found: list[Outline], shape: tuple[int, int]) -> np.ndarray:
    together = np.zeros(shape, bool)
    for one in found:
        piece = _inside(np.array(one.corners), shape)
        assert not (together & piece).any()
        together |= piece
    return together


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_polygons_are_the_mask(mask: np.ndarray) -> None:
    found = outlines(mask)
    assert np.array_equal(_drawn(found, mask.shape), mask)
    if mask.any():
        flat = [[value for corner in one.corners for value in corner] for one in found]
        code = run_lengths.from_polygons(flat, *mask.shape)
        assert np.array_equal(run_lengths.decode(code), mask)


def test_nested_rings_and_holes_in_a_row() -> None:
    mask = np.ones((15, 15), bool)
    mask[2:13, 2:13] = False
    mask[4:11, 4:11] = True
    mask[5, 5:10:2] = mask[7:9, 6:8] = False
    found = outlines(mask)
    assert sorted(one.holes for one in found) == [1, 4]
    assert np.array_equal(_drawn(found, mask.shape), mask)


def test_a_rectangle_is_four_corners() -> None:
    mask = np.zeros((5, 7), bool)
    mask[1:3, 2:6] = True
    (only,) = outlines(mask)
    assert set(only.corners) == {(2, 1), (6, 1), (6, 3), (2, 3)}
    assert len(only.corners) == 4


def _write(path: Path, *, ignored: bool = False, index: int = 3) -> Dataset:
    """Class `a`: a ring and a piece apart; class `b` overlaps it."""
    planes = np.zeros((2, 10, 20), bool)
    planes[0, 1:6, 1:6] = True
    planes[0, 3, 3] = False
    planes[0, 8, 8] = True
    planes[1, 4:9, 4:12] = True
    ignore = np.zeros((10, 20), bool)
    ignore[:, 19] = ignored
    image = np.random.default_rng(0).integers(0, 256, (10, 20, 3), dtype=np.uint8)
    writer = DatasetWriter.create(path, ["a", "b"], {"kind": "synthetic"})
    writer.write(Record(index, image, LabelRaster.from_planes(planes, ignore)))
    return Dataset.open(path)


def test_files_give_the_classes_back_and_losses_are_counted(tmp_path: Path) -> None:
    data = _write(tmp_path / "data")
    summary = as_yolo(data, tmp_path / "yolo")
    rows = (tmp_path / "yolo/labels/train/000003.txt").read_text().splitlines()
    for number in range(2):
        mask = np.zeros((10, 20), bool)
        for row in rows:
            label, *shares = row.split()
            if int(label) == number:
                values = np.array(shares, float)
                assert values.min() >= 0
                assert values.max() <= 1
                mask |= _inside(values.reshape(-1, 2) * (20, 10), (10, 20))
        assert np.array_equal(mask, data.labels(3).mask(number))
    assert (summary.polygons, summary.divided, summary.holes, summary.ignored) == (3, 1, 1, 0)
    assert summary.overlaps == (data.labels(3).mask(0) & data.labels(3).mask(1)).sum() == 5
    assert len(summary.warnings) == 3
    image = tmp_path / "yolo/images/train/000003.png"
    assert image.read_bytes() == (tmp_path / "data/images/000003.png").read_bytes()


def test_splits_share_a_folder_and_strangers_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "yolo"
    as_yolo(_write(tmp_path / "one"), out)
    as_yolo(_write(tmp_path / "two", index=4), out, split="val")
    assert yaml.safe_load((out / "data.yaml").read_text()) == {
        "train": "images/train",
        "val": "images/val",
        "names": {0: "a", 1: "b"},
    }
    with pytest.raises(DatasetError, match="images of another data set"):
        as_yolo(_write(tmp_path / "three", index=5), out)
    # Of the same number, but other pixels.
    stranger = _write(tmp_path / "four")
    [file] = (out / "images" / "train").iterdir()
    with Image.open(file) as picture:
        Image.new("RGB", picture.size, (1, 2, 3)).save(file)
    with pytest.raises(DatasetError, match="images of another data set"):
        as_yolo(stranger, out)
    (out / "data.yaml").write_text("names: {0: other}")
    with pytest.raises(DatasetError, match="other classes"):
        as_yolo(_write(tmp_path / "one"), out)


def test_ignored_pixels_are_refused_unless_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _write(tmp_path / "data", ignored=True)
    with pytest.raises(DatasetError) as caught:
        as_yolo(data, tmp_path / "yolo")
    assert "--ignore background" in (caught.value.do or "")
    assert not (tmp_path / "yolo").exists()
    arguments = ["--out", str(tmp_path / "yolo"), "--ignore", "background"]
    main(["dataset", "export", "yolo", str(data.path), *arguments])
    captured = capsys.readouterr()
    assert "warning: 10 pixels that were to be ignored" in captured.err
    assert "overlap_mask=False" in captured.err
    main(["dataset", "export", "yolo", str(data.path), *arguments, "--json"])
    assert json.loads(capsys.readouterr().out)["ignored"] == 10


def test_the_records_of_the_suite_are_exported(make_dataset: Callable[..., Path]) -> None:
    data = Dataset.open(make_dataset(0, 1))
    summary = as_yolo(data, data.path.parent / "yolo", ignore="background")
    assert summary.images == 2
    assert summary.ignored == 20
