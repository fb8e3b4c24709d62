"""The untouched photos are scored once, by the weights that the study kept for it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from clearcoat.dataset import Dataset
from clearcoat.errors import DatasetError, RunError, UsageError
from clearcoat.report.study import read_study
from clearcoat.report.study.confirmed import confirmed_cells
from clearcoat.studies import (
    GRID_ARM,
    SELF_TRAINED_ARM,
    CellKey,
    Conditions,
    conduct,
    confirm,
    read_ledger,
)
from clearcoat.studies.choosing import Candidate, default_choice
from clearcoat.studies.confirming import untouched_file
from clearcoat.studies.ledger import Look, append
from clearcoat.studies.locks import Claims
from clearcoat.studies.looking import LookRequest, plan_look
from clearcoat.studies.record import RUNS, STUDY
from clearcoat.studies.weights import kept_weights
from clearcoat.training import find_loss, load_model, pack, score_model
from clearcoat.training.folder import BEST, METRICS

from .conftest import supplement, transfer

APART: dict[str, Any] = {
    "untouched_count": 4,
    "real_counts": [4],
    "synthetic_counts": [0, 4, 8],
    "repeats": {"min": 2, "width": None},
    "qualitative": None,
}


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("confirm") / "grid"
    conduct(supplement(data, **APART), out)
    return out


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished study whose ledger may be written into."""
    out = tmp_path / "grid"
    out.mkdir()
    for file in finished.glob("*.json*"):
        (out / file.name).write_bytes(file.read_bytes())
    shutil.copytree(finished / RUNS, out / RUNS)
    return out


def test_weights_stay_for_the_runs_to_be_confirmed(data: Path, finished: Path) -> None:
    entries = read_ledger(finished).entries
    kept = {path.parent.name for path in (finished / RUNS).glob("*/best.pt")}
    assert kept == {entry.run_id[:16] for entry in entries}
    plan = supplement(data, **APART)
    told = kept_weights(plan)
    sizes = [path.stat().st_size for path in (finished / RUNS).glob("*/best.pt")]
    assert told.starts + told.kept == len(sizes)
    # The file's own entries weigh something in so small a model.
    assert told.size_bytes < sum(sizes) < 4 * told.size_bytes


def test_chosen_cells_are_scored_on_photos_that_no_run_had(data: Path, study: Path) -> None:
    before = read_ledger(study)
    confirmed = confirm(study)
    after = read_ledger(study)
    assert after.entries == before.entries and not after.complaints
    [look] = after.looks
    assert (look.number, look.images, look.early) == (1, 4, False)
    assert {c.run_id for c in after.confirmations} == set(look.runs)
    assert confirmed.cells[0].key[1:] == (4, 0)
    means = {
        synthetic: fmean(
            e.mean_iou or 0 for e in before.entries if e.real and e.synthetic == synthetic
        )
        for synthetic in (4, 8)
    }
    best = max(means, key=lambda s: means[s])
    assert [tuple(cell.key[1:]) for cell in confirmed.cells] == [(4, 0), (4, best)]

    photos = supplement(data, **APART).data.untouched
    assert photos is not None
    for one in after.confirmations:
        run = study / RUNS / one.run_id[:16]
        config = json.loads((run / "config.json").read_text())
        seen = {
            n for chosen in config["images"].values() if isinstance(chosen, list) for n in chosen
        }
        assert not seen & set(photos.indices)
        # Independently of the pack and the ledger: the same photos scored by hand.
        model, training, _ = load_model(run)
        images = pack(Dataset.open(data / "photos"), photos.indices, training.size)
        _, score = score_model(model, images, find_loss(training.loss))
        assert one.mean_iou == score.mean_iou
        counts = json.loads((run / untouched_file(1)).read_text())["intersection_and_union"]
        assert len(counts) == 4


def test_a_second_look_is_refused_unless_asked_for(study: Path) -> None:
    confirm(study, LookRequest(["4+0"]))
    lines = (study / "ledger.jsonl").read_bytes()
    with pytest.raises(UsageError, match="have been looked at"):
        confirm(study, LookRequest(["4+8"]))
    assert (study / "ledger.jsonl").read_bytes() == lines
    second = confirm(study, LookRequest(["4+8"], again=True))
    assert second.look.number == 2
    assert [look.number for look in read_ledger(study).looks] == [1, 2]


def test_a_look_that_was_cut_off_is_gone_on_with(study: Path) -> None:
    whole = confirm(study)
    cut = study / "ledger.jsonl"
    lines = cut.read_text().splitlines(keepends=True)
    cut.write_text("".join(lines[:-2]) + lines[-2][:30])
    # The cells were chosen when the look began.
    with pytest.raises(UsageError, match="was cut off"):
        confirm(study, LookRequest(["4+0"]))
    again = confirm(study)
    assert again.look == whole.look and again.cells == whole.cells


