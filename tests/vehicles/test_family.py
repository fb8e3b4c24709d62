"""The built-in vehicles, checked by geometry."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from clearcoat.errors import UsageError
from clearcoat.product.model import Mesh, Product
from clearcoat.vehicles import STYLES, build, draw_parameters, limits
from clearcoat.vehicles.form import Form
from clearcoat.vehicles.layout import Layout
from clearcoat.vehicles.palette import MATERIALS
from clearcoat.vehicles.panels import GAP_M
from clearcoat.vehicles.probe import sampled
from clearcoat.vehicles.surface import boundary
from clearcoat.vehicles.trim import draw_trim

SIDES = ("left", "right")


@cache
def vehicle(style: str, seed: int) -> Product:
    return build(style, seed)


def assert_sound(product: Product) -> None:
    paths = [part.path for part in product.parts]
    assert len(set(paths)) == len(paths)
    assert not [p for p in paths for q in paths if q.startswith(p + "/")], "a part has children"
    for part in product.parts:
        mesh = part.mesh
        assert mesh.normals is not None
        assert np.isfinite(mesh.vertices).all(), part.path
        assert np.isfinite(mesh.normals).all(), part.path
        corners = mesh.vertices.astype(np.float64)[mesh.faces]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        area = 0.5 * np.linalg.norm(cross, axis=1)
        assert area.min() > 5e-11, part.path
        assert np.abs(np.linalg.norm(mesh.normals, axis=1) - 1).max() < 1e-5, part.path
        facing = np.einsum("fi,fki->f", cross, mesh.normals[mesh.faces])
        # Where sheet metal is folded at a corner, a few slivers turn over.
        assert area[facing <= 0].sum() <= 0.02 * area.sum(), part.path
        assert part.material is not None
        assert part.material.name in MATERIALS


@pytest.mark.parametrize(
    ("style", "seed"),
    [
        ("coupe", 11),
        ("hatchback+suv", 12),
        ("pickup", 13),
        ("van", 14),
        ("van", 967692900),  # bars of its grille are drawn beyond the body
    ],
)
def test_any_draw_is_a_sound_vehicle(style: str, seed: int) -> None:
    product = build(style, seed)
    assert_sound(product)
    assert 100_000 <= product.triangle_count <= 300_000
    p = draw_parameters(style, seed)
    low, high = product.bounds_m
    assert low[2] == pytest.approx(0.0, abs=1e-4)
    length = (p.overhang_front_mm + p.wheelbase_mm + p.overhang_rear_mm) / 1000
    body = [
        part.mesh.vertices
        for part in product.parts
        if part.path.startswith(("body/", "bumpers/", "wheels/"))
        and not part.path.startswith(("body/roof_rail", "body/antenna"))
        and "plate" not in part.path
    ]
    low, high = np.min([v.min(0) for v in body], 0), np.max([v.max(0) for v in body], 0)
    assert high[0] - low[0] == pytest.approx(length, abs=0.04)
    assert high[1] - low[1] == pytest.approx(p.width_mm / 1000, abs=0.04)
    assert high[2] == pytest.approx(p.overall_height_mm / 1000, abs=0.03)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "corner",
    [
        pytest.param("least", marks=pytest.mark.slow),
        pytest.param("greatest", marks=pytest.mark.slow),
        "alternating",
    ],
)
def test_the_corners_of_the_family_are_sound(style: str, corner: str) -> None:
    chosen = {
        name: {"least": low, "greatest": high}.get(corner, (low, high)[k % 2])
        for k, (name, (low, high)) in enumerate(limits(style).items())
    }
    assert_sound(build(style, 0, chosen))


@pytest.mark.parametrize("style", STYLES)
def test_left_and_right_mirror_each_other(style: str) -> None:
    parts = {part.path: part for part in vehicle(style, 1).parts}
    lefts = [path for path in parts if "_left" in path and "wiper" not in path]
    assert len(lefts) > 25
    for path in lefts:
        left, right = parts[path].mesh, parts[path.replace("_left", "_right")].mesh
        np.testing.assert_array_equal(left.vertices * [1, -1, 1], right.vertices)
        assert left.vertices[:, 1].mean() > 0, path


@pytest.mark.parametrize("style", STYLES)
def test_outer_panels_are_where_they_belong(style: str) -> None:
    centre = {p.path: p.mesh.vertices.mean(axis=0) for p in vehicle(style, 1).parts}
    assert centre["bumpers/front"][0] > centre["body/hood"][0] > centre["glass/windscreen"][0]
    assert centre["glass/windscreen"][0] > centre["body/roof"][0] > centre["glass/backlight"][0]
    if "doors/rear_left/panel" in centre:
        assert centre["doors/front_left/panel"][0] > centre["doors/rear_left/panel"][0]
    assert centre["doors/front_left/window"][2] > centre["doors/front_left/panel"][2]
    assert centre["lamps/head_left/lens"][0] > 0 > centre["lamps/tail_left/lens"][0]


@pytest.mark.parametrize("style", STYLES)
def test_the_outer_skin_looks_outwards(style: str) -> None:
    parts = {p.path: p.mesh for p in vehicle(style, 1).parts}
    for path, direction in {
        "body/hood": (0, 0, 1),
        "body/roof": (0, 0, 1),
        "doors/front_left/panel": (0, 1, 0),
        "doors/front_left/window": (0, 1, 0),
        "glass/windscreen": (1, 0, 0),
        "glass/backlight": (-1, 0, 0),
        "bumpers/front": (1, 0, 0),
        "doors/front_left/mirror/glass": (-1, 0, 0),
        "wheels/front_left/rim": (0, 1, 0),
    }.items():
        normals = parts[path].normals
        assert normals is not None
        assert float(normals.mean(axis=0) @ np.array(direction)) > 0.05, path


@pytest.mark.parametrize("style", STYLES)
def test_wheels_stand_on_the_ground_at_the_axles(style: str) -> None:
    product, p = vehicle(style, 1), draw_parameters(style, 1)
    tyres = {q.path: q.mesh.vertices for q in product.parts if q.path.endswith("/tyre")}
    assert len(tyres) == 4
    for vertices in tyres.values():
        assert vertices[:, 2].min() == pytest.approx(0.0, abs=1e-4)
        assert np.ptp(vertices[:, 2]) == pytest.approx(p.wheel_diameter_mm / 1000, abs=1e-3)
        assert np.abs(vertices[:, 1]).max() <= p.width_mm / 2000
    between = (
        tyres["wheels/front_left/tyre"][:, 0].mean() - tyres["wheels/rear_left/tyre"][:, 0].mean()
    )
    assert between == pytest.approx(p.wheelbase_mm / 1000, abs=1e-3)


def _share_behind(pane: Mesh, wall: Mesh) -> float:
    """Share of a pane's triangles behind which a wall stands within 15 cm."""
    corners = pane.vertices.astype(np.float64)[pane.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(across, axis=1)
    # Its face, not the folded edge around it.
    face = np.flatnonzero(size > 0.3 * size.max())[::5]
    start, inwards = corners[face].mean(axis=1), -across[face] / size[face, None]
    # Möller and Trumbore (1997), every ray against every triangle.
    a, b, c = wall.vertices.astype(np.float64)[wall.faces].transpose(1, 0, 2)
    p = np.cross(inwards[:, None], (c - a)[None])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 1.0 / np.einsum("rti,ti->rt", p, b - a)
        from_a = start[:, None] - a[None]
        u = np.einsum("rti,rti->rt", from_a, p) * scale
        q = np.cross(from_a, (b - a)[None])
        v = np.einsum("rti,ri->rt", q, inwards) * scale
        t = np.einsum("rti,ti->rt", q, c - a) * scale
        hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0) & (t < 0.15)
    return float(hit.any(axis=1).mean())


