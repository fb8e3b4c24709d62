"""Which parts of a vehicle may pass through each other, and why; all others must not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np

from clearcoat.product.model import Part, Product
from clearcoat.vehicles.form import Form
from tests.vehicles.crossings import crossings

DEEP_MM = 1.2
"""Anything that goes through deeper is seen; seals lie 1 mm lower than the edges they touch."""
_UNDER_THE_SKIN_M = 0.002
_ONE_SIDED = ("body/exhaust", "body/exhaust_bore", "glass/wiper_right")
"""Parts of the right half that the left has not."""

# Pieces of the one outer skin. Their edges are folded inwards by 14 mm, and panes lie 4 mm deeper
# than panels, so that under the skin folds of neighbours lie on one another; the same goes for
# the bowls in the lamps. At the skin itself no two of them may meet.
_PIECES = (
    "body/arch_cladding", "body/cowl", "body/*fender_*", "body/hood", "body/pillar_trim_*",
    "body/roof", "body/side_frame_*", "body/sill_*", "bed/panel", "bed/side_*", "bumpers/front",
    "bumpers/rear", "bumpers/*_valance", "doors/*/panel", "doors/*/pillar_trim", "doors/*/window",
    "doors/*/window_seal", "glass/*light*", "glass/quarter_*", "glass/windscreen*",
    "grille/fog_pockets", "grille/frame", "grille/intake", "grille/mesh", "lamps/head_*",
    "lamps/tail_*", "tailgate/panel", "tailgate/window_frame", "trunk_lid/panel",
)  # fmt: skip

KNOWN: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("body/shut_lines", ("body/*", "bed/*", "bumpers/*", "doors/*", "glass/*", "grille/*",
                         "lamps/*", "tailgate/*", "trunk_lid/*"),
     "the dark backing of a gap lies behind the folded edges on both sides of it"),
    ("body/underbody", ("body/*", "bumpers/*", "bed/*"), "the floor runs up behind their edges"),
    ("body/wheel_well_*", ("body/*fender_*", "body/arch_cladding", "body/sill_*", "bed/side_*",
                           "bumpers/*", "body/mud_flap_*"),
     "the well ends in the folded edge of the arch, and flaps are screwed to it"),
    ("wheels/*/rim", ("wheels/*/tyre", "wheels/*/barrel", "wheels/*/brake_disc"),
     "tyre and spokes sit on the barrel, the disc's hat is bolted to the hub"),
    ("wheels/*/calliper", ("wheels/*/brake_disc",), "a calliper grips its disc"),
    ("doors/*/handle", ("doors/*/panel", "doors/*/handle_cup"), "handles are bolted through"),
    ("doors/*/handle_cup", ("doors/*/panel",), "a cup lies on the panel it is pressed into"),
    ("doors/*/*_moulding", ("doors/*/panel", "doors/*/window_seal", "doors/*/pillar_trim",
                            "doors/*/window", "doors/*/mirror/foot", "body/*fender_*",
                            "body/sill_*", "body/side_frame_*", "bed/side_*", "glass/quarter_*"),
     "mouldings are clipped on, half of them under the skin"),
    ("doors/*/mirror/foot", ("doors/*", "body/side_frame_*"), "it stands in the window's corner"),
    ("lamps/repeater_*", ("body/front_fender_*", "doors/*/panel"), "set into the panel"),
    ("lamps/tail_*/reflector", ("lamps/tail_*",), "the bowl's rim lies on the lens's fold"),
    ("lamps/tail_*/body", ("lamps/tail_*",), "the bowl's rim lies on the lens's fold"),
    ("lamps/tail_*", ("body/side_frame_*", "body/rear_fender_*", "bumpers/rear", "glass/quarter_*"),
     "above the step of the bumper the skin is hollow, and folds of neighbours run together"),
    ("glass/*_border", ("glass/*_seal",), "the border's edge lies on the seal's fold"),
    ("bed/liner", ("body/wheel_well_rear_*",), "both end inside the hump over the wheel"),
    ("lamps/fog_*", ("grille/fog_pockets",), "set into its pocket"),
    ("lamps/fog_*", ("lamps/fog_*",), "lens and ring are one piece"),
    ("lamps/brake_high", ("glass/backlight*", "body/roof", "tailgate/*", "interior/*",
                           "body/side_frame_*"),
     "set into the upper edge of the rear window, or standing on the parcel shelf"),
    ("bumpers/rear_reflector_*", ("bumpers/*",), "set into the bumper"),
    ("bumpers/front_skid_plate", ("bumpers/*",), "bolted on"),
    ("grille/frame", ("bumpers/front",), "it lies over the edge of its opening"),
    ("grille/intake", ("bumpers/front*",), "its walls lie on the folded edge of its opening"),
    ("grille/fog_pockets", ("bumpers/front*",), "its walls lie on the folded edge"),
    ("body/arch_cladding", ("body/*", "bed/side_*", "bumpers/*", "doors/*/panel"),
     "it lies 7 mm over the edges around it"),
    ("bumpers/front_plate*", ("bumpers/*", "grille/*"), "screwed on"),
    ("bumpers/rear_plate*", ("bumpers/*",), "screwed on"),
    ("*/plate*", ("*/panel", "*/plate*", "*/garnish"), "screwed on"),
    ("*/badge", ("*/panel", "*/garnish", "grille/*", "bumpers/front", "body/hood"), "clipped on"),
    ("*/garnish", ("*/panel", "lamps/tail_*"), "clipped on, over the lamps' ends"),
    ("*/spoiler", ("*/panel", "tailgate/*", "body/*", "glass/backlight*", "interior/liner"),
     "bolted on over the rear window"),
    ("grille/slats", ("grille/*", "bumpers/front"), "bars end in their frame"),
    ("grille/intake_bars", ("grille/*", "bumpers/front*"), "bars end in the opening's walls"),
    ("body/antenna", ("body/roof", "glass/backlight*", "tailgate/spoiler"), "stands on the roof"),
    ("body/roof_rail_*", ("body/roof", "body/side_frame_*"), "their feet stand in the roof"),
    ("body/side_step_*", ("body/sill_*",), "its brackets go under the sill"),
    ("body/mud_flap_*", ("body/*", "bumpers/*", "bed/side_*"), "screwed into the well"),
    ("glass/wiper_rear", ("glass/backlight*", "tailgate/*"),
     "rests on the glass, its axle goes through it"),
    ("glass/wiper_*", ("glass/*", "body/cowl", "body/hood"), "rests on the glass and its seal"),
    ("bed/*", ("bed/*", "bumpers/rear", "body/side_frame_*"), "liner, humps and bar are bolted in"),
    ("bumpers/rear", ("body/exhaust*",), "the pipe ends in its edge"),
    ("bumpers/rear_valance", ("body/exhaust*",), "the pipe ends in its edge"),
)  # fmt: skip
"""Parts, what they may go through, and why; `*` stands for any characters."""


def deep_crossings(product: Product, form: Form) -> list[str]:
    """Pairs of parts that pass through each other and must not, with the deepest place."""
    parts = tuple(_to_the_left(part) for part in product.parts if not _is_a_right_one(part.path))
    tested = _tested(parts)
    found = crossings(parts, tested, from_y=-0.05)
    first, second = np.minimum(found.first, found.second), np.maximum(found.first, found.second)
    piece = np.array([_like(part.path, _PIECES) for part in parts])
    seen = ~(piece[first] & piece[second])
    seen |= form.distance(found.at) > -_UNDER_THE_SKIN_M if len(found.at) else seen
    deep = seen & (found.depth_mm > DEEP_MM)
    worst: dict[tuple[int, int], int] = {}
    for row in np.flatnonzero(deep)[np.argsort(found.depth_mm[deep])]:
        worst[int(first[row]), int(second[row])] = int(row)
    return [
        f"{parts[one].path} and {parts[other].path} by {found.depth_mm[row]:.1f} mm"
        f" at {np.round(found.at[row], 2).tolist()}"
        for (one, other), row in worst.items()
    ]


def _is_a_right_one(path: str) -> bool:
    # What has a left and a right is mirrored exactly, which a test of its own holds.
    return "_right" in path and path not in _ONE_SIDED


def _to_the_left(part: Part) -> Part:
    if part.path not in _ONE_SIDED:
        return part
    mesh = part.mesh
    return replace(part, mesh=replace(mesh, vertices=mesh.vertices * np.float32([1, -1, 1])))


def _like(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _known(parts: tuple[Part, ...]) -> Iterator[tuple[int, int]]:
    paths = [part.path for part in parts]
    for pattern, others, _ in KNOWN:
        firsts = [i for i, path in enumerate(paths) if fnmatchcase(path, pattern)]
        seconds = [i for i, path in enumerate(paths) if _like(path, others)]
        yield from ((i, j) for i in firsts for j in seconds)


def _tested(parts: tuple[Part, ...]) -> np.ndarray:
    tested = ~np.eye(len(parts), dtype=np.bool_)
    inside = np.array([part.path.startswith("interior/") for part in parts])
    # A seat on a console is nothing that is seen through the skin.
    tested &= ~(inside[:, None] & inside)
    for one, other in _known(parts):
        tested[one, other] = tested[other, one] = False
    return tested