def test_what_would_be_scored_is_said_without_looking(study: Path) -> None:
    planned = plan_look(study)
    assert (planned.number, planned.images, planned.cut_off) == (1, 4, False)
    assert not read_ledger(study).looks
    confirmed = confirm(study)
    assert [cell.key for cell in planned.cells] == [cell.key for cell in confirmed.cells]
    with pytest.raises(UsageError, match="have been looked at"):
        plan_look(study)
    ledger = study / "ledger.jsonl"
    lines = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join(lines[:-1]))
    cut = plan_look(study)
    assert cut.cut_off and [cell.key for cell in cut.cells] == [c.key for c in confirmed.cells]


def test_a_cell_that_lacks_some_weights_is_no_cell_to_confirm(study: Path) -> None:
    run = next(e for e in read_ledger(study).entries if (e.real, e.synthetic) == (4, 0))
    (study / RUNS / run.run_id[:16] / BEST).unlink()
    with pytest.raises(UsageError, match="not kept") as raised:
        confirm(study)
    assert raised.value.found == "4+0: 1 of 2" and "--early" in (raised.value.do or "")
    assert not read_ledger(study).looks
    look = confirm(study, LookRequest(early=True)).look
    assert look.weightless == 1 and run.run_id not in look.runs


@pytest.mark.parametrize("file", [BEST, METRICS])
def test_a_damaged_model_does_not_spend_the_look(study: Path, file: str) -> None:
    run = next(e for e in read_ledger(study).entries if (e.real, e.synthetic) == (4, 0))
    (study / RUNS / run.run_id[:16] / file).write_bytes(b"{}")
    with pytest.raises(RunError) as raised:
        confirm(study)
    assert "--remake-weights" in (raised.value.do or "")
    assert not read_ledger(study).looks


def test_a_damaged_photo_does_not_spend_the_look(data: Path, study: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    shutil.copytree(data / "photos", photos)
    untouched = supplement(data, **APART).data.untouched
    assert untouched is not None
    number = untouched.indices[0]
    [image] = [f for f in photos.rglob("*.png") if f.stem == f"{number:06d}" and "images" in str(f)]
    image.write_bytes(b"nothing")
    with pytest.raises(DatasetError):
        confirm(study, photos=photos)
    assert not read_ledger(study).looks


def test_weights_that_score_otherwise_are_confirmed_as_what_they_are(study: Path) -> None:
    run = next(e for e in read_ledger(study).entries if (e.real, e.synthetic) == (4, 0))
    lines = (study / "ledger.jsonl").read_text()
    assert run.mean_iou is not None
    elsewhere = lines.replace(f'"mean_iou":{run.mean_iou!r}', '"mean_iou":0.987', 1)
    assert elsewhere != lines
    (study / "ledger.jsonl").write_text(elsewhere)
    [cell] = [c for c in plan_look(study).cells if c.key.synthetic == 0]
    assert cell.retrained == 1
    confirmed = confirm(study)
    [found] = [c for c in confirmed.cells if c.key.synthetic == 0]
    assert run.mean_iou in found.split_tests and 0.987 not in found.split_tests


def test_nothing_is_scored_while_the_study_is_being_worked_on(study: Path) -> None:
    with Claims(study) as other:
        assert other.take("some run")
        with pytest.raises(UsageError, match="being worked on"):
            confirm(study)
    assert not read_ledger(study).looks


def test_a_look_whose_line_is_lost_has_been_one(study: Path) -> None:
    confirm(study)
    ledger = study / "ledger.jsonl"
    lines = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join("{\n" if '"kind":"look"' in line else line for line in lines))
    with pytest.raises(UsageError, match="have been looked at") as raised:
        confirm(study)
    assert "damaged" in (raised.value.found or "")
    assert confirm(study, LookRequest(again=True)).look.number == 2


def test_each_look_keeps_its_scores_per_image(study: Path) -> None:
    first = confirm(study, LookRequest(["4+0"])).look
    folder = study / RUNS / first.runs[0][:16]
    before = (folder / untouched_file(1)).read_bytes()
    confirm(study, LookRequest(["4+0"], again=True))
    assert (folder / untouched_file(1)).read_bytes() == before
    assert (folder / untouched_file(2)).is_file()


def test_a_device_that_is_not_there_does_not_spend_the_look(study: Path) -> None:
    with pytest.raises(UsageError, match="warp"):
        confirm(study, device="warp")
    assert not read_ledger(study).looks


def test_an_unfinished_study_is_not_confirmed_by_chance(data: Path, tmp_path: Path) -> None:
    class _StopError(Exception):
        pass

    def stop(*_: Any) -> None:
        raise _StopError

    out = tmp_path / "part"
    with pytest.raises(_StopError):
        conduct(supplement(data, **APART), out, Conditions(after_run=stop))
    with pytest.raises(UsageError, match="not finished"):
        confirm(out)
    assert confirm(out, LookRequest(early=True)).look.early


