"""STEP and IGES through OpenCASCADE: tessellated into a glTF file, then read like one."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from clearcoat.errors import MissingDependencyError, ProductError
from clearcoat.product.color import hex_color
from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import RawPart, RawProduct, ReadOptions
from clearcoat.product.readers import gltf

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
    parts = tuple(
        replace(
            part,
            vertices=part.vertices * (_WRITTEN_M[kind] / unit_m),
            material=_by_colour(part),
            definition=_name(part.definition),
        )
        for part in raw.parts
    )
    return replace(raw, parts=parts, unit_m=unit_m, up="z", front=None)


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
