"""Who works on which run: claims that several processes can make, and that outlive none of them.

A claim is a small file; the process that holds it touches it now and then. It is stale once its
process is gone (same machine) or, where one cannot tell, it has not been touched for long.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock

from clearcoat.execution import is_running

TOUCH_EVERY_S = 20.0
STALE_AFTER_S = 300.0
"""Age since its last touch from which a claim is stale whose process one cannot ask for."""
CLAIMS = "claims"


@contextmanager
def study_lock(folder: Path) -> Iterator[None]:
    """Hold the study's lock: for moments only, while the ledger or a claim is written."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        yield


@dataclass(frozen=True)
class Holder:
    """Who made a claim."""

    host: str
    pid: int
    started: str
    """When that process began, as far as the system says: numbers of processes are used again."""
    space: str = ""
    """In which the number holds: containers may share the name of their host, and count alone."""


class Claims:
    """The claims of one process on the runs of one study; a context that touches and releases."""

    def __init__(self, folder: Path, *, touch_every_s: float = TOUCH_EVERY_S) -> None:
        self.folder = folder
        self.place = folder / CLAIMS
        self._held: set[str] = set()
        self._touch_every_s = touch_every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._touch, daemon=True)

    def __enter__(self) -> Self:
        self.place.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        for name in tuple(self._held):
            self.release(name)

    def take(self, name: str) -> bool:
        """Claim a run; False where another process that is alive has it."""
        file = self._file(name)
        with study_lock(self.folder):
            if _is_live(file):
                return False
            file.write_text(json.dumps(_myself().__dict__))
            self._held.add(name)
        return True

    def release(self, name: str) -> None:
        """Give a run back."""
        with study_lock(self.folder):
            self._held.discard(name)
            file = self._file(name)
            # Another process may have taken it for abandoned, and hold it now.
            if _holder(file) == _myself():
                file.unlink(missing_ok=True)

    def others(self) -> frozenset[str]:
        """Names of the runs that other living processes have claimed."""
        files = [file for file in self.place.glob("*.json") if file.stem not in self._held]
        return frozenset(file.stem for file in files if _is_live(file))

    def _file(self, name: str) -> Path:
        return self.place / f"{name}.json"

    def _touch(self) -> None:
        while not self._over.wait(self._touch_every_s):
            for name in tuple(self._held):
                # Released between the two lines, or the file system is away for a while: without
                # further touches the claim would go stale in our hands.
                try:
                    os.utime(self._file(name))
                except OSError:
                    continue


def _is_live(file: Path) -> bool:
    holder = _holder(file)
    if holder is None:
        return False
    try:
        age = time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return False
    if (holder.host, holder.space) == (socket.gethostname(), _space()):
        if _started(holder.pid) != holder.started or not is_running(holder.pid):
            return False
        if holder.started:
            # It surely lives, and may have slept with its laptop.
            return True
    return age <= STALE_AFTER_S


def _holder(file: Path) -> Holder | None:
    try:
        return Holder(**json.loads(file.read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        # There is none, or it was cut short by a kill while it was written.
        return None


def _myself() -> Holder:
    return Holder(socket.gethostname(), os.getpid(), _started(os.getpid()), _space())


def _space() -> str:
    """Name the set of process numbers that this process sees; empty where there is no telling."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Clock ticks from boot to the start of a process; empty where there is none, or no telling."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    # A zombie answers to signal 0, and works on nothing.
    return "" if fields[0] in "ZX" else fields[19]
