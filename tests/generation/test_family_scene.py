"""`builtin: family`: which vehicle an image shows, and how rules apply to all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clearcoat.dataset import Dataset
from clearcoat.errors import SpecError
from clearcoat.generation import Job, family, generate, load_scene
from clearcoat.generation.generate import by_product
from clearcoat.generation.moving import held_classes
from clearcoat.generation.poses import find_pose
from clearcoat.product import Product, ProductSpec
from clearcoat.scene import sample
from clearcoat.vehicles import SHARES, catalogue_product

SPEC = """\
product: {{builtin: family, images_per_vehicle: 2{more}}}
classes:
  names: [wheel, rear_door, lid]
  rules:
    - {{part: "wheels/*", is: wheel}}
    - {{part: "doors/rear_*/panel", is: rear_door}}
    - {{part: "trunk_lid/*", is: lid}}
{rules}
light: {{environments: {{studio: 1}}}}
render: {{samples: 1, denoise: false}}
"""


def write_family(folder: Path, more: str = "", rules: str = "") -> Path:
    spec = folder / "family.yaml"
    spec.write_text(SPEC.format(more=more, rules=rules))
    return spec


def test_roles_are_a_function_of_spec_seed_and_index() -> None:
    spec = ProductSpec(builtin="family", images_per_vehicle=5)
    roles = [family.role(spec, 7, index) for index in range(500)]
    assert roles == [family.role(spec, 7, index) for index in range(500)]
    assert len({role.seed for role in roles}) == 100
    assert all(roles[index] == roles[index - index % 5] for index in range(500))
    assert {role.style for role in roles} >= {"sedan", "suv", "pickup"}
    assert {role.style for role in roles} <= set(SHARES)
    others = spec.model_copy(update={"seed": 1})
    assert family.role(others, 7, 0) != roles[0]
    assert family.role(spec, 8, 0) != roles[0]


def test_styles_are_drawn_as_their_weights_say() -> None:
    spec = ProductSpec(builtin="family", images_per_vehicle=1, style={"suv": 3, "sedan": 1})
    styles = [family.role(spec, 0, index).style for index in range(800)]
    assert set(styles) == {"suv", "sedan"}
    # Four standard deviations of a binomial.
    assert abs(styles.count("suv") - 600) < 4 * (800 * 0.75 * 0.25) ** 0.5


def test_a_part_that_the_catalogue_lacks_is_named() -> None:
    every = catalogue_product()
    known = next(part for part in every.parts if part.path == "body/hood")
    stranger = replace(known, path="body/fuel_flap")
    ids = family.part_ids(Product("car", (known,), source="builtin:sedan:1"), every)
    assert every.parts[ids[1] - 1] is known
    with pytest.raises(LookupError, match=r"builtin:sedan:1.*parts.txt.*body/fuel_flap of paint"):
        family.part_ids(Product("car", (known, stranger), source="builtin:sedan:1"), every)


def test_images_of_one_vehicle_stay_together() -> None:
    assert by_product([0, 1, 3, 4, 5, 8], 4) == [[0, 1, 3], [4, 5], [8]]
    assert by_product([0, 1], None) == [[0], [1]]


def test_each_vehicle_is_labelled_by_rules_of_the_family(tmp_path: Path) -> None:
    spec = write_family(tmp_path, ", style: [pickup, sedan], seed: 3")
    scene = load_scene(spec)
    assert scene.classes.absent == ()
    out = tmp_path / "set"
    styles = [family.role(scene.spec.product, 0, index).style for index in range(8)]
    shown = [styles.index("sedan"), styles.index("pickup")]
    assert list(generate(Job(spec, seed=0, size=(64, 48), out=out), shown)) == shown
    data = Dataset.open(out)
    assert data.part_names == tuple(part.path for part in scene.product.parts)
    lid = [n + 1 for n, name in enumerate(data.part_names) if name.startswith("trunk_lid/")]
    gate = [n + 1 for n, name in enumerate(data.part_names) if name.startswith("bed/")]
    for index, style in zip(shown, ["sedan", "pickup"], strict=True):
        parts, labels = data.parts(index), data.labels(index)
        assert parts is not None
        assert data.record_info(index).metadata["vehicle"]["style"] == style
        assert not np.isin(parts, gate if style == "sedan" else lid).any()
        # Labels follow the parts, whatever number a part has in its own vehicle.
        wheels = [n + 1 for n, name in enumerate(data.part_names) if name.startswith("wheels/")]
        np.testing.assert_array_equal(labels.mask(0), np.isin(parts, wheels))
        assert labels.mask(0).any()


def test_a_states_class_is_on_every_part_that_it_changes(tmp_path: Path) -> None:
    """Several lines of the catalogue are one path in several materials."""
    spec = write_family(tmp_path, ", style: sedan", "")
    text = spec.read_text().replace("rear_door, lid]", "rear_door, lid, open]")
    spec.write_text(
        text + "states: {ajar: {parts: 'doors/*', turn_deg: 30, about: front_edge, is: open}}\n"
    )
    scene = load_scene(spec)
    shown = scene.at(0, 0)
    assert shown.part_ids is not None
    drawn = sample(shown.spec, shown.stage, 0, 0)
    classes = held_classes(scene.classes, shown.part_ids, shown.states, drawn)
    opened = scene.classes.names.index("open")
    for number, part in enumerate(shown.product.parts):
        members = classes.of_part[int(shown.part_ids[number + 1]) - 1]
        assert members is not None
        assert (opened in members) == part.path.startswith("doors/"), part.path


def test_vehicles_have_the_same_meshes_in_the_same_order(tmp_path: Path) -> None:
    scene = load_scene(write_family(tmp_path, ", style: [pickup, sedan], seed: 3"))
    styles = [family.role(scene.spec.product, 0, index).style for index in range(20)]
    pair = [scene.at(0, styles.index(style)) for style in ("sedan", "pickup")]
    assert set(pair[0].materials) != set(pair[1].materials)
    seen = []
    for vehicle in pair:
        renderer = vehicle.renderer((48, 32))
        mi = renderer.mi
        # Not before the renderer, which tells it which LLVM to use.
        import drjit

        seen.append(
            [
                (
                    # What kernels depend on: a shape's kind, and Dr.Jit's numbers.
                    shape.has_vertex_texcoords(),
                    int(drjit.reinterpret_array(mi.UInt32, mi.ShapePtr(shape))[0]),
                    int(drjit.reinterpret_array(mi.UInt32, mi.BSDFPtr(shape.bsdf()))[0]),
                )
                for shape in renderer._shapes
            ]
        )
        del renderer
    assert seen[0] == seen[1]


def test_the_meshes_of_other_vehicles_are_not_seen(tmp_path: Path) -> None:
    scene = load_scene(write_family(tmp_path, ", style: coupe"))
    vehicle, size = scene.at(0, 0), (48, 32)
    renderer = vehicle.renderer(size)
    sample = find_pose(vehicle, renderer, 0, 0, size).sample
    together, alone = renderer.render(sample), replace(vehicle, company=()).renderer(size)
    by_itself = alone.render(sample)
    np.testing.assert_array_equal(together.radiance, by_itself.radiance)
    np.testing.assert_array_equal(together.parts, by_itself.parts)


@pytest.mark.parametrize(
    ("more", "rules", "said", "line"),
    [
        (", style: [seden]", "", "did you mean 'sedan'", 1),
        (", style: {suv: -1}", "", "must not be negative", 1),
        (", parameters: {wheelbase_mm: 3100}", "", "outside its limits", 1),
        (', drop: ["nothing/*"]', "", "matches no part", 1),
        ("", '    - {part: "wheel_nut*", is: wheel}', "matches no part", 8),
    ],
)
def test_mistakes_name_their_line(
    tmp_path: Path, more: str, rules: str, said: str, line: int
) -> None:
    with pytest.raises(SpecError) as caught:
        load_scene(write_family(tmp_path, more, rules))
    assert said in str(caught.value)
    assert f"family.yaml:{line}" in str(caught.value.where)


@pytest.mark.parametrize(
    ("product", "said", "where"),
    [
        ("{builtin: seden}", "did you mean 'sedan'", "product.builtin"),
        ("{builtin: any}", "or family", "product.builtin"),
        ("{builtin: suv, parameters: {wheelbase: 2700}}", "'wheelbase_mm'", "product.parameters"),
        ("{builtin: suv, parameters: {wheelbase_mm: 1}}", "2600 to 2860", "product.parameters"),
    ],
)
def test_mistakes_about_a_single_vehicle_name_their_line(
    tmp_path: Path, product: str, said: str, where: str
) -> None:
    spec = write_family(tmp_path)
    rest = spec.read_text().partition("\n")[2]
    spec.write_text(f"product: {product}\n{rest}")
    with pytest.raises(SpecError) as caught:
        load_scene(spec)
    assert said in str(caught.value)
    assert f"family.yaml:1 ({where})" in str(caught.value.where)
