"""Cutting the outer skin into panels, glass, lamps and openings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from clearcoat.vehicles.assembly import Assembly
from clearcoat.vehicles.curves import Array, ramp
from clearcoat.vehicles.layout import ARCH_RIM_M, Layout
from clearcoat.vehicles.skin import Skin, clip, make_skin, sunk
from clearcoat.vehicles.solids import smooth
from clearcoat.vehicles.surface import hemmed, of_skin, whole
from clearcoat.vehicles.trim import Trim

Region = Callable[[Skin], Array]

GAP_M = 0.0045
"""Width of a shut line."""
_HEM_M = 0.014
_BACKING_M = 0.011
_SEAL_M = 0.011
_BED_M = 0.001
"""Room round the seal of a screen: flush with its frame, it met it at every corner of either."""
# The floor is flat and hardly seen: coarser than the rest, and reaching a little above its edge.
_FLOOR_CELLS = (60, 8, 22)


def within(skin: Skin, region: Region, margin_m: float = 0.0) -> Skin:
    """The part of a skin deeper than `margin_m` inside a region."""
    return clip(skin, region(skin) + margin_m)


def beyond(skin: Skin, region: Region, margin_m: float = 0.0) -> Skin:
    """The part of a skin outside a region shrunk by `margin_m`."""
    return clip(skin, -margin_m - region(skin))


class Cutter:
    """Takes one region after another out of what is left of the skin's left half."""

    def __init__(self, skin: Skin, assembly: Assembly) -> None:
        self.rest = skin
        self.assembly = assembly

    def take(self, region: Region, gap_m: float = GAP_M) -> Skin:
        """Cut a region out, with a gap along its border; dark backing lies beneath the gap."""
        if gap_m > 0.0:
            band = clip(self.rest, np.abs(region(self.rest)) - 0.5 * gap_m - 0.008)
            backing = whole(of_skin(sunk(band, _BACKING_M)))
            self.assembly.add("body/shut_lines", "seal_rubber", backing)
        inner = within(self.rest, region, 0.5 * gap_m)
        self.rest = beyond(self.rest, region, -0.5 * gap_m)
        return inner

    def pair(self, path: str, material: str, piece: Skin, depth: float | Array = 0.0) -> None:
        """Add a piece that has a left and a right."""
        self.assembly.add_pair(path, material, hemmed(of_skin(sunk(piece, depth)), _HEM_M))

    def centre(self, path: str, material: str, piece: Skin, depth: float | Array = 0.0) -> None:
        """Add a piece that spans the plane of symmetry, or two halves that count as one."""
        self.assembly.add(path, material, hemmed(whole(of_skin(sunk(piece, depth))), _HEM_M))


