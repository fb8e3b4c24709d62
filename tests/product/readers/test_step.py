"""STEP: instances, units and colours against the exchange structure; damaged files."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import ProductError
from clearcoat.product import Tessellation, read


def solids_in_text(path: Path) -> Counter[str]:
    """Count placed solids by product name, by walking the assembly that the text describes."""
    text = re.sub(r"\s+", " ", path.read_text(encoding="latin-1"))
    entity = {int(n): body for n, body in re.findall(r"#(\d+) ?= ?(.*?);(?= ?#| ?ENDSEC)", text)}

    def references(number: int) -> list[int]:
        return [int(n) for n in re.findall(r"#(\d+)", entity[number])]

    names = {}
    for number, body in entity.items():
        if re.match(r"PRODUCT_DEFINITION ?\(", body):
            product = references(references(number)[0])[-1]
            for candidate in references(references(number)[0]):
                if re.match(r"PRODUCT ?\(", entity[candidate]):
                    product = candidate
            found = re.match(r"PRODUCT ?\( ?'([^']*)'", entity[product])
            assert found
            names[number] = found[1]
    children: dict[int, list[int]] = {}
    for number, body in entity.items():
        if re.match(r"NEXT_ASSEMBLY_USAGE_OCCURRENCE ?\(", body):
            parent, child = references(number)[:2]
            children.setdefault(parent, []).append(child)
    (root,) = set(names) - {child for below in children.values() for child in below}

    def leaves(number: int) -> list[str]:
        below = children.get(number, [])
        return [leaf for child in below for leaf in leaves(child)] if below else [names[number]]

    return Counter(leaves(root))


@pytest.mark.parametrize(("name", "level"), [("as1-oc-214.stp", -1), ("as1_pe_203.stp", -2)])
def test_every_instance_is_there(shared: Path, name: str, level: int) -> None:
    path = shared / "cad" / name
    expected = solids_in_text(path)
    assert sum(expected.values()) == 18
    product = read(path)
    found = Counter(
        re.sub(r"(_\d+|#\d+)*$", "", part.path.split("/")[level]) for part in product.parts
    )
    assert found == expected
    assert len({part.path for part in product.parts}) == 18
    for part in product.parts:
        assert part.mesh.normals is not None
        assert part.material is not None


def test_the_file_decides_unit_and_colour(shared: Path, capfd: pytest.CaptureFixture[str]) -> None:
    product = read(shared / "cad/as1-oc-214.stp")
    assert capfd.readouterr() == ("", "")  # OpenCASCADE is talkative
    assert (product.unit_m, product.up, product.front) == (0.001, "z", "x")
    # The plate of the file is 180 × 150 mm, the rod 200 mm long.
    size = {part.name: np.ptp(part.mesh.vertices, axis=0) for part in product.parts}
    np.testing.assert_allclose(sorted(size["plate_1"])[1:], [0.150, 0.180], atol=1e-6)
    np.testing.assert_allclose(max(size["rod_1"]), 0.200, atol=1e-6)
    colours = {part.name: part.material.name for part in product.parts if part.material}
    assert colours["nut_1"] == colours["nut_3"] == "#ff0000"
    assert colours["bolt_1"] == "#0000ff"
    assert "as1/l-bracket-assembly_2/nut-bolt-assembly_3/bolt_1" in {p.path for p in product.parts}


def test_a_wrong_unit_can_be_corrected(shared: Path) -> None:
    path = shared / "cad/as1_pe_203.stp"
    as_said = read(path)
    assert as_said.unit_m == pytest.approx(0.0254)  # the file says inches
    corrected = read(path, unit_m=0.001)
    np.testing.assert_allclose(corrected.bounds_m * 25.4, as_said.bounds_m, rtol=1e-5, atol=1e-6)
    assert corrected.unit_m == 0.001


def test_tessellation_is_fine_as_asked_and_repeatable(shared: Path) -> None:
    path = shared / "cad/as1-oc-214.stp"
    coarse = read(path, tessellation=Tessellation(linear_mm=2, angular_deg=40))
    fine, again = (
        read(path, tessellation=Tessellation(linear_mm=0.05, angular_deg=5)) for _ in range(2)
    )
    assert fine.triangle_count > 3 * coarse.triangle_count
    for one, other in zip(fine.parts, again.parts, strict=True):
        np.testing.assert_array_equal(one.mesh.vertices, other.mesh.vertices)
        np.testing.assert_array_equal(one.mesh.faces, other.mesh.faces)


def test_damaged_files_are_refused(shared: Path, tmp_path: Path) -> None:
    text = (shared / "cad/as1-oc-214.stp").read_bytes()
    path = tmp_path / "part.stp"
    for content, what in (
        (b"solid of another format", "not a STEP file"),
        (text[:30_000], "truncated"),
        (b"ISO-10303-21;\nHEADER;\nnonsense\nEND-ISO-10303-21;\n", "cannot be read|no geometry"),
        (text[:30_000] + b"\nENDSEC;\nEND-ISO-10303-21;\n", "cannot be read|no geometry"),
    ):
        path.write_bytes(content)
        with pytest.raises(ProductError, match=what) as caught:
            read(path)
        assert caught.value.where == str(path)


def test_layers_of_solids_products_and_assemblies(shared: Path, tmp_path: Path) -> None:
    text = (shared / "cad/as1-oc-214.stp").read_bytes()
    path = tmp_path / "as1.stp"
    # The file has all five solids on one layer. Here: nuts on one, bolts on two through their
    # representation and a style, and whatever a rod assembly holds on a third.
    start = text.index(b"#6218 =")
    end = text.index(b";", start) + 1
    solids = re.findall(rb"#(\d+)", text[start + 6 : end])
    assert len(solids) == 5
    shape_of_bolt = re.search(rb"SHAPE_DEFINITION_REPRESENTATION\(#1900,#(\d+)\)", text)
    assert shape_of_bolt
    lines = (
        b"#6218 = PRESENTATION_LAYER_ASSIGNMENT('nuts','',(#63));\n"
        b"#900001 = PRESENTATION_LAYER_ASSIGNMENT('small','',(#900002,#"
        + shape_of_bolt[1]
        + b"));\n#900002 = STYLED_ITEM('',(),#63);\n"
        b"#900003 = PRESENTATION_LAYER_ASSIGNMENT('R\\X\\F6d','',(#44));"
    )
    path.write_bytes(text[:start] + lines + text[end:])
    layers = {part.path: part.layer for part in read(path).parts}
    assert layers["as1/rod-assembly_1/nut_1"] == "R\xf6d, nuts, small"
    assert layers["as1/rod-assembly_1/rod_1"] == "R\xf6d"
    assert layers["as1/l-bracket-assembly_1/nut-bolt-assembly_1/bolt_1"] == "small"
    assert layers["as1/l-bracket-assembly_1/nut-bolt-assembly_1/nut_3"] == "nuts, small"
    assert layers["as1/plate_1"] == ""
    assert {part.layer for part in read(shared / "cad/as1-oc-214.stp").parts} == {"256"}
    # Here only coordinate systems are on layers.
    assert {part.layer for part in read(shared / "cad/as1_pe_203.stp").parts} == {""}
