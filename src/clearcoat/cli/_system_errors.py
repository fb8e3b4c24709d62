"""What the system refuses, as an error with advice: no command can foresee a full disk."""

from __future__ import annotations

import errno

from clearcoat.errors import ClearcoatError

_SPACE = "free some space there and run the same command again"
_RIGHTS = "change who may read and write it, or name another place"
_FILES = "raise the limit (`ulimit -n 4096`), or use fewer --workers"
_ADVICE = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: "name a place that can be written to",
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.EIO: "check the disk; `clearcoat dataset check DIR` finds damaged files of a data set",
}


def refused(error: OSError) -> ClearcoatError | None:
    """Return what to tell the user; None where it is rather a bug, which keeps its traceback."""
    if error.errno not in _ADVICE:
        return None
    what = "the system refused: " + (error.strerror or "").lower()
    return ClearcoatError(what, where=error.filename, do=_ADVICE[error.errno])
