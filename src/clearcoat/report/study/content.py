"""What the report of studies shows, before it is drawn."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from clearcoat.report.content import DataFacts
from clearcoat.report.study.confirmed import OnUntouched
from clearcoat.report.study.confirmed_tables import confirmed_view
from clearcoat.report.study.drawing import Drawn
from clearcoat.report.study.facts import StudyFacts
from clearcoat.report.study.figure_5 import Figure5
from clearcoat.report.study.grid_verdict import StudyVerdict
from clearcoat.report.tables import Table


@dataclass(frozen=True)
class NamedTable:
    """A table of the page."""

    name: str
    title: str
    caption: str
    table: Table


@dataclass(frozen=True)
class Chapter:
    """Everything about one study."""

    study: StudyFacts
    verdict: StudyVerdict
    figures: tuple[Drawn, ...]
    tables: tuple[NamedTable, ...]
    pictures: Figure5 | None
    confirmed: tuple[OnUntouched, ...] = ()
    """What the untouched photos say, where they have been looked at."""

    @property
    def confirmed_view(self) -> Table:
        """The same as a table to read."""
        return confirmed_view(self.confirmed)

    @property
    def shown(self) -> tuple[Drawn | NamedTable, ...]:
        """Whatever has data behind it."""
        return (*self.figures, *self.tables)


@dataclass(frozen=True)
class StudyReport:
    """Everything that the page shows, before it is drawn."""

    title: str
    chapters: tuple[Chapter, ...]
    datasets: tuple[DataFacts, ...]
    missing: tuple[str, ...]
    """Data sets that the studies name and that are not at hand, or are others by now."""

    def as_json(self) -> dict[str, Any]:
        """The verdicts and the numbers behind every figure and table, as plain data."""
        return {
            "title": self.title,
            "studies": [
                {
                    "study": str(chapter.study.path),
                    "kind": chapter.study.kind,
                    "verdict": asdict(chapter.verdict),
                    "data": {
                        item.name: {"columns": item.table.columns, "rows": item.table.rows}
                        for item in chapter.shown
                    },
                }
                for chapter in self.chapters
            ],
        }
