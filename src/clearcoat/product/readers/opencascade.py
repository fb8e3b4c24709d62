"""STEP and IGES through OpenCASCADE: tessellated into glTF files, then read like those."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from clearcoat.errors import MissingDependencyError, ProductError
from clearcoat.product.color import hex_color
from clearcoat.product.model import SourceMaterial
from clearcoat.product.raw import Float64Array, RawPart, RawProduct, ReadOptions
from clearcoat.product.readers import gltf
from clearcoat.product.readers.repair import SINGLE_STEP

# A process of its own: OpenCASCADE prints to the file descriptors, keeps its memory, and may
# crash on malformed files. What gives no shape gets an empty file.
_CHILD = """
import json, math, pathlib, sys
try:
    import cascadio
except ImportError:
    sys.exit(71)
kind, linear, angular = sys.argv[1:]
for source, target in json.load(sys.stdin):
    made = cascadio.load(
        pathlib.Path(source).read_bytes(), file_type=kind, tol_linear=float(linear),
        tol_angular=math.radians(float(angular)), merge_primitives=True, use_parallel=False,
    )
    pathlib.Path(target).write_bytes(made)
"""
_NO_CASCADIO = 71
# More are no accident; the files after them are left unread.
_MOST_CRASHES = 100
# Of the product's size: a two-thousandth pixel at 512 pixels, and half a pixel.
_NOTED_STEP, _REFUSED_STEP = 1e-5, 1e-3
WRITTEN_M = {"step": 1.0, "iges": 0.001}
"""Metres per unit of the glTF that OpenCASCADE writes: for IGES, where its own unit stays
unknown, it writes the millimetres that the reader converts to as they are."""
_NAMES = {"step": "STEP", "iges": "IGES"}


@dataclass(frozen=True)
class Converted:
    """What a process of OpenCASCADE left."""

    missing: tuple[int, ...]
    """Places of the files that no shape came out of."""
    output: bytes
    code: int
    """Exit status of the process that read the last of them."""


def convert(
    files: Sequence[tuple[Path, Path]], kind: str, options: ReadOptions, shown: Path
) -> Converted:
    """Cut files into triangles, each into a glTF file.

    A file that OpenCASCADE crashes on costs a new process for those after it, and no more.

    Args:
        files: what to read and what to write, pairs of absolute paths.
        kind: `step` or `iges`.
        options: chord and angle tolerance.
        shown: the file that errors name.

    Raises:
        MissingDependencyError: cascadio is not installed.
    """
    fineness = options.tessellation
    tolerances = [str(fineness.linear_mm), str(fineness.angular_deg)]
    outputs: list[bytes] = []
    code = start = 0
    while start < len(files) and len(outputs) <= _MOST_CRASHES:
        outcome = subprocess.run(
            [sys.executable, "-P", "-c", _CHILD, kind, *tolerances],
            input=json.dumps([[str(path) for path in pair] for pair in files[start:]]).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if outcome.returncode == _NO_CASCADIO:
            raise MissingDependencyError(
                f"reading {_NAMES[kind]} needs cascadio", where=shown, do="pip install cascadio"
            )
        outputs.append(outcome.stdout)
        code = outcome.returncode or code
        if outcome.returncode == 0:
            break
        done = (place for place in range(start, len(files)) if files[place][1].is_file())
        start = max(done, default=start - 1) + 2
    missing = tuple(
        place
        for place, (_, target) in enumerate(files)
        if not (target.is_file() and target.stat().st_size)
    )
    return Converted(missing, b"".join(outputs), code)


def unreadable(converted: Converted, kind: str, path: Path) -> ProductError:
    """Return the error of a file that no shape came out of."""
    return ProductError(
        f"the {_NAMES[kind]} file cannot be read",
        where=path,
        found=_complaint(converted.output, converted.code),
        do="open it in a CAD system and export STEP AP242 or AP214 again",
    )


def tessellate(path: Path, unit_m: float, options: ReadOptions) -> RawProduct:
    """Return the parts of a STEP file in file units; axes as in the file.

    Args:
        path: the file.
        unit_m: metres per file unit.
        options: chord and angle tolerance.

    Raises:
        ProductError: OpenCASCADE cannot read it.
        MissingDependencyError: cascadio is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="clearcoat-") as folder:
        target = Path(folder) / "product.glb"
        converted = convert([(path.resolve(), target)], "step", options, path)
        if converted.missing:
            raise unreadable(converted, "step", path)
        raw = gltf.read(target, ReadOptions(), rename=_name, shown=path)
    written_m = WRITTEN_M["step"]
    shapes = [part.vertices * written_m for part in raw.parts]
    notes = (*_damage(converted.output), *check_precision(shapes, shapes, path), *raw.notes)
    parts = tuple(
        replace(
            part,
            vertices=part.vertices * (written_m / unit_m),
            material=_by_colour(part),
            definition=_name(part.definition),
        )
        for part in raw.parts
    )
    return replace(raw, parts=parts, unit_m=unit_m, up="z", front=None, notes=notes)


def check_precision(
    written: Sequence[Float64Array], placed: Sequence[Float64Array], path: Path
) -> list[str]:
    """Return a note where OpenCASCADE's glTF, in single precision, holds the shapes badly.

    Args:
        written: corners (V, 3) of each shape, metres, where it stands in the glTF.
        placed: those of the product.
        path: the file.

    Raises:
        ProductError: it holds so little of them that pictures would show it.
    """
    if not placed:
        return []
    low = np.min([corners.min(axis=0) for corners in placed], axis=0)
    high = np.max([corners.max(axis=0) for corners in placed], axis=0)
    size = float((high - low).max())
    farthest = max(float(np.abs(corners).max()) for corners in written)
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
