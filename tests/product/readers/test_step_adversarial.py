"""STEP files made to harm or to mislead: each is read rightly, or refused with one clear error."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import ProductError
from clearcoat.product import read
from clearcoat.product.readers import part21
from clearcoat.product.readers import step as step_reader
from clearcoat.product.readers.iges import extract
from tests.product.readers.refusals import refused

_HEAD = (
    "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\n"
    "FILE_NAME('','',(''),(''),'','','');\n"
    "FILE_SCHEMA(('AUTOMOTIVE_DESIGN { 1 0 10303 214 1 1 1 1 }'));\nENDSEC;\n"
)
_END = "END-ISO-10303-21;\n"


def step(folder: Path, *lines: str) -> Path:
    path = folder / "product.stp"
    path.write_text(_HEAD + "DATA;\n" + "\n".join(lines) + "\nENDSEC;\n" + _END)
    return path


def test_step_files_without_shapes(tmp_path: Path) -> None:
    path = tmp_path / "product.stp"
    for content, what in (
        ("", "is empty"),
        (" \n", "not a STEP file"),
        (_HEAD, "truncated"),
        (_HEAD + "DATA;\nENDSEC;\n" + _END, "cannot be read"),
    ):
        path.write_text(content)
        assert re.search(what, refused(path))


def test_absurd_step_coordinates_are_refused_before_anything_is_cut(
    shared: Path, tmp_path: Path
) -> None:
    text = (shared / "cad/as1-oc-214.stp").read_bytes()
    path = tmp_path / "product.stp"
    path.write_bytes(re.sub(rb"(#16 = CARTESIAN_POINT\('',\()[^,]+,", rb"\g<1>1.E+30,", text))
    said = refused(path)
    assert "too large to be cut" in said and "1.E+30 in #16" in said
    # Other numbers may be as large, and points may be very small.
    part21.check_coordinates(b"#1=X(1.E+30);#2=CARTESIAN_POINT('',(1.E-30,1.E+09,0.));", path)
    part21.check_coordinates(
        b"#1=X(10000000000000.);#2=CARTESIAN_POINT('(12345678901',(0.12345678901234,"
        b"9999999999.5,12345678901234.E-10));",
        path,
    )


@pytest.mark.parametrize("number", ["10000000000000.", "-10000000000.0", "1.E+10", "-1.5e300"])
@pytest.mark.parametrize("before", ["(", "(0.0, "])
def test_absurd_step_coordinates_in_any_spelling(number: str, before: str) -> None:
    text = f"#1=X();#16 = CARTESIAN_POINT('',{before}{number},0.));"
    with pytest.raises(ProductError, match="too large to be cut") as caught:
        part21.check_coordinates(text.encode(), Path("a.stp"))
    assert f"{number} in #16" in str(caught.value)


@pytest.mark.parametrize("name", ["a;b", "a=b", "it''s", ";#7=X("])
def test_strings_hide_no_absurd_coordinates(name: str) -> None:
    text = f"#1=X();#16 = CARTESIAN_POINT('{name}',(0.,1.E12,0.));"
    with pytest.raises(ProductError, match=r"1\.E12 in #16"):
        part21.check_coordinates(text.encode(), Path("a.stp"))


def test_text_that_is_slow_to_search_is_searched_once() -> None:
    """Without an end after a second, each of these took days."""
    many = b"#1=FOO(" + b",".join([b"1.E10"] * 200_000) + b");"
    part21.check_coordinates(many, Path("a.stp"))
    assert not step_reader._BEGINNING.match(b"/**/" * 10_000 + b"x")
    assert step_reader._BEGINNING.match(b" /* a * b */\n/**/ISO-10303-21 ;")
    assert not extract._HUGE.fullmatch(b"1" * 200_000 + b"x")
    assert extract._HUGE.fullmatch(b"-1.5D+11") and not extract._HUGE.fullmatch(b"1.5E9")


def test_a_step_product_far_from_its_origin(shared: Path, tmp_path: Path) -> None:
    text = (shared / "cad/as1-oc-214.stp").read_bytes()
    path = tmp_path / "product.stp"

    def at(offset_mm: float) -> Path:
        def moved(match: re.Match[bytes]) -> bytes:
            return match[1] + repr(float(match[2]) + offset_mm).encode() + b","

        pattern = rb"(#(?:16|20|24|28) = CARTESIAN_POINT\('',\()([-0-9.E+]+),"
        path.write_bytes(re.sub(pattern, moved, text))
        return path

    said = refused(at(1e9))
    assert "too far from the origin" in said and "corners would move" in said
    product = read(at(1e5))
    assert any("corners move by up to" in note for note in product.notes)
    expected = read(shared / "cad/as1-oc-214.stp")
    for one, other in zip(product.parts, expected.parts, strict=True):
        np.testing.assert_allclose(one.mesh.vertices, other.mesh.vertices, atol=1.3e-5)


def test_a_step_file_cut_between_entities_says_what_it_lacks(shared: Path, tmp_path: Path) -> None:
    text = (shared / "cad/as1-oc-214.stp").read_text()
    lines = text[: int(0.3 * len(text))].rpartition(";\n")[0] + ";\nENDSEC;\n" + _END
    path = tmp_path / "product.stp"
    path.write_text(lines)
    assert any("entities that it lacks" in note for note in read(path).notes)


def test_assemblies_that_multiply_or_contain_themselves(tmp_path: Path) -> None:
    def assembly(levels: int, copies: int) -> list[str]:
        return [
            f"#{1000 * level + copy + 1}=NEXT_ASSEMBLY_USAGE_OCCURRENCE('#7','','',"
            f"#{level + 1},#{level + 2},$);"
            for level in range(levels)
            for copy in range(copies)
        ]

    said = refused(step(tmp_path, *assembly(9, 10)))
    assert "too many occurrences" in said and "1,111,111,110" in said
    # A semicolon in a string ends no entity.
    hidden = [line.replace("'#7'", "'a;'") for line in assembly(9, 10)]
    assert "too many occurrences" in refused(step(tmp_path, *hidden))
    circle = "#9=NEXT_ASSEMBLY_USAGE_OCCURRENCE('','','',#3,#1,$);"
    assert "contains itself" in refused(step(tmp_path, *assembly(2, 1), circle))
    # A hundred levels are an assembly like any other: it has no shapes, and OpenCASCADE says so.
    assert "cannot be read" in refused(step(tmp_path, *assembly(100, 1)))


def test_strings_of_a_step_file() -> None:
    found = part21.entities(rb"#5=X('it''s','\X2\00E90041\X0\','\X\E9 #6',#7);", [b"X("])
    assert part21.strings(found[5]) == ["it's", "éA", "é #6"]
    assert part21.references(found[5]) == [7]


def test_a_unit_of_a_step_file_that_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "unit.stp"
    path.write_text(
        "#1=(GLOBAL_UNIT_ASSIGNED_CONTEXT((#2)));\n"
        "#2=(CONVERSION_BASED_UNIT('INCH',#3)LENGTH_UNIT()NAMED_UNIT(#9));\n"
        "#3=LENGTH_MEASURE_WITH_UNIT(LENGTH_MEASURE(2.5.4),#4);\n"
        "#4=(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.MILLI.,.METRE.));\n"
    )
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as text:
        assert step_reader._length_units(text) == []
