"""Section V as cells: what a model starts from, what is frozen, and on how many photos it goes on.

Names of arms are the paper's: encoder-decoder, then whether the encoder is frozen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearcoat.errors import MissingDependencyError, SpecError, UsageError, did_you_mean
from clearcoat.models import InitConfig, find_initialisation
from clearcoat.statistics import StoppingRule
from clearcoat.studies.data import StudyData
from clearcoat.studies.imagenet import EFFICIENTNET_UNET, VGG19_UNET, ImageNet, find_imagenet
from clearcoat.studies.runs import (
    CellKey,
    CellPlan,
    PlannedRun,
    Skipped,
    StudyPlan,
    planned,
    require_confirmable,
    require_renders_to_stop_on,
    seed_of,
    sorted_out,
)
from clearcoat.studies.spec import SHARES_NOTHING
from clearcoat.studies.transfer_spec import TransferSpec
from clearcoat.training import find_loss

BASE = "base"
CONTROL = "control"
CONTROL_MIX = "control, mix"
EFFICIENTNET = "EfficientNet"
FROM_RENDERS = "synth-"
"""Begins the names of starts that differ from control in renders alone. Those with an encoder from
ImageNet do in that too, and a W-net is another network."""
WNET_SYNTH, WNET_VGG19 = "W-net synth", "W-net VGG19"


@dataclass(frozen=True)
class Arm:
    """A model and its start."""

    name: str
    model: Mapping[str, Any]
    init: InitConfig | None

    @property
    def needs_base(self) -> bool:
        """Whether weights come from the model trained on renders."""
        return self.init is not None and self.init.needs_run

    @property
    def trains_anew(self) -> bool:
        """Whether nothing that is trained has seen renders: a W-net's first network stays as it is.

        Its second one would else have the time of a fine-tuning to learn all from random weights.
        """
        return not self.needs_base or self.name == WNET_SYNTH

    @property
    def needs_imagenet(self) -> bool:
        """Whether weights come from ImageNet."""
        return self.init is not None and self.init.encoder == "imagenet"


def arms(spec: TransferSpec) -> tuple[Arm, ...]:
    """Return the arms of a study in the paper's order, those that need ImageNet included."""
    unet = spec.config().model.model_dump(mode="json")
    found = []
    ways = tuple(dict.fromkeys(spec.freeze))
    for name in dict.fromkeys(spec.initialisations):
        if name == CONTROL:
            found.append(Arm(CONTROL, unet, None))
            continue
        model = _vgg19(spec, unet) if name.startswith("VGG19") else unet
        for freezing in ways:
            init = find_initialisation(name, "encoder" if freezing == "frozen" else "none")
            found.append(Arm(f"{name}, {freezing}", model, init))
    if spec.efficientnet:
        other = _efficientnet(unet)
        for decoder in ("random", "synth"):
            for freezing in ways:
                init = InitConfig(
                    encoder="imagenet",
                    decoder="random" if decoder == "random" else "run",
                    freeze="encoder" if freezing == "frozen" else "none",
                )
                found.append(Arm(f"{EFFICIENTNET}-{decoder}, {freezing}", other, init))
    if spec.wnet:
        whole = InitConfig(encoder="run", decoder="run", freeze="first_network")
        half = InitConfig(encoder="imagenet", freeze="encoder")
        found.append(Arm(WNET_SYNTH, _wnet(spec, unet), whole))
        found.append(Arm(WNET_VGG19, _wnet(spec, _vgg19(spec, unet)), half))
    return tuple(found)


