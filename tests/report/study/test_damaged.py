"""Damaged folders of studies: the plan is refused in one error, lines of the ledger are named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearcoat.errors import RunError
from clearcoat.report.study import analyse_grid, read_study, write_study_report
from clearcoat.report.study.grid_verdict import judge_grid
from clearcoat.studies import read_ledger

from .ledgers import rewritten, write_grid

PRICES = {"real": 5.0, "synthetic": 0.02}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "grid"
    return write_grid(folder, real=(0, 16, 32), synthetic=(0, 64), prices=PRICES)


def _at(place: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """What sets a key, `spec.prices.real` say, or takes it away where the value is `...`."""

    def change(content: dict[str, Any]) -> None:
        *above, key = place.split(".")
        inner: Any = content
        for name in above:
            inner = inner[int(name) if isinstance(inner, list) else name]
        if value is ...:
            del inner[key]
        else:
            inner[key] = value

    return change


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        ("kind", "foo", "kind"),
        ("kind", ..., "kind"),
        ("images", {}, "images.real"),
        ("images", {"test": 5}, "images.real"),
        ("images.test", 5, "images.test"),
        ("images.test", [-1], "images.test.0"),
        ("spec", {}, "spec.design"),
        ("spec", None, "spec"),
        ("spec.design", ..., "spec.design"),
        ("spec.design", "pared", "spec.design"),
        ("spec.training", None, "spec.training"),
        ("spec.training", {"mode": 7}, "spec.training.mode"),
        ("spec.prices.real", "5", "spec.prices.real"),
        ("spec.prices.real", 0, "spec.prices.real"),
        ("spec.qualitative", 7, "spec.qualitative"),
        ("classes", "door", "classes"),
        ("paths.real", None, "paths.real"),
        ("paths.real", "pho\0tos", "paths.real"),
        ("digests.test", "b", "digests.test"),
        ("cells.0.runs", [], "cells.0"),
        ("cells.0.runs", None, "cells.0.runs"),
        ("cells.0.most", 3, "cells.0"),
        ("cells.0.least", 0, "cells.0"),
        ("cells.0.width", "narrow", "cells.0.width"),
        ("cells.0.real", -4, "cells.0.real"),
        ("skipped.0.why", 3, "skipped.0.why"),
    ],
)
def test_a_damaged_plan_is_refused_by_its_key(
    place: str, value: Any, named: str, small: Path, tmp_path: Path
) -> None:
    file = small / "study.json"
    plan = json.loads(file.read_text())
    plan["cells"][0]["depicted"] = True
    _at(place, value)(plan)
    file.write_text(json.dumps(plan))
    with pytest.raises(RunError, match="plan is damaged") as raised:
        write_study_report(tmp_path / "report.html", [small])
    assert raised.value.where == str(file)
    assert (raised.value.found or "").startswith(f"{named}: ")
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"7", b"[" * 100_000, b"\xff\0"])
def test_what_is_no_plan_at_all_is_refused(content: bytes, small: Path) -> None:
    (small / "study.json").write_bytes(content)
    with pytest.raises(RunError, match="plan is damaged"):
        read_study(small)


def test_keys_of_later_versions_are_left_alone(small: Path, tmp_path: Path) -> None:
    file = small / "study.json"
    plan = json.loads(file.read_text())
    for part in (plan, plan["spec"], plan["spec"]["prices"], plan["images"], plan["cells"][0]):
        part["later"] = 1
    before = judge_grid(analyse_grid(read_study(small)))
    file.write_text(json.dumps(plan))
    assert judge_grid(analyse_grid(read_study(small))) == before
    write_study_report(tmp_path / "report.html", [small])
    assert before.headline.split(":")[0] in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("mean_iou", 5.0),
        ("mean_iou", -0.3),
        ("classes", {"door": 1.5}),
        ("per_image_mean_iou", 2.0),
        ("validation_mean_iou", -1.0),
        ("steps", -1),
        ("images_seen", -1),
        ("train_s", -1.0),
        ("real", -16),
        ("config", {"max_steps": "abc"}),
        ("config", {"max_steps": -5}),
        ("config", {"max_steps": 9, "mix": "sequential", "pretrain_max_steps": []}),
        ("started_from", "itself"),
    ],
)
def test_a_line_that_cannot_be_is_passed_over_and_named(
    place: str, value: Any, small: Path
) -> None:
    def change(line: dict[str, Any]) -> None:
        if (line["real"], line["synthetic"], line["repeat"]) == (16, 64, 1):
            _at(place, line["run_id"] if value == "itself" else value)(line)

    whole = read_ledger(small).entries
    [damaged] = [e.run_id for e in whole if (e.real, e.synthetic, e.repeat) == (16, 64, 1)]
    number = [e.run_id for e in whole].index(damaged) + 1
    rewritten(small, change)
    verdict = judge_grid(analyse_grid(read_study(small)), None)
    [complaint] = [text for text in verdict.cautions if "no ledger line" in text]
    assert f"ledger.jsonl:{number} " in complaint and place in complaint
    assert read_ledger(small).entries == tuple(e for e in whole if e.run_id != damaged)


def test_runs_that_start_from_one_another_are_not_all_read(small: Path) -> None:
    ids = [entry.run_id for entry in read_ledger(small).entries][:3]
    follow = dict(zip(ids, [*ids[1:], ids[0]], strict=True))

    def change(line: dict[str, Any]) -> None:
        line["started_from"] = follow.get(line["run_id"], line["started_from"])

    rewritten(small, change)
    found = read_ledger(small)
    # The line that closes the circle; the run, done again, may then stand in it.
    assert [e.run_id for e in found.entries if e.run_id in ids] == ids[:2]
    [complaint] = found.complaints
    assert "ledger.jsonl:3 " in complaint
    judge_grid(analyse_grid(read_study(small)), None)


@pytest.mark.parametrize("content", ["[]", "7", '{"intersection_and_union": {"a": 1}}', "[" * 9999])
def test_damaged_counts_of_a_run_are_not_at_hand(content: str, small: Path) -> None:
    study = read_study(small)
    entry = study.ledger.entries[0]
    folder = small / "runs" / entry.run_id[:16]
    folder.mkdir(parents=True)
    (folder / "per_image.json").write_text(content)
    assert study.counts_of([entry]) is None


def test_counts_of_other_classes_or_images_are_not_at_hand(small: Path) -> None:
    study = read_study(small)
    entry = study.ledger.entries[0].model_copy(update={"mean_iou": 1.0})
    folder = small / "runs" / entry.run_id[:16]
    folder.mkdir(parents=True)
    images, classes = entry.test_images, len(study.classes)
    for shape in ((images, 2, classes + 1), (images - 1, 2, classes), (images, 2, classes)):
        counts = {"intersection_and_union": np.ones(shape).tolist()}
        (folder / "per_image.json").write_text(json.dumps(counts))
        fits = shape == (images, 2, classes)
        assert (study.counts_of([entry]) is not None) == fits
    # Of weights that were made again and score otherwise.
    assert study.counts_of([entry.model_copy(update={"mean_iou": 0.9})]) is None
