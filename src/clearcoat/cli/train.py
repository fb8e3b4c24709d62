"""`clearcoat train`: a model from any mix of real and synthetic images."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from clearcoat.errors import UsageError

if TYPE_CHECKING:
    from clearcoat.models import InitConfig
    from clearcoat.training import TrainingConfig

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
_SELF_TRAINING = {"confidence": "--confidence", "max_steps": "--unlabelled-max-steps"}
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
    ("--validation-count", int, "How many images are held back [a tenth of the photos]."),
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


def _options(function: F) -> F:
    for name, kind, text in reversed(_START_OPTIONS + _CONFIG_OPTIONS + _MODEL_OPTIONS):
        function = click.option(name, type=kind, default=None, help=text)(function)
    return function


@click.command("train")
@click.option("--real", type=_FOLDER, help="Data set of labelled photos.")
@click.option("--synthetic", type=_FOLDER, help="Data set of renders.")
@click.option("--test", "test", type=_FOLDER, help="Photos to score on when training is over.")
@click.option("--validation", type=_FOLDER, help="Photos that decide when to stop.")
@click.option(
    "--unlabelled",
    type=_FOLDER,
    help="Photos without labels (`dataset import images`), to which the model gives labels itself "
    "in a last phase. Labels that they have are not read.",
)
@click.option(
    "--confidence",
    type=float,
    help="How sure it must be of a pixel of --unlabelled; others are ignored [0.9].",
)
@click.option("--unlabelled-max-steps", type=int, help="Steps of that phase [2400].")
@click.option("--out", type=_FOLDER, required=True, help="Folder of the run.")
@click.option(
    "--recipe",
    "recipe_name",
    type=click.Choice(RECIPE_NAMES),
    default="paper",
    show_default=True,
    help="Settings that belong together; options given besides win. `few-photos` trains on renders "
    "first, then on both; `few-photos-cpu` does so at 96² on a frozen ImageNet encoder, in an hour "
    "on one core.",
)
@_options
@click.option(
    "--augment",
    type=click.Choice(AUGMENT_NAMES),
    default=None,
    help="Random changes to training images; `flip` is the paper's [flip]. All but none mirror "
    "half of the images, where classes of the left and the right change places.",
)
@click.option(
    "--class-weights",
    help="`balanced`, or NAME=WEIGHT,… for classes that are to count more or less than 1.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …")
@click.option(
    "--images",
    "residence",
    type=click.Choice(["auto", "device", "stream"]),
    default="auto",
    show_default=True,
    help="Whether training images lie on the device; changes no result.",
)
@click.option("--threads", type=click.IntRange(min=1), help="Processor threads [PyTorch's choice].")
@click.option(
    "--tensorboard",
    is_flag=True,
    help="Write event files into the run's folder (extra `tensorboard`).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the metrics as JSON.")
def command(
    real: Path | None,
    synthetic: Path | None,
    test: Path | None,
    validation: Path | None,
    unlabelled: Path | None,
    confidence: float | None,
    unlabelled_max_steps: int | None,
    init: Path | None,
    imagenet: Path | None,
    initialisation: str | None,
    freeze: str | None,
    out: Path,
    recipe_name: str,
    augment: str | None,
    class_weights: str | None,
    device: str,
    residence: Literal["auto", "device", "stream"],
    threads: int | None,
    tensorboard: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a segmentation model on real and synthetic images.

    The run's folder gets the weights, the curve and the figures. The same command goes on with
    an interrupted run, and prints the figures of a finished one.
    """
    from clearcoat.cli._progress import observer
    from clearcoat.dataset import Dataset
    from clearcoat.training import (
        AUGMENTATIONS,
        RunFolder,
        Sources,
        TensorBoard,
        recipe,
        run_training,
        training_config,
    )

    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    given = {name: value for name, value in options.items() if value is not None}
    model = _model(given)
    values = recipe(recipe_name, given | ({"model": model} if model else {}))
    if augment is not None:
        values["augment"] = AUGMENTATIONS[augment]
    if class_weights is not None:
        values["class_weights"] = _class_weights(class_weights)
    values |= _self_training(unlabelled, confidence, unlabelled_max_steps)
    config = training_config(values)
    start = _initialisation(initialisation, freeze, init, imagenet, config)
    config = config.model_copy(update={"initialisation": start})

    def opened(path: Path | None) -> Dataset | None:
        return None if path is None else Dataset.open(path)

    sources = Sources(
        opened(real), opened(synthetic), opened(validation), opened(test), opened(unlabelled)
    )
    was_finished = RunFolder(out).finished
    with ExitStack() as stack:
        watching = stack.enter_context(observer())
        if tensorboard and not was_finished:
            watching = TensorBoard(out / "tensorboard", watching)
            stack.callback(watching.close)
        metrics = run_training(
            config,
            sources,
            out,
            init=init,
            imagenet=imagenet,
            device=device,
            residence=residence,
            observer=watching,
        )
    if was_finished:
        click.echo(f"{out} is finished already; these are its figures", err=True)
    if as_json:
        click.echo(json.dumps(metrics, indent=1))
        return
    _print_metrics(metrics, out)