@pytest.mark.parametrize("style", STYLES)
def test_one_looks_into_the_cabin_through_every_window(style: str) -> None:
    parts = {part.path: part.mesh for part in vehicle(style, 1).parts}
    panes = [path for path in parts if path.endswith("_left/window")]
    panes += ["glass/windscreen", "glass/backlight"]
    shares = {path: _share_behind(parts[path], parts["interior/liner"]) for path in panes}
    assert max(shares.values()) < 0.1, shares


def test_one_looks_into_the_exhaust() -> None:
    parts = {part.path: part.mesh for part in vehicle("sedan", 0).parts}
    pipe, bore = parts["body/exhaust"], parts["body/exhaust_bore"]
    rear_x = pipe.vertices[:, 0].min()
    at_the_end = np.abs(pipe.vertices[pipe.faces][..., 0] - rear_x).max(axis=1) < 1e-3
    assert not at_the_end.any(), "the end is closed"
    bottom = bore.vertices[:, 0] > rear_x + 0.04
    assert bottom.any()
    assert (bore.normals[bottom, 0] < -0.5).any(), "its bottom looks backwards"


def test_shut_lines_are_a_few_millimetres_wide() -> None:
    from scipy.spatial import cKDTree

    parts = {p.path: p.mesh.vertices for p in vehicle("sedan", 1).parts}
    front = cKDTree(parts["doors/front_left/panel"])
    near, _ = front.query(parts["doors/rear_left/panel"])
    assert 0.003 < near.min() < 0.006


