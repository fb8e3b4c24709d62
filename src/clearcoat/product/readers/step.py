"""STEP (.stp, .step): units from the exchange structure, shapes from OpenCASCADE."""

from __future__ import annotations

import mmap
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from clearcoat.errors import ProductError
from clearcoat.product.raw import RawProduct, ReadOptions
from clearcoat.product.readers.opencascade import tessellate
from clearcoat.product.readers.part21 import check_assembly, check_coordinates, entities
from clearcoat.product.readers.step_layers import StepLayers, read_layers, with_layers

_BEGINNING = re.compile(rb"(?:\s|/\*(?:[^*]|\*(?!/))*+\*/)*+ISO-10303-21\s*;")
_MILLIMETRE = 1e-3
_PREFIX = {
    b"": 1.0,
    b"MICRO": 1e-6,
    b"MILLI": 1e-3,
    b"CENTI": 1e-2,
    b"DECI": 1e-1,
    b"KILO": 1e3,
}


def read(path: Path, options: ReadOptions) -> RawProduct:
    """Read a STEP file: assembly tree, instance names, colours and layers survive.

    The file's axes are kept: z is up, the front is guessed unless the spec says it.

    Raises:
        ProductError: not a STEP file, truncated, an assembly that contains itself or is too large,
            coordinates beyond all measure, or OpenCASCADE cannot read it.
        MissingDependencyError: cascadio is not installed.
    """
    unit_m, notes, layers = _inspect_text(path)
    raw = tessellate(path, unit_m, options)
    return replace(raw, parts=with_layers(raw.parts, layers), notes=(*notes, *raw.notes))


def _inspect_text(path: Path) -> tuple[float, list[str], StepLayers | None]:
    """Return the unit of the coordinates (metres), notes and layers, from the text."""
    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as text,
    ):
        if not _BEGINNING.match(text[:65536]):
            raise ProductError(
                "not a STEP file",
                where=path,
                found=repr(text[:24]),
                expected="a text that begins with ISO-10303-21;",
            )
        if not re.search(rb"END-ISO-10303-21\s*;", text[-65536:]):
            raise ProductError(
                "the STEP file is truncated",
                where=path,
                found=f"no END-ISO-10303-21; at its end ({len(text):,} bytes)",
                do="copy or export it again",
            )
        check_coordinates(text, path)
        check_assembly(text, path)
        units = _length_units(text)
        layers = read_layers(text)
    if not units:
        return _MILLIMETRE, ["the file names no length unit: millimetres assumed"], layers
    (unit_m, _), *others = Counter(units).most_common()
    if others:
        names = ", ".join(f"{unit:g} m" for unit in sorted({unit for unit, _ in [*others]}))
        mixed = f"the file mixes length units ({unit_m:g} m and {names}): all converted"
        return unit_m, [mixed], layers
    return unit_m, [], layers


def _length_units(text: mmap.mmap) -> list[float]:
    """Metres per length unit of every geometric context in the file."""
    words = (b"LENGTH_UNIT", b"MEASURE_WITH_UNIT", b"GLOBAL_UNIT_ASSIGNED_CONTEXT")
    entity = entities(text, words)
    found = []
    for body in entity.values():
        context = re.search(rb"GLOBAL_UNIT_ASSIGNED_CONTEXT\s*\(\s*\(([^)]*)\)", body)
        if context is None:
            continue
        for reference in re.findall(rb"#(\d+)", context[1]):
            unit = _unit_metres(int(reference), entity, depth=0)
            if unit is not None:
                found.append(unit)
    return found


def _unit_metres(number: int, entity: dict[int, bytes], depth: int) -> float | None:
    body = entity.get(number, b"")
    if b"LENGTH_UNIT" not in body or depth > 4:
        return None
    si = re.search(rb"SI_UNIT\s*\(\s*(?:\.(\w+)\.|\$)\s*,\s*\.METRE\.", body)
    if si is not None:
        return _PREFIX.get(si[1] or b"")
    conversion = re.search(rb"CONVERSION_BASED_UNIT\s*\(\s*'[^']*'\s*,\s*#(\d+)", body)
    if conversion is None:
        return None
    measure = re.search(
        rb"MEASURE\s*\(\s*([-+.\dEe]+)\s*\)\s*,\s*#(\d+)", entity.get(int(conversion[1]), b"")
    )
    if measure is None:
        return None
    base = _unit_metres(int(measure[2]), entity, depth + 1)
    try:
        factor = float(measure[1])
    except ValueError:
        return None
    return None if base is None else factor * base
