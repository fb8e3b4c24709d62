"""IGES: small files written after the standard, whose shapes have known areas and places."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import ProductError
from clearcoat.product import Part, Product, Tessellation, instances, read
from clearcoat.product.raw import Notes, ReadOptions
from clearcoat.product.readers import opencascade
from clearcoat.product.readers.iges.extract import Extractor
from clearcoat.product.readers.iges.file import open_iges, split
from clearcoat.product.readers.iges.tree import placements
from tests.product.readers.iges_writer import IgesWriter, string

_QUARTER_TURN = (0.0, -1.0, 0.0, 100.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def read_text(writer: IgesWriter, path: Path) -> Product:
    path.write_text(writer.text())
    return read(path, up="z", front="x")


def area_mm2(part: Part) -> float:
    corners = part.mesh.vertices.astype(np.float64)[part.mesh.faces] * 1000
    sides = corners[:, 1:] - corners[:, :1]
    return float(np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1).sum() / 2)


def bounds_mm(part: Part, base: Part) -> list[list[int]]:
    """Return a part's bounds from the least corner of `base`."""
    at = base.mesh.vertices.min(axis=0)
    ends = [part.mesh.vertices.min(axis=0) - at, part.mesh.vertices.max(axis=0) - at]
    return [[round(float(value) * 1000) for value in end] for end in ends]


def look(part: Part) -> str | None:
    return None if part.material is None else part.material.name


def test_a_curved_surface_is_smooth_and_of_the_files_size(tmp_path: Path) -> None:
    path = tmp_path / "quarter.igs"
    for unit, name, metres in ((2, "MM", 0.001), (1, "IN", 0.0254)):
        writer = IgesWriter(unit, name)
        writer.curved(10.0, 20.0)
        path.write_text(writer.text())
        product = read(path, up="z", front="x", tessellation=Tessellation(angular_deg=5))
        assert product.unit_m == metres
        low, high = product.bounds_m
        np.testing.assert_allclose(high - low, np.array([10, 10, 20]) * metres, rtol=1e-5)
        (part,) = product.parts
        mesh = part.mesh
        assert mesh.normals is not None
        # The axis lies at a corner of the bounds; normals point along or against the radius.
        radial = mesh.vertices[:, :2] / (10 * metres) + 0.5
        np.testing.assert_allclose(np.linalg.norm(radial, axis=1), 1, atol=1e-4)
        along = np.einsum("ij,ij->i", mesh.normals[:, :2], radial)
        np.testing.assert_allclose(np.abs(along), 1, atol=1e-3)


def test_names_colours_and_levels_tell_surfaces_apart(tmp_path: Path) -> None:
    writer = IgesWriter()
    blue = writer.add(314, 0.0, 20.0, 100.0, string("mid blue"))
    writer.add(406, 2, 7, string("glass, rear"), form=3, level=7)
    levels = writer.add(406, 2, 9, 7, form=1)
    writer.plane(across=(0, 2, 0), color=-blue, level=7, properties=[writer.name("rear; door")])
    writer.plane((5, 0, 0), label="HOOD", subscript=1, color=2)
    writer.plane((6, 0, 0), label="HOOD", subscript=2, color=2)
    writer.plane((7, 0, 0), label="HOOD12", color=3)
    for number in range(4):
        writer.plane((10 + number, 0, 0), level=-levels if number % 2 else 4)
    writer.triangle(144)
    writer.triangle(143, color=8)
    hidden = writer.plane(status="01000000")
    product = read_text(writer, tmp_path / "surfaces.igs")
    found = {
        part.path: (look(part), part.layer, round(area_mm2(part), 3), part.body)
        for part in product.parts
    }
    assert found == {
        "rear; door": ("#0033ff", "glass, rear", 2.0, ""),
        "HOOD": ("#ff0000", "", 2.0, "HOOD"),
        "HOOD#2": ("#00ff00", "", 1.0, "HOOD"),
        "level_4": (None, "4", 2.0, ""),
        "9, glass, rear": (None, "9, glass, rear", 2.0, ""),
        "surfaces": (None, "", 0.5, ""),
        "surfaces#2": ("#ffffff", "", 0.5, ""),
    }
    assert f"hidden shapes left out: 1 (D{hidden})" in product.notes


def test_a_colour_that_is_no_number_is_dark(tmp_path: Path) -> None:
    writer = IgesWriter()
    colour = writer.add(314, float("nan"), 100.0, 0.0, string("broken"))
    writer.plane(color=-colour)
    (part,) = read_text(writer, tmp_path / "colour.igs").parts
    assert look(part) == "#00ff00"


