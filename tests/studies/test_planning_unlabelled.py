"""Plans with photos without labels: cells beside the grid, and their control."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clearcoat.dataset import Dataset, RecordInfo
from clearcoat.errors import SpecError
from clearcoat.studies import GRID_ARM, SELF_TRAINED_ARM, SELF_TRAINING_CONTROL, CellKey
from clearcoat.training import SelfTraining
from clearcoat.training.selection import select

from .conftest import TRAINING, supplement


@pytest.mark.parametrize("how", [{}, {"mix": "balanced"}, {"share_pretraining": False}])
def test_cells_with_photos_without_labels_stand_beside_the_grid(
    data: Path, how: dict[str, object]
) -> None:
    mix = {"mix": how["mix"]} if "mix" in how else {}
    more = {"share_pretraining": False} if "share_pretraining" in how else {}
    options: dict[str, Any] = {"training": TRAINING | mix, "qualitative": None, **more}
    plain = supplement(data, **options)
    study = supplement(data, self_training={"max_steps": 1, "confidence": 0.8}, **options)
    grid = [cell for cell in study.cells if cell.key.arm == GRID_ARM]
    # The grid is the one that it was, run by run.
    assert [c.make(0).run_id for c in grid] == [c.make(0).run_id for c in plain.cells]
    beside = {cell.key[1:]: cell for cell in study.cells if cell.key.arm == SELF_TRAINED_ARM}
    assert set(beside) == {cell.key[1:] for cell in grid if cell.key.real}
    for cell in grid:
        if cell.key[1:] not in beside:
            continue
        run, other = beside[cell.key[1:]].make(0), cell.make(0)
        assert run.config.self_training == SelfTraining(max_steps=1, confidence=0.8)
        assert run.config.model_copy(update={"self_training": None}) == other.config
        assert run.start is other.start
        chosen, before = select(run.config, run.sources), select(other.config, other.sources)
        assert chosen.real == before.real
        drawn = {*chosen.real, *chosen.held_back["real"]}
        assert run.sources.real is not None
        assert set(chosen.unlabelled) == set(run.sources.real.indices) - drawn


def test_their_control_is_trained_for_as_long_without_them(data: Path) -> None:
    own = {"real": [8], "synthetic": [8], "max_steps": 1, "control": True}
    study = supplement(data, self_training=own)
    found = {cell.key.arm: cell.make(0) for cell in study.cells if cell.key[1:] == (8, 8)}
    run, control = found[SELF_TRAINED_ARM], found[SELF_TRAINING_CONTROL]
    assert control.start is run.start and control.config.seed == run.config.seed
    chosen = [select(one.config, one.sources) for one in (run, control)]
    assert chosen[0].real == chosen[1].real
    assert control.config.self_training == SelfTraining(max_steps=1, control=True)
    assert control.sources.unlabelled is None and run.sources.unlabelled is not None


def test_photos_without_labels_may_be_chosen_and_given(data: Path, squares: Any) -> None:
    more = squares("more photos", 6, size=24, seed=7, where=data)
    own = {"real": [8], "synthetic": [8], "photos": more.path}
    study = supplement(data, self_training=own)
    cell = next(cell for cell in study.cells if cell.key.arm == SELF_TRAINED_ARM)
    assert cell.key == (SELF_TRAINED_ARM, 8, 8)
    assert [c.key.arm for c in study.cells].count(SELF_TRAINED_ARM) == 1
    run = cell.make(0)
    assert select(run.config, run.sources).unlabelled == more.indices
    scored = next(iter(study.data.test)).path
    with pytest.raises(SpecError, match="among those to train on") as error:
        supplement(data, self_training=own | {"photos": scored})
    assert "self_training.photos" in str(error.value)


def test_records_of_photos_without_labels_are_read_once(
    data: Path, squares: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = squares("photos to come", 6, size=24, seed=8, where=data)
    read: list[tuple[Path, int]] = []

    def counted(dataset: Dataset, index: int) -> RecordInfo:
        read.append((dataset.path, index))
        return whole(dataset, index)

    whole = Dataset.record_info
    monkeypatch.setattr(Dataset, "record_info", counted)
    supplement(data, self_training={"photos": more.path, "control": True})
    # Once to see that none is scored, by another view of the data set, and once for all runs.
    assert max(read.count((more.path, index)) for index in more.indices) <= 2


def test_batches_without_room_for_every_kind_leave_a_cell_out(data: Path) -> None:
    tight = TRAINING | {"batch_size": 2, "real_share": 0.5}
    study = supplement(data, training=tight, self_training={"synthetic": [8]}, qualitative=None)
    assert {cell.key.arm for cell in study.cells} == {GRID_ARM}
    skipped = {cell.key: cell.why for cell in study.skipped}
    why = skipped[CellKey(SELF_TRAINED_ARM, 8, 8)]
    assert "use `batch_size` 3 or more" in why


def test_where_every_photo_is_drawn_none_is_left_without_a_label(data: Path) -> None:
    study = supplement(data, real_counts=[4, 14], self_training={"control": True})
    beside = {tuple(cell.key) for cell in study.cells if cell.key.arm != GRID_ARM}
    # A control without what it is the control of would be trained for nothing.
    assert beside == {
        (arm, 4, renders) for arm in (SELF_TRAINED_ARM, SELF_TRAINING_CONTROL) for renders in (0, 8)
    }
    skipped = {cell.key: cell.why for cell in study.skipped}
    for arm in (SELF_TRAINED_ARM, SELF_TRAINING_CONTROL):
        assert "no photo without labels is left" in skipped[CellKey(arm, 14, 8)]
