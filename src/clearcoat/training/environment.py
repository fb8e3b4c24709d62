"""Where a run ran, and whether it had the machine to itself."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from clearcoat import __version__
from clearcoat.errors import UsageError

_OTHERS_MAY_TAKE = 0.10
"""Share of the processors that others may use before a timing no longer counts as exclusive."""


def find_device(name: str = "auto") -> torch.device:
    """Return the device of that name; auto takes CUDA where there is one.

    Raises UsageError where the device is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(
            f"no such device: {name!r}",
            expected="auto, cpu, cuda or cuda:<number>",
            do="use --device auto to take what there is",
        ) from None
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"device {name!r} is not supported", expected="cpu or cuda")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"device {name!r} is not there",
            found=f"{torch.cuda.device_count()} CUDA devices",
            do="use --device cpu, or --device auto to take what there is",
        )
    return device


def device_name(device: torch.device) -> str:
    """Return the model of a GPU or of the processor: what timings are alike on."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()


def describe(device: torch.device) -> dict[str, Any]:
    """Return what a reader of the timings needs to know of machine and software."""
    return {
        "clearcoat": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "platform": platform.platform(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": str(device),
        "device_name": device_name(device),
    }


class Occupancy:
    """Watches, from when it is made, whether anything else used the device.

    `before` is the answer of earlier sessions of the same run, which the new one is joined to.
    """

    def __init__(self, device: torch.device, before: tuple[bool | None, ...] = ()) -> None:
        self.device = device
        self._answers = list(before)
        self._busy, self._own, self._wall = _busy_s(), _own_s(), time.monotonic()

    def exclusive(self) -> bool | None:
        """Whether the device was ours alone in all sessions; None where the system does not say.

        A GPU is looked at when this is asked, and has been ours alone if it was so each time.
        """
        if self.device.type == "cuda":
            self._answers.append(_alone_on_gpu())
            return _together(self._answers)
        return _together([*self._answers, self._processors_were_ours()])

    def _processors_were_ours(self) -> bool | None:
        busy = _busy_s()
        if busy is None or self._busy is None:
            return None
        wall = max(time.monotonic() - self._wall, 1e-9)
        others = (busy - self._busy) - (_own_s() - self._own)
        return others < _OTHERS_MAY_TAKE * wall * (os.cpu_count() or 1)


def _together(answers: Sequence[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers or not answers else True


def _own_s() -> float:
    times = os.times()
    return times.user + times.system


def _busy_s() -> float | None:
    """Processor seconds that the whole machine has spent working (Linux only)."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
        user, nice, system, _idle, _wait, irq, softirq = (int(f) for f in fields[:7])
    except (OSError, ValueError, IndexError):
        return None
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _alone_on_gpu() -> bool | None:
    command = ["nvidia-smi", "--query-compute-apps=pid", "--format=csv,noheader"]
    try:
        listing = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return len(listing.stdout.split()) <= 1


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
