"""Whether a report finds the data sets of a study, and takes no others for them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from clearcoat.errors import DatasetError
from clearcoat.report.study.report import gather_studies
from clearcoat.studies import confirm
from clearcoat.studies.record import write_record
from tests.studies.conftest import supplement


@pytest.fixture
def place(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a study in `out` and its data sets in `data`; the study began beside them."""
    here = tmp_path / "here"
    shutil.copytree(data, here / "data")
    monkeypatch.chdir(here / "data")
    # As a YAML beside the data sets says it.
    study = supplement(Path(), untouched_count=3)
    write_record(study, here / "out")
    monkeypatch.chdir(tmp_path)
    return here


def _found(out: Path) -> tuple[list[str], tuple[str, ...], list[str]]:
    told: list[str] = []
    report = gather_studies([out], (), None, "title", told.append)
    return [facts.name for facts in report.datasets], report.missing, told


def test_data_sets_are_found_from_anywhere_and_after_a_move(place: Path) -> None:
    assert _found(place / "out")[:2] == (["photos", "renders"], ())
    moved = place.rename(place.parent / "there")
    assert _found(moved / "out")[:2] == (["photos", "renders"], ())


def test_other_data_of_the_same_name_are_not_the_studys(place: Path, squares: Any) -> None:
    shutil.rmtree(place / "data" / "photos")
    names, missing, told = _found(place / "out")
    assert names == ["renders"] and missing[0].endswith("photos")
    assert any("left out of Table I" in line for line in told)
    squares("photos", 20, size=24, seed=5, where=place / "data")
    names, missing, _ = _found(place / "out")
    assert names == ["renders"] and missing[0].endswith("photos (another by now)")


def test_untouched_photos_that_are_gone_are_asked_for(place: Path) -> None:
    shutil.rmtree(place / "data" / "photos")
    with pytest.raises(DatasetError, match="no longer where they were") as caught:
        confirm(place / "out")
    assert "--photos" in str(caught.value)