def test_groups_and_instances_make_the_tree(tmp_path: Path) -> None:
    writer = IgesWriter()
    base = writer.plane(along=(100, 0, 0), across=(0, 100, 0), label="BASE")
    bolt = writer.definition("bolt", writer.cube(10.0, faces=(2, 2, 0, 0, 0, 0), color=3))
    turn = writer.add(124, *_QUARTER_TURN)
    writer.add(408, bolt, 0.0, 50.0, 100.0, 2.0, matrix=turn)
    inner = writer.add(408, bolt, -50.0, 0.0, 0.0, 1.0, properties=[writer.name("left bolt")])
    wheel = writer.definition("wheel", inner, writer.curved(10.0, 20.0))
    writer.add(408, wheel, 0.0, 0.0, 200.0)
    writer.add(408, wheel, 0.0, 0.0, 300.0, color=4, level=5)
    cubes = [writer.cube(1.0, label="CUBE", subscript=n) for n in (1, 2)]
    writer.group(*cubes, writer.group(writer.curved(1.0, 1.0)), label="BOX")
    product = read_text(writer, tmp_path / "tree.igs")
    parts = {part.path: part for part in product.parts}
    assert [(path, look(part), part.definition) for path, part in parts.items()] == [
        ("BASE", None, ""),
        ("bolt", "#ff0000", "bolt"),
        ("bolt#2", "#00ff00", "bolt"),
        ("wheel/surfaces", None, "wheel/surfaces"),
        ("wheel/left bolt", "#ff0000", "bolt"),
        ("wheel/left bolt#2", "#00ff00", "bolt"),
        ("wheel#2/surfaces", "#0000ff", "wheel/surfaces"),
        ("wheel#2/left bolt", "#ff0000", "bolt"),
        ("wheel#2/left bolt#2", "#00ff00", "bolt"),
        ("BOX/CUBE_1", None, ""),
        ("BOX/CUBE_2", None, ""),
        ("BOX/group", None, ""),
    ]
    assert {part.layer for path, part in parts.items() if path.startswith("wheel#2")} == {"5"}
    assert len(instances(product)[0]) == len(parts) - 3  # three bolts of two colours each
    assert area_mm2(parts["bolt"]) == pytest.approx(2 * 400)
    assert area_mm2(parts["wheel/left bolt#2"]) == pytest.approx(4 * 100, rel=1e-5)
    assert area_mm2(parts["BOX/CUBE_2"]) == pytest.approx(6, rel=1e-4)
    place = {path: bounds_mm(part, parts["BASE"]) for path, part in parts.items()}
    # Scaled to 20, moved to (0, 50, 100), then (x, y) to (100 - y, x).
    assert place["bolt"] == place["bolt#2"] == [[30, 0, 100], [50, 20, 120]]
    assert place["wheel/surfaces"] == [[0, 0, 200], [10, 10, 220]]
    assert place["wheel#2/left bolt"] == [[-50, 0, 300], [-40, 10, 310]]
    assert base == 1
    # Solids face outwards.
    cube = parts["BOX/CUBE_1"].mesh
    assert cube.normals is not None
    outwards = np.einsum("ij,ij->i", cube.normals, cube.vertices - cube.vertices.mean(axis=0))
    assert outwards.min() > 0


def self_containing_group(writer: IgesWriter) -> None:
    writer.group(writer.plane(), len(writer.directory) + 3)
    writer.group(len(writer.directory) - 1)


def self_containing_subfigure(writer: IgesWriter) -> None:
    instance = writer.add(408, 3, 0.0, 0.0, 0.0)
    writer.definition("endless", instance)


def copies_of_copies(writer: IgesWriter) -> None:
    inner = writer.definition("one", writer.plane())
    for level in range(40):
        pair = [writer.add(408, inner, float(n), 0.0, 0.0) for n in range(2)]
        inner = writer.definition(f"level {level}", *pair)
    writer.add(408, inner, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("fill", "what"),
    [
        (self_containing_group, "contains itself.*D[35]"),
        (self_containing_subfigure, "contains itself.*D[13]"),
        (copies_of_copies, "too many occurrences"),
        (lambda writer: writer.curved(1e12, 1.0), r"too large.*1000000000000\.0 in D3"),
        (lambda writer: writer.add(120, 97, 99, 0.0, 1.0), "cannot be read"),
        (lambda writer: writer.add(110, *[0.0] * 6), "no geometry"),
    ],
)
def test_what_would_harm_or_shows_nothing_is_refused(
    tmp_path: Path, fill: Callable[[IgesWriter], object], what: str
) -> None:
    writer = IgesWriter()
    fill(writer)
    with pytest.raises(ProductError, match=f"(?s){what}"):
        read_text(writer, tmp_path / "part.igs")


