"""What the untouched photos say stands beside the verdict, with what it is worth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from clearcoat.report.study import read_study, write_study_report
from clearcoat.report.study.confirmed import confirmed_across, confirmed_cells
from clearcoat.report.study.confirmed_verdict import (
    confirmed_cautions,
    confirmed_sentences,
    contradiction,
)
from clearcoat.statistics import Interval
from clearcoat.studies import conduct, confirm, read_ledger
from clearcoat.studies.confirming import untouched_file
from clearcoat.studies.record import RUNS
from tests.report.test_report import Page
from tests.studies.conftest import data, squares, supplement

__all__ = ["data", "squares"]


@pytest.fixture(scope="module")
def confirmed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("confirmed") / "grid"
    study = supplement(
        data,
        untouched_count=4,
        real_counts=[4],
        synthetic_counts=[0, 8],
        repeats={"min": 2, "width": None},
        qualitative=None,
    )
    conduct(study, out)
    before = read_study(out)
    assert "untouched so far" in confirmed_cautions(before, confirmed_cells(before))[0]
    confirm(out)
    return out


def test_the_numbers_are_those_of_the_ledger(confirmed: Path) -> None:
    study = read_study(confirmed)
    scores = {c.run_id: c.mean_iou or 0.0 for c in read_ledger(confirmed).confirmations}
    base, mix = confirmed_cells(study)
    assert base.gain is None and mix.gain is not None and mix.over_images
    for cell in (base, mix):
        entries = study.cells[cell.key].entries
        after = float(np.mean([scores[e.run_id] for e in entries]))
        assert cell.untouched.estimate == pytest.approx(after)
        assert cell.optimism.estimate == pytest.approx(cell.split_tests.estimate - after)
    assert mix.gain.estimate == pytest.approx(mix.untouched.estimate - base.untouched.estimate)
    assert mix.gain_on_split_tests is not None and mix.gain_optimism is not None
    assert mix.gain_optimism.estimate == pytest.approx(
        mix.gain_on_split_tests.estimate - mix.gain.estimate
    )


def test_the_page_shows_it_beside_the_verdict(confirmed: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    report = write_study_report(tmp_path / "r.html", [confirmed], files=files)
    [chapter] = report.chapters
    assert "on 4 untouched photos, by which nothing was chosen" in chapter.verdict.sentences[0]
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    [first, second] = page.table("confirmed.csv")
    assert (first["cell"], second["cell"]) == ("4 real + 0 synthetic", "4 real + 8 synthetic")
    assert first["gain on untouched"] == "" and second["optimism of gain"] != ""
    assert (files / "confirmed.csv").exists()


def test_without_the_scores_per_image_it_is_said(confirmed: Path, tmp_path: Path) -> None:
    for file in ("study.json", "ledger.jsonl"):
        (tmp_path / file).write_bytes((confirmed / file).read_bytes())
    study = read_study(tmp_path)
    cells = confirmed_cells(study)
    assert not any(cell.over_images for cell in cells)
    full = confirmed_cells(read_study(confirmed))
    assert [c.untouched.estimate for c in cells] == pytest.approx(
        [c.untouched.estimate for c in full]
    )
    assert any("over models only" in text for text in confirmed_cautions(study, cells))
    assert list((confirmed / RUNS).glob(f"*/{untouched_file(1)}"))


def test_models_of_one_base_count_as_one(confirmed: Path, tmp_path: Path) -> None:
    (tmp_path / "study.json").write_bytes((confirmed / "study.json").read_bytes())
    (tmp_path / RUNS).symlink_to(confirmed / RUNS)
    lines = [json.loads(line) for line in (confirmed / "ledger.jsonl").read_text().splitlines()]
    for line in lines:
        if line.get("synthetic") == 8:
            line["started_from"] = "f" * 64
    (tmp_path / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    base, mix = confirmed_cells(read_study(tmp_path))
    whole = confirmed_cells(read_study(confirmed))[1]
    assert (base.models, mix.models) == (2, 2) and mix.over_images
    assert mix.untouched.estimate == pytest.approx(whole.untouched.estimate)
    assert base.untouched.low is not None and mix.untouched.low is None
    assert mix.gain is not None and mix.gain.low is None


def test_what_the_untouched_photos_contradict_is_not_called_confirmed(confirmed: Path) -> None:
    study = read_study(confirmed)
    base, mix = confirmed_cells(study)
    shown = Interval(0.08, 0.06, 0.10, 0.95, 3)
    for gain, told in (
        (Interval(0.05, 0.03, 0.07, 0.95, 3), "Confirmed on 4"),
        (Interval(0.01, -0.02, 0.04, 0.95, 3), "Neither confirmed nor contradicted on 4"),
        (Interval(-0.06, -0.07, -0.05, 0.95, 3), "Contradicted on 4"),
    ):
        cell = replace(mix, gain=gain, gain_on_split_tests=shown)
        sentence, optimism = confirmed_sentences(study, (base, cell))
        assert sentence.startswith(told) and str(cell.key) in sentence
        assert optimism.startswith("The gain is ") and " than on the test photos." in optimism
        # What the test photos did not show is no claim.
        sentence, _ = confirmed_sentences(study, (base, cell), shown=())
        assert sentence.startswith("There is no claim to confirm on 4")
        assert not contradiction((base, cell), shown=())
        assert ("opposite" in contradiction((base, cell))) == told.startswith("Contradicted")


def test_few_photos_with_renders_are_set_against_more_alone(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "grid"
    changes = {"untouched_count": 4, "real_counts": [0, 4, 8], "synthetic_counts": [0, 4]}
    conduct(supplement(data, repeats={"min": 2, "width": None}, qualitative=None, **changes), out)
    assert not confirmed_across(read_study(out))
    confirm(out)
    study = read_study(out)
    scores = {c.run_id: c.mean_iou or 0.0 for c in study.ledger.confirmations}
    means = {
        (key.real, key.synthetic): np.mean([scores[e.run_id] for e in cell.entries])
        for key, cell in study.cells.items()
    }
    across = confirmed_across(study)
    pairs = [(a.mix.real, a.alone.real) for a in across]
    assert pairs == [(0, 4), (0, 8), (4, 8)]
    for one in across:
        expected = means[one.mix.real, 4] - means[one.alone.real, 0]
        assert one.on_untouched.estimate == pytest.approx(expected)
    report = write_study_report(tmp_path / "r.html", [out])
    told = report.chapters[0].verdict.sentences
    opening = "On the untouched photos, 4 real + 4 synthetic less 8 real + 0 synthetic: "
    assert any(t.startswith(opening) for t in told)
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert len(page.table("confirmed-across.csv")) == 3


def test_models_that_were_trained_again_are_named(confirmed: Path, tmp_path: Path) -> None:
    for file in ("study.json", "ledger.jsonl"):
        (tmp_path / file).write_bytes((confirmed / file).read_bytes())
    (tmp_path / RUNS).symlink_to(confirmed / RUNS)
    whole = read_study(confirmed)
    assert not any("trained again" in text for text in confirmed_cautions(whole, ()))
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    next(n for n in lines if (n.get("real"), n.get("synthetic")) == (4, 8))["mean_iou"] = 0.75
    (tmp_path / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    study = read_study(tmp_path)
    told = [t for t in confirmed_cautions(study, ()) if "trained again" in t]
    assert len(told) == 1 and "4 real + 8 synthetic" in told[0]
    # Beside each other stand scores of the same weights.
    mix, same = (confirmed_cells(one)[1] for one in (study, whole))
    assert mix.split_tests == same.split_tests and mix.optimism == same.optimism
