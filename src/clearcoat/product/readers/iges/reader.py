"""Read an IGES file: shapes cut into triangles once, then placed as its structure says."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from clearcoat.errors import ProductError
from clearcoat.product.raw import Notes, RawPart, RawProduct, ReadOptions
from clearcoat.product.readers import gltf
from clearcoat.product.readers.gltf.nodes import MOST_TRIANGLES
from clearcoat.product.readers.gltf.primitives import place
from clearcoat.product.readers.iges.extract import Extractor
from clearcoat.product.readers.iges.file import IgesFile, open_iges
from clearcoat.product.readers.iges.tree import Placed, Shape, placements
from clearcoat.product.readers.opencascade import (
    WRITTEN_M,
    check_precision,
    convert,
    unreadable,
)

# Shapes share what they are made of, so that a small file may hold much: how often the whole of it,
# and what is always granted.
_MOST_COPIES, _MOST_BYTES = 4, 2**28
# Fewer are read sooner than another process starts.
_SHAPES_PER_PROCESS = 200


def read(path: Path, options: ReadOptions) -> RawProduct:
    """Read an IGES file: groups, subfigure instances, names, colours and levels survive.

    Every solid is a body, and so are all surfaces of one container that share a name; bodies are
    cut into parts by colour and level. z is up, the front is guessed.

    Raises:
        ProductError: not an IGES file, truncated or damaged, a group or subfigure that contains
            itself, too many parts, coordinates beyond all measure, or OpenCASCADE can read
            nothing of it.
        MissingDependencyError: cascadio is not installed.
    """
    file = open_iges(path)
    notes = Notes()
    for note in file.notes:
        notes.add(note)
    placed = placements(file, notes)
    names: dict[Shape, str] = {}
    for one in placed:
        names.setdefault(one.piece.shape, one.path)
    shapes = _tessellate(file, names, options, notes)
    parts = _parts(placed, shapes, notes, path)
    written = [shape.vertices * file.unit_m for shape in shapes.values()]
    precision = check_precision(written, [part.vertices * file.unit_m for part in parts], path)
    return RawProduct(
        parts=parts,
        unit_m=file.unit_m,
        up="z",
        front=None,
        notes=(*precision, *notes.sentences()),
    )


def _tessellate(
    file: IgesFile, names: dict[Shape, str], options: ReadOptions, notes: Notes
) -> dict[Shape, RawPart]:
    """Return the triangles of each shape, file units, where it is defined.

    Args:
        file: the file.
        names: the shapes, and the path under which notes name each.
        options: chord and angle tolerance.
        notes: told what is left out.
    """
    extractor = Extractor(file)
    found: dict[Shape, RawPart] = {}
    with tempfile.TemporaryDirectory(prefix="clearcoat-") as folder:
        files: list[tuple[Path, Path]] = []
        size = 0
        most = _MOST_BYTES + _MOST_COPIES * file.path.stat().st_size
        for number, shape in enumerate(names):
            content = extractor.extract(shape.roots, shape.faces)
            size += len(content)
            if size > most:
                raise ProductError(
                    "the IGES file is too entangled to be read part by part",
                    where=file.path,
                    found=f"{number:,} of {len(names):,} parts are made of {size:,} bytes",
                    expected=f"all of them of at most {most:,}",
                    do="export STEP AP242 or AP214",
                )
            source = Path(folder) / f"{number}.igs"
            source.write_bytes(content)
            files.append((source, source.with_suffix(".glb")))
        notes.add(
            f"{extractor.broken:,} pointers lead to entities that the file lacks, or in a circle: "
            "faces may be missing",
            extractor.broken,
        )
        missing = _convert(files, options, file.path)
        for number, (shape, name) in enumerate(names.items()):
            part = None
            if number not in missing:
                part = _shape(files[number][1], name, file, notes)
            if part is None:
                notes.add("shapes without triangles left out", part=name)
            else:
                found[shape] = part
    return found


def _convert(
    files: Sequence[tuple[Path, Path]], options: ReadOptions, shown: Path
) -> frozenset[int]:
    """Cut files into triangles, by several processes where there are many.

    Returns:
        Places of the files that no shape came out of.

    Raises:
        ProductError: none came out of any.
    """
    count = max(1, min(os.cpu_count() or 1, len(files) // _SHAPES_PER_PROCESS))
    # Dealt out in turns, since large shapes tend to stand together.
    turns = [range(first, len(files), count) for first in range(count)]
    with ThreadPoolExecutor(count) as pool:
        results = list(
            pool.map(lambda turn: convert([files[i] for i in turn], "iges", options, shown), turns)
        )
    missing = frozenset(
        turn[place] for turn, result in zip(turns, results, strict=True) for place in result.missing
    )
    if files and len(missing) == len(files):
        raise unreadable(results[0], "iges", shown)
    return missing


def _shape(target: Path, name: str, file: IgesFile, notes: Notes) -> RawPart | None:
    """Return all triangles of a converted file as one part, file units."""
    raw = gltf.read(target, ReadOptions(), rename=lambda _: name, shown=file.path, notes=notes)
    if not raw.parts:
        return None
    starts = np.cumsum([0, *(len(part.vertices) for part in raw.parts[:-1])])
    faces = [part.faces + np.uint32(at) for part, at in zip(raw.parts, starts, strict=True)]
    normals = [part.normals for part in raw.parts if part.normals is not None]
    vertices = np.concatenate([part.vertices for part in raw.parts])
    return RawPart(
        path=name,
        vertices=vertices * (WRITTEN_M["iges"] / file.unit_m),
        faces=np.concatenate(faces),
        normals=np.concatenate(normals) if len(normals) == len(raw.parts) else None,
    )


def _parts(
    placed: Sequence[Placed], shapes: dict[Shape, RawPart], notes: Notes, path: Path
) -> tuple[RawPart, ...]:
    parts: list[RawPart] = []
    triangles = 0
    for one in placed:
        shape = shapes.get(one.piece.shape)
        if shape is None:
            continue
        part = place(shape, one.transform)
        if part is None:
            notes.add("parts that their place flattens left out", part=one.path)
            continue
        triangles += len(part.faces)
        if triangles > MOST_TRIANGLES:
            raise ProductError(
                "the file is too large once its instances are placed",
                where=path,
                found=f"{triangles:,} triangles in {len(parts):,} parts",
                expected=f"at most {MOST_TRIANGLES:,} triangles",
                do="export a lighter file, or fewer instances",
            )
        material = one.piece.material
        parts.append(
            replace(
                part,
                path=one.path,
                material=material,
                color=None if material is None else material.base_color,
                layer=one.piece.layer,
                body=one.body,
                definition=one.definition,
            )
        )
    return tuple(parts)