def plan_transfer(spec: TransferSpec, data: StudyData) -> StudyPlan:
    """Return the cells of the study, and those that cannot be run. Raises UsageError and
    SpecError.

    The base models are cells too: their runs are shared by all arms that start from them.
    """
    weights = _weights(spec)
    base = _Base(spec, data)
    wanted = [base.plan()]
    skipped = []
    _require_known_starts(spec, arms(spec))
    for arm in arms(spec):
        for real in sorted(set(spec.real_counts)):
            imagenet = weights.get(str(arm.model["name"]), weights[VGG19_UNET])
            if arm.needs_imagenet and isinstance(imagenet, str):
                key = CellKey(arm.name, real, spec.pretrain_count if arm.needs_base else 0)
                skipped.append(Skipped(key, imagenet))
                continue
            file = None if isinstance(imagenet, str) else imagenet
            wanted.append(_specialised(spec, data, arm, real, base, file))
    for mix in sorted(set(spec.mix_counts)):
        wanted += [_mixed(spec, data, real, mix, base) for real in sorted(set(spec.real_counts))]
    require_renders_to_stop_on(wanted)
    cells, short = sorted_out(wanted, spec.splits)
    require_confirmable(spec, (*cells, *skipped, *short))
    return StudyPlan("transfer", spec, data, tuple(cells), (*skipped, *short))


def _require_known_starts(spec: TransferSpec, of_it: Sequence[Arm]) -> None:
    known = [arm.name for arm in of_it] + [CONTROL_MIX] * bool(spec.mix_counts)
    for number, more in enumerate(spec.more_repeats):
        for name in more.starts:
            if name not in known:
                raise SpecError(
                    f"no start {name!r} in this study",
                    where=f"more_repeats.{number}.starts",
                    expected="; ".join(known),
                    do=did_you_mean(name, known),
                )


def _weights(spec: TransferSpec) -> dict[str, ImageNet | str]:
    """Return ImageNet weights by network, or why there are none."""
    wanted = {VGG19_UNET: spec.imagenet} | ({EFFICIENTNET_UNET: None} if spec.efficientnet else {})
    return {model: _found(model, file) for model, file in wanted.items()}


def _found(model: str, file: Path | None) -> ImageNet | str:
    if model == VGG19_UNET and file is None:
        return "no file of ImageNet weights: give `imagenet`"
    try:
        return find_imagenet(model, file)
    except MissingDependencyError as error:
        return f"{error.what}: {error.do}"


class _Base:
    """The models trained on renders alone."""

    def __init__(self, spec: TransferSpec, data: StudyData) -> None:
        self.spec, self.data = spec, data
        self.key = CellKey(BASE, 0, spec.pretrain_count)
        # From more of them than there are repeats no run would start.
        self.count = min(spec.pretrainings, spec.most_repeats)

    def plan(self) -> CellPlan:
        """Return the cell of base models."""
        return CellPlan(self.key, StoppingRule(self.count, self.count, None), self.make)

    @property
    def most_steps(self) -> int | None:
        """For how many steps base models are trained at most; None: no limit."""
        config = self.spec.config(**self.spec.pretrain)
        if "max_steps" in self.spec.pretrain:
            return config.max_steps
        return config.pretrain_max_steps or config.max_steps

    def make(self, repeat: int) -> PlannedRun:
        """Return the base model of a repeat: they take turns."""
        spec = self.spec
        turn = repeat % self.count
        options = {
            # It stops on renders, whatever its descendants stop on.
            "mode": "strict",
            "validation_source": "synthetic",
            "validation_count": None,
            "real_count": 0,
            "synthetic_count": spec.pretrain_count,
            "seed": seed_of(spec, self.key, turn),
            "max_steps": self.most_steps,
            **SHARES_NOTHING,
        }
        if spec.config(**spec.pretrain).pretrain_max_steps is not None:
            # As in a grid, whose runs these then are.
            options["pretrain_max_steps"] = self.most_steps
        config = spec.config(**(spec.pretrain | options))
        split = turn % spec.splits
        sources = self.data.sources(split, real=False)
        return planned(
            self.key, turn, split, config, sources, self.data.classes, starts_others=True
        )


