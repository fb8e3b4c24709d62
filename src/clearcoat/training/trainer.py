"""The training loop. It reads top to bottom: phases, epochs, steps, evaluation, stopping.

What a step does is a pure function of the weights, the optimiser's state and (seed, phase,
step), so a checkpoint needs no random state and going on gives the same bits as not stopping.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from clearcoat.errors import DivergedError
from clearcoat.models import SegmentationModel
from clearcoat.training.arrays import class_table
from clearcoat.training.augment import augment
from clearcoat.training.computing import (
    Computing,
    autocast,
    fastest_kernels,
    lay_out,
    step_function,
)
from clearcoat.training.config import SelfTraining, TrainingConfig
from clearcoat.training.losses import Loss
from clearcoat.training.mirrored import Mirrored
from clearcoat.training.phases import learning_rate
from clearcoat.training.progress import Observer, Progress, StoppedError
from clearcoat.training.sampling import Phase, stream_seed
from clearcoat.training.scoring import score_model
from clearcoat.training.selection import TrainingData
from clearcoat.training.sides import mirrored_sets

Weights = dict[str, Tensor]


class Trainer:
    """A model in training, with all that a checkpoint must hold."""

    def __init__(
        self,
        model: SegmentationModel,
        data: TrainingData,
        phases: tuple[Phase, ...],
        loss: Loss,
        config: TrainingConfig,
        how: Computing,
    ) -> None:
        lay_out(model, how)
        self.model = model
        self.data = data
        self.phases = phases
        self.loss = loss
        self.config = config
        self.how = how
        self.device = data.train.device
        self.progress = Progress()
        self.averaged = None if config.ema_decay is None else copy.deepcopy(model)
        self.best_weights: Weights = _copy(self.judged.state_dict())
        self.optimiser = self._new_optimiser()
        sets, other_side = mirrored_sets(data.train.sets, data.train.classes)
        self._table = class_table(sets, len(data.train.classes), self.device)
        self._other_side = None if other_side is None else other_side.to(self.device)
        self._teacher: Weights | None = None
        """Of the model that labels photos, in a phase of self-training."""
        self._began_with: Weights | None = None
        """Weights to which the next phase, or this one, goes back."""
        self._order = torch.Generator()
        self._forward: Callable[[Tensor], Tensor] | None = None
        self._forward_for: tuple[torch.Size, torch.dtype] | None = None

    @property
    def judged(self) -> SegmentationModel:
        """The model that is evaluated and kept: the average where there is one."""
        return self.model if self.averaged is None else self.averaged

    def run(
        self,
        observer: Observer,
        after_evaluation: Callable[[dict[str, Any]], None],
        stop: Callable[[], bool],
    ) -> None:
        """Train through all phases; the best weights of the last one are then in `judged`.

        `after_evaluation` is where a checkpoint is taken. `stop` is asked after each step; where
        it says so StoppedError is raised, and a checkpoint taken then holds every step. Raises
        DivergedError when the loss is no longer a finite number.
        """
        # The loop seeds the global generator (dropout draws from it); callers keep theirs.
        gpu = self.device.type == "cuda"
        with (
            torch.random.fork_rng(devices=[self.device] if gpu else []),
            # Shapes never change within a phase, so it pays to look for the fastest kernels.
            fastest_kernels(self.device),
        ):
            while self.progress.phase < len(self.phases):
                phase = self.phases[self.progress.phase]
                observer.on_phase(phase, self.progress.phase, len(self.phases))
                self._run_phase(phase, observer, after_evaluation, stop)

    def _run_phase(
        self,
        phase: Phase,
        observer: Observer,
        after_evaluation: Callable[[dict[str, Any]], None],
        stop: Callable[[], bool],
    ) -> None:
        progress = self.progress
        own = phase.self_training
        facts = {} if own is None or own.control else self._label(own)
        if math.isinf(progress.best):
            if phase.restarts:
                assert self._began_with is not None
                self._restore(self._began_with)
            elif any(later.restarts for later in self.phases[progress.phase + 1 :][:1]):
                self._began_with = _copy(self.judged.state_dict())
            # The starting weights compete too: fine-tuning may only make things worse.
            line = self._evaluate(phase, train_loss=None)
            observer.on_evaluation(line)
            after_evaluation(line)
        # A run that was stopped after the last step of all still lacks that evaluation.
        while progress.epoch_step or (
            progress.step < phase.max_steps and progress.stale < self.config.patience_epochs
        ):
            line = self._evaluate(phase, self._run_epoch(phase, observer, stop))
            observer.on_evaluation(line)
            after_evaluation(line)
        stale = progress.stale >= self.config.patience_epochs
        progress.finished.append(
            {
                "name": phase.name,
                "steps": progress.step,
                "epochs": math.ceil(progress.step / phase.steps_per_epoch),
                "steps_per_epoch": phase.steps_per_epoch,
                "batch": {stream.name: stream.per_batch for stream in phase.streams},
                "best_step": progress.best_step,
                "best": progress.best if self.config.stop_on == "loss" else -progress.best,
                "best_of": f"{phase.validate_on} validation {self.config.stop_on}",
                "stopped_by": "patience" if stale else "limit",
                **facts,
            }
        )
        self.restore_best()
        progress.phase += 1
        progress.step = progress.stale = progress.cuts = 0
        if progress.phase < len(self.phases):
            progress.best, progress.best_step = math.inf, 0
            self.optimiser = self._new_optimiser()

    def _label(self, how: SelfTraining) -> dict[str, Any]:
        """Label the photos without labels, as the model did that this phase began with."""
        assert self.data.unlabelled is not None
        if self._teacher is None:
            self._teacher = _copy(self.judged.state_dict())
        teacher: nn.Module = copy.deepcopy(self.judged)
        # What records a model's kernels puts a function of that very model into it.
        vars(teacher).pop("forward", None)
        teacher.load_state_dict(self._teacher)
        if self.config.augment.flip:
            teacher = Mirrored(teacher, self.config, self.data.train.classes)
        began = time.perf_counter()
        share = self.data.unlabelled.label(teacher, self.loss, how.confidence)
        if math.isinf(self.progress.best):
            # Once: whoever goes on labels them anew, as the same teacher does.
            self.progress.train_s += time.perf_counter() - began
        return {"labelled_itself": round(share, 4)}

    def _run_epoch(self, phase: Phase, observer: Observer, stop: Callable[[], bool]) -> float:
        """Take the steps that are left until the next evaluation; return the epoch's mean loss."""
        progress = self.progress
        start = time.perf_counter()
        total = torch.tensor(progress.loss_sum, device=self.device)
        before = progress.step - progress.epoch_step
        steps = min(phase.steps_per_epoch, phase.max_steps - before)
        stopped = False
        while progress.epoch_step < steps and not stopped:
            total += self._step(phase)
            progress.step += 1
            progress.epoch_step += 1
            progress.images_seen += phase.batch_size
            observer.on_step(progress, phase)
            stopped = stop()
        # Not step by step: to read the sum is to wait for the device.
        progress.loss_sum = float(total)
        progress.train_s += time.perf_counter() - start
        if stopped:
            raise StoppedError
        mean = progress.loss_sum / steps
        progress.loss_sum, progress.epoch_step = 0.0, 0
        return mean

    def _step(self, phase: Phase) -> Tensor:
        progress, config = self.progress, self.config
        seeds = np.random.SeedSequence(
            stream_seed(config.seed, "step", progress.phase, progress.step)
        ).generate_state(2, np.uint64)
        torch.manual_seed(int(seeds[0]))
        self._order.manual_seed(int(seeds[1]))

        images, labels = augment(
            *self.data.train.fetch(phase.batch(progress.step)),
            config.augment if phase.self_training is None else phase.self_training.augment,
            self._order,
            self._other_side,
        )
        if progress.step + 1 < phase.max_steps:
            self.data.train.announce(phase.batch(progress.step + 1))
        images = images.contiguous(memory_format=self.how.memory_format)
        self.model.train()
        forward = self._prepared(images)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(config, phase, progress.step, progress.cuts)
        with autocast(self.device, self.how.precision):
            logits = forward(images)
        loss = self.loss(logits, self._table.targets(labels))
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        if config.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._weights(), config.clip_norm)
        self.optimiser.step()
        if self.averaged is not None:
            self._average()
        return loss.detach()

    def _prepared(self, images: Tensor) -> Callable[[Tensor], Tensor]:
        """Return what computes logits of batches like this one; phases may differ in batch size,
        and in dtype where their augmentation does: a CUDA graph would cast to that of its own."""
        like = (images.shape, images.dtype)
        if self._forward is None or self._forward_for != like:
            self._forward = step_function(self.model, self.how, images)
            self._forward_for = like
        return self._forward

    def _average(self) -> None:
        assert self.averaged is not None and self.config.ema_decay is not None
        # A short memory at first, or the random start would linger for 1 / (1 - decay) steps.
        steps = self.progress.step + 1
        decay = min(self.config.ema_decay, steps / (steps + 10))
        kept = self.averaged.state_dict()
        for name, value in self.model.state_dict().items():
            if value.is_floating_point():
                kept[name].lerp_(value, 1.0 - decay)
            else:
                kept[name].copy_(value)

    def _evaluate(self, phase: Phase, train_loss: float | None) -> dict[str, Any]:
        progress = self.progress
        if train_loss is not None and not math.isfinite(train_loss):
            self._not_finite("training", phase)
        start = time.perf_counter()
        images = self.data.validation[phase.validate_on]
        loss, score = score_model(self.judged, images, self.loss, precision=self.how.precision)
        progress.validation_s += time.perf_counter() - start
        if not math.isfinite(loss):
            self._not_finite("validation", phase)
        progress.evaluations += 1
        value = loss if self.config.stop_on == "loss" else -(score.mean_iou or 0.0)
        if value < progress.best:
            progress.best, progress.best_step, progress.stale = value, progress.step, 0
            self.best_weights = _copy(self.judged.state_dict())
        else:
            progress.stale += 1
            if self.config.schedule == "plateau":
                progress.cuts += progress.stale % self.config.plateau_epochs == 0
        return {
            "phase": phase.name,
            "step": progress.step,
            "epoch": math.ceil(progress.step / phase.steps_per_epoch),
            "learning_rate": learning_rate(
                self.config, phase, min(progress.step, phase.max_steps - 1), progress.cuts
            ),
            "train_loss": train_loss,
            "validation_loss": loss,
            "validation_mean_iou": score.mean_iou,
            "stale": progress.stale,
            "images_seen": progress.images_seen,
            "train_s": round(progress.train_s, 3),
        }

    def restore_best(self) -> None:
        """Put the best weights of this phase back."""
        self._restore(self.best_weights)

    def _restore(self, weights: Weights) -> None:
        self.model.load_state_dict(weights)
        if self.averaged is not None:
            self.averaged.load_state_dict(weights)

    def checkpoint(self) -> dict[str, Any]:
        """Everything to go on from, as tensors and plain data."""
        kept = {"teacher": self._teacher, "began_with": self._began_with}
        return {
            "progress": asdict(self.progress),
            "how": self.how.as_json(),
            "model": self.model.state_dict(),
            "best": self.best_weights,
            "averaged": None if self.averaged is None else self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            **{name: weights for name, weights in kept.items() if weights is not None},
        }

    def resume(self, checkpoint: dict[str, Any]) -> None:
        """Go on from a checkpoint of the same config."""
        self.progress = progress = Progress(**checkpoint["progress"])
        # Checkpoints of earlier versions have no wall time.
        progress.wall_s = max(progress.wall_s, progress.train_s + progress.validation_s)
        self.model.load_state_dict(checkpoint["model"])
        if self.averaged is not None:
            self.averaged.load_state_dict(checkpoint["averaged"])
        self.optimiser.load_state_dict(checkpoint["optimiser"])
        self.best_weights = {k: v.to(self.device) for k, v in checkpoint["best"].items()}
        self._teacher, self._began_with = (
            None if kept is None else {k: v.to(self.device) for k, v in kept.items()}
            for kept in (checkpoint.get("teacher"), checkpoint.get("began_with"))
        )

    def _weights(self) -> list[nn.Parameter]:
        return [weight for weight in self.model.parameters() if weight.requires_grad]

    def _new_optimiser(self) -> torch.optim.AdamW:
        weights = self._weights()
        # Decay pulls on kernels only: on a batch norm's scale or a bias it means nothing.
        groups: list[dict[str, Any]] = [
            {"params": [w for w in weights if w.ndim > 1]},
            {"params": [w for w in weights if w.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(
            groups, lr=self.config.learning_rate, weight_decay=self.config.weight_decay, fused=True
        )

    def _not_finite(self, which: str, phase: Phase) -> None:
        raise DivergedError(
            f"the {which} loss is no longer a finite number",
            where=f"phase {phase.name}, step {self.progress.step}",
            do="train into another --out with a lower --learning-rate, with --clip-norm 1, or with "
            "--precision fp32",
        )


def _copy(weights: Weights) -> Weights:
    return {name: value.detach().clone() for name, value in weights.items()}
