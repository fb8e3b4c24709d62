"""Keeps the packs of data sets within a number of bytes: the longest unused goes first.

A pack in use is held by a shared lock on a file in it, which ends with the process however that
ends; whoever prunes must get the exclusive one, and so never takes what another process reads.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
import weakref
from pathlib import Path
from uuid import uuid4

from clearcoat.errors import UsageError

if sys.platform != "win32":
    import fcntl

LIMIT_VARIABLE = "CLEARCOAT_CACHE_LIMIT"
"""Environment variable with the most that packs may take, as in `20GB`; 0 is no limit."""
_DEFAULT_LIMIT_BYTES = 32 * 10**9
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_IN_USE = ".in-use"
_WRITING, _REMOVING = ".writing-", ".removing-"
_ABANDONED_AFTER_S = 86400.0
"""Age at which what a killed process was writing is taken for left behind."""


def limit_bytes() -> int | None:
    """Return the most bytes that packs may take; None without a limit. Raises UsageError."""
    text = os.environ.get(LIMIT_VARIABLE, "").strip()
    if not text:
        return _DEFAULT_LIMIT_BYTES
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text)
    if not match or match[2].upper() not in _UNITS:
        raise UsageError(
            "not a size",
            where=LIMIT_VARIABLE,
            found=repr(text),
            expected="bytes, or as in 500MB or 20GB; 0 for no limit",
        )
    return int(float(match[1]) * _UNITS[match[2].upper()]) or None


class Hold:
    """A pack that this process uses; it ends with the object."""

    def __init__(self, descriptor: int) -> None:
        self._close = weakref.finalize(self, os.close, descriptor)

    def release(self) -> None:
        """End it now."""
        self._close()


def hold(pack: Path) -> Hold | None:
    """Mark a pack as in use, and used now; None where it is not there (any more)."""
    file = pack / _IN_USE
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:
        return None
    held = Hold(descriptor)
    if sys.platform != "win32":
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        # Renamed away while we waited for the lock: the file at this place is another or none.
        if not os.path.samestat(os.fstat(descriptor), file.stat()):
            raise FileNotFoundError
        os.utime(file)
    except FileNotFoundError:
        held.release()
        return None
    return held


def prune(packs: Path, limit: int | None) -> list[str]:
    """Remove packs until all take `limit` bytes at most; return the names of those removed.

    Packs in use stay, however much they take.
    """
    _sweep(packs)
    if limit is None:
        return []
    found = sorted(
        ((_used_at(pack), _size(pack), pack) for pack in packs.iterdir() if _is_pack(pack)),
        key=lambda item: item[0],
    )
    total = sum(size for _, size, _ in found)
    removed = []
    for _, size, pack in found:
        if total <= limit:
            break
        if _removed(pack):
            total -= size
            removed.append(pack.name)
    return removed


def _removed(pack: Path) -> bool:
    try:
        descriptor = os.open(pack / _IN_USE, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return False
    aside = pack.with_name(f"{_REMOVING}{uuid4().hex}")
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            pack.rename(aside)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    if sys.platform == "win32":
        # There an open or mapped file cannot be moved, which is all the lock that is needed.
        try:
            pack.rename(aside)
        except OSError:
            return False
    shutil.rmtree(aside, ignore_errors=True)
    return True


def _sweep(packs: Path) -> None:
    """Remove what killed processes left behind."""
    for folder in packs.glob(f"{_REMOVING}*"):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in packs.glob(f"{_WRITING}*"):
        if time.time() - _newest(folder) > _ABANDONED_AFTER_S:
            shutil.rmtree(folder, ignore_errors=True)


def _is_pack(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _used_at(pack: Path) -> float:
    file = pack / _IN_USE
    try:
        return file.stat().st_mtime
    except OSError:
        # Made by an earlier version, and not used since.
        return _newest(pack)


def _newest(folder: Path) -> float:
    return max((_stat(file)[1] for file in [folder, *folder.glob("*")]), default=0.0)


def _size(pack: Path) -> int:
    return sum(_stat(file)[0] for file in pack.glob("*"))


def _stat(file: Path) -> tuple[int, float]:
    """Size and time of the last change; nothing where another process has removed it."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0.0
    return found.st_size, found.st_mtime
