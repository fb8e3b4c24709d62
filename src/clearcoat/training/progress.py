"""How far a training is, and who hears of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

from clearcoat.training.probe import Answer
from clearcoat.training.sampling import Phase


@dataclass
class Progress:
    """How far training is. All of it is plain data, and goes into a checkpoint."""

    phase: int = 0
    step: int = 0
    """Steps taken in this phase."""
    epoch_step: int = 0
    """Those of them since the last evaluation."""
    loss_sum: float = 0.0
    """Of the steps since the last evaluation."""
    evaluations: int = 0
    stale: int = 0
    """Evaluations since the best one of this phase."""
    best: float = math.inf
    """Lowest stopping value of this phase."""
    best_step: int = 0
    cuts: int = 0
    """How often the schedule `plateau` has halved the rate in this phase."""
    images_seen: int = 0
    train_s: float = 0.0
    validation_s: float = 0.0
    wall_s: float = 0.0
    """All sessions together, from the choice of computing to the last checkpoint."""
    exclusive: bool | None = None
    """Whether the device was ours alone in all sessions so far; None where one cannot tell."""
    sessions: int = 0
    """Processes that have worked on the run and left a checkpoint."""
    computed_on: list[str] = field(default_factory=list)
    """Devices and numbers of threads, of all sessions so far."""
    finished: list[dict[str, Any]] = field(default_factory=list)
    """One summary per finished phase."""


class StoppedError(Exception):
    """Training was asked to stop and can be gone on with: no mistake of anyone's."""


class Observer(Protocol):
    """Is told what happens; whatever shows progress implements it."""

    def on_packing(self, name: str, done: int, total: int) -> None:
        """Hear that an image of a data set was packed; not called where a pack was there."""

    def on_computing(self, answer: Answer) -> None:
        """Hear which way of computing was chosen, and what was measured for it."""

    def on_phase(self, phase: Phase, number: int, count: int) -> None:
        """Hear that a phase begins or goes on."""

    def on_step(self, progress: Progress, phase: Phase) -> None:
        """Hear that a step was taken. Nothing is known of its loss: the device may lag behind."""

    def on_evaluation(self, line: dict[str, Any]) -> None:
        """Hear of an evaluation: a line of the curve."""


class Silent:
    """Shows nothing."""

    def on_packing(self, name: str, done: int, total: int) -> None:
        """Do nothing."""

    def on_computing(self, answer: Answer) -> None:
        """Do nothing."""

    def on_phase(self, phase: Phase, number: int, count: int) -> None:
        """Do nothing."""

    def on_step(self, progress: Progress, phase: Phase) -> None:
        """Do nothing."""

    def on_evaluation(self, line: dict[str, Any]) -> None:
        """Do nothing."""
