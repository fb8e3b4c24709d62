"""One tree of exceptions for everything a user can cause.

ClearcoatError
├── UsageError               a command-line option or an API argument makes no sense
├── SpecError                a YAML file: syntax, unknown key, wrong type, rule without a match
├── ProductError             a CAD file: missing, truncated, unsupported, without geometry
├── RenderError              the renderer cannot do what the spec asks on this machine
├── DatasetError             a data set on disk: not one, damaged, of other classes
├── TrainingError            training, evaluation or prediction cannot go on
│   ├── DivergedError        the loss is no longer a finite number
│   └── RunError             a folder that is not a run, or a run that is damaged
│       └── OccupiedError    a run that another process is training
└── MissingDependencyError   an optional package is needed and absent

A bug is none of these and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class ClearcoatError(Exception):
    """What is wrong, where, what was found, what was expected, and what to do about it.

    The command line prints it without a traceback and exits with code 2.
    """

    def __init__(
        self,
        what: str,
        *,
        where: object | None = None,
        found: object | None = None,
        expected: object | None = None,
        do: str | None = None,
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.found = None if found is None else str(found)
        self.expected = None if expected is None else str(expected)
        self.do = do
        super().__init__(what)

    def __str__(self) -> str:
        rows = [
            ("where", self.where),
            ("found", self.found),
            ("expected", self.expected),
            ("do", self.do),
        ]
        return "\n".join([self.what, *(f"  {key + ':':<10}{text}" for key, text in rows if text)])

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive pickling by default, and errors travel
        # from worker processes to the one that prints them.
        return (_rebuild, (type(self), self.what, self.where, self.found, self.expected, self.do))


def _rebuild(
    kind: type[ClearcoatError],
    what: str,
    where: str | None,
    found: str | None,
    expected: str | None,
    do: str | None,
) -> ClearcoatError:
    return kind(what, where=where, found=found, expected=expected, do=do)


class UsageError(ClearcoatError):
    """A command-line option or an API argument makes no sense."""


class SpecError(ClearcoatError, ValueError):
    """A YAML file is malformed, or says something that cannot be done.

    Also a ValueError, so that pydantic adds the place when a validator raises it. A validator
    that looks at a whole model names in `key` what in it is wrong, so that the place is exact.
    """

    def __init__(self, what: str, *, key: tuple[str | int, ...] = (), **rows: Any) -> None:
        super().__init__(what, **rows)
        self.key = key


class ProductError(ClearcoatError):
    """A product file is missing, unreadable, unsupported or empty."""


class RenderError(ClearcoatError):
    """The renderer cannot do what is asked of it on this machine."""


class DatasetError(ClearcoatError):
    """A folder is not a data set, is damaged, or does not fit its use."""


class TrainingError(ClearcoatError):
    """Training, evaluation or prediction cannot go on."""


class DivergedError(TrainingError):
    """A loss is no longer a finite number: this run has no result, others may."""


class RunError(TrainingError):
    """A folder is not a run, or the run in it is incomplete or damaged."""


class OccupiedError(RunError):
    """Another process is training in the folder: it will be free."""


class MissingDependencyError(ClearcoatError):
    """An optional package is needed and not installed."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` is most likely a misspelling of, if any."""
    candidates = list(known)
    folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return advice for an unknown name: the nearest known one, else all of them."""
    candidates = sorted(known)
    best = nearest(name, candidates)
    if best is not None:
        return f"did you mean {best!r}?"
    return "use one of: " + ", ".join(candidates)
