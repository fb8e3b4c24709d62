"""`clearcoat study`: many trainings as one plan that can be stopped and gone on with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from clearcoat.cli._options import Verbs, json_option, print_json
from clearcoat.cli.study_confirm import command as _confirm
from clearcoat.cli.study_search import command as _search
from clearcoat.errors import UsageError

if TYPE_CHECKING:
    from clearcoat.studies import StudyPlan

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path)
_UNITS_S = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@click.group("study", cls=Verbs)
def command() -> None:
    """Run a study: what are renders worth here, and how are they best used?

    A study's folder holds a ledger with one line per finished run. The same command goes on
    where it was cut off; several processes, also on several machines with one file system, may
    work on one folder at the same time.
    """


def _options(function: F) -> F:
    for option in reversed(
        (
            click.argument("study", type=_FILE, metavar="STUDY.yaml"),
            click.option("--out", type=_FILE, required=True, help="Folder of the study."),
            click.option(
                "--budget", help="Time to spend, as in 2h or 45min; what tells most comes first."
            ),
            click.option(
                "--dry-run",
                is_flag=True,
                help="Say what would be run and what cannot; run nothing.",
            ),
            click.option("--retry-failed", is_flag=True, help="Try diverged runs once more."),
            click.option(
                "--remake-weights",
                is_flag=True,
                help="Train runs again that lack weights which `confirm` in the YAML asks for, "
                "or images of Fig. 5.",
            ),
            click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda …"),
            click.option(
                "--threads",
                type=click.IntRange(min=1),
                help="Processor threads [PyTorch's choice].",
            ),
            json_option,
        )
    ):
        function = option(function)
    return function


@command.command("supplement")
@_options
def supplement(study: Path, **options: Any) -> None:
    """Train on a grid of real and synthetic counts (the paper's section IV)."""
    from clearcoat.studies import SupplementSpec, load_study, open_data, plan_supplement

    spec = load_study(study, SupplementSpec)
    _run(plan_supplement(spec, open_data(spec)), **options)


@command.command("transfer")
@_options
def transfer(study: Path, **options: Any) -> None:
    """Train from different starts: renders, ImageNet, nothing (the paper's section V)."""
    from clearcoat.studies import TransferSpec, load_study, open_data, plan_transfer

    spec = load_study(study, TransferSpec)
    _run(plan_transfer(spec, open_data(spec)), **options)


def parse_duration(text: str) -> float:
    """Return the seconds of `90s`, `45min`, `2h`, `1.5d`. Raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)", text.strip())
    if not match or float(match[1]) == 0:
        raise UsageError("not a time", found=repr(text), expected="as in 90s, 45min, 2h or 1.5d")
    return float(match[1]) * _UNITS_S[match[2]]


def _run(
    study: StudyPlan,
    out: Path,
    budget: str | None,
    dry_run: bool,
    retry_failed: bool,
    remake_weights: bool,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    import torch

    from clearcoat.studies import Conditions, conduct, plan, read_ledger
    from clearcoat.studies.record import require_place
    from clearcoat.studies.work import runs_to_remake

    budget_s = None if budget is None else parse_duration(budget)
    for cell in study.skipped:
        click.echo(f"left out: {cell.key}: {cell.why}", err=True)
    if dry_run:
        require_place(study.kind, out)
        ledger = read_ledger(out)
        for complaint in ledger.complaints:
            click.echo(complaint, err=True)
        if retry_failed:
            ledger = ledger.to_retry()
        progress = plan(study, ledger.entries)
        again = runs_to_remake(study, out, progress) if remake_weights else []
        _say_plan(study, progress, again, as_json)
        return
    if threads is not None:
        torch.set_num_threads(threads)

    def tell(text: str) -> None:
        click.echo(text, err=True)

    conditions = Conditions(
        device=device,
        budget_s=budget_s,
        retry_failed=retry_failed,
        remake_weights=remake_weights,
        tell=tell,
        after_run=lambda run, entry, progress: tell(_line(run, entry, progress)),
    )
    outcome = conduct(study, out, conditions)
    if as_json:
        ended = {name: getattr(outcome, name) for name in ("ended_by", "shortest_s", "left_s")}
        print_json(_summary(study, outcome.progress) | ended)
        return
    _say_state(outcome)
    click.echo(f"study: {out}; its report: clearcoat report {out} --out report.html")


def _line(run: Any, entry: Any, progress: Any) -> str:
    if entry.failed:
        result = f"failed: {entry.failed}"
    elif entry.mean_iou is None:
        result = "no score, since the test photos show no class"
    else:
        result = f"mean IoU {entry.mean_iou:.3f}"
    left = max(0, len(progress.next) - 1)
    return f"{run.key}, repeat {run.repeat}: {result} ({entry.wall_s:.0f} s; {left} or more left)"


def _say_state(outcome: Any) -> None:
    states = [state.stop.state for state in outcome.progress.states.values()]
    click.echo(
        f"{outcome.runs_here} {'run' if outcome.runs_here == 1 else 'runs'} finished here; "
        f"{len(states)} cells: "
        f"{states.count('settled')} settled, {states.count('capped')} at their most runs and "
        f"still wide, {states.count('open')} open"
    )
    if outcome.progress.foreign:
        click.echo(
            f"{outcome.progress.foreign} lines of the ledger do not count: they belong to other "
            "data or settings, or to repeats that the study no longer asks for"
        )
    if outcome.ended_by == "finished":
        return
    why = "the budget is spent"
    if outcome.ended_by == "no_run_fits":
        why = (
            f"nothing more fits: the shortest next run takes about {_told(outcome.shortest_s)}, "
            f"{_told(outcome.left_s)} of the budget is left"
        )
    click.echo(f"{why}; the same command goes on, and the report is valid as it is")


def _told(seconds: float) -> str:
    unit = next((name for name in ("h", "min") if seconds >= _UNITS_S[name]), "s")
    count = seconds / _UNITS_S[unit]
    return f"{count:.{int(count < 10)}f} {unit}"


def _say_plan(study: StudyPlan, progress: Any, again: Sequence[Any], as_json: bool) -> None:
    from clearcoat.studies.weights import kept_weights

    if as_json:
        print_json(_summary(study, progress) | {"trained_again": len(again)})
        return
    for key, state in progress.states.items():
        rule = state.cell.rule
        most = f"{rule.least}" if rule.least == rule.most else f"{rule.least} to {rule.most}"
        click.echo(f"{key}: {most} runs, {len(state.entries)} done, {state.stop.state}")
    click.echo(f"{len(progress.next)} runs are next, more where the results turn out to spread")
    if again:
        cells = Counter(str(run.key) for run in again)
        click.echo(
            f"{len(again)} finished runs lack weights and are trained again: "
            + "; ".join(f"{key}: {count}" for key, count in cells.items())
        )
    kept = kept_weights(study)
    click.echo(
        f"weights that stay: {kept.starts} runs that others start from, {kept.kept} for "
        f"`study confirm` or by `keep_weights`; about {kept.size_bytes / 1e6:,.0f} MB"
    )


def _summary(study: StudyPlan, progress: Any) -> dict[str, Any]:
    return {
        "kind": study.kind,
        "cells": [
            {
                **key._asdict(),
                "state": state.stop.state,
                "runs": len(state.entries),
                "mean_iou": state.values,
            }
            for key, state in progress.states.items()
        ],
        "skipped": [{**cell.key._asdict(), "why": cell.why} for cell in study.skipped],
        "next": len(progress.next),
        "foreign": progress.foreign,
    }


command.add_command(_search)
command.add_command(_confirm)
