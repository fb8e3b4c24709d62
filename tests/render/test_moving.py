"""States and occluders: what moves is labelled where it then is, and leaves no trace after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from clearcoat.materials import LIBRARY, Material
from clearcoat.render import Renderer, RenderSettings, StandIn, State, resolve_materials
from clearcoat.render.primitives import FACES, primitive
from clearcoat.scene import (
    BackdropSpec,
    CameraSpec,
    HingeSpec,
    LightSpec,
    OccluderSample,
    OccluderSpec,
    SceneModel,
    SceneSample,
    Stage,
    StateSample,
    StateSpec,
    sample,
)
from clearcoat.scene.states import placement
from tests.products import toy_car

_PRODUCT = toy_car()
_STAGE = Stage(points_m=np.concatenate([p.mesh.vertices for p in _PRODUCT.parts]).astype(float))
_SIZE = (64, 48)
_HINGE = HingeSpec(point_m=(1.0, 0.7, 0.9), axis=(0.0, 1.0, 0.0))
_STATES = (
    State("blue", StateSpec(parts="body/*", material="plastic_blue"), frozenset({0}),
          {0: StandIn((_PRODUCT.parts[0].mesh,), (LIBRARY["plastic_black"],))}),
    State("lifted", StateSpec(parts="cabin/glass", turn_deg=40.0, about=_HINGE), frozenset({1})),
    State("lost", StateSpec(parts="wheels/rear", missing=True), frozenset({4})),
)  # fmt: skip
_BOX = OccluderSample(
    slot=0, shape="box", center_m=(0.5, 2.0, 0.5), half_m=(0.6, 0.3, 0.5),
    rotation=((0.8, -0.6, 0.0), (0.6, 0.8, 0.0), (0.0, 0.0, 1.0)), color=(0.5, 0.1, 0.1),
    metallic=0.0, roughness=0.5,
)  # fmt: skip


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(
        _PRODUCT,
        resolve_materials(_PRODUCT, [None] * len(_PRODUCT.parts), LIBRARY),
        settings=RenderSettings(samples=4),
        size=_SIZE,
        states=_STATES,
        occluders=OccluderSpec(count=1, most=2),
    )


def _drawn(*states: StateSample, occluders: tuple[OccluderSample, ...] = ()) -> SceneSample:
    model = SceneModel(
        camera=CameraSpec(fill=0.7, azimuth_deg=75.0, elevation_deg=20.0, roll_deg=0.0),
        light=LightSpec(environments={"studio": 1}, exposure_ev=0),
        backdrop=BackdropSpec(modes={"grounded": 1}),
    )
    drawn = sample(model, _STAGE, 0, 0, aspect=_SIZE[0] / _SIZE[1])
    return replace(drawn, states=states, occluders=occluders)


def _cast(drawn: SceneSample) -> np.ndarray:
    """Part number per pixel, by trimesh: geometry placed by the closed forms alone."""
    rotation, shift = placement(_HINGE, 40.0, np.zeros((2, 3)))
    bodies, owners = [], []
    held = {state.name for state in drawn.states}
    for number, part in enumerate(_PRODUCT.parts):
        if number == 4 and "lost" in held:
            continue
        vertices = part.mesh.vertices
        if number == 1 and "lifted" in held:
            vertices = vertices @ rotation.T + shift
        bodies.append(trimesh.Trimesh(vertices, part.mesh.faces, process=False))
        owners.append(np.full(len(part.mesh.faces), number + 1))
    for one in drawn.occluders:
        vertices = primitive(one.shape, one.half_m)[0] @ np.array(one.rotation).T + one.center_m
        bodies.append(trimesh.Trimesh(vertices, FACES, process=False))
        owners.append(np.zeros(len(FACES), int))
    width, height = _SIZE
    focal_px = width * drawn.camera.focal_mm / drawn.camera.sensor_width_mm
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    local = np.stack([(x - width / 2) / focal_px, (y - height / 2) / focal_px, np.ones_like(x)], -1)
    towards = local.reshape(-1, 3) @ drawn.camera.pose.camera_from_world[:3, :3]
    origins = np.tile(drawn.camera.pose.position_m, (len(towards), 1))
    caster = trimesh.ray.ray_pyembree.RayMeshIntersector(trimesh.util.concatenate(bodies))
    _, ray, face = caster.intersects_location(origins, towards, multiple_hits=False)
    labels = np.zeros(len(origins), int)
    labels[ray] = np.concatenate(owners)[face]
    return labels.reshape(height, width)


_LIFTED, _LOST = StateSample("lifted", turn_deg=40.0), StateSample("lost")


@pytest.mark.parametrize(
    "drawn",
    [
        _drawn(),
        _drawn(_LIFTED),
        _drawn(_LOST, occluders=(_BOX,)),
        _drawn(_LIFTED, _LOST, occluders=(_BOX, replace(_BOX, slot=1, center_m=(-1.5, 2.2, 0.5)))),
    ],
    ids=["rest", "lifted", "lost and hidden", "all"],
)
def test_labels_follow_what_moves(renderer: Renderer, drawn: SceneSample) -> None:
    parts = renderer.render(drawn).parts
    expected = _cast(drawn)
    assert (parts == expected).mean() >= 0.998
    for number in (1, 2, 4):
        assert (parts == number).any() == (expected == number).any()


def test_occluders_hide_labels_and_have_none(renderer: Renderer) -> None:
    free = renderer.render(_drawn()).parts
    hidden = renderer.render(_drawn(occluders=(_BOX,))).parts
    assert ((hidden == 0) & (free > 0)).sum() > 50
    assert not ((hidden > 0) & (hidden != free)).any()


def test_nothing_is_left_of_what_moved(renderer: Renderer) -> None:
    first = renderer.render(_drawn(_LIFTED))
    # Something else in another scene in between, which must notice later what moved meanwhile.
    other = _drawn(_LOST, occluders=(_BOX,))
    renderer.render(replace(other, backdrop=replace(other.backdrop, mode="skybox")))
    again = renderer.render(_drawn(_LIFTED))
    assert again.parts.tobytes() == first.parts.tobytes()
    assert again.radiance.tobytes() == first.radiance.tobytes()


def test_a_part_that_came_back_is_lit_as_before() -> None:
    # Normals that no smoothing would give: those of the file, not of its triangles.
    pane = _PRODUCT.parts[1]
    tilted = np.tile(np.float32([0.6, 0.0, 0.8]), (len(pane.mesh.vertices), 1))
    parts = list(_PRODUCT.parts)
    parts[1] = replace(pane, mesh=replace(pane.mesh, normals=tilted))
    product = replace(_PRODUCT, parts=tuple(parts))
    renderer = Renderer(
        product,
        resolve_materials(product, [None] * len(parts), LIBRARY),
        settings=RenderSettings(samples=4),
        size=_SIZE,
        states=_STATES[1:2],
    )
    at_rest, lifted = _drawn(), _drawn(_LIFTED)
    first = renderer.render(at_rest)
    renderer.render(replace(lifted, backdrop=replace(lifted.backdrop, mode="skybox")))
    again = renderer.render(at_rest)
    assert again.radiance.tobytes() == first.radiance.tobytes()


def test_the_wrong_material_changes_the_look_and_not_the_label(renderer: Renderer) -> None:
    right, wrong = renderer.render(_drawn()), renderer.render(_drawn(StateSample("blue")))
    assert np.array_equal(right.parts, wrong.parts)
    body = right.parts == 1
    assert wrong.albedo[body].mean() < 0.5 * right.albedo[body].mean()


def test_what_stands_in_is_looked_through_and_glows_as_its_own_material_does() -> None:
    pane, body = _PRODUCT.parts[1].mesh, _PRODUCT.parts[0].mesh
    materials = resolve_materials(_PRODUCT, [None] * len(_PRODUCT.parts), LIBRARY)
    board, display = LIBRARY["plastic_black"], Material("lit", "a test", emission=(0.0, 9.0, 0.0))
    states = (
        State("board", StateSpec(parts="cabin/glass", material="plastic_black"), frozenset({1}),
              {1: StandIn((pane,), (board,))}),
        State("clear", StateSpec(parts="body/*", material="glass"), frozenset({0}),
              {0: StandIn((body,), (materials[1],))}),
        State("light", StateSpec(parts="body/*", material="plastic_black"), frozenset({0}),
              {0: StandIn((body,), (display,))}),
    )  # fmt: skip
    renderer = Renderer(
        _PRODUCT,
        materials,
        settings=RenderSettings(samples=1, denoise=False),
        size=_SIZE,
        states=states,
        see_through=frozenset({1}),
    )
    plain = renderer.render(_drawn())
    of_pane, of_body = plain.parts == 2, plain.parts == 1
    assert (plain.behind[of_pane] != 2).all()
    assert (plain.behind[of_body] == 1).all()
    assert (renderer.render(_drawn(StateSample("board"))).behind[of_pane] == 2).all()
    assert (renderer.render(_drawn(StateSample("clear"))).behind[of_body] != 1).all()
    lit = renderer.render(_drawn(StateSample("light")))
    assert lit.radiance[of_body, 1].mean() > 8 > 4 * plain.radiance[of_body, 1].mean()


def test_the_light_tunnel_lights_as_much_as_it_should_and_labels_stay(renderer: Renderer) -> None:
    model = SceneModel(
        camera=CameraSpec(azimuth_deg=0.0, elevation_deg=60.0),
        light=LightSpec(environments={"tunnel": 1}, exposure_ev=0, sun={"probability": 0}),
        backdrop=BackdropSpec(surfaces={"concrete": 1}, surface_albedo=0.3),
    )
    drawn = sample(model, _STAGE, 0, 1, aspect=_SIZE[0] / _SIZE[1])
    assert drawn.backdrop.mode == "grounded"
    frame = renderer.render(drawn)
    assert (frame.parts == _cast(drawn)).mean() >= 0.998
    # A diffuse floor of albedo 0.3 in light metered to 1 has radiance 0.3, less in the shadow.
    floor = frame.radiance[frame.parts == 0]
    assert float(np.median(floor)) == pytest.approx(0.3, rel=0.35)
