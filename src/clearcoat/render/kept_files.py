"""Pictures that stay in memory: how what is kept of a file is told from what the file now is."""

from __future__ import annotations

from pathlib import Path


def version(path: Path) -> tuple[int, int] | None:
    """Return time of the last change (ns) and size (bytes) of a file; None where there is none.

    A part of the key of a cache: a file that was replaced under its name is read again.
    """
    try:
        facts = path.stat()
    except OSError:
        # Whoever reads it says what is wrong.
        return None
    return facts.st_mtime_ns, facts.st_size
