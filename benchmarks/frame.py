"""The first image after a start, images per second of warm workers, and what labels cost.

    python benchmarks/frame.py                                # BMW M6, 128², two workers
    python benchmarks/frame.py examples/vehicles/family.yaml --size 256 --samples 4

Three figures against their targets, and where a frame's time goes. `--samples` replaces those of
the spec. Wall times mean something on an idle machine only, so CPU time stands beside each.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from clearcoat.generation import Job, Scene, Studio, load_scene
from clearcoat.generation.generate import create
from clearcoat.render import backend
from clearcoat.render.hdri import read_hdri
from clearcoat.render.surfaces import surface
from clearcoat.scene.backdrop import SurfaceKind

FIRST_IMAGE_S, IMAGES_PER_S, LABEL_SHARE = 8.0, 5.0, 0.10
_WARM_UP = 8
"""Images before anything is timed, so that kernels are compiled and scenes built."""

_STEPS = {
    "light": ("clearcoat.render.passes", "Passes.light"),
    "guides": ("clearcoat.render.passes", "Passes.guides"),
    "cut-out": ("clearcoat.render.passes", "Passes.transmission"),
    "denoiser": ("clearcoat.render.renderer", "denoise"),
    "environment": ("clearcoat.render.renderer", "light"),
    "environment to renderer": ("clearcoat.render.surroundings", "Surroundings.set_environment"),
    "ground": ("clearcoat.render.surroundings", "Surroundings.set_ground"),
    "pose": ("clearcoat.generation.generate", "find_pose"),
    "development": ("clearcoat.generation.generate", "take_picture"),
    "label rays": ("clearcoat.render.probe", "LabelProbe.look"),
    "label raster": ("clearcoat.generation.generate", "label_raster"),
    "label kinds": ("clearcoat.generation.generate", "annotate"),
    "metadata": ("clearcoat.generation.generate", "_metadata"),
    "writing": ("clearcoat.dataset.writer", "DatasetWriter.write"),
}
_OF_LABELS = ("label rays", "label raster", "label kinds", "metadata", "writing")


def main() -> None:
    options = _options()
    if not options.no_first:
        wall, cpu = first_image(options)
        _print("first image", wall, f"s after the start ({cpu:.2f} s CPU)", wall <= FIRST_IMAGE_S)
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(options.cores), context.Queue()
    workers = [
        context.Process(target=work, args=(options, number, ready, results))
        for number in range(options.cores)
    ]
    for worker in workers:
        worker.start()
    measured = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    rate = options.cores * options.frames / max(wall for wall, _, _ in measured)
    cpu_ms = 1000 * sum(cpu for _, cpu, _ in measured) / (options.cores * options.frames)
    _print("labelled images", rate, f"per s ({cpu_ms:.0f} ms CPU each)", rate >= IMAGES_PER_S)
    steps = {
        name: 1000 * sum(one[name] for _, _, one in measured) / (options.cores * options.frames)
        for name in _STEPS
    }
    share = sum(steps[name] for name in _OF_LABELS) / cpu_ms
    _print("labels, metadata, writing", share, "of a frame's CPU time", share <= LABEL_SHARE)
    for name, ms in sorted(steps.items(), key=lambda item: -item[1]):
        print(f"  {name:24s} {ms:7.1f} ms")
    print(f"  {'the rest':24s} {cpu_ms - sum(steps.values()):7.1f} ms")


def first_image(options: argparse.Namespace) -> tuple[float, float]:
    """Wall and CPU seconds of `clearcoat render --count 1`, the kernels being in Dr.Jit's cache."""
    seconds = 0.0, 0.0
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            command = [
                str(Path(sys.executable).with_name("clearcoat")), "render", str(options.spec),
                "--count", "1", "--size", str(options.size), "--out", f"{folder}/made",
            ]  # fmt: skip
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            wall = time.perf_counter() - start
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        seconds = wall, cpu
    return seconds


def work(options: argparse.Namespace, number: int, ready: Any, results: Any) -> None:
    """Make images and report wall and CPU seconds, and CPU seconds per step: one worker."""
    scene = load_scene(options.spec)
    if options.samples is not None:
        settings = scene.spec.render.model_copy(update={"samples": options.samples})
        scene = replace(scene, spec=scene.spec.model_copy(update={"render": settings}))
    size = (options.size, options.size)
    seconds: dict[str, float] = defaultdict(float)
    for name, (module, attribute) in _STEPS.items():
        _time(importlib.import_module(module), attribute, name, seconds)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(spec_path=options.spec, seed=0, size=size, out=Path(folder) / "made")
        studio, writer = Studio(scene, size, 0), create(job, scene)
        _fill_caches(scene)
        first = number * (options.frames + _WARM_UP)
        for index in range(first, first + _WARM_UP):
            writer.write(studio.record(index))
        seconds.clear()
        ready.wait()
        wall, cpu = time.perf_counter(), time.process_time()
        for index in range(first + _WARM_UP, first + _WARM_UP + options.frames):
            writer.write(studio.record(index))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    results.put((wall, cpu, {name: seconds[name] for name in _STEPS}))


def _fill_caches(scene: Scene) -> None:
    """Make every floor and read every file of light, as a process does once in its first images."""
    for kind in get_args(SurfaceKind):
        surface(kind)
    if scene.hdri_folder is not None:
        for name in scene.stage.hdri_names:
            read_hdri(scene.hdri_folder / name, backend.load())


def _time(module: Any, attribute: str, name: str, seconds: dict[str, float]) -> None:
    """Make a function of a module, or a method of a class in it, add its CPU time up."""
    owner = module
    *way, last = attribute.split(".")
    for step in way:
        owner = getattr(owner, step)
    timed = getattr(owner, last)

    @functools.wraps(timed)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        start = time.process_time()
        try:
            return timed(*args, **kwargs)
        finally:
            seconds[name] += time.process_time() - start

    setattr(owner, last, wrapper)


def _print(name: str, value: float, unit: str, within: bool) -> None:
    verdict = "target met" if within else "short of the target"
    print(f"{name}: {value:.2f} {unit}; {verdict}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).parents[1] / "examples/vehicles/bmw_m6.yaml"
    parser.add_argument("spec", type=Path, nargs="?", default=default)
    parser.add_argument("--size", type=int, default=128, help="pixels a side")
    parser.add_argument("--samples", type=int, help="light paths per pixel [the spec's]")
    parser.add_argument("--frames", type=int, default=24, help="timed images per worker")
    parser.add_argument("--no-first", action="store_true", help="leave the first image out")
    parser.add_argument("--cores", type=int, default=2, help="workers")
    return parser.parse_args()


if __name__ == "__main__":
    main()
