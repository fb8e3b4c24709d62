"""The HTML report: facts in, one file out that needs nothing else to be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from clearcoat.dataset import Dataset, dataset_statistics
from clearcoat.errors import DatasetError, UsageError
from clearcoat.report.cells import compare, group
from clearcoat.report.content import DataFacts, Report
from clearcoat.report.facts import FINISHED, RunFacts, read_run, rescored, uniquely_named
from clearcoat.report.page import render_page
from clearcoat.report.verdict import judge
from clearcoat.report.writing import prepare, write_page

Tell = Callable[[str], None]


def write_report(
    out: Path,
    *,
    datasets: Sequence[Path] = (),
    runs: Sequence[Path] = (),
    test: Path | None = None,
    title: str = "What the renders are worth",
    tell: Tell | None = None,
) -> Report:
    """Write one self-contained HTML file about runs and data sets, and return its content.

    Data sets that the runs name are added where they still lie where the runs found them.
    With `test`, every run is scored on that data set. `tell` hears what is going on. Raises
    UsageError without anything to report on, DatasetError and RunError for what cannot be
    read; nothing is written then.
    """
    tell = tell or (lambda _: None)
    if not datasets and not runs:
        raise UsageError("nothing to report on", do="give runs, data sets, or folders of them")
    prepare(out)
    report = gather(datasets, runs, test, title, tell)
    tell("drawing")
    write_page(out, render_page(report))
    return report


def gather(
    datasets: Sequence[Path], runs: Sequence[Path], test: Path | None, title: str, tell: Tell
) -> Report:
    """Read all that the report is about. Raises DatasetError and RunError."""
    read = uniquely_named([read_run(path) for path in runs])
    known = _Known()
    for path in datasets:
        known.add(path)
    scored_on = None
    if test is not None:
        scored_on = known.add(test)
        for number, run in enumerate(read):
            if run.state == FINISHED and run.scored_on != scored_on:
                tell(f"scoring {run.name} on {test}")
            read[number] = rescored(run, Dataset.open(test), scored_on)
    for run in read:
        known.add_named_by(run)
    facts = _described(known, tell)
    if scored_on is None:
        scored_on = _most_used(read)
    cells = group(read)
    comparisons = compare(cells)
    return Report(
        title=title,
        datasets=facts,
        runs=tuple(read),
        cells=cells,
        comparisons=comparisons,
        verdict=judge(read, cells, comparisons),
        test=next((fact for fact in facts if fact.digest == scored_on), None),
    )


class _Known:
    """Data sets by digest, each once."""

    def __init__(self) -> None:
        self.by_digest: dict[str, Dataset] = {}
        self._digests: dict[Path, str | None] = {}

    def add(self, path: Path) -> str:
        """Open the data set and return its digest; raises DatasetError where there is none."""
        known = self._digests.get(path.resolve())
        if known is not None:
            return known
        dataset = Dataset.open(path)
        digest = dataset.digest()
        self._digests[path.resolve()] = digest
        self.by_digest.setdefault(digest, dataset)
        return digest

    def add_named_by(self, run: RunFacts) -> None:
        """Add the data sets that a run names, where they are still what the run saw."""
        for role, place in (run.paths or {}).items():
            path = Path(place)
            expected = (run.data or {}).get(role)
            if expected in self.by_digest or path.resolve() in self._digests:
                continue
            try:
                dataset = Dataset.open(path)
                digest = dataset.digest()
            except DatasetError:
                # Moved or gone since: the report's environment table says what was used.
                self._digests[path.resolve()] = None
                continue
            self._digests[path.resolve()] = digest
            if digest == expected:
                self.by_digest[digest] = dataset


def _described(known: _Known, tell: Tell) -> tuple[DataFacts, ...]:
    names = [dataset.path.name for dataset in known.by_digest.values()]
    facts = []
    for digest, dataset in known.by_digest.items():
        tell(f"counting the classes of {dataset.path}")
        unique = names.count(dataset.path.name) == 1 and dataset.path.name
        facts.append(
            DataFacts(dataset, digest, dataset_statistics(dataset), unique or str(dataset.path))
        )
    return tuple(facts)


def _most_used(runs: Sequence[RunFacts]) -> str | None:
    digests = [run.scored_on for run in runs if run.tested]
    return max(dict.fromkeys(digests), key=digests.count) if digests else None