def test_damage_in_one_shape_leaves_the_others(tmp_path: Path) -> None:
    writer = IgesWriter()
    writer.plane(label="WHOLE")
    writer.triangle(flaw=99999, label="BROKEN")
    # A curve that consists of itself.
    writer.triangle(flaw=len(writer.directory) + 9, label="CIRCLE")
    writer.add(120, 77777, 99999, 0.0, 1.0, label="ABSURD")
    writer.add(408, 4711, 0.0, 0.0, 0.0)
    writer.add(416, string("other.igs"))
    writer.definition("spare", writer.plane((5, 0, 0)))
    product = read_text(writer, tmp_path / "part.igs")
    assert {"WHOLE", "spare"} <= {part.path for part in product.parts}
    notes = " ".join(product.notes)
    for note in (
        "4 pointers lead to entities that the file lacks, or in a circle",
        "shapes without triangles left out: 1 (ABSURD)",
        "instances of definitions that the file lacks left out",
        "definitions that the file places nowhere shown once",
        "other.igs",
    ):
        assert note in notes


def test_no_change_of_a_letter_is_a_bug(tmp_path: Path) -> None:
    writer = IgesWriter()
    bolt = writer.definition("bolt", writer.cube(10.0, faces=(2, 2, 0, 0, 0, 0)))
    writer.add(408, bolt, 0.0, 0.0, 0.0, 1.0, 0, 1, writer.name("b"), matrix=3, level=-5)
    writer.group(writer.triangle(143), writer.triangle(144, color=-7))
    text = writer.text()
    path = tmp_path / "part.igs"
    draw = random.Random(0)
    survived = 0
    for _ in range(150):
        letters = list(text)
        for _ in range(3):
            letters[draw.randrange(len(text))] = draw.choice("0123456789,;-. HE\n")
        path.write_text("".join(letters))
        try:
            file = open_iges(path)
            extractor = Extractor(file)
            for placed in placements(file, Notes()):
                extractor.extract(placed.piece.shape.roots, placed.piece.shape.faces)
            survived += 1
        except ProductError:
            pass
    assert 20 < survived < 150


def test_a_crash_costs_one_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = """
import json, os, pathlib, sys
for source, target in json.load(sys.stdin):
    if "bad" in source:
        os._exit(139)
    pathlib.Path(target).write_bytes(b"" if "empty" in source else b"glb")
"""
    monkeypatch.setattr(opencascade, "_CHILD", child)
    names = ["bad", "a", "empty", "bad too", "bad again", "b"]
    files = [(tmp_path / name, tmp_path / f"{name}.glb") for name in names]
    found = opencascade.convert(files, "iges", ReadOptions(), tmp_path)
    assert (found.missing, found.code) == ((0, 2, 3, 4), 139)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "part.iges"
    writer = IgesWriter()
    writer.curved(10.0, 20.0)
    text = writer.text()
    lines = text.splitlines()
    start = text.index(writer.directory[0])
    for content, what in (
        ("nonsense", "not an IGES file"),
        (text[:500], "truncated|not an IGES"),
        (text[:-82], "truncated"),
        (f"{'':72}C      1\n" + text, "compressed"),
        (text[:start] + text[start:].replace("     110", "     x10", 1), "lines 1 and 2"),
        ("\n".join(line for line in lines if line != writer.directory[0]) + "\n", "damaged"),
    ):
        path.write_text(content)
        with pytest.raises(ProductError, match=what) as caught:
            read(path)
        assert caught.value.where == str(path)


def test_strings_may_hold_delimiters() -> None:
    assert split(b"308,0,5Ha,b;c,1,7;rest", b",", b";")[0] == [b"308", b"0", b"a,b;c", b"1", b"7"]
    declared = split(b"1H//1H!/3H/!;/ 2 /!7", b",", b";", declares=True)
    assert declared == ([b"/", b"!", b"/!;", b"2", b""], b"/", b"!")
    assert split(b",,2Hab,1;", b",", b";", declares=True) == ([b"", b"", b"ab", b"1"], b",", b";")
