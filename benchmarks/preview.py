"""How long a warm contact sheet of `clearcoat preview` takes.

    python benchmarks/preview.py                                     # BMW M6, in this process
    python benchmarks/preview.py examples/vehicles/family.yaml --workers 2

The first sheets, which load product and renderer and compile kernels, are not counted. Wall times
mean something on an idle machine only, so CPU time of all processes stands beside them.
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import closing
from pathlib import Path

from clearcoat.generation.preview import Preview

SHEET_S = 2.0
_TILES, _COLUMNS = 16, 4


def main() -> None:
    options = _options()
    cold_s, _ = cpu_and_walls(options, options.warm_up)
    all_s, walls = cpu_and_walls(options, options.warm_up + options.sheets)
    cpu_s = (all_s - cold_s) / options.sheets
    best, mean = min(walls), sum(walls) / len(walls)
    verdict = "target met" if best <= SHEET_S else "short of the target"
    print(f"warm sheet of {_TILES}: {mean:.2f} s, best {best:.2f} s; {verdict}")
    print(f"  {cpu_s:.2f} s CPU, {1000 * cpu_s / _TILES:.0f} ms a picture")


def cpu_and_walls(options: argparse.Namespace, sheets: int) -> tuple[float, list[float]]:
    """Return CPU seconds of so many sheets, and wall seconds of those behind the first ones."""
    before, walls = _cpu_s(), []
    preview = Preview(
        options.spec, size=options.size, seed=0, samples=options.samples, workers=options.workers
    )
    with closing(preview):
        for _ in range(sheets):
            start = time.perf_counter()
            preview.sheet(preview.tiles(_TILES), _COLUMNS)
            walls.append(time.perf_counter() - start)
    # Processes count once they have ended.
    return _cpu_s() - before, walls[options.warm_up :]


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).parents[1] / "examples/vehicles/bmw_m6.yaml"
    parser.add_argument("spec", type=Path, nargs="?", default=default)
    parser.add_argument("--size", type=int, default=96, help="pixels a side")
    parser.add_argument("--samples", type=int, help="light paths per pixel [the preview's]")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--warm-up", type=int, default=2, help="sheets before any is timed")
    parser.add_argument("--sheets", type=int, default=4, help="timed sheets")
    return parser.parse_args()


if __name__ == "__main__":
    main()
