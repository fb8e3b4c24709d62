"""Files that appear whole: written beside, flushed, renamed.

A temporary file carries the host and process that writes it, so that the next writer can
tell what a killed process left from what another process is writing at this moment.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import time
from pathlib import Path
from uuid import uuid4

from clearcoat.errors import DatasetError
from clearcoat.execution import is_running

_PREFIX = ".writing-"
_TEMPORARY = re.compile(r"\.writing-(?P<host>.+)-(?P<pid>\d+)-[0-9a-f]{32}")
_ABANDONED_AFTER_S = 3600.0
"""Age from which another host's temporary file counts as left behind: no file takes that long."""
_IN_THE_WAY = "a file stands where a folder is needed: choose another place to write to"
_ADVICE = {
    errno.ENOENT: "make the folder first, or choose another place to write to",
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
    errno.EISDIR: "a folder has this name: choose another one",
}


def is_temporary(name: str) -> bool:
    """Whether a file name is that of a file being written, or left half-written."""
    return name.startswith(_PREFIX)


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` so that `path` is at any moment absent, its old self, or complete.

    Raises DatasetError when the file system refuses.
    """
    temporary = _temporary_beside(path)
    try:
        _write_flushed(temporary, data)
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        _discard(temporary)


def create_whole(path: Path, data: bytes) -> bool:
    """Like `write_whole`, but leave an existing file alone; return whether it was made here."""
    temporary = _temporary_beside(path)
    try:
        _write_flushed(temporary, data)
        try:
            # A hard link is the one atomic "create unless it exists" that shows a whole file.
            path.hardlink_to(temporary)
        except FileExistsError:
            return False
        except OSError:
            # File systems without hard links (FAT, some network mounts).
            if path.exists():
                return False
            temporary.replace(path)
        return True
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        _discard(temporary)


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that processes which are gone have left in `folder`."""
    host, now = socket.gethostname(), time.time()
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            match = _TEMPORARY.fullmatch(entry.name)
            if match is None:
                continue
            # Another process may clean, or finish its file, at the same moment.
            with contextlib.suppress(FileNotFoundError):
                old = now - entry.stat().st_mtime > _ABANDONED_AFTER_S
                here = match["host"] == host
                if old or (here and not is_running(int(match["pid"]))):
                    Path(entry.path).unlink()


def make_folder(path: Path) -> None:
    """Make the folder that files are to be written into, before the work that ends in them.

    Raises DatasetError where that cannot be, or where nothing can be written into it.
    """
    try:
        _make_writable(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def make_folder_of(path: Path) -> None:
    """Make the folder that a file is to be written into, before the work that ends in the file.

    Raises DatasetError where that cannot be, or where a folder has the file's name.
    """
    try:
        _make_writable(path.parent)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> DatasetError:
    """Return the error for a file that the system does not let us write."""
    return DatasetError(
        "cannot write the file",
        where=path,
        found=error.strerror or str(error),
        do=_ADVICE.get(
            error.errno or 0,
            "make room or get write permission, then run the same command again to go on",
        ),
    )


def _make_writable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _temporary_beside(path: Path) -> Path:
    return path.with_name(f"{_PREFIX}{socket.gethostname()}-{os.getpid()}-{uuid4().hex}")


def _discard(temporary: Path) -> None:
    # Where the file could not be made (a read-only disk, a file for a folder) it cannot be removed
    # either: what is to be said is why it could not be made.
    with contextlib.suppress(OSError):
        temporary.unlink()


def _write_flushed(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
