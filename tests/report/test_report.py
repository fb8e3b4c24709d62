"""The page: complete, self-contained, well-formed, escaped, and honest about gaps."""

from __future__ import annotations

import csv
import io
import json
import shutil
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clearcoat.dataset import LabelRaster
from clearcoat.errors import DatasetError, RunError, UsageError
from clearcoat.report import find_inputs, read_run, write_report
from clearcoat.report.pictures import mean_iou, spread
from tests.report.conftest import CLASSES, make_dataset

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Checks that tags close in order, and collects what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.attributes if name == tag]

    def table(self, download: str) -> list[dict[str, str]]:
        (link,) = (a for a in self.all("a") if a.get("download") == download)
        data = b64decode((link["href"] or "").split(",", 1)[1])
        return list(csv.DictReader(io.StringIO(data.decode())))


def _write(out: Path, *sources: Path, **options: Any) -> tuple[Page, Any]:
    inputs = find_inputs(sources)
    report = write_report(out, datasets=inputs.datasets, runs=inputs.runs, **options)
    return Page(out.read_text(encoding="utf-8")), report


@pytest.fixture(scope="module")
def page(workshop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, Any]:
    out = tmp_path_factory.mktemp("out") / "deep" / "report.html"
    return _write(out, workshop / "runs", title="A <script> & its title")