def _self_training(
    unlabelled: Path | None, confidence: float | None, max_steps: int | None
) -> dict[str, Any]:
    own = {"confidence": confidence, "max_steps": max_steps}
    own = {name: value for name, value in own.items() if value is not None}
    if unlabelled is not None:
        return {"self_training": own}
    if own:
        raise UsageError(
            "there are no photos without labels that these options would be for",
            found=", ".join(_SELF_TRAINING[name] for name in own),
            do="give --unlabelled DIR",
        )
    return {}


def _class_weights(text: str) -> str | dict[str, float]:
    if text == "balanced":
        return text
    weights = {}
    for part in text.split(","):
        name, equals, number = part.rpartition("=")
        try:
            weights[name.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise UsageError(
                "--class-weights makes no sense",
                found=repr(part),
                expected="`balanced`, or NAME=WEIGHT, several with commas between them",
            )
    return weights


def _model(values: dict[str, Any]) -> dict[str, Any]:
    """Take the model's options out of `values` and return what they say about it."""
    common = {key: values.pop(key) for key in list(values) if key.startswith("dropout")}
    name, first = values.pop("model", None), values.pop("first", None)
    filters, first_filters = values.pop("filters", None), values.pop("first_filters", None)
    model = _network(name, filters, common)
    if name == "wnet":
        softmax = not values.get("loss", "cross_entropy").startswith("binary")
        model["first"] = _network(first or "unet", first_filters, common)
        model["map_activation"] = "softmax" if softmax else "sigmoid"
    elif first is not None or first_filters is not None:
        raise UsageError("only a W-net has a first network", do="add --model wnet")
    return model


def _network(name: str | None, filters: str | None, common: dict[str, Any]) -> dict[str, Any]:
    named = {} if name is None else {"name": name}
    return named | common | ({} if filters is None else {"filters": filters.split(",")})


def _initialisation(
    name: str | None,
    freeze: str | None,
    init: Path | None,
    imagenet: Path | None,
    config: TrainingConfig,
) -> InitConfig | None:
    """Return where the model's parts start, or None for the plain way: all from --init.

    A recipe may have said it in `config`; what is given wins.
    """
    from clearcoat.models import InitConfig, find_initialisation

    freezing: Any = freeze or "none"
    if name is not None:
        return find_initialisation(name, freezing)
    if config.initialisation is not None:
        changes = {} if init is None else {"encoder": "run", "decoder": "run"}
        return config.initialisation.model_copy(
            update=changes | ({} if freeze is None else {"freeze": freeze})
        )
    if imagenet is None and freezing == "none" and (init is None or config.model.name != "wnet"):
        return None
    run: Any = "random" if init is None else "run"
    encoder: Any = run if imagenet is None else "imagenet"
    return InitConfig(encoder=encoder, decoder=run, freeze=freezing)


def _print_metrics(metrics: dict[str, Any], out: Path) -> None:
    from clearcoat.cli.evaluate import print_score

    images = metrics["images"]
    phases = ", then ".join(
        f"{phase['steps']} steps on {phase['name']} images (best at {phase['best_step']}, "
        f"stopped by {phase['stopped_by']})"
        for phase in metrics["phases"]
    )
    own = ""
    if "unlabelled" in images:
        share = metrics["phases"][-1]["labelled_itself"]
        own = f" and {images['unlabelled']} without labels ({share:.0%} of their pixels got some)"
    click.echo(
        f"trained on {images['real']} real and {images['synthetic']} synthetic images{own}: "
        f"{phases}"
    )
    click.echo(
        f"{metrics['parameters']['total']:,} parameters ({metrics['parameters']['trainable']:,} "
        f"trainable), {metrics['train_s']:.0f} s on "
        f"{metrics['device']} in {metrics['precision']}, "
        f"{1000 * metrics['seconds_per_image_epoch']:.1f} ms per image and epoch"
        + (" (the device was shared)" if metrics["exclusive"] is False else "")
    )
    for note in metrics["notes"]:
        click.echo(f"note: {note}")
    if metrics["test"] is None:
        print_score(metrics["validation"], "the validation images, which decided the stopping")
    else:
        print_score(metrics["test"], "the test images")
    click.echo(f"run: {out}")
