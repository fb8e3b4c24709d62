"""`clearcoat train`: a model from any mix of real and synthetic images."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from clearcoat.cli._train_options import AUGMENT_NAMES, RECIPE_NAMES, setting_options
from clearcoat.errors import UsageError

if TYPE_CHECKING:
    from clearcoat.models import InitConfig
    from clearcoat.training import TrainingConfig

_FOLDER = click.Path(path_type=Path)
_SELF_TRAINING = {"confidence": "--confidence", "max_steps": "--unlabelled-max-steps"}


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
@setting_options
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
        RunFolder,
        Sources,
        TensorBoard,
        run_training,
    )

    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    own = _self_training(unlabelled, confidence, unlabelled_max_steps)
    config = _config(recipe_name, options, augment, class_weights, own)
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


def _config(
    recipe_name: str,
    options: dict[str, Any],
    augment: str | None,
    class_weights: str | None,
    own: dict[str, Any],
) -> TrainingConfig:
    """Return the recipe's settings with those that are given besides."""
    from clearcoat.training import AUGMENTATIONS, recipe, training_config

    given = {name: value for name, value in options.items() if value is not None}
    model = _model(given)
    values = recipe(recipe_name, given | ({"model": model} if model else {}))
    if augment is not None:
        values["augment"] = AUGMENTATIONS[augment]
    if class_weights is not None:
        values["class_weights"] = _class_weights(class_weights)
    return training_config(values | own)


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
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = part.rpartition("=")
        if name.strip() in weights:
            raise UsageError(
                "--class-weights names a class twice", found=name.strip(), do="leave one out"
            )
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
        own = config.initialisation
        return find_initialisation(name, freezing if freeze or own is None else own.freeze)
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
