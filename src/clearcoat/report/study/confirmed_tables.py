"""The tables of the untouched photos: in full for a file, and as the page shows them."""

from __future__ import annotations

from collections.abc import Sequence

from clearcoat.report.study.confirmed import Across, OnUntouched
from clearcoat.report.study.words import mean_text, signed
from clearcoat.report.tables import Table
from clearcoat.statistics import Interval


def confirmed_across_table(found: Sequence[Across]) -> Table:
    """One row per comparison with more photos alone."""
    ends = ("", ", 95 % low", ", 95 % high")
    columns = ("mix", "photos alone", *(f"test photos{end}" for end in ends),
               *(f"untouched{end}" for end in ends))  # fmt: skip
    rows = tuple(
        (str(one.mix), str(one.alone), *_three(one.on_split_tests), *_three(one.on_untouched))
        for one in found
    )
    return Table(columns, rows)


def confirmed_table(cells: Sequence[OnUntouched]) -> Table:
    """One row per cell and look."""
    measured = ("untouched", "optimism", "gain on untouched", "optimism of gain")
    ends = {name: (name, f"{name}, 95 % low", f"{name}, 95 % high") for name in measured}
    columns = ("cell", "look", "models", "test photos", *ends["untouched"], *ends["optimism"],
               "gain on test photos", *ends["gain on untouched"],
               *ends["optimism of gain"])  # fmt: skip
    return Table(
        columns,
        tuple(
            (
                str(cell.key), cell.look, cell.models, cell.split_tests.estimate,
                *_three(cell.untouched), *_three(cell.optimism),
                None if cell.gain_on_split_tests is None else cell.gain_on_split_tests.estimate,
                *_three(cell.gain), *_three(cell.gain_optimism),
            )
            for cell in cells
        ),
    )  # fmt: skip


def confirmed_view(cells: Sequence[OnUntouched]) -> Table:
    """The same as a reader sees it beside the verdict: intervals in words."""
    return Table(
        ("cell", "models", "mean IoU, test photos", "mean IoU, untouched photos",
         "optimism: test less untouched", "gain, test photos", "gain, untouched photos",
         "optimism of the gain"),
        tuple(
            (
                str(cell.key) + ("" if cell.look == 1 else f" (look {cell.look})"),
                cell.models,
                f"{cell.split_tests.estimate:.3f}",
                mean_text(cell.untouched),
                _range(cell.optimism),
                "" if cell.gain_on_split_tests is None
                else signed(cell.gain_on_split_tests.estimate),
                _range(cell.gain),
                _range(cell.gain_optimism),
            )
            for cell in cells
        ),
    )  # fmt: skip


def _range(interval: Interval | None) -> str:
    if interval is None:
        return ""
    if interval.low is None or interval.high is None:
        return signed(interval.estimate)
    return f"{signed(interval.estimate)} ({signed(interval.low)} to {signed(interval.high)})"


def _three(interval: Interval | None) -> tuple[float | None, float | None, float | None]:
    if interval is None:
        return None, None, None
    return interval.estimate, interval.low, interval.high
