"""Plain tables: what a reader sees, and what stands behind a figure as CSV."""

from __future__ import annotations

import csv
import io
from base64 import b64encode
from dataclasses import dataclass

Value = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Columns and rows; numbers stay numbers until they are printed."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"Table: {len(self.columns)} columns, a row of {len(row)}: {row}")

    @property
    def csv_uri(self) -> str:
        """The table as a `data:` URI of a CSV file, numbers in full precision."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(["" if value is None else value for value in row] for row in self.rows)
        return data_uri("text/csv;charset=utf-8", buffer.getvalue().encode())

    @property
    def printed(self) -> list[list[tuple[str, bool]]]:
        """Per row the text of each value, and whether it is a number."""
        return [[(printed(value), not isinstance(value, str)) for value in r] for r in self.rows]


def printed(value: Value) -> str:
    """Return a value for reading: four significant digits, thousands separated."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}"


def data_uri(kind: str, data: bytes) -> str:
    """Return bytes as a `data:` URI of a media type."""
    return f"data:{kind};base64,{b64encode(data).decode()}"
