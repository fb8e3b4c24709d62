"""What a user points at: runs, data sets, or folders that hold some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clearcoat.dataset.layout import MANIFEST
from clearcoat.errors import RunError
from clearcoat.report.study.facts import is_study
from clearcoat.studies.record import STUDY
from clearcoat.training.folder import CONFIG

_DEPTH = 2


@dataclass(frozen=True)
class Inputs:
    """Folders by what is in them, each once, in the order in which they were found."""

    datasets: tuple[Path, ...]
    runs: tuple[Path, ...]
    studies: tuple[Path, ...] = ()


def find_inputs(paths: Sequence[Path]) -> Inputs:
    """Sort folders into studies, runs and data sets; others are searched two levels deep.

    Raises RunError for a path where there is neither.
    """
    datasets: dict[Path, Path] = {}
    runs: dict[Path, Path] = {}
    studies: dict[Path, Path] = {}
    for path in paths:
        found = False
        for folder in _candidates(path, _DEPTH):
            found = True
            kind = runs
            if (folder / MANIFEST).is_file():
                kind = datasets
            elif is_study(folder):
                kind = studies
            kind.setdefault(folder.resolve(), folder)
        if not found:
            raise RunError(
                "neither a run nor a data set nor a study, nor a folder that holds any",
                where=path,
                found="a folder" if path.is_dir() else "a file" if path.exists() else "nothing",
                expected=f"a run (a folder with {CONFIG}), a data set (a folder with {MANIFEST}), "
                f"a study (a folder with {STUDY}), or a folder with such folders at most {_DEPTH} "
                "levels down",
                do="give the --out folder of `clearcoat train`, `study`, `render` "
                "or `dataset import`",
            )
    return Inputs(tuple(datasets.values()), tuple(runs.values()), tuple(studies.values()))


def _candidates(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / MANIFEST).is_file() or (folder / CONFIG).is_file() or is_study(folder):
        yield folder
    elif depth and folder.is_dir():
        for entry in sorted(folder.iterdir()):
            if entry.is_dir() and not entry.name.startswith("."):
                yield from _candidates(entry, depth - 1)