def test_nothing_comes_from_outside(page: tuple[Page, Any]) -> None:
    found = page[0]
    for tag, attributes in found.attributes:
        assert tag not in ("script", "link", "iframe"), tag
        for name in ("src", "href", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), value
    ids = [a["id"] for _, a in found.attributes if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"] for a in found.all("a") if (a["href"] or "").startswith("#")}
    assert {(target or "")[1:] for target in targets} <= set(ids)


def test_names_are_escaped(page: tuple[Page, Any]) -> None:
    assert "A <script> & its title" in page[0].text
    assert all(name in page[0].text for name in CLASSES)
    assert not page[0].all("b") or "left" not in str(page[0].all("b"))


def test_data_sets_of_the_runs_are_found_and_shown(page: tuple[Page, Any]) -> None:
    found, report = page
    assert [facts.name for facts in report.datasets] == ["photos", "renders", "test"]
    assert report.test.name == "test"
    pictures = found.all("img")
    # A pair per image of the data sets (6 + 8 + 3), and per test image: itself, truth, 2 cells.
    assert len(pictures) == 17 + 3 * 4
    for picture in pictures:
        assert picture["alt"]
        data = b64decode((picture["src"] or "").removeprefix("data:image/jpeg;base64,"))
        with Image.open(io.BytesIO(data)) as decoded:
            assert decoded.size == (int(picture["width"] or 0), int(picture["height"] or 0))
    assert len(found.all("svg")) == 3


def test_every_figure_has_its_data(page: tuple[Page, Any], workshop: Path) -> None:
    found, report = page
    runs = {row["run"]: row for row in found.table("runs.csv")}
    assert set(runs) == {"0-0", "0-1", "4-0", "4-1"}
    for name, row in runs.items():
        metrics = read_run(workshop / "runs" / name).metrics
        assert metrics is not None
        assert float(row["test mean IoU"]) == metrics["test"]["mean_iou"]
        assert row["parameters"] == str(metrics["parameters"]["total"])
    cells = found.table("cells.csv")
    assert len(cells) == 4
    for row in cells:
        values = [float(r["mean IoU of run"]) for r in cells if r["cell"] == row["cell"]]
        assert float(row["mean of cell"]) == pytest.approx(np.mean(values))
    (comparison,) = found.table("comparisons.csv")
    assert float(comparison["gain"]) == report.comparisons[0].absolute.estimate
    evaluations = sum(len(read_run(workshop / "runs" / name).curve) for name in runs)
    assert len(found.table("curves.csv")) == evaluations
    assert len(found.table("iou_by_class.csv")) == 2 * 2
    assert len(found.table("predictions.csv")) == 3 * 2
    frequencies = found.table("classes_by_data_set.csv")
    assert {row["frequency"] for row in frequencies} == {"1.0"} and len(frequencies) == 6


def test_the_same_input_gives_the_same_page(workshop: Path, tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        _write(tmp_path / name, workshop / "runs")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_given_test_images_score_every_run(workshop: Path, tmp_path: Path) -> None:
    told: list[str] = []
    _, same = _write(tmp_path / "r.html", workshop / "runs", test=workshop / "test")
    assert not any(run.scored_here for run in same.runs)
    make_dataset(tmp_path / "more", 6, seed=5)
    page, other = _write(
        tmp_path / "r.html", workshop / "runs", test=tmp_path / "more", tell=told.append
    )
    assert all(run.scored_here for run in other.runs) and len(other.comparisons) == 1
    assert sum("scoring" in text for text in told) == 4
    assert "scored on the 6 images of more" in page.text and "scored now" in page.text
    with pytest.raises(DatasetError, match="not a data set"):
        _write(tmp_path / "r.html", workshop / "runs", test=workshop)


def test_unfinished_and_damaged_runs_are_listed(workshop: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(workshop / "runs", runs)
    (runs / "0-1" / "metrics.json").unlink()
    (runs / "4-1" / "metrics.json").write_text('{"half')
    page, report = _write(tmp_path / "r.html", runs)
    states = {run.name: run.state for run in report.runs}
    assert states == {"0-0": "finished", "0-1": "unfinished", "4-0": "finished", "4-1": "damaged"}
    assert report.verdict.kind == "too few"
    assert "evaluations so far" in page.text and "metrics.json" in page.text
    assert "2 runs unfinished or damaged" in page.text
    config = json.loads((runs / "4-0" / "config.json").read_text())
    del config["config"]["seed"]
    (runs / "4-0" / "config.json").write_text(json.dumps(config))
    (runs / "0-0" / "metrics.json").unlink()
    page, report = _write(tmp_path / "r.html", runs / "0-0", runs / "4-1", runs / "4-0")
    assert [run.state for run in report.runs] == ["unfinished", "damaged", "damaged"]
    assert "KeyError('seed')" in page.text
    assert report.cells == () and "no finished run" in page.text


def test_a_copied_folder_of_runs_changes_no_cell(workshop: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(workshop / "runs", backup)
    page, report = _write(tmp_path / "r.html", workshop / "runs", backup)
    assert len(report.runs) == 8 and [len(cell.runs) for cell in report.cells] == [2, 2]
    assert "4 runs are copies of others and count once" in page.text


def test_data_sets_alone(workshop: Path, tmp_path: Path) -> None:
    empty = make_dataset(tmp_path / "empty", 0)
    page, report = _write(tmp_path / "r.html", workshop / "photos", empty.path)
    assert not report.runs and "describes data sets" in page.text
    assert "no images yet" in page.text and len(page.all("img")) == 6


def test_moved_data_is_said(workshop: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(workshop / "runs" / "4-0", run)
    config = (run / "config.json").read_text()
    (run / "config.json").write_text(config.replace(str(workshop), str(tmp_path / "gone")))
    page, report = _write(tmp_path / "r.html", run)
    assert report.datasets == () and report.test is None
    assert "--test DIR" in page.text and str(tmp_path / "gone") in page.text


def test_mistakes(workshop: Path, tmp_path: Path) -> None:
    for path, found in ((tmp_path / "nowhere", "nothing"), (tmp_path, "a folder")):
        with pytest.raises(RunError, match="neither a run nor a data set") as caught:
            find_inputs([path])
        assert caught.value.found == found
        assert all(name in str(caught.value) for name in ("config.json", "study.json"))
    with pytest.raises(UsageError, match="a folder of that name"):
        _write(tmp_path, workshop / "photos")
    with pytest.raises(UsageError, match="nothing to report"):
        write_report(tmp_path / "r.html")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        _write(tmp_path / "file" / "r.html", workshop / "photos")
    # There is no such run: nobody looks for it before.
    with pytest.raises(UsageError, match="cannot write"):
        write_report(tmp_path / "file" / "r.html", runs=[workshop / "none"])
    assert {entry.name for entry in tmp_path.iterdir()} == {"file"}


def test_inputs_are_searched_two_levels_deep_and_once(workshop: Path) -> None:
    inputs = find_inputs([workshop, workshop / "photos", workshop / "runs" / "0-0"])
    assert [path.name for path in inputs.datasets] == ["photos", "renders", "test"]
    assert [path.name for path in inputs.runs] == ["0-0", "0-1", "4-0", "4-1"]
    with pytest.raises(RunError):
        find_inputs([workshop / "photos" / "images"])


def test_image_score_is_that_of_planes() -> None:
    truth = np.zeros((3, 10, 10), dtype=np.bool_)
    truth[0, :5], truth[1, 8:] = True, True
    ignore = np.zeros((10, 10), dtype=np.bool_)
    ignore[0] = True
    predicted = np.zeros_like(truth)
    predicted[0, :3] = True
    # Class 0: 2 of 4 known rows; class 1: missed; class 2: nowhere, not counted.
    found = mean_iou(predicted, LabelRaster.from_planes(truth & ~ignore, ignore))
    assert found == pytest.approx((0.5 + 0) / 2)
    empty = LabelRaster.from_planes(np.zeros_like(truth), np.ones_like(ignore))
    assert mean_iou(predicted, empty) is None


def test_spread_is_even() -> None:
    assert spread(range(100), 4) == [0, 25, 50, 75]
    assert spread((3, 5), 4) == [3, 5]
