"""What `train` shows while it works: a live bar, or lines where no one watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from clearcoat.training import Observer


def observer() -> Any:
    """Return a context whose value shows progress on standard error."""
    from rich.console import Console

    console = Console(stderr=True)
    return _Bar(console) if console.is_terminal else _Lines()


class _Lines:
    """One line per evaluation."""

    def __enter__(self) -> Observer:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def on_packing(self, name: str, done: int, total: int) -> None:
        if done == total:
            click.echo(f"packed {total} {name} images", err=True)

    def on_computing(self, answer: Any) -> None:
        click.echo(_computing(answer), err=True)

    def on_phase(self, phase: Any, number: int, count: int) -> None:
        click.echo(
            f"phase {number + 1} of {count}: {phase.image_count} images, batches of "
            f"{phase.batch_size}, epochs of {phase.steps_per_epoch} steps",
            err=True,
        )

    def on_step(self, progress: Any, phase: Any) -> None:
        pass

    def on_evaluation(self, line: dict[str, Any]) -> None:
        click.echo(
            f"{line['phase']} epoch {line['epoch']} step {line['step']} {_figures(line)} "
            f"stale {line['stale']}",
            err=True,
        )


class _Bar:
    """A live bar per phase."""

    def __init__(self, console: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.completed}/{task.total} {task.fields[unit]}"),
            TextColumn("{task.fields[figures]}"),
            TextColumn("{task.fields[rate]}"),
            TextColumn("left at most"),
            TimeRemainingColumn(),
            console=console,
        )
        self.task: Any = None
        self.packing: dict[str, Any] = {}

    def __enter__(self) -> Observer:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def on_packing(self, name: str, done: int, total: int) -> None:
        if name not in self.packing:
            self.packing[name] = self._add(f"packing {name}", total, "images")
        self.bars.update(self.packing[name], completed=done)

    def on_computing(self, answer: Any) -> None:
        self.bars.console.print(_computing(answer), highlight=False)

    def on_phase(self, phase: Any, number: int, count: int) -> None:
        self.task = self._add(f"{phase.name} {number + 1}/{count}", phase.max_steps, "steps")

    def on_step(self, progress: Any, phase: Any) -> None:
        speed = self.bars.tasks[self.task].speed
        rate = f"{speed * phase.batch_size:.0f} images/s" if speed else ""
        self.bars.update(self.task, completed=progress.step, rate=rate)

    def on_evaluation(self, line: dict[str, Any]) -> None:
        self.bars.update(self.task, figures=f"epoch {line['epoch']} {_figures(line)}")

    def _add(self, name: str, total: int, unit: str) -> Any:
        return self.bars.add_task(name, total=total, figures="", rate="", unit=unit)


def _computing(answer: Any) -> str:
    if not answer.images_per_s:
        return f"computing in {answer.how}"
    rates = ", ".join(f"{way}: {rate:.1f}" for way, rate in answer.images_per_s.items())
    when = "measured earlier on this machine" if answer.cached else "measured now"
    return f"computing in {answer.how} ({when}, images/s: {rates})"


def _figures(line: dict[str, Any]) -> str:
    train = "–" if line["train_loss"] is None else f"{line['train_loss']:.3f}"
    iou = "–" if line["validation_mean_iou"] is None else f"{line['validation_mean_iou']:.3f}"
    return f"loss {train} validation {line['validation_loss']:.3f} mean IoU {iou}"
