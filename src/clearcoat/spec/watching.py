"""Tell when a YAML file, or one that it extends, was saved."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from clearcoat.errors import SpecError
from clearcoat.spec.document import extended, read_text


class Watched:
    """A YAML file and all that it extends, directly or through others."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[tuple[Path, int], ...] = ()

    def stamp(self) -> int:
        """Return a number that is another one once any of the files was saved.

        A file that is missing or holds a mistake is one of them as well: saving it may mend it.
        """
        if not self._seen or self._seen != _saved(path for path, _ in self._seen):
            # Only now are they read: what a file extends changes when it is saved.
            self._seen = _saved(_files(self.path))
        return hash(tuple(time for _, time in self._seen))


def _saved(paths: Iterable[Path]) -> tuple[tuple[Path, int], ...]:
    return tuple((path, _time(path)) for path in paths)


def _time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        # Editors replace a file by another: for a moment there is none.
        return 0


def _files(path: Path) -> list[Path]:
    found = [path]
    # Grows as it is walked; one that is in it is not walked twice, so a circle ends.
    for file in found:
        try:
            document = read_text(file.read_text(encoding="utf-8"), str(file))
            others = [file.parent / name for name in extended(document)]
        except (OSError, UnicodeDecodeError, SpecError):
            # Reading the spec says what is wrong.
            continue
        found += [other for other in others if other not in found]
    return found