def cut_body(skin: Skin, layout: Layout, trim: Trim, assembly: Assembly) -> None:
    """Add every part that is a region of the outer skin."""
    form = layout.form
    cutter = Cutter(skin, assembly)
    cutter.rest = beyond(cutter.rest, layout.well)
    cutter.take(layout.underbody, 0.0)
    floor = make_skin(layout.form, _FLOOR_CELLS, 0.003)
    floor = beyond(floor, layout.well, -0.02)
    cutter.centre("body/underbody", "underbody", within(floor, layout.underbody, -0.03))
    if trim.cladding:
        flare = cutter.take(partial(layout.well, margin=ARCH_RIM_M), 0.0)
        cutter.centre("body/arch_cladding", "plastic_black", flare, -0.007)
    _screens(cutter, layout, trim)
    _side_windows(cutter, layout, trim)
    _front_openings(cutter, layout, trim)
    _tail_lamps(cutter, layout, trim)
    _doors(cutter, layout)
    cutter.centre("body/hood", "paint", cutter.take(layout.hood))
    cutter.centre("body/cowl", "plastic_black", cutter.take(layout.cowl, 0.0), 0.006)
    if layout.tail == "bed":
        cutter.take(layout.bed, 0.0)
    cutter.centre("body/roof", "paint", cutter.take(layout.roof, 0.007))
    lid = layout.trunk_lid if layout.tail == "notch" else layout.tailgate
    lid_panel = cutter.take(lid)
    if layout.tail == "hatch":
        # Apart, since people who label a rear door mean what is below its window.
        above = form.anchors.backlight_z + 0.02 - lid_panel["z"]
        cutter.centre("tailgate/window_frame", "paint", clip(lid_panel, above))
        lid_panel = clip(lid_panel, -above)
    cutter.centre(f"{layout.carrier}/panel", "paint", lid_panel)
    for end, valance in (("front", layout.front_valance), ("rear", layout.rear_valance)):
        cutter.centre(f"bumpers/{end}_valance", "plastic_black", cutter.take(valance, 0.0))
    cutter.centre("bumpers/front", "paint", cutter.take(layout.front_bumper))
    rear_metal = "chrome" if layout.tail == "bed" else "paint"
    cutter.centre("bumpers/rear", rear_metal, cutter.take(layout.rear_bumper))
    cutter.pair("body/front_fender_{side}", "paint", cutter.take(layout.fender))
    sill = "plastic_black" if trim.cladding else "paint"
    cutter.pair("body/sill_{side}", sill, cutter.take(layout.sill, 0.0))
    name = "bed/side_{side}" if layout.tail == "bed" else "body/rear_fender_{side}"
    gap = 4 * GAP_M if layout.tail == "bed" else 0.0
    cutter.pair(name, "paint", cutter.take(layout.rear_body, gap))
    cutter.pair("body/side_frame_{side}", "paint", cutter.rest)


def _screens(cutter: Cutter, layout: Layout, trim: Trim) -> None:
    for name, region, glass in (
        ("windscreen", layout.windscreen, "glass_tinted" if trim.black_screen else "glass"),
        ("backlight", layout.backlight, "glass_privacy" if trim.dark_glass else "glass_tinted"),
    ):
        opening = cutter.take(region, _BED_M)
        seal = beyond(opening, region, _SEAL_M)
        cutter.centre(f"glass/{name}_seal", "seal_rubber", seal, 0.001)
        pane = within(opening, region, _SEAL_M)
        # The printed black border hides the glue.
        border = 0.045
        cutter.centre(
            f"glass/{name}_border", "plastic_black_gloss", beyond(pane, region, border), 0.004
        )
        cutter.centre(f"glass/{name}", glass, within(pane, region, border), 0.004)


def _side_windows(cutter: Cutter, layout: Layout, trim: Trim) -> None:
    daylight = cutter.take(layout.daylight, 0.0)
    ahead = "glass_tinted" if trim.dark_glass else "glass"
    behind = "glass_privacy" if trim.dark_glass else "glass_tinted"
    kinds = ("front", "rear", "quarter") if layout.doors == 4 else ("front", "quarter")
    for which in kinds:
        region = partial(layout.window, which=which)
        opening = within(daylight, region)
        daylight = beyond(daylight, region)
        if len(opening.faces) < 60:
            continue
        folder = "glass/quarter_{side}" if which == "quarter" else f"doors/{which}_{{side}}/window"
        cutter.pair(f"{folder}_seal", "seal_rubber", beyond(opening, region, _SEAL_M), 0.001)
        pane = within(opening, region, _SEAL_M)
        cutter.pair(folder, ahead if which == "front" else behind, pane, 0.005)
    split = layout.form.anchors.pillar_b_x
    cutter.pair(
        "doors/front_{side}/pillar_trim",
        "plastic_black_gloss",
        clip(daylight, split + 0.5 * GAP_M - daylight["x"]),
        0.001,
    )
    behind_door = clip(daylight, daylight["x"] - split + 0.5 * GAP_M)
    if layout.doors == 4:
        # The frame of a quarter window is the body's, not the door's.
        end = layout.quarter_x(behind_door) - behind_door["x"]
        of_door = clip(behind_door, end)
        behind_door = clip(behind_door, -end)
        cutter.pair("doors/rear_{side}/pillar_trim", "plastic_black_gloss", of_door, 0.001)
    cutter.pair("body/pillar_trim_{side}", "plastic_black_gloss", behind_door, 0.001)


