"""A mistake in a rule is reported at the line of the rule, not at that of the list."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearcoat.errors import RenderError, SpecError
from clearcoat.generation import load_scene, load_scene_spec

SPEC = """\
product: {file: toy.glb}
groups:
  wheels: ["wheel*"]
classes:
  names: [body, wheel]
  rules:
    - {part: "body*", is: body}
    - group: wheels
      is: wheel
materials:
  - {part: "body*", use: paint}
  - {group: wheels, use: tyre_rubber}
labels:
  see_through: [wheel]
  least_share: {wheel: 0.02}
"""


@pytest.mark.parametrize(
    ("before", "after", "line", "says"),
    [
        ("is: wheel", "is: wheal", 9, "class rule 2 names class 'wheal'"),
        ("- group: wheels", "- group: whels", 8, "class rule 2 names the group 'whels'"),
        ("- {group: wheels", "- {group: whels", 12, "material rule 2 names the group 'whels'"),
        ("see_through: [wheel]", "see_through: [wheal]", 14, "names class 'wheal'"),
        ("share: {wheel", "share: {wheal", 15, "labels.least_share names class 'wheal'"),
        ("- group: wheels\n", "- group: wheels\n      prority: 1\n", 9, "unknown key 'prority'"),
        ('{part: "body*", is', "{is", 7, "a rule needs a condition"),
    ],
)
def test_the_line_is_that_of_the_mistake(
    tmp_path: Path, before: str, after: str, line: int, says: str
) -> None:
    path = tmp_path / "scene.yaml"
    assert SPEC.count(before) == 1
    path.write_text(SPEC.replace(before, after))
    with pytest.raises(SpecError) as caught:
        load_scene_spec(path)
    assert str(caught.value.where).startswith(f"{path}:{line} ")
    assert says in caught.value.what


def test_names_that_begin_with_a_tilde_are_names(spec: Path) -> None:
    (spec.parent / "toy.glb").rename(spec.parent / "~toy.glb")
    text = spec.read_text().replace("toy.glb", "~toy.glb")
    spec.write_text(text.replace("{studio: 1}", "{studio: 1}, hdri_folder: ~skies"))
    assert load_scene(spec).hdri_folder == spec.parent / "~skies"
    spec.write_text(f"{text}backdrop: {{modes: {{photo: 1}}, photo_folder: ~photos}}\n")
    with pytest.raises(RenderError) as caught:
        load_scene(spec)
    assert caught.value.where == str(spec.parent / "~photos")
    spec.write_text(text.replace("use: tyre_rubber", "use: measured, file: ~lab_rgb.bsdf"))
    with pytest.raises(RenderError) as caught:
        load_scene(spec)
    assert "~lab_rgb.bsdf" in str(caught.value.where)
