"""Coverage: what is left, in which order, and what it may be."""

from __future__ import annotations

import fnmatch

import numpy as np
import pytest

from clearcoat.product import Mesh, Part, SourceMaterial
from clearcoat.product.coverage import coverage
from clearcoat.product.match import PartPattern
from clearcoat.product.similarity import Candidate, guess, words

_MESH = Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.uint32))


def _part(path: str, material: SourceMaterial | None = None) -> Part:
    return Part(path=path, mesh=_MESH, material=material)


def test_copies_are_one_group_and_the_most_visible_comes_first() -> None:
    parts = [_part(p) for p in ("a/bolt_01", "a/bolt_02#2", "b[x]/cover", "c/tyre", "c/hidden")]
    pixels = np.array([5, 10, 60, 25, 0])
    found = coverage(parts, [False, False, False, True, False], pixels, [])
    assert found.covered_share == pytest.approx(0.25)
    assert (found.covered_parts, found.parts, found.visible_parts) == (1, 5, 4)
    assert [(g.parts, g.pixels) for g in found.groups] == [((2,), 60), ((1, 0), 15), ((4,), 0)]
    assert sum(g.share for g in found.groups) + found.covered_share == pytest.approx(1)
    # A suggested pattern takes the parts of its group.
    for group in found.groups:
        assert all(fnmatch.fnmatchcase(parts[n].path, group.name) for n in group.parts)
    assert not fnmatch.fnmatchcase("bx/cover", found.groups[0].name)


def test_a_suggestion_takes_no_part_of_another_group() -> None:
    names = ("b/door", "b/door#2", "b/door_handle", "b/door_handle#2", "b/bolt1", "b/bolt1 head")
    parts = [_part(name) for name in names]
    found = coverage(parts, [False] * 6, np.arange(6, 0, -1), [])
    for group in found.groups:
        rule = PartPattern.model_validate(dict(group.condition))
        assert {n for n, part in enumerate(parts) if rule.matches(part)} == {*group.parts}


def test_one_name_in_two_materials_needs_the_material() -> None:
    red, blue = SourceMaterial("Red*"), SourceMaterial("Blue")
    parts = [_part("p1", red), _part("p2", blue), _part("q", blue)]
    found = coverage(parts, [False] * 3, np.array([3, 2, 1]), [])
    assert [dict(g.condition) for g in found.groups] == [
        {"part": "p*", "material": "Red[*]"},
        {"part": "p*", "material": "Blue"},
        {"part": "q"},
    ]


_CANDIDATES = [
    Candidate("tyre_rubber", words("tyre_rubber", "rubber"), (0.02, 0.02, 0.02)),
    Candidate("glass_clear", words("glass_clear", "glass"), (1, 1, 1), clear=True),
    Candidate("steel", words("steel", "metal"), (0.56, 0.57, 0.58), metal=True),
    Candidate("leather_red", words("leather_red", "interior"), (0.4, 0.02, 0.02)),
]


@pytest.mark.parametrize(
    ("path", "material", "label"),
    [
        ("wheels/front/Tire_01", None, "tyre_rubber"),
        ("body/WindshieldPane", None, "glass_clear"),
        ("x/y", SourceMaterial("m", (1, 1, 1), transmission=1.0), None),
        ("frame/sheet_bracket", SourceMaterial("m", (0.5, 0.5, 0.5), metallic=1.0), "steel"),
        ("interior/hide", SourceMaterial("m", (0.4, 0.02, 0.02)), "leather_red"),
        ("solid_17", None, None),
    ],
)
def test_names_and_looks_suggest(
    path: str, material: SourceMaterial | None, label: str | None
) -> None:
    found = guess(_part(path, material), _CANDIDATES)
    if label is None:
        assert found is None or "name" not in found.because
    else:
        assert found is not None
        assert found.label == label
        assert found.because


def test_words_of_nearly_all_parts_tell_nothing() -> None:
    candidate = Candidate("tyre", words("station_tyre"))
    parts = [_part(f"station/{name}") for name in ("ab", "cd", "ef", "gh", "ij", "kl", "tyres")]
    found = coverage(parts, [False] * 7, np.arange(7), [candidate])
    assert {g.name: g.guess and g.guess.label for g in found.groups} == {
        **{f"station/{name}": None for name in ("ab", "cd", "ef", "gh", "ij", "kl")},
        "station/tyres": "tyre",
    }
