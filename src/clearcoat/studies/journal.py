"""What a search remembers in its folder: every trial, and which were cut off and taken up again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clearcoat.errors import UsageError

if TYPE_CHECKING:
    import optuna

JOURNAL = "journal.log"


def open_journal(out: Path, identity: str, prune: bool) -> optuna.Study:
    """Open the search of a folder, or begin it. Raises UsageError where another one is there."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(out / JOURNAL)))
    study = optuna.create_study(
        storage=storage,
        study_name="search",
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3)
        if prune
        else optuna.pruners.NopPruner(),
    )
    known = study.user_attrs.get("identity")
    if known is None:
        study.set_user_attr("identity", identity)
    elif known != identity:
        raise UsageError(
            "the output folder holds a search with other data or settings",
            where=out,
            do="choose another --out, or remove this folder",
        )
    return study


def take_up(study: optuna.Study) -> None:
    """Queue the trials that an interruption left unfinished, with the values they had.

    Values are drawn one by one, so that there may be some or none: the others are drawn anew.
    """
    from optuna.trial import TrialState

    again = _taken_up(study)
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        # Queued first: one that is ended and not yet queued would count as diverged.
        if trial.number not in again:
            study.enqueue_trial(trial.params, user_attrs={"of": trial.number})
        study.tell(trial.number, state=TrialState.FAIL)


def _taken_up(study: optuna.Study) -> set[int | None]:
    """Return the numbers of the trials that were queued again under another number."""
    return {trial.user_attrs.get("of") for trial in study.trials}


def finished_trials(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Return the trials that count: not those that were taken up again."""
    again = _taken_up(study)
    return [t for t in study.trials if t.state.is_finished() and t.number not in again]