def _specialised(
    spec: TransferSpec,
    data: StudyData,
    arm: Arm,
    real: int,
    base: _Base,
    imagenet: ImageNet | None,
) -> CellPlan:
    key = CellKey(arm.name, real, spec.pretrain_count if arm.needs_base else 0)

    def make(repeat: int) -> PlannedRun:
        split = repeat % spec.splits
        options = {
            "model": arm.model,
            "real_count": real,
            "synthetic_count": 0,
            "seed": seed_of(spec, key, repeat),
            **SHARES_NOTHING,
        }
        if arm.init is not None:
            options["initialisation"] = arm.init
        if arm.trains_anew:
            # The rate for weights that are good already is not theirs.
            options |= {"tuning_rate": None} if arm.needs_base else {}
            config = spec.config_without_renders(base.most_steps, **options)
        else:
            config = spec.config(**options)
        return planned(
            key,
            repeat,
            split,
            config,
            data.sources(split, synthetic=False),
            data.classes,
            start=base.make(repeat) if arm.needs_base else None,
            imagenet=imagenet if arm.needs_imagenet else None,
        )

    return CellPlan(key, spec.rule(arm.name, real), make)


def _mixed(spec: TransferSpec, data: StudyData, real: int, synthetic: int, base: _Base) -> CellPlan:
    """Return the control that sees photos and renders in one go, for as long as base and model."""
    key = CellKey(CONTROL_MIX, real, synthetic)
    options: dict[str, Any] = dict(SHARES_NOTHING) if spec.mix == "concatenate" else {}
    steps = spec.config(mix=spec.mix, **options).max_steps
    if spec.mix == "sequential":
        # It has a phase on renders of its own.
        options["pretrain_max_steps"] = base.most_steps
    elif steps is not None and base.most_steps is not None:
        options["max_steps"] = steps + base.most_steps

    def make(repeat: int) -> PlannedRun:
        split = repeat % spec.splits
        config = spec.config(
            mix=spec.mix,
            real_count=real,
            synthetic_count=synthetic,
            seed=seed_of(spec, key, repeat),
            **options,
        )
        return planned(key, repeat, split, config, data.sources(split), data.classes)

    return CellPlan(key, spec.rule(CONTROL_MIX, real), make)


def _vgg19(spec: TransferSpec, unet: Mapping[str, Any]) -> dict[str, Any]:
    """Return the U-Net with VGG19's encoder and, as far as they fit, the same decoder's widths.

    Without a file of its weights no run has it, and the base may have as few levels as it likes.
    """
    filters, changes = list(unet["filters"])[:4], spec.vgg19
    if len(filters) < 4 and "filters" not in changes and spec.imagenet is not None:
        raise UsageError(
            "a decoder behind VGG19 has four levels",
            where="vgg19.filters",
            found=f"training.model.filters {unet['filters']}",
            do="give vgg19: {filters: [...]}, or leave the VGG19 variants out",
        )
    return {"name": VGG19_UNET, "filters": filters, **_common(unet), **changes}


def _efficientnet(unet: Mapping[str, Any]) -> dict[str, Any]:
    """Return the U-Net with EfficientNet-Lite0's encoder and the same decoder's widths."""
    filters = list(unet["filters"])
    if len(filters) != 5:
        raise UsageError(
            "a decoder behind EfficientNet-Lite0 has five levels",
            found=f"training.model.filters {filters}",
            do="give five widths, or leave out efficientnet: true",
        )
    return {"name": EFFICIENTNET_UNET, "filters": filters, **_common(unet)}


def _common(unet: Mapping[str, Any]) -> dict[str, Any]:
    return {key: unet[key] for key in ("dropout", "dropout_placement", "batch_norm_momentum")}


def _wnet(spec: TransferSpec, first: Mapping[str, Any]) -> dict[str, Any]:
    """Return a W-net on that first network: the second has half the base's widths (Table II)."""
    config = spec.config()
    widths = config.model.model_dump(mode="json")["filters"]
    levels = 5 if first["name"] == VGG19_UNET else len(widths)
    halves = [max(1, width // 2) for width in widths][:levels]
    if len(halves) < levels:
        halves += [halves[-1]] * (levels - len(halves))
    softmax = find_loss(config.loss).extra_outputs > 0
    return {
        "name": "wnet",
        "first": dict(first),
        "filters": halves,
        "map_activation": "softmax" if softmax else "sigmoid",
    }
