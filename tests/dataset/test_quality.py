"""Boundary agreement and frequencies, against constructed cases and scipy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clearcoat.cli import main
from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record, check_dataset
from clearcoat.dataset.quality import _holm, boundary_agreement


def _scene(shift: int) -> tuple[np.ndarray, LabelRaster]:
    """A bright disc on noise, and its label, moved sideways."""
    y, x = np.mgrid[:64, :64]
    disc = (x - 30) ** 2 + (y - 32) ** 2 < 15**2
    noise = np.random.default_rng(0).integers(0, 20, (64, 64, 3))
    image = np.where(disc[..., None], 200, 40) + noise
    return image.astype(np.uint8), LabelRaster.from_planes(np.roll(disc, shift, axis=1)[None])


def test_labels_in_place_fit_and_shifted_ones_do_not() -> None:
    in_place = boundary_agreement(*_scene(0))
    shifted = boundary_agreement(*_scene(6))
    assert in_place is not None
    assert shifted is not None
    assert in_place > 1.8
    assert shifted < 0.9
    blank = np.full((64, 64, 3), 90, np.uint8)
    assert boundary_agreement(blank, LabelRaster.from_planes(np.zeros((1, 64, 64), bool))) is None


def test_holm_by_hand() -> None:
    assert _holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert _holm([]) == []


def _dataset(path: Path, shares: dict[str, float], shift: int = 0, count: int = 40) -> Dataset:
    writer = DatasetWriter.create(path, list(shares), {"kind": "synthetic"})
    for index in range(count):
        image, labels = _scene(shift)
        disc = labels.mask(0)
        planes = np.stack([disc & (index < share * count) for share in shares.values()])
        writer.write(Record(index, image, LabelRaster.from_planes(planes)))
    return Dataset.open(path)


def test_a_check_compares_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = _dataset(tmp_path / "mine", {"hood": 1.0, "wheel": 0.9, "only": 0.5})
    real = _dataset(tmp_path / "real", {"hood": 0.95, "wheel": 0.3})
    report = check_dataset(mine, against=real)
    assert report.clean
    assert report.boundary_agreement is not None
    assert report.boundary_agreement > 1.8
    by_name = {found.name: found for found in report.frequencies}
    assert set(by_name) == {"hood", "wheel"}
    assert not by_name["hood"].conspicuous
    assert by_name["wheel"].conspicuous
    assert (by_name["wheel"].here, by_name["wheel"].there) == (0.9, 0.3)
    assert by_name["wheel"].area_ratio == pytest.approx(1)
    assert [(w.where, w.what) for w in report.warnings] == [
        ("wheel", "in 90 % of the labelled images, in 30 % of those of real"),
        ("only", "a class of mine alone"),
    ]
    main(["dataset", "check", str(tmp_path / "mine"), "--against", str(tmp_path / "real")])
    out = capsys.readouterr().out
    assert "wheel                     90.0 %  30.0 %" in out
    assert "times as much" in out


def test_images_without_labels_are_on_neither_side(tmp_path: Path) -> None:
    mine = _dataset(tmp_path / "mine", {"hood": 1.0, "wheel": 0.5})
    half = _dataset(tmp_path / "half", {"hood": 1.0, "wheel": 0.5})
    bare = DatasetWriter.create(tmp_path / "bare", half.classes, {"kind": "real"})
    unknown = LabelRaster(np.zeros((64, 64), np.uint16), (None,))
    for index in range(200):
        record = Record(100 + index, np.zeros((64, 64, 3), np.uint8), unknown)
        DatasetWriter(half.path, half.manifest).write(record)
        bare.write(record)
    report = check_dataset(mine, against=Dataset.open(half.path))
    wheel = report.frequencies[1]
    assert (wheel.here, wheel.there, wheel.p) == (0.5, 0.5, 1.0)
    unlabelled = check_dataset(mine, against=Dataset.open(bare.path))
    assert not unlabelled.frequencies
    said = [finding.what for finding in unlabelled.warnings]
    assert "no pixel is labelled there: nothing to compare with" in said


def test_shifted_labels_are_reported(tmp_path: Path) -> None:
    (warning,) = check_dataset(_dataset(tmp_path / "a", {"hood": 1}, shift=6, count=3)).warnings
    assert warning.where == "image 0 and 2 more"
    assert "no edge" in warning.what
