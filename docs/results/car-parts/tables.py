"""The tables of ../car-parts.md, as Markdown: cells, gains, comparisons, runs, classes.

python tables.py [LEDGER]        (by default that of grid/)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

from clearcoat.statistics import difference_interval, holm, mean_interval, paired_one_sided
from clearcoat.studies import GRID_ARM, SELF_TRAINED_ARM

Cell = tuple[int, int]
"""Photos and renders."""
_LEDGER = Path(__file__).parent / "grid" / "ledger.jsonl"
_COMPARED = (((16, 4096), (256, 0)), ((0, 4096), (256, 0)), ((0, 4096), (16, 0)))
_BY_CLASS = ((0, 4096), (16, 0), (16, 4096), (64, 0), (64, 4096), (256, 0), (256, 4096))


class Runs:
    """The ledger's runs by cell and repeat, of the grid or of the cells beside it."""

    def __init__(self, ledger: Path, arm: str = GRID_ARM) -> None:
        self.of: dict[Cell, dict[int, dict[str, Any]]] = {}
        for line in map(json.loads, ledger.read_text().splitlines()):
            # Looks at the untouched photos have lines of their own kinds.
            if line.get("arm") == arm and line.get("mean_iou") is not None:
                self.of.setdefault((line["real"], line["synthetic"]), {})[line["repeat"]] = line
        self.rows = sorted({real for real, _ in self.of})
        self.columns = sorted({synthetic for _, synthetic in self.of})

    def scores(self, cell: Cell) -> list[float]:
        """Mean IoU of a cell's runs, in the order of their repeats."""
        runs = self.of.get(cell, {})
        return [runs[repeat]["mean_iou"] for repeat in sorted(runs)]

    def pairs(
        self, first: Cell, second: Cell, of: Runs | None = None
    ) -> tuple[list[float], list[float]]:
        """Mean IoU of both cells in the repeats that both have, the second in `of` (here)."""
        ours, theirs = self.of.get(first, {}), (of or self).of.get(second, {})
        common = sorted(ours.keys() & theirs.keys())
        return [ours[n]["mean_iou"] for n in common], [theirs[n]["mean_iou"] for n in common]


def main(ledger: Path) -> None:
    """Print everything."""
    runs = Runs(ledger)
    own = Runs(ledger, SELF_TRAINED_ARM)
    tables = [_cells(runs), _gains(runs), _comparisons(runs), _repeats(runs), _classes(runs)]
    if own.of:
        tables.append(_without_labels(runs, own))
    for table in tables:
        print("\n".join(table), end="\n\n")


def _cells(runs: Runs) -> Iterator[str]:
    yield from _head("photos", (f"{column:,} renders" for column in runs.columns))
    for row in runs.rows:
        yield _row(f"{row}", (_mean(runs.scores((row, column))) for column in runs.columns))


def _mean(scores: list[float]) -> str:
    if not scores:
        return "–"
    found = mean_interval(scores)
    if found.half_width is None:
        return f"{found.estimate:.3f} (1)"
    return f"{found.estimate:.3f} ± {found.half_width:.3f}"


def _gains(runs: Runs) -> Iterator[str]:
    """Against as many photos alone; Holm's correction is over all of them."""
    names = ("alone", "with renders", "gain (paired)", "relative", "p", "Holm over the table")
    yield from _head("photos + renders", names)
    cells = [
        (row, column)
        for row in runs.rows
        for column in runs.columns
        if column and len(runs.pairs((row, column), (row, 0))[0]) > 1
    ]
    tests = [paired_one_sided(*runs.pairs(cell, (cell[0], 0))).p_value for cell in cells]
    for cell, p, corrected in zip(cells, tests, holm(tests), strict=True):
        alone = (cell[0], 0)
        pairs = runs.pairs(cell, alone)
        share = fmean(pairs[0]) / fmean(pairs[1]) - 1
        scores = (_mean(runs.scores(alone)), _mean(runs.scores(cell)))
        texts = (*scores, _difference(*pairs), f"{share:+.0%}", _p(p), _p(corrected))
        yield _row(_name(cell), texts)


def _comparisons(runs: Runs) -> Iterator[str]:
    yield from _head("comparison", ("difference (paired)", "p"))
    last = runs.columns[-1]
    gains = [
        ((more, last), (row, last)) for row, more in zip(runs.rows, runs.rows[1:], strict=False)
    ]
    for first, second in (*_COMPARED, *gains):
        ours, theirs = runs.pairs(first, second)
        if len(ours) > 1:
            p = paired_one_sided(ours, theirs).p_value
            yield _row(f"{_name(first)} − {_name(second)}", (_difference(ours, theirs), _p(p)))


def _without_labels(runs: Runs, own: Runs) -> Iterator[str]:
    """Cells with photos without labels against the same without, and against 256 photos alone."""
    yield from _head("with photos without labels", ("score", "against", "difference (paired)", "p"))
    for cell in sorted(own.of):
        for other in (cell, (256, 0)):
            ours, theirs = own.pairs(cell, other, runs)
            if len(ours) > 1:
                p = paired_one_sided(ours, theirs).p_value
                texts = (_mean(own.scores(cell)), _name(other), _difference(ours, theirs), _p(p))
                yield _row(_name(cell), texts)


def _repeats(runs: Runs) -> Iterator[str]:
    cells = [cell for row in runs.rows for c in runs.columns if (cell := (row, c)) in runs.of]
    most = 1 + max(repeat for cell in cells for repeat in runs.of[cell])
    yield from _head("cell", (f"{repeat}" for repeat in range(most)))
    for cell in cells:
        found = (runs.of[cell].get(repeat) for repeat in range(most))
        yield _row(_name(cell), ("–" if run is None else f"{run['mean_iou']:.3f}" for run in found))


def _classes(runs: Runs) -> Iterator[str]:
    cells = [cell for cell in _BY_CLASS if cell in runs.of]
    names = sorted(
        {name for cell in cells for run in runs.of[cell].values() for name in run["classes"]}
    )
    yield from _head("class (photos + renders)", map(_name, cells))
    for name in names:
        tables = [[run["classes"].get(name) for run in runs.of[cell].values()] for cell in cells]
        yield _row(name, (f"{fmean(v for v in t if v is not None):.2f}" for t in tables))


def _difference(a: list[float], b: list[float]) -> str:
    found = difference_interval(a, b, paired=True)
    return f"{found.estimate:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _name(cell: Cell) -> str:
    return f"{cell[0]} + {cell[1]:,}"


def _head(first: str, others: Iterable[str]) -> Iterator[str]:
    names = [first, *others]
    yield _row(names[0], names[1:])
    yield "|---" * len(names) + "|"


def _row(first: str, others: Iterable[str]) -> str:
    return "| " + " | ".join((first, *others)) + " |"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else _LEDGER)
