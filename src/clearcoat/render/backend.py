"""Set up Mitsuba once per process: variant, LLVM library, threads.

Importing this module imports nothing heavy; `load()` does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from clearcoat.errors import RenderError

VARIANTS = ("cuda_ad_rgb", "llvm_ad_rgb")
"""From the fastest to the one that runs everywhere. Mitsuba's scalar variants trace one ray at a
time and cannot make labels; see docs/decisions/0003-no-scalar-variant.md."""

DEVICES = {"cuda": "cuda_ad_rgb", "cpu": "llvm_ad_rgb"}
"""What a user calls the variants; `auto` is the first that works."""


def candidates(wanted: str | None) -> tuple[str, ...]:
    """Return the variants to try, in order, for a device, a variant's own name, or nothing.

    Raises:
        RenderError: neither a device nor a variant.
    """
    if wanted in (None, "", "auto"):
        return VARIANTS
    variant = DEVICES.get(str(wanted), str(wanted))
    if variant not in VARIANTS:
        raise RenderError(
            f"unknown renderer variant {wanted!r}",
            expected="one of " + ", ".join(("auto", *DEVICES, *VARIANTS)),
        )
    return (variant,)


def load(variant: str | None = None) -> Any:
    """Import Mitsuba and set the fastest variant that works here, or the one asked for.

    `variant` is a device (auto, cuda, cpu) or a variant's name; without it the environment
    variable CLEARCOAT_VARIANT decides, which workers inherit.

    One thread per process: only then does the same scene give the same bytes every time.
    Parallel rendering is several processes.

    Raises:
        RenderError: the variant does not exist or does not work on this machine.
    """
    return _load(candidates(variant or os.environ.get("CLEARCOAT_VARIANT")))


@lru_cache(maxsize=1)
def _llvm_library() -> Path | None:
    """Find the LLVM library that comes as a wheel; Dr.Jit needs version 16 or later.

    A distribution's own LLVM 15 aborts the process on AVX-512 machines, so Dr.Jit's search
    through the system is a last resort only.
    """
    try:
        files = metadata.files("karellen-llvm-core") or []
    except metadata.PackageNotFoundError:
        return None
    named = [
        file for file in files if re.fullmatch(r"(libLLVM.*\.(so|dylib).*|LLVM.*\.dll)", file.name)
    ]
    paths = sorted(Path(str(file.locate())) for file in named)
    return next((path for path in paths if path.exists()), None)


@lru_cache(maxsize=4)
def _load(names: tuple[str, ...]) -> Any:
    library = _llvm_library()
    if library is not None:
        os.environ.setdefault("DRJIT_LIBLLVM_PATH", str(library))
    # OIDN reads its settings from the environment; one thread for the same reason as below.
    os.environ.setdefault("OIDN_NUM_THREADS", "1")
    import mitsuba as mi

    reasons = []
    for name in names:
        if name not in mi.variants():
            reasons.append(f"{name}: not in this build of Mitsuba")
            continue
        try:
            mi.set_variant(name)
            mi.load_dict({"type": "sphere"})
            _probe(mi)
        except Exception as error:  # the back ends raise what their drivers raise
            reasons.append(
                f"{name}: {str(error).strip().splitlines()[0] if str(error) else error!r}"
            )
            continue
        _one_thread(name)
        return mi
    if names == (DEVICES["cuda"],):
        raise RenderError(
            "no CUDA device can render here",
            found="; ".join(reasons),
            expected="an NVIDIA GPU whose driver has CUDA and OptiX",
            do="use --device cpu or auto, or see what `nvidia-smi` says",
        )
    raise RenderError(
        "no renderer works on this machine",
        found="; ".join(reasons),
        expected="a CUDA device, or LLVM 16 or later",
        do="install the pinned dependencies (pip install -c constraints.txt clearcoat)",
    )


def _probe(mi: ModuleType) -> None:
    """Run one tiny kernel: a missing LLVM or CUDA driver shows only on first use."""
    import drjit as dr

    dr.eval(dr.arange(mi.Float, 4) + 1)
    dr.sync_thread()


@contextmanager
def second_thread() -> Iterator[None]:
    """Lend Mitsuba a thread to read a file with: alone, it waits for ever for an OpenEXR file."""
    import drjit as dr

    count = dr.thread_count()
    dr.set_thread_count(max(count, 2))
    try:
        yield
    finally:
        dr.set_thread_count(count)


def _one_thread(variant: str) -> None:
    if variant.startswith("llvm"):
        import drjit as dr

        dr.set_thread_count(1)
