"""The task that renderers are compared on: product, light, poses; and clearcoat doing it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.generation import Job, Scene, Studio, load_scene
from clearcoat.generation.generate import create
from clearcoat.generation.poses import LateRenderer, find_pose
from clearcoat.render import develop
from clearcoat.scene import SceneSample

SPEC = Path(__file__).with_name("bmw_m6.yaml")
REFERENCE_SAMPLES = 1024
_CHUNK = 64
"""Samples per launch of a reference, which bounds its memory."""


@dataclass(frozen=True)
class Task:
    """What is drawn."""

    size: int
    poses: int
    hdri: str

    def samples(self, scene: Scene) -> list[SceneSample]:
        """Return one scene sample per pose: the same light, upright, from different sides."""
        upright = tuple(tuple(row) for row in np.eye(3).tolist())
        drawn = []
        size = (self.size, self.size)
        surveyor = LateRenderer(scene, size)
        for index in range(self.poses):
            one = find_pose(scene, surveyor, 0, index, size).sample
            light = replace(one.environment, name=self.hdri, rotation=upright)
            drawn.append(replace(one, environment=light))
        return drawn


def facts(task: Task) -> dict[str, Any]:
    """Return what a reference shows: the task, and the cameras that the spec now gives it."""
    drawn = task.samples(scene_with(1))
    return asdict(task) | {"cameras": [repr(one.camera) for one in drawn]}


def scene_with(samples: int, *, denoise: bool = True) -> Scene:
    """Load the benchmark's scene with a number of light paths per pixel."""
    scene = load_scene(SPEC)
    settings = scene.spec.render.model_copy(update={"samples": samples, "denoise": denoise})
    return replace(scene, spec=scene.spec.model_copy(update={"render": settings}))


def tone_map(radiance: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Develop linear radiance alike for all renderers."""
    return develop(radiance, exposure_ev=0.0, tone_curve="filmic")


def psnr_db(
    pictures: list[NDArray[np.uint8]], references: list[NDArray[np.uint8]]
) -> tuple[float, list[float]]:
    """Return the mean over pictures of the peak signal-to-noise ratio, and each, in dB."""
    each = []
    for picture, reference in zip(pictures, references, strict=True):
        error = np.square(picture.astype(np.float64) - reference.astype(np.float64)).mean()
        each.append(10 * np.log10(255.0**2 / max(error, 1e-12)))
    return float(np.mean(each)), [float(value) for value in each]


def reference(task: Task) -> list[NDArray[np.float32]]:
    """Return linear radiance (H, W, 3) per pose: 1,024 samples, nothing denoised."""
    scene = scene_with(_CHUNK, denoise=False)
    renderer = scene.renderer((task.size, task.size))
    pictures = []
    for drawn in task.samples(scene):
        # The series number seeds the noise: chunks are independent.
        chunks = [
            renderer.render(replace(drawn, seed=1 + chunk)).radiance
            for chunk in range(REFERENCE_SAMPLES // _CHUNK)
        ]
        pictures.append(np.mean(chunks, axis=0, dtype=np.float64).astype(np.float32))
    return pictures


def pictures(task: Task, samples: int) -> list[NDArray[np.uint8]]:
    """Return the tone-mapped picture of every pose."""
    scene = scene_with(samples)
    renderer = scene.renderer((task.size, task.size))
    return [tone_map(renderer.render(drawn).radiance) for drawn in task.samples(scene)]


def work(task: Task, samples: int, frames: int, ready: Any, seconds: Any) -> None:
    """Make labelled images into a data set and report (wall, CPU) seconds: one worker.

    Args:
        task: what to draw.
        samples: light paths per pixel.
        frames: images that this worker makes.
        ready: a barrier that all workers wait at once they are warm.
        seconds: a queue for the result.
    """
    scene = scene_with(samples)
    size = (task.size, task.size)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(spec_path=SPEC, seed=0, size=size, out=Path(folder) / str(os.getpid()))
        writer = create(job, scene)
        studio = Studio(scene, size, 0)
        poses = task.samples(scene)
        one: Callable[[int], None] = lambda index: writer.write(  # noqa: E731
            studio.draw(replace(poses[index % len(poses)], index=index))
        )
        for index in range(3):
            one(index)
        ready.wait()
        wall, cpu = time.perf_counter(), time.process_time()
        for index in range(frames):
            one(index)
        seconds.put((time.perf_counter() - wall, time.process_time() - cpu))
