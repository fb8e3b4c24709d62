"""IGES 5.3 (.igs, .iges): unit from the global section, shapes from OpenCASCADE."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from clearcoat.errors import ProductError
from clearcoat.product.raw import RawProduct, ReadOptions
from clearcoat.product.readers.opencascade import tessellate

# IGES 5.3, section 2.2.4.3.14.
_UNIT_M = {
    **{1: 0.0254, 2: 0.001, 4: 0.3048, 5: 1609.344, 6: 1.0, 7: 1000.0, 8: 2.54e-5, 9: 1e-6},
    **{10: 0.01, 11: 2.54e-8},
}
_UNIT_FLAG = 13


def read(path: Path, options: ReadOptions) -> RawProduct:
    """Read an IGES file as one part; z is up, the front is guessed.

    OpenCASCADE joins all surfaces and drops names, colours and groups, which a note says.

    Raises:
        ProductError: not an IGES file, truncated, or OpenCASCADE cannot read it.
        MissingDependencyError: cascadio is not installed.
    """
    content = path.read_bytes()
    lines = [line for line in content.splitlines() if line.strip()]
    letters = [line[72:73] for line in lines]
    if not lines or letters[0] not in {b"S", b"B", b"C"} or b"G" not in letters:
        raise ProductError(
            "not an IGES file",
            where=path,
            found=repr(content[:24]),
            expected="lines of 80 columns, the first with S in column 73",
        )
    if letters[-1] != b"T":
        raise ProductError(
            "the IGES file is truncated",
            where=path,
            found="no terminate section at its end",
            do="copy or export it again",
        )
    globals_ = b"".join(line[:72] for line in lines if line[72:73] == b"G")
    unit_m, notes = _unit(_parameters(globals_.decode("latin-1")))
    raw = tessellate(path, "iges", unit_m, options)
    notes.append(
        "IGES surfaces are read as one part without names and colours: export STEP where rules "
        "must tell parts apart"
    )
    return replace(raw, notes=(*notes, *raw.notes))


def _unit(parameters: list[str]) -> tuple[float, list[str]]:
    flag = parameters[_UNIT_FLAG].strip() if len(parameters) > _UNIT_FLAG else ""
    unit = _UNIT_M.get(int(flag)) if flag.isdigit() else None
    if unit is not None:
        return unit, []
    return 0.001, ["the file names no length unit that is known: millimetres assumed"]


def _parameters(text: str) -> list[str]:
    """Split the global section; Hollerith strings (`3Habc`) may hold the delimiters."""
    delimiter, end = ",", ";"
    found: list[str] = []
    place = 0
    while place < len(text):
        string = re.match(r"\s*(\d+)H", text[place : place + 12])
        if string is not None:
            start = place + string.end()
            value = text[start : start + int(string[1])]
            place = start + int(string[1])
            # The first two parameters are the delimiters themselves.
            if len(found) == 0 and value:
                delimiter = value[0]
            elif len(found) == 1 and value:
                end = value[0]
        else:
            stop = re.search(f"[{re.escape(delimiter + end)}]", text[place:])
            value = text[place : place + stop.start()] if stop else text[place:]
            place += len(value)
        found.append(value)
        if place >= len(text) or text[place] == end:
            break
        place += 1
    return found
