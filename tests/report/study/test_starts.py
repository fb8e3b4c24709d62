"""The analysis of a transfer study."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from clearcoat.report.study import analyse_transfer, read_study
from clearcoat.report.study.transfer_figures import table_2, transfer_table
from clearcoat.report.study.transfer_verdict import judge_transfer
from clearcoat.report.study.words import p_text
from clearcoat.statistics import holm

from .ledgers import write_transfer


def test_starts_are_compared_with_the_control_two_sided(transfer: Path) -> None:
    analysis = analyse_transfer(read_study(transfer))
    start = analysis.starts["synth-synth, trainable", 16]
    control = analysis.starts["control", 16]
    assert control.against_control is None
    # Repeats 0 and 3, 1 and 4, 2 and 5 go on from one run on renders each.
    ours, theirs = (
        np.mean([s[:3], s[3:]], axis=0) for s in (start.cell.scores, control.cell.scores)
    )
    expected = stats.ttest_rel(ours, theirs).pvalue
    assert start.control_p == pytest.approx(float(expected))


def test_time_is_split_into_pretraining_and_the_rest(transfer: Path) -> None:
    analysis = analyse_transfer(read_study(transfer))
    times = analysis.starts["synth-synth, trainable", 16].times
    assert times.unit == "s" and times.pretraining == pytest.approx(2000)
    assert times.share == pytest.approx(2000 / 2090, abs=0.01)
    assert analysis.starts["control", 16].times.share == 0


def test_shared_devices_give_no_times(tmp_path: Path) -> None:
    analysis = analyse_transfer(read_study(write_transfer(tmp_path, exclusive=False)))
    assert analysis.starts["control", 16].times.unit == "image passes"
    assert all(row[3] is None for row in table_2(analysis).rows)
    assert any("shared their device" in text for text in judge_transfer(analysis).cautions)


def test_a_shared_base_gives_no_times_either(tmp_path: Path) -> None:
    folder = write_transfer(tmp_path)
    lines = (folder / "ledger.jsonl").read_text().splitlines()
    base = json.loads(lines[0]) | {"exclusive": False}
    (folder / "ledger.jsonl").write_text("\n".join([json.dumps(base), *lines[1:]]) + "\n")
    analysis = analyse_transfer(read_study(folder))
    assert analysis.starts["synth-synth, trainable", 16].times.unit == "image passes"


def test_a_lost_line_of_the_base_costs_the_times_and_nothing_else(
    transfer: Path, tmp_path: Path
) -> None:
    base, *others = (transfer / "ledger.jsonl").read_text().splitlines()
    (tmp_path / "study.json").write_bytes((transfer / "study.json").read_bytes())
    (tmp_path / "ledger.jsonl").write_text("\n".join([base[: len(base) // 2], *others]) + "\n")
    analysis = analyse_transfer(read_study(tmp_path))
    whole = judge_transfer(analyse_transfer(read_study(transfer)))
    verdict = judge_transfer(analysis)
    assert (verdict.kind, verdict.headline) == (whole.kind, whole.headline)
    without = "0.280 without a photo, as the base model is, and "
    assert verdict.next_steps == tuple(s.replace(without, "") for s in whole.next_steps)
    assert without in whole.next_steps[0]
    assert verdict.sentences == tuple(s for s in whole.sentences if "into pretraining" not in s)
    [told] = [text for text in verdict.cautions if "cannot be told" in text]
    assert "7 starts: the ledger lacks the line of the base model" in told
    assert not any("cannot be told" in text for text in whole.cautions)
    times = analysis.starts["synth-synth, trainable", 16].times
    assert times.pretraining is None and times.share is None
    assert analysis.starts["control", 16].times.pretraining == 0
    table = transfer_table(analysis, ["synth-synth, trainable"])
    assert {row[table.columns.index("share of pretraining")] for row in table.rows} == {None}


def test_table_2_has_parameters_and_times(transfer: Path) -> None:
    rows = {row[0]: row for row in table_2(analyse_transfer(read_study(transfer))).rows}
    assert rows["synth-random, frozen"][2] == 3_050_000
    # The ledger is made with a hundred images a second.
    assert rows["control"][3] == pytest.approx(10.0, rel=0.01)


def test_the_verdict_names_what_helps_where(transfer: Path) -> None:
    verdict = judge_transfer(analyse_transfer(read_study(transfer)))
    assert verdict.kind == "gain"
    assert "helps with 16 photos" in verdict.headline
    told = " ".join(verdict.sentences)
    assert "encoder from renders, against ImageNet's (VGG19-synth, frozen), scores +0.0" in told
    assert "moves 96 % of all training time into pretraining" in told


def test_the_share_of_pretraining_varies_with_the_base_models(tmp_path: Path) -> None:
    folder = write_transfer(tmp_path)
    lines = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    bases = [line for line in lines if line["arm"] == "base"]
    for line, seconds in zip(bases, (100.0, 200.0, 300.0), strict=True):
        line["train_s"] = seconds
    (folder / "ledger.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    times = analyse_transfer(read_study(folder)).starts["synth-synth, trainable", 16].times
    assert times.shares == pytest.approx([100 / 190, 200 / 290, 300 / 390], abs=0.02)
    low, high = times.share_range or (0.0, 0.0)
    assert low < min(times.shares) < max(times.shares) < high <= 1


def test_one_run_per_start_is_too_early(tmp_path: Path) -> None:
    folder = write_transfer(tmp_path)
    lines = (folder / "ledger.jsonl").read_text().splitlines()
    (folder / "ledger.jsonl").write_text(
        "".join(line + "\n" for line in lines if json.loads(line)["repeat"] == 0)
    )
    verdict = judge_transfer(analyse_transfer(read_study(folder)))
    assert verdict.kind == "too few"
    assert verdict.headline.startswith("Too early to tell")
    assert re.search(r"against training from scratch that is \+0\.\d+, one run", verdict.headline)
    assert verdict.next_steps == (
        "Repeat more often, with as many more base models (`pretrainings`), with 16, 64 and "
        "256 photos: 1 run per start does not decide, and those that go on from one base model "
        "count as one.",
    )


def test_moving_training_is_corrected_for_the_starts_that_were_tried(transfer: Path) -> None:
    analysis = analyse_transfer(read_study(transfer))
    [told] = [
        text
        for text in judge_transfer(analysis).sentences
        if text.startswith("With 16") and "moves" in text
    ]
    tests = {
        name: s.not_worse_than_mix.not_worse_p
        for (name, real), s in analysis.starts.items()
        if real == 16 and s.times.pretraining and s.not_worse_than_mix is not None
    }
    adjusted = dict(zip(tests, holm(list(tests.values())), strict=True))
    [name] = [name for name in tests if f", {name} moves" in told]
    assert f"{p_text(adjusted[name] or 0.0)} after Holm" in told


def test_without_a_mixed_control_no_loss_is_not_claimed(tmp_path: Path) -> None:
    verdict = judge_transfer(analyse_transfer(read_study(write_transfer(tmp_path, mixes=()))))
    told = " ".join(verdict.sentences)
    assert "no control on a mix" in told and "without losing" not in told


def test_pairs_change_one_thing(transfer: Path) -> None:
    analysis = analyse_transfer(read_study(transfer))
    questions = {pair.question for pair in analysis.pairs}
    assert len(questions) == 6
    pair = next(
        p for p in analysis.pairs
        if p.contrast.cell.key.arm == "synth-random, trainable"
        and p.question.startswith("encoder trainable") and p.contrast.cell.key.real == 16
    )  # fmt: skip
    difference = np.mean(pair.contrast.cell.values) - np.mean(pair.contrast.baseline.values)
    assert pair.contrast.difference.estimate == pytest.approx(difference)


def test_what_the_encoder_of_imagenet_brings_is_not_the_renders(tmp_path: Path) -> None:
    kinds = []
    for seed in range(12):
        folder = write_transfer(
            tmp_path / str(seed), seed=seed, efficientnet=True, bases=6,
            lead_of=lambda arm: 0.08 * arm.startswith("EfficientNet"),
        )  # fmt: skip
        verdict = judge_transfer(analyse_transfer(read_study(folder)))
        assert "start from renders is Efficient" not in " ".join(verdict.sentences)
        kinds.append(verdict.kind)
    assert kinds.count("gain") <= 2 and "unclear" in kinds
    decoders = [text for text in verdict.sentences if "A decoder from renders behind" in text]
    assert any("EfficientNet-synth, frozen" in text for text in decoders)


def test_a_loss_is_called_one(tmp_path: Path) -> None:
    folder = write_transfer(tmp_path, lead_of=lambda arm: -0.06 * arm.startswith("synth"))
    verdict = judge_transfer(analyse_transfer(read_study(folder)))
    assert verdict.kind == "loss" and verdict.headline.startswith("No: with 16, 64 and 256 photos")
    assert all("train from scratch" in step for step in verdict.next_steps)
    assert any("but scores less than training in one go" in text for text in verdict.sentences)


def test_runs_that_are_missing_make_no_start_the_best(tmp_path: Path) -> None:
    def missing(arm: str, repeat: int) -> bool:
        return arm == "synth-synth, frozen" and repeat not in (0, 1)

    folder = write_transfer(
        tmp_path, bases=6, missing=missing,
        lead_of=lambda arm: 0.05 * arm.startswith("synth") + 0.03 * (arm == "synth-synth, frozen"),
    )  # fmt: skip
    verdict = judge_transfer(analyse_transfer(read_study(folder)))
    assert verdict.kind == "gain"
    assert "the best start from renders is synth-synth, frozen" not in " ".join(verdict.sentences)


def test_more_base_models_are_asked_for_where_repeats_do_not_help(tmp_path: Path) -> None:
    folder = write_transfer(tmp_path, bases=1, lead_of=lambda _: 0.0)
    verdict = judge_transfer(analyse_transfer(read_study(folder)))
    [step] = verdict.next_steps
    assert "`pretrainings`" in step and "1 base model and count as 1" in step
    assert "(6 runs from one on renders)" in verdict.sentences[0]


@pytest.mark.parametrize("bases", [1, 3])
def test_encoders_of_one_base_share_its_luck(bases: int, tmp_path: Path) -> None:
    alarms = 0
    for seed in range(20):
        folder = write_transfer(
            tmp_path / str(seed), seed=seed, bases=bases, luck_of_base=0.02, lead_of=lambda _: 0.0
        )
        pairs = analyse_transfer(read_study(folder)).pairs
        [pair] = [
            p
            for p in pairs
            if (p.contrast.cell.key.arm, p.contrast.baseline.key.arm, p.contrast.cell.key.real)
            == ("synth-synth, trainable", "VGG19-synth, frozen", 64)
        ]
        assert len(pair.contrast.ours) == bases
        alarms += pair.p_value is not None and pair.p_value < 0.05
    assert alarms <= 4


def test_the_advice_is_for_the_readers_number_of_photos(transfer: Path) -> None:
    analysis = analyse_transfer(read_study(transfer))
    for photos, real in ((20, 16), (70, 64)):
        verdict = judge_transfer(analysis, photos)
        assert len(verdict.next_steps) == 1 and f"{real} photos" in verdict.next_steps[0]
        assert f"Nearest to your number, with {real} photos" in verdict.headline
