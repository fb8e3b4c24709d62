"""STEP and IGES through OpenCASCADE: tessellated into a glTF file, then read like one."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from clearcoat.errors import MissingDependencyError, ProductError
from clearcoat.product.color import hex_color
from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import RawPart, RawProduct, ReadOptions
from clearcoat.product.readers import gltf
from clearcoat.product.readers.repair import SINGLE_STEP

# A process of its own: OpenCASCADE prints to the file descriptors, keeps its memory, and may
# crash on malformed files.
_CHILD = """
import math, pathlib, sys
try:
    import cascadio
except ImportError:
    sys.exit(71)
source, target, kind, linear, angular = sys.argv[1:]
made = cascadio.load(
    pathlib.Path(source).read_bytes(), file_type=kind, tol_linear=float(linear),
    tol_angular=math.radians(float(angular)), merge_primitives=True, use_parallel=False,
)
pathlib.Path(target).write_bytes(made)
sys.exit(0 if made else 1)
"""
_NO_CASCADIO = 71
# Of the product's size: a two-thousandth pixel at 512 pixels, and half a pixel.
_NOTED_STEP, _REFUSED_STEP = 1e-5, 1e-3
# OpenCASCADE's glTF is in metres for STEP; for IGES its unit stays unknown, and millimetres,
# which the reader converts to, are written as they are.
_WRITTEN_M = {"step": 1.0, "iges": 0.001}


def tessellate(path: Path, kind: str, unit_m: float, options: ReadOptions) -> RawProduct:
    """Return the parts of a STEP or IGES file in file units; axes as in the file.

    Args:
        path: the file.
        kind: `step` or `iges`.
        unit_m: metres per file unit.
        options: chord and angle tolerance.

    Raises:
        ProductError: OpenCASCADE cannot read it.
        MissingDependencyError: cascadio is not installed.
    """
    name = {"step": "STEP", "iges": "IGES"}[kind]
    with tempfile.TemporaryDirectory(prefix="clearcoat-") as folder:
        target = Path(folder) / "product.glb"
        fineness = options.tessellation
        tolerances = [str(fineness.linear_mm), str(fineness.angular_deg)]
        outcome = subprocess.run(
            [sys.executable, "-P", "-c", _CHILD, path.resolve(), target, kind, *tolerances],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if outcome.returncode == _NO_CASCADIO:
            raise MissingDependencyError(
                f"reading {name} needs cascadio", where=path, do="pip install cascadio"
            )
        if outcome.returncode != 0 or not target.is_file():
            raise ProductError(
                f"the {name} file cannot be read",
                where=path,
                found=_complaint(outcome.stdout, outcome.returncode),
                do="open it in a CAD system and export STEP AP242 or AP214 again",
            )
        raw = gltf.read(target, ReadOptions(), rename=_name, shown=path)
    notes = (*_damage(outcome.stdout), *_check_precision(raw, _WRITTEN_M[kind], path), *raw.notes)
    parts = tuple(
        replace(
            part,
            vertices=part.vertices * (_WRITTEN_M[kind] / unit_m),
            material=_by_colour(part),
            definition=_name(part.definition),
        )
        for part in raw.parts
    )
    return replace(raw, parts=parts, unit_m=unit_m, up="z", front=None, notes=notes)


def _check_precision(raw: RawProduct, written_m: float, path: Path) -> list[str]:
    """Return a note where OpenCASCADE's glTF, in single precision, holds the shapes badly.

    Raises:
        ProductError: it holds so little of them that pictures would show it.
    """
    if not raw.parts:
        return []
    low = np.min([part.vertices.min(axis=0) for part in raw.parts], axis=0) * written_m
    high = np.max([part.vertices.max(axis=0) for part in raw.parts], axis=0) * written_m
    size = float((high - low).max())
    farthest = float(np.maximum(np.abs(low), np.abs(high)).max())
    step = farthest * SINGLE_STEP
    if step <= _NOTED_STEP * size:
        return []
    found = f"it lies {farthest:,.4g} m from the origin and is {size:,.4g} m long"
    if step > _REFUSED_STEP * size:
        raise ProductError(
            "the product lies too far from the origin of its file to be read precisely",
            where=path,
            found=f"{found}: corners would move by {1000 * step:,.3g} mm",
            do="move the assembly to the origin in the CAD system and export it again",
        )
    return [f"{found}: corners move by up to {1000 * step:,.3g} mm; export it near the origin"]


def _damage(output: bytes) -> list[str]:
    """Return a note where OpenCASCADE found references to entities that are not in the file."""
    missing = re.search(rb"Unresolved Reference : Fails Count : (\d+)", output)
    if missing is None:
        return []
    return [
        f"the file refers {int(missing[1]):,} times to entities that it lacks: it was cut, and "
        "parts or faces may be missing"
    ]


def _name(name: str) -> str:
    """OpenCASCADE writes its own label where the file names nothing: treat it as unnamed."""
    return "" if re.fullmatch(r"(=>)?\[[0-9:]+\]", name) else name


def _by_colour(part: RawPart) -> SourceMaterial | None:
    """STEP has colours, no named materials: name them by what they are, as #rrggbb.

    OpenCASCADE numbers its materials, and the numbers change when a part is added.
    """
    if part.material is None:
        return None
    # OpenCASCADE says nothing of metal or gloss; glTF's default of bare metal would mislead.
    name = hex_color(part.material.base_color)
    return replace(part.material, name=name, metallic=0.0, roughness=0.5)


def _complaint(output: bytes, code: int) -> str:
    """Return the most telling line of what OpenCASCADE printed."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", output.decode(errors="replace"))
    lines = [line.strip(" *\t") for line in text.splitlines() if line.strip(" *\t")]
    telling = [line for line in lines if "ERR" in line or "Error" in line] or lines
    if telling:
        return telling[0]
    return f"the reader stopped with signal {-code}" if code < 0 else "no shape came out of it"