def test_cells_without_weights_are_named_and_can_be_made_again(data: Path, tmp_path: Path) -> None:
    few = APART | {"synthetic_counts": [0], "confirm": {"real": []}}
    out = tmp_path / "grid"
    conduct(supplement(data, **few), out)
    before = read_ledger(out).entries
    with pytest.raises(UsageError, match="not kept") as raised:
        confirm(out)
    assert "4+0" in (raised.value.found or "")
    told: list[str] = []
    study = supplement(data, **(few | {"confirm": {}}))
    conditions = Conditions(remake_weights=True, tell=told.append)
    assert conduct(study, out, conditions).runs_here == 2
    assert read_ledger(out).entries == before and not told
    assert conduct(study, out, conditions).runs_here == 0
    assert len(confirm(out).look.runs) == 2


@pytest.mark.parametrize("wanted", [["4+80"], ["U-Net:4+8"], ["nonsense"]])
def test_cells_that_are_not_there_are_named(study: Path, wanted: list[str]) -> None:
    with pytest.raises(UsageError, match="no cell"):
        confirm(study, LookRequest(wanted))
    assert not read_ledger(study).looks


def test_a_look_is_at_chosen_cells_or_at_all() -> None:
    with pytest.raises(UsageError, match="--cell and --all"):
        LookRequest(["4+8"], everything=True)


def test_a_study_without_untouched_photos_has_nothing_to_confirm(
    data: Path, tmp_path: Path
) -> None:
    few = APART | {"untouched_count": 0, "synthetic_counts": [0]}
    conduct(supplement(data, **few), tmp_path / "grid")
    assert not list((tmp_path / "grid" / RUNS).glob("*/best.pt"))
    with pytest.raises(UsageError, match="sets no photos apart"):
        confirm(tmp_path / "grid")


def test_other_photos_are_no_confirmation(data: Path, study: Path) -> None:
    with pytest.raises(DatasetError, match="not the photos"):
        confirm(study, photos=data / "renders")
    assert not read_ledger(study).looks


@pytest.mark.parametrize(
    ("changes", "telling"),
    [
        ({"kind": "survey"}, "another version"),
        ({"spec": {"design": "paired", "later": 1}}, "none of this version"),
        ({"spec": None}, "damaged"),
        ({"digests": []}, "damaged"),
        ({"paths": {}}, "does not say"),
    ],
)
def test_a_plan_of_another_version_is_no_traceback(
    study: Path, changes: dict[str, Any], telling: str
) -> None:
    plan = json.loads((study / STUDY).read_text())
    (study / STUDY).write_text(json.dumps(plan | changes))
    with pytest.raises(RunError, match=telling) as raised:
        confirm(study)
    assert "again" in (raised.value.do or "")
    assert not read_ledger(study).looks


def test_two_processes_do_not_look_at_once(study: Path) -> None:
    with Claims(study) as claims:
        assert claims.take("confirm")
        with pytest.raises(UsageError, match="another process"):
            confirm(study)


def test_a_transfer_study_confirms_controls_and_the_best_start(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "transfer"
    conduct(transfer(data, untouched_count=4, initialisations=["control", "synth-synth"]), out)
    confirmed = confirm(out)
    arms = [cell.key.arm for cell in confirmed.cells]
    assert arms[0] == "base" and "control" in arms and "control, mix" in arms
    assert "synth-synth, trainable" in arms and "W-net synth" in arms
    assert len(arms) == 5


def test_the_best_w_net_stands_in_nobodys_way() -> None:
    means = {"control": 0.3, "synth-synth, trainable": 0.5, "W-net synth": 0.45}
    means |= {"EfficientNet-random, frozen": 0.4, "EfficientNet-random, trainable": 0.35}
    cells = [Candidate(CellKey(arm, 16, 0), mean, (), 0, 0) for arm, mean in means.items()]
    chosen = [cell.key.arm for cell in default_choice(cells)]
    assert sorted(chosen) == sorted(set(means) - {"EfficientNet-random, trainable"})


def test_photos_without_labels_are_confirmed_beside_the_same_cell_without(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "grid"
    own = {"synthetic": [4], "max_steps": 1}
    conduct(supplement(data, **APART, self_training=own), out)
    named = {(GRID_ARM, 4, 0), (GRID_ARM, 4, 4), (SELF_TRAINED_ARM, 4, 4)}
    assert named <= {cell.key for cell in confirm(out).cells}
    entries = [e for e in read_ledger(out).entries if e.arm == SELF_TRAINED_ARM]
    # 20 photos less 4 untouched, 4 to score on, 2 to stop on and 4 that are drawn.
    assert [entry.unlabelled for entry in entries] == [6, 6]
    found = {cell.key: cell for cell in confirmed_cells(read_study(out))}
    own_key = CellKey(SELF_TRAINED_ARM, 4, 4)
    gain = found[own_key].gain_on_split_tests
    without = found[CellKey(GRID_ARM, 4, 4)].split_tests.estimate
    assert gain is not None
    assert gain.estimate == pytest.approx(found[own_key].split_tests.estimate - without)


def test_a_look_at_other_photos_is_not_gone_on_with(study: Path) -> None:
    entries = read_ledger(study).entries
    look = Look(number=1, runs=(entries[0].run_id,), data="other", images=4, began_at="")
    append(study, look)
    with pytest.raises(DatasetError, match="others than when the look began"):
        confirm(study)
