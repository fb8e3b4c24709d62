"""Find a pose that meets `camera.require`: attempt by attempt, each a function of its number."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clearcoat.generation.scene import Scene
from clearcoat.generation.scene_spec import SceneSpec
from clearcoat.render import Renderer
from clearcoat.render.peel import Extent
from clearcoat.scene import (
    Rejections,
    RequireSpec,
    SceneSample,
    breaches,
    resolve,
    sample,
)

_SURVEY_PIXELS = 96
"""Longer side of the picture by which visibility is judged."""


class Surveyor(Protocol):
    """What visibility is judged by: a renderer, or what makes one when it is asked."""

    def survey(
        self, sample: SceneSample, size: tuple[int, int]
    ) -> tuple[NDArray[np.uint16], Extent]:
        """Return the part numbers and the full extents of a picture of `size`."""


class LateRenderer:
    """Judges visibility as the images do; built only where `camera.require` asks for it."""

    def __init__(self, scene: Scene, size: tuple[int, int]) -> None:
        self._scene, self._size = scene, size

    @cached_property
    def _renderer(self) -> Renderer:
        return self._scene.renderer(self._size)

    def survey(
        self, sample: SceneSample, size: tuple[int, int]
    ) -> tuple[NDArray[np.uint16], Extent]:
        """As `Renderer.survey`."""
        return self._renderer.survey(sample, size)


@dataclass(frozen=True, eq=False)
class Found:
    """A sample whose pose meets the constraints."""

    spec: SceneSpec
    """The spec with its joint groups drawn."""
    sample: SceneSample
    attempts: int
    """Poses tried, this one included."""
    rejections: Rejections

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, for the record of the image."""
        return {"attempts": self.attempts, "rejected": self.rejections.counts}


def find_pose(
    scene: Scene, renderer: Surveyor, seed: int, index: int, size: tuple[int, int]
) -> Found:
    """Sample image `index`, and draw its camera again until `camera.require` is met.

    Raises SpecError where no attempt meets it, with what rejected how often.
    """
    rejections = Rejections()
    require = scene.spec.camera.require or RequireSpec()
    watched = _watched(require, scene)
    for attempt in range(require.attempts):
        spec = resolve(scene.spec, scene.spec.joint, seed, index, attempt)
        drawn = sample(spec, scene.stage, seed, index, aspect=size[0] / size[1], attempt=attempt)
        camera = drawn.camera
        found = breaches(require, camera.pose, camera.lens, camera.intrinsics, scene.stage.points_m)
        broken = [*found]
        if not broken and watched:
            broken = list(_hidden(require, watched, renderer, drawn, size))
        if not broken:
            return Found(spec, drawn, attempt + 1, rejections)
        for cause, value in broken:
            rejections.add(cause, value)
    raise rejections.error(require, index)


def _watched(require: RequireSpec, scene: Scene) -> dict[str, NDArray[np.int64]]:
    """Part numbers, from 1, per glob of `visible`."""
    paths = [part.path for part in scene.product.parts]
    watched = {}
    for glob in require.visible:
        numbers = [n + 1 for n, path in enumerate(paths) if fnmatch.fnmatchcase(path, glob)]
        # Vehicles of a series differ: what this one does not have need not be seen.
        if numbers:
            watched[glob] = np.array(numbers)
    return watched


def _hidden(
    require: RequireSpec,
    watched: dict[str, NDArray[np.int64]],
    renderer: Surveyor,
    drawn: SceneSample,
    size: tuple[int, int],
) -> Iterator[tuple[str, float]]:
    scale = _SURVEY_PIXELS / max(size)
    small = max(round(size[0] * scale), 8), max(round(size[1] * scale), 8)
    parts, extent = renderer.survey(drawn, small)
    for glob, numbers in watched.items():
        seen = int(np.isin(parts, numbers).sum())
        if seen < require.min_picture_share * parts.size or seen == 0:
            yield f"visible {glob} (share of the picture)", seen / parts.size
            continue
        along = np.isin(extent.part, numbers)
        pixels = np.unique(extent.row[along] * small[0] + extent.column[along])
        share = seen / max(len(pixels), seen)
        if share < require.min_visible_share:
            yield f"visible {glob} (share that is seen)", share