# Their hoods were once torn at the rear corner, and their doors ended at the screen.
@pytest.mark.parametrize(("style", "seed"), [("pickup", 266), ("suv", 162)])
def test_lines_are_clean_at_the_foot_of_the_pillar(style: str, seed: int) -> None:
    from scipy.spatial import cKDTree

    parts = {part.path: part.mesh for part in vehicle(style, seed).parts}
    form = Form(draw_parameters(style, seed))
    hood = parts["body/hood"]
    edge = np.unique(boundary(hood.faces.astype(np.int64)))
    border = hood.vertices[edge].astype(np.float64)
    border = border[(np.abs(form.distance(border)) < 2e-3) & (border[:, 1] > 0)]
    layout, there = Layout(form, draw_trim(style, seed)), sampled(form, border)
    # Beside a head lamp that is drawn up the hood ends at the lamp.
    off_line = layout.hood(there)[layout.head_lamp(there) > 0.01] + 0.5 * GAP_M
    assert len(off_line) > 50
    assert np.abs(off_line).max() < 0.005
    door = cKDTree(parts["doors/front_left/panel"].vertices)
    assert door.query(hood.vertices)[0].min() > 0.04
    assert door.query(parts["glass/windscreen_seal"].vertices)[0].min() > 0.02


def test_a_vehicle_is_a_function_of_its_seed() -> None:
    first, again, other = build("suv", 3), build("suv", 3), build("suv", 4)
    assert [p.path for p in first.parts] == [p.path for p in again.parts]
    for a, b in zip(first.parts, again.parts, strict=True):
        assert a.material == b.material
        np.testing.assert_array_equal(a.mesh.vertices, b.mesh.vertices)
        np.testing.assert_array_equal(a.mesh.faces, b.mesh.faces)
        np.testing.assert_array_equal(a.mesh.normals, b.mesh.normals)
    assert not np.array_equal(first.bounds_m, other.bounds_m)


def test_a_given_parameter_is_obeyed_and_moves_no_other() -> None:
    free, fixed = draw_parameters("sedan", 5), draw_parameters("sedan", 5, {"wheelbase_mm": 2700})
    assert fixed.wheelbase_mm == 2700
    assert fixed.width_mm == free.width_mm


@pytest.mark.parametrize("style", ["sedan", "suv", "pickup"])
def test_a_swept_head_lamp_rises_beside_the_hood(style: str) -> None:
    least, most = limits(style)["lamp_sweep_mm"]
    lens, hood = [], []
    for sweep_mm in (least, most):
        parts = build(style, 1, {"lamp_sweep_mm": sweep_mm}).parts
        mesh = {part.path: part.mesh.vertices for part in parts}
        lens.append(mesh["lamps/head_left/lens"])
        hood.append(mesh["body/hood"])
    # Drawn up it lies beside the hood, which ends farther in there.
    assert lens[0][:, 2].max() < hood[0][:, 2].min() + 0.02
    assert lens[1][:, 2].max() > lens[0][:, 2].max() + 0.05
    assert lens[1][:, 2].max() > hood[1][:, 2].min() + 0.05


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"style": "seden"}, "did you mean 'sedan'?"),
        ({"parameters": {"wheelbase": 2700}}, "did you mean 'wheelbase_mm'?"),
        ({"parameters": {"wheelbase_mm": 9000}}, "2520 to 2860"),
        ({"parameters": {"wheelbase_mm": 2860.00004}}, "2860.00004"),
        ({"parameters": {"wheelbase_mm": float("nan")}}, "outside its limits"),
        ({"seed": -1}, "not negative"),
    ],
)
def test_mistakes_are_explained(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        build(**arguments)  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_parameters_that_make_no_body_together_are_refused() -> None:
    style = "hatchback+suv"
    corner = {name: ends[k % 2] for k, (name, ends) in enumerate(limits(style).items())}
    with pytest.raises(UsageError, match="no body together") as caught:
        build(style, 0, corner)
    assert "wheelbase_mm=" in str(caught.value)
