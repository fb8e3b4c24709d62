"""What a person who opens a run's folder wants to see: a README, the curve, best and worst."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from clearcoat.dataset import LabelRaster, class_colors
from clearcoat.dataset.overlay import PAPER, above, beside, contact_sheet, legend_strip, overlay
from clearcoat.models import SegmentationModel
from clearcoat.training.feeding import Images
from clearcoat.training.folder import RunFolder
from clearcoat.training.losses import Loss
from clearcoat.training.metrics import THRESHOLD, Score

CURVE_PICTURE, README = "curve.png", "README.md"
BEST_PICTURE, WORST_PICTURE = "best.png", "worst.png"
_SHOWN = 6
_CELL_PX = 192
_GAP_PX = 4


def write_gallery(
    folder: RunFolder,
    metrics: Mapping[str, Any],
    model: SegmentationModel,
    loss: Loss,
    images: Images,
    score: Score,
) -> None:
    """Write the pictures and the README of a finished run; `score` is that on `images`."""
    folder.write_bytes(CURVE_PICTURE, curve_picture(folder.read_curve()))
    ranked = ranking(score)
    count = min(_SHOWN, max(1, len(ranked) // 2))
    shown = {BEST_PICTURE: ranked[::-1][:count], WORST_PICTURE: ranked[:count]}
    if ranked:
        for name, chosen in shown.items():
            folder.write_bytes(name, predictions_picture(model, loss, images, chosen))
    folder.write_bytes(README, readme(folder, metrics, bool(ranked)).encode())


def ranking(score: Score) -> list[tuple[float, int]]:
    """Return (mean IoU, image number) ascending, without images that show and predict nothing."""
    found = []
    for number, (shared, either) in enumerate(score.per_image):
        values = [s / e for s, e in zip(shared, either, strict=True) if e]
        if values:
            found.append((sum(values) / len(values), number))
    return sorted(found)


def predictions_picture(
    model: SegmentationModel,
    loss: Loss,
    images: Images,
    chosen: Sequence[tuple[float, int]],
) -> bytes:
    """PNG with a row per image: as it is, with its labels, with what the model found."""
    colors = class_colors(len(images.classes))
    rows, present, ignores = [], set[int](), False
    for value, number in chosen:
        batch, labels = images.fetch(np.array([number]))
        with torch.inference_mode():
            planes = loss.probabilities(model.eval()(batch))[0].cpu().numpy() >= THRESHOLD
        image = batch[0].permute(1, 2, 0).cpu().numpy()
        truth = LabelRaster.from_table(labels[0].cpu().numpy().astype(np.int64), images.sets)
        found = LabelRaster.from_planes(planes, truth.ignore())
        for raster in (truth, found):
            present |= set().union(*(members or () for members in raster.sets))
        ignores |= None in truth.sets
        cells = [image, overlay(image, truth, colors), overlay(image, found, colors)]
        title = f"{images.names[number]}: mean IoU {value:.3f}"
        pictures = [_enlarged(cell) for cell in cells]
        row = beside(*pictures, gap_px=_GAP_PX)
        rows.append(above(_line(title, row.shape[1]), row))
    sheet = contact_sheet(rows, columns=1 if len(rows) < 4 else 2, gap_px=3 * _GAP_PX)
    numbers = sorted(present)
    strip = legend_strip(
        [images.classes[n] for n in numbers], colors[numbers], sheet.shape[1], ignore=ignores
    )
    head = _line("each row: image, labels, prediction", sheet.shape[1])
    return _png(above(head, sheet, strip))


def curve_picture(curve: Sequence[Mapping[str, Any]]) -> bytes:
    """PNG of loss and mean IoU over the steps, the phases side by side on one axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 3.2), layout="constrained", dpi=110)
    losses, scores = figure.subplots(1, 2)
    offset = 0
    for name in dict.fromkeys(line["phase"] for line in curve):
        lines = [line for line in curve if line["phase"] == name]
        steps = [offset + line["step"] for line in lines]
        if offset:
            for axes in (losses, scores):
                axes.axvline(offset, color="#888888", linewidth=0.8)
        for key, style, label in (
            ("train_loss", "--", "training"),
            ("validation_loss", "-", "validation"),
        ):
            points = [
                (s, line[key])
                for s, line in zip(steps, lines, strict=True)
                if line[key] is not None
            ]
            if points:
                losses.plot(
                    *zip(*points, strict=True),
                    style,
                    color="#0072B2",
                    label=label if not offset else None,
                )
        found = [
            (s, line["validation_mean_iou"])
            for s, line in zip(steps, lines, strict=True)
            if line["validation_mean_iou"] is not None
        ]
        if found:
            scores.plot(*zip(*found, strict=True), color="#D55E00")
            scores.annotate(name, (offset, 1.0), xycoords=("data", "axes fraction"), fontsize=8)
        offset = steps[-1]
    losses.set(xlabel="step", ylabel="loss")
    losses.legend(frameon=False)
    scores.set(xlabel="step", ylabel="validation mean IoU", ylim=(0, 1))
    for axes in (losses, scores):
        axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def readme(folder: RunFolder, metrics: Mapping[str, Any], depicted: bool) -> str:
    """Return what the run is and what its files hold, as Markdown."""
    identity = folder.read_json("config.json")
    config, images = identity["config"], metrics["images"]
    scored = metrics["test"] or metrics["validation"]
    on = "test images" if metrics["test"] else "validation images, which decided the stopping"
    shared = {True: "alone on the device", False: "the device was shared"}.get(
        metrics["exclusive"], "not known whether alone on the device"
    )
    rows = [
        ("model", f"{config['model']['name']}, {metrics['parameters']['total']:,} parameters, "
         f"{metrics['parameters']['trainable']:,} trainable"),
        ("trained on", f"{images['real']} real and {images['synthetic']} synthetic images at "
         f"{config['size']} × {config['size']} pixels"),
        *(
            [("photos without labels", f"{images['unlabelled']}, of whose pixels the model "
              f"labelled {metrics['phases'][-1]['labelled_itself']:.0%}")]
            if "unlabelled" in images else []
        ),
        ("loss, rate, batch", f"{config['loss']}, {config['learning_rate']:g}, "
         f"{config['batch_size']}"),
        *(
            (f"phase {phase['name']}", f"{phase['steps']} steps, best at {phase['best_step']}, "
             f"stopped by {phase['stopped_by']}")
            for phase in metrics["phases"]
        ),
        ("time", f"{metrics['train_s']:.1f} s in {metrics['epochs']} epochs, "
         f"{1000 * metrics['seconds_per_image_epoch']:.2f} ms per image and epoch on "
         f"{metrics['device']} in {metrics['precision']}; {shared}"),
        ("mean IoU", f"{_share(scored['mean_iou'])} on {scored['image_count']} {on}"),
        ("mean boundary F", _share(scored.get("mean_boundary_f"))),
        *(("note", note) for note in metrics["notes"]),
    ]  # fmt: skip
    lines = [f"# {folder.path.name}", "", f"A run of `clearcoat train`, id `{metrics['run_id']}`."]
    lines += ["", "| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows), ""]
    lines += ["| class | IoU | boundary F |", "|---|---|---|"]
    for name, row in scored["per_class"].items():
        lines.append(f"| {name} | {_share(row['iou'])} | {_share(row.get('boundary_f'))} |")
    lines += ["", f"![loss and mean IoU]({CURVE_PICTURE})"]
    if depicted:
        lines += ["", "Best:", "", f"![best]({BEST_PICTURE})"]
        lines += ["", "Worst:", "", f"![worst]({WORST_PICTURE})"]
    per_image = ["| per_image.json | intersection and union per test image and class |"]
    if metrics["test"] is None:
        per_image = []
    lines += [
        "",
        "| file | |",
        "|---|---|",
        "| config.json | settings, classes, digests of the data, numbers of the images |",
        "| known.json | digests of the photos that the weights know |",
        "| environment.json | machine, software, command, what was measured to choose how to "
        "compute |",
        "| curve.jsonl | one line per evaluation |",
        "| metrics.json | the result: scores, confusion, times, parameters |",
        *per_image,
        "| best.pt | the weights; `clearcoat evaluate`, `predict` and `export` take this folder |",
        "",
    ]
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = max(1, _CELL_PX // picture.shape[0])
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def _line(text: str, width: int) -> NDArray[np.uint8]:
    canvas = Image.new("RGB", (width, 20), tuple(int(v) for v in np.broadcast_to(PAPER, 3)))
    ImageDraw.Draw(canvas).text((4, 3), text, fill=(40, 40, 40), font=ImageFont.load_default(12))
    return np.asarray(canvas)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
