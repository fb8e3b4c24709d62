"""What the verdict on a grid must not claim: planted chance, harm and saturation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clearcoat.report.study import analyse_grid, read_study
from clearcoat.report.study.grid_verdict import StudyVerdict, judge_grid
from clearcoat.report.study.words import contrast_text

from .ledgers import like_the_paper, useless, write_grid


def _judged(folder: Path, photos: int | None = None) -> StudyVerdict:
    return judge_grid(analyse_grid(read_study(folder)), photos)


def test_renders_that_hurt_in_plenty_do_not_hurt_from_the_start(tmp_path: Path) -> None:
    cost = {0: 0.0, 64: 0.0, 256: 0.001, 1024: 0.002, 4096: 0.2}
    folder = write_grid(
        tmp_path, lambda r, s: useless(r, 0) - cost[s], real=(16, 256), seed=3, runs=7
    )
    told = " ".join(_judged(folder).sentences)
    assert "Too many renders hurt there: the best number is " in told
    assert "from the start" not in told and "stop helping" not in told


def test_renders_that_hurt_at_every_count_hurt_from_the_start(tmp_path: Path) -> None:
    folder = write_grid(
        tmp_path, lambda r, s: useless(r, 0) - 0.1 * (s > 0) - 2e-5 * s, real=(16, 256), runs=7
    )
    told = " ".join(_judged(folder).sentences)
    assert (
        "Renders hurt there from the start: the best number is none (with 95 % certainty 0)" in told
    )


def test_renders_that_help_up_to_a_count_stop_helping(tmp_path: Path) -> None:
    lead = {0: 0.0, 64: 0.1, 256: 0.2, 1024: 0.2, 4096: 0.05}
    folder = write_grid(
        tmp_path, lambda r, s: useless(r, 0) + lead[s], real=(16, 256), runs=7, spread=0.005
    )
    assert "More renders stop helping there: the best" in " ".join(_judged(folder).sentences)


def test_a_headline_is_not_of_one_lucky_run(tmp_path: Path) -> None:
    folder = write_grid(tmp_path, useless)
    lines = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    kept = []
    for line in lines:
        if (line["real"], line["synthetic"]) == (16, 4096):
            if line["repeat"]:
                continue
            line["mean_iou"] = 0.8
        kept.append(json.dumps(line) + "\n")
    (folder / "ledger.jsonl").write_text("".join(kept))
    verdict = _judged(folder)
    assert verdict.kind == "unclear"
    assert "one run" not in verdict.headline and "0.8" not in verdict.headline


def test_nothing_is_saved_where_fewer_photos_score_as_much(tmp_path: Path) -> None:
    folder = write_grid(
        tmp_path, lambda r, _: 0.4 if r else 0.1, pair=0, prices={"real": 4.0, "synthetic": 0.02}
    )
    [told] = [text for text in _judged(folder).sentences if text.startswith("At your prices")]
    assert "are saved" not in told
    assert "no mix costs less" in told or "A saving is not shown: " in told


def test_what_lies_beyond_the_curve_is_more_than_its_end(tmp_path: Path) -> None:
    folder = write_grid(
        tmp_path,
        lambda r, s: useless(r, 0) + 0.2 * (r == 256 and s > 0),
        real=(64, 128, 256),
        synthetic=(0, 4096),
        prices={"real": 4.0, "synthetic": 0.0},
    )
    [told] = [text for text in _judged(folder).sentences if text.startswith("At your prices")]
    # The curve is read up to twice as many photos as were studied, at 4 EUR each.
    assert "takes more than 2,048 EUR of photos alone (95 % interval more than 2,048)" in told


def test_photos_that_would_cost_score_are_not_to_be_labelled(tmp_path: Path) -> None:
    with_renders = {16: 0.45, 32: 0.43, 64: 0.43, 256: 0.5}
    folder = write_grid(
        tmp_path,
        lambda r, s: with_renders.get(r, 0.3) - 0.1 * (not s),
        real=(16, 32, 64, 256),
        synthetic=(0, 64, 1024),
        spread=0.003,
    )
    assert not [step for step in _judged(folder, 16).next_steps if step.startswith("Label")]


def test_more_renders_and_better_ones_are_not_both_advised(tmp_path: Path) -> None:
    def surface(real: int, synthetic: int) -> float:
        # Alone they have reached their end; beside photos they have not.
        return 0.3 if not real else useless(real, 0) + 0.003 * synthetic**0.5

    steps = " ".join(_judged(write_grid(tmp_path, surface, spread=0.002)).next_steps)
    assert "Render more" in steps and "rather than more" not in steps


def test_renders_that_beat_photos_need_not_be_better(tmp_path: Path) -> None:
    folder = write_grid(tmp_path, lambda r, s: 0.8 if not r else 0.6, spread=0.002)
    assert "rather than more" not in " ".join(_judged(folder).next_steps)


def _few_hurt_most(real: int, synthetic: int) -> float:
    cost = {0: 0.0, 64: 0.08, 256: 0.05, 1024: 0.04, 4096: 0.03}
    return useless(real, 0) - cost[synthetic]


def test_few_renders_that_hurt_most_are_not_too_many(tmp_path: Path) -> None:
    folder = write_grid(tmp_path, _few_hurt_most, real=(16, 256), runs=5, spread=0.004, seed=1)
    verdict = _judged(folder)
    told = " ".join((*verdict.sentences, *verdict.next_steps))
    assert "Renders hurt there" in told and "Too many renders" not in told


def test_more_of_what_costs_less_is_not_advised(tmp_path: Path) -> None:
    folder = write_grid(tmp_path, _few_hurt_most, real=(16, 256), runs=5, spread=0.004, seed=1)
    steps = _judged(folder).next_steps
    assert not any(step.startswith("Render more") for step in steps)
    [without] = [step for step in steps if step.startswith("Train without these renders")]
    assert "with 256 photos" in without and "64 cost −0.0" in without


def test_two_counts_of_photos_do_not_tell_what_more_would_bring(tmp_path: Path) -> None:
    grid = {"synthetic": (0, 64), "runs": 5}
    two = _judged(write_grid(tmp_path / "two", useless, real=(16, 256), **grid))
    assert not any("learning curve rises" in step for step in two.next_steps)
    three = _judged(write_grid(tmp_path / "three", useless, real=(16, 64, 256), **grid))
    assert any("learning curve rises" in step for step in three.next_steps)


def test_two_counts_of_renders_have_no_doubling(tmp_path: Path) -> None:
    for synthetic, told in (((0, 64, 256), False), ((0, 64, 256, 1024), True)):
        name = str(len(synthetic))
        folder = write_grid(tmp_path / name, like_the_paper, synthetic=synthetic, runs=5)
        [alone] = [t for t in _judged(folder).sentences if t.startswith("Renders alone")]
        assert ("twice as many" in alone) is told


def test_one_shared_repeat_is_compared_with_itself(tmp_path: Path) -> None:
    """All runs of both cells would be of other photos, and other test images."""
    write_grid(tmp_path, lambda r, s: useless(r, 0) - 0.03 * (s > 0), real=(16, 64), pair=0.2)
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    kept = [n for n in lines if (n["real"], n["synthetic"]) != (64, 64) or n["repeat"] == 0]
    (tmp_path / "ledger.jsonl").write_text("".join(json.dumps(n) + "\n" for n in kept))
    study = read_study(tmp_path)
    scores = {(n["real"], n["synthetic"], n["repeat"]): n["mean_iou"] for n in kept}
    gain = analyse_grid(study).gains[64, 64].contrast
    assert gain.difference.estimate == pytest.approx(scores[64, 64, 0] - scores[64, 0, 0])
    assert gain.difference.low is None
    assert "over the one repeat that both have" in contrast_text(gain)


def test_what_is_worth_photos_is_not_one_run(tmp_path: Path) -> None:
    write_grid(tmp_path, like_the_paper)
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    kept = []
    for line in lines:
        if (line["real"], line["synthetic"]) == (16, 1024):
            if line["repeat"]:
                continue
            line["mean_iou"] = 0.65
        kept.append(json.dumps(line) + "\n")
    (tmp_path / "ledger.jsonl").write_text("".join(kept))
    told = [t for t in _judged(tmp_path, 16).sentences if "score what" in t]
    assert told and not any("1,024 renders score" in text for text in told)


def test_an_interval_of_the_best_says_that_it_is_of_one(tmp_path: Path) -> None:
    assert "of this cell alone" in _judged(write_grid(tmp_path, like_the_paper)).headline


@pytest.mark.parametrize(("passes", "told"), [(40, True), (150, False)])
def test_a_gain_that_is_missing_for_want_of_training_on_photos_is_told(
    passes: int, told: bool, tmp_path: Path
) -> None:
    write_grid(tmp_path / "as", useless, runs=3)
    lines = []
    for line in (tmp_path / "as" / "ledger.jsonl").read_text().splitlines():
        entry = json.loads(line)
        # Half of what a model with renders sees are photos.
        seen = 2 * passes if entry["synthetic"] else 200
        entry["images_seen"] = seen * max(1, entry["real"])
        entry["config"] = {"mix": "sequential", "real_share": 0.5 if entry["synthetic"] else None}
        lines.append(json.dumps(entry))
    (tmp_path / "as" / "ledger.jsonl").write_text("\n".join(lines) + "\n")
    cautions = judge_grid(analyse_grid(read_study(tmp_path / "as"))).cautions
    found = [text for text in cautions if "shows each photo" in text]
    assert bool(found) is told
    if told:
        assert "shows each photo 40 times there, 200 times without renders" in found[0]
