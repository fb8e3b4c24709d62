"""What `clearcoat view` shows: one image of a spec with every label layer, as plain data."""

from __future__ import annotations

import base64
import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from clearcoat.dataset import Record, class_colors
from clearcoat.dataset.overlay import overlay
from clearcoat.errors import ClearcoatError
from clearcoat.generation.generate import Studio
from clearcoat.generation.scene import Scene, load_scene
from clearcoat.spec import Watched

LAYERS = ("image", "classes", "parts", "instances", "depth", "normals", "boxes")


class Viewer:
    """Draws images of one spec, and loads it again when one of its files changes.

    One image is drawn at a time, whatever number of requests comes in.
    """

    def __init__(self, path: Path, size: int, samples: int) -> None:
        self.path, self.size, self.samples = path, size, samples
        self._files = Watched(path)
        self._lock = threading.Lock()
        self._stamp: int | None = None
        self._studio: Studio | None = None
        self._read: Scene | None = None

    def stamp(self) -> int:
        """Return a number that changes with the spec's file and those that it extends."""
        return self._files.stamp()

    def show(self, seed: int, index: int) -> dict[str, Any]:
        """Return an image with its layers, or `error` with what is wrong with the spec."""
        with self._lock:
            stamp = self.stamp()
            try:
                if self._studio is None or stamp != self._stamp:
                    self._load(stamp, seed)
                assert self._studio is not None
                self._studio.seed = seed
                record = self._studio.record(index)
            except ClearcoatError as error:
                return {"stamp": str(stamp), "error": str(error)}
            return {"stamp": str(stamp), **_described(self._studio.scene, record)}

    def _load(self, stamp: int, seed: int) -> None:
        """Read the spec; product and renderer stay where the change leaves them as they are."""
        # Until it has been read without a mistake, each request reads it again.
        self._stamp = None
        self._read = load_scene(self.path, last=self._read)
        scene = _for_viewing(self._read, self.samples)
        if self._studio is None:
            self._studio = Studio(scene, (self.size, self.size), seed)
        else:
            self._studio.change(scene)
        self._stamp = stamp


def _for_viewing(scene: Scene, samples: int) -> Scene:
    spec = scene.spec
    settings = spec.render.model_copy(update={"samples": min(samples, spec.render.samples)})
    everything = ("parts", "instances", "depth", "normals", "objects", "extents")
    labels = spec.labels.model_copy(update={"write": everything})
    return replace(scene, spec=spec.model_copy(update={"render": settings, "labels": labels}))


def _described(scene: Scene, record: Record) -> dict[str, Any]:
    assert record.parts is not None
    shown = [int(part) for part in np.unique(record.parts) if part]
    names = scene.classes.names
    classes = {}
    for part in shown:
        members = scene.classes.of_part[part - 1]
        classes[part] = "ignore" if members is None else [names[n] for n in sorted(members)]
    sample = dict(record.metadata["sample"])
    return {
        "layers": {name: _uri(picture) for name, picture in _layers(scene, record).items()},
        "parts": record.parts.ravel().tolist(),
        "width": record.parts.shape[1],
        "names": {part: scene.product.parts[part - 1].path for part in shown},
        "classes": classes,
        "sample": sample,
        "legend": [
            {"name": name, "color": "#" + bytes(color.tolist()).hex()}
            for name, color in zip(names, class_colors(len(names)), strict=True)
        ],
    }


def _layers(scene: Scene, record: Record) -> dict[str, NDArray[np.uint8]]:
    assert record.parts is not None
    assert record.instances is not None
    assert record.depth is not None
    assert record.normals is not None
    colors = class_colors(len(scene.classes.names))
    near = np.isfinite(record.depth)
    grey = np.zeros(record.depth.shape)
    if near.any():
        low, high = float(record.depth[near].min()), float(record.depth[near].max())
        grey[near] = 255 - 200 * (record.depth[near] - low) / max(high - low, 1e-6)
    normals = np.where(record.normals.any(axis=-1, keepdims=True), 128 + 127 * record.normals, 0)
    return {
        "image": record.image,
        "classes": overlay(record.image, record.labels, colors),
        "parts": _numbered(record.parts),
        "instances": _numbered(record.instances),
        "depth": np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2),
        "normals": normals.astype(np.uint8),
        "boxes": _boxes(scene, record, colors),
    }


def _numbered(ids: NDArray[np.uint16]) -> NDArray[np.uint8]:
    table = class_colors(int(ids.max()) + 1)
    table[0] = 0
    return table[ids]


def _boxes(scene: Scene, record: Record, colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = Image.fromarray(record.image)
    draw = ImageDraw.Draw(picture)
    for one in record.objects or ():
        number = scene.classes.names.index(scene.objects.entries[one.object].class_name)
        color = tuple(int(v) for v in colors[number])
        # The full extent in a fainter line, where something hides a part of it.
        for box, ink in ((one.full_box, tuple(v // 2 for v in color)), (one.box, color)):
            if box is not None:
                x, y, width, height = box
                draw.rectangle((x, y, x + width - 1, y + height - 1), outline=ink)
    return np.asarray(picture)


def _uri(picture: NDArray[np.uint8]) -> str:
    encoded = BytesIO()
    Image.fromarray(picture).save(encoded, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(encoded.getvalue()).decode()
