"""What a new vehicle costs beside the pictures it is shown in.

    python benchmarks/family.py [--size 128] [--vehicles 4]

With `product: {builtin: family}` a vehicle is built, and its scene with it, every
`images_per_vehicle` images. Its cost is the time of the first image of a vehicle less that of the
median image; the share is that cost over the time of all images of a vehicle, cost included. The
first vehicle of the process is left out: kernels are compiled with it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from clearcoat.generation import Studio, load_scene
from clearcoat.vehicles import ANY, build, draw_style

SPEC = Path(__file__).parents[1] / "examples/vehicles/family.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", type=Path, default=SPEC)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--vehicles", type=int, default=4)
    parser.add_argument("--frames", type=int, default=5, help="images timed per vehicle")
    arguments = parser.parse_args()
    builds = [_timed(lambda seed=seed: build(draw_style(ANY, seed), seed)) for seed in range(5)]
    print(f"building alone: median {median(wall for wall, _ in builds):.2f} s, "
          f"{median(cpu for _, cpu in builds):.2f} s of CPU")  # fmt: skip
    scene = load_scene(arguments.spec)
    per_vehicle = scene.images_per_product
    assert per_vehicle is not None, "the spec shows one vehicle"
    studio = Studio(scene, (arguments.size, arguments.size), 0)
    first, later = [], []
    for number in range(arguments.vehicles + 1):
        seconds = [
            _timed(lambda index=index: studio.record(index))
            for index in range(number * per_vehicle, number * per_vehicle + 1 + arguments.frames)
        ]
        if number > 0:
            first.append(seconds[0])
            later += seconds[1:]
    for place, clock in enumerate(("wall", "CPU")):
        frame = median(one[place] for one in later)
        cost = median(one[place] for one in first) - frame
        share = cost / (cost + per_vehicle * frame)
        print(f"{clock}: {frame:.2f} s per image, {cost:.2f} s more with a new vehicle")
        print(f"  {100 * share:.1f} % of the time at {per_vehicle} images per vehicle")


def _timed(what: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    what()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
