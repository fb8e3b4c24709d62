"""`parts.txt` lists every part that a vehicle of the family may have, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clearcoat.product.model import Product
from clearcoat.vehicles import catalogue, family
from clearcoat.vehicles.catalogue import observed
from clearcoat.vehicles.styles import body_style
from clearcoat.vehicles.trim import Trim, draw_trim

# One style per kind of body: two or four doors, boot, tailgate or bed.
_KINDS = ("sedan", "coupe", "suv", "pickup")
_FLAGS = [name for name, kind in Trim.__annotations__.items() if kind == "bool"]
_ONE = {"fog": "round", "tail": "rings", "antenna": "fin", "handle": "pull", "grille": "slats"}
_OTHER = {"fog": "strip", "tail": "bands", "antenna": "rod", "handle": "flap", "grille": "mesh"}


def _build(
    monkeypatch: pytest.MonkeyPatch,
    style: str,
    fitted: bool,
    designs: dict[str, str],
    **flags: bool,
) -> Product:
    def trim(style: str, seed: int) -> Trim:
        chances = body_style(style).fittings
        had = {name: fitted and chances.get(name, 0.0) > 0.0 for name in _FLAGS}
        changes: dict[str, object] = had | designs | flags
        return replace(draw_trim(style, seed), **changes)  # type: ignore[arg-type]

    monkeypatch.setattr(family, "draw_trim", trim)
    # Which parts there are does not hang on how fine they are.
    monkeypatch.setattr(family, "_CELLS", (96, 20, 34))
    return family.build(style, 3)


def test_the_catalogue_lists_what_every_fitting_brings_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = [_build(monkeypatch, style, True, _ONE) for style in _KINDS]
    built += [_build(monkeypatch, style, False, _OTHER) for style in _KINDS]
    # What two choices make together: strips in fog pockets, dark rims of one tone.
    built.append(
        _build(monkeypatch, "suv", True, _OTHER, two_tone_rims=False, chrome_handles=False)
    )
    found = {(path, name) for path, names in observed(built).items() for name in names}
    listed = {(path, name) for path, names in catalogue().items() for name in names}
    assert not found - listed, f"built, and not in parts.txt: {sorted(found - listed)}"
    assert not listed - found, f"in parts.txt, and never built: {sorted(listed - found)}"
