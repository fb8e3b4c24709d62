"""Thousands of frames in one process: does it slow down, does it grow?

    python benchmarks/soak.py                                    # 2,000 labelled frames at 64²
    python benchmarks/soak.py examples/vehicles/bmw_m6.yaml --size 256 --frames 500

Prints the median time of a frame and the resident memory in blocks of a hundred frames, and three
figures: last block over first in time, greatest over least resident memory after the first block,
and the peak. The first block holds start and kernel compilation; "first" is the one behind it.
Times on a busy machine drift: the CPU time of a frame is what the ratio is made of.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

from clearcoat.generation import Job, Studio, load_scene
from clearcoat.generation.generate import create

BLOCK = 100
TARGETS = {"time": 1.05, "memory": 1.05, "peak_gib": 3.0}


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        size = (options.size, options.size)
        job = Job(spec_path=options.spec, seed=0, size=size, out=Path(folder) / "renders")
        scene = load_scene(options.spec)
        studio, writer = Studio(scene, size, 0), create(job, scene)
        blocks: list[tuple[float, float]] = []
        cpu_s: list[float] = []
        for index in range(options.frames):
            start = time.process_time()
            writer.write(studio.record(index))
            cpu_s.append(time.process_time() - start)
            if len(cpu_s) == BLOCK:
                blocks.append((statistics.median(cpu_s), _resident_mib()))
                print(
                    f"{index + 1:6d} frames  {blocks[-1][0] * 1000:7.1f} ms CPU a frame  "
                    f"{blocks[-1][1]:7.1f} MiB resident",
                    flush=True,
                )
                cpu_s.clear()
    _judge(blocks[1:])


def _judge(blocks: list[tuple[float, float]]) -> None:
    memory = [mib for _, mib in blocks]
    found = {
        "time": blocks[-1][0] / blocks[0][0],
        "memory": max(memory) / min(memory),
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
    for name, value in found.items():
        verdict = "within" if value <= TARGETS[name] else "beyond"
        print(f"{name:10s} {value:6.3f}  {verdict} {TARGETS[name]}")


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).parents[1] / "examples/vehicles/bmw_m6.yaml"
    parser.add_argument("spec", type=Path, nargs="?", default=default)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--frames", type=int, default=2000)
    options = parser.parse_args()
    if options.frames < 3 * BLOCK:
        parser.error(f"--frames needs at least {3 * BLOCK}: two blocks to compare after the start")
    return options


if __name__ == "__main__":
    main()