def _doors(cutter: Cutter, layout: Layout) -> None:
    for which in ("front", "rear")[: layout.doors // 2]:
        door = cutter.take(partial(layout.door, which=which))
        cutter.pair(f"doors/{which}_{{side}}/panel", "paint", door)


def _reflector(
    cutter: Cutter, region: Region, path: str, material: str, opening: Skin, depth_m: float
) -> None:
    if len(opening.faces) == 0:
        return
    # All one way: along the normals a bowl deeper than the corner is round would fold over.
    inwards = -opening.normals.mean(axis=0)
    inwards /= np.linalg.norm(inwards)
    facing = np.clip(-opening.normals @ inwards, 0.0, 1.0)
    depth = (depth_m * facing * ramp(-region(opening), 0.0, 0.045))[:, None]
    # The rim alone follows the normals, so that it is behind the lens round the corner too.
    positions = opening.positions - 0.006 * opening.normals + depth * inwards
    shaded = smooth(positions, opening.faces)
    cutter.assembly.add_pair(path, material, shaded)


def _tail_lamps(cutter: Cutter, layout: Layout, trim: Trim) -> None:
    path = "lamps/tail_{side}"
    opening = cutter.take(layout.tail_lamp, 0.003)
    height = layout.tail_top_z - layout.tail_low_z
    low, high = {"stacked": (0.0, 0.28), "rings": (0.0, 0.24), "bands": (0.36, 0.62)}[trim.tail]
    low_z, high_z = layout.tail_low_z + low * height, layout.tail_low_z + high * height
    if low == 0.0:
        low_z -= 1.0
    white = np.maximum(opening["z"] - high_z, low_z - opening["z"])
    split = layout.tail_in_y + 0.45 * (layout.form.anchors.half_width - layout.tail_in_y)
    red, pale = clip(opening, -white), clip(opening, white)
    cutter.pair(f"{path}/lens", "lamp_lens_red", red)
    cutter.pair(f"{path}/indicator", "lamp_lens_amber", clip(pale, split - pale["y"]))
    cutter.pair(f"{path}/reverse", "lamp_lens_clear", clip(pale, pale["y"] - split))
    _reflector(cutter, layout.tail_lamp, f"{path}/body", "light_guide", red, 0.026)
    _reflector(cutter, layout.tail_lamp, f"{path}/reflector", "lamp_reflector", pale, 0.026)


def _front_openings(cutter: Cutter, layout: Layout, trim: Trim) -> None:
    lamp = cutter.take(layout.head_lamp, 0.003)
    cutter.pair("lamps/head_{side}/lens", "lamp_lens_clear", lamp)
    inside = "lamp_bezel" if trim.dark_lamps else "lamp_reflector_faceted"
    _reflector(cutter, layout.head_lamp, "lamps/head_{side}/reflector", inside, lamp, 0.085)
    grille = cutter.take(layout.grille, 0.0)
    bright = "chrome" if trim.chrome_grille_frame else "plastic_black_gloss"
    frame = beyond(grille, layout.grille, 0.018)
    cutter.centre("grille/frame", bright, frame, -0.004)
    mesh = within(grille, layout.grille, 0.018)
    cutter.centre(
        "grille/mesh", "grille", mesh, 0.004 + 0.028 * ramp(-layout.grille(mesh), 0.018, 0.03)
    )
    openings = [("grille/intake", layout.intake)]
    if trim.fog_lamps:
        openings.append(("grille/fog_pockets", layout.fog_pocket))
    for path, region in openings:
        opening = cutter.take(region, 0.0)
        depth = 0.040 * ramp(-region(opening), 0.0, 0.03)
        cutter.centre(path, "plastic_black", opening, depth)
