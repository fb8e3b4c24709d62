"""The audit of the toy car: counts, pictures, page, and rules that can be pasted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from clearcoat.cli import main
from clearcoat.generation import Studio, load_scene
from clearcoat.generation.audit import Audit, audit, rule_text
from clearcoat.generation.audit_page import audit_page


@pytest.fixture(scope="module")
def bare(toy_spec: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy car's spec with rules for one part only."""
    folder = tmp_path_factory.mktemp("bare")
    document = yaml.safe_load(toy_spec.read_text())
    document["classes"]["rules"] = document["classes"]["rules"][:1]
    document["labels"] = {}
    (folder / "toy.glb").write_bytes((toy_spec.parent / "toy.glb").read_bytes())
    (folder / "toy.yaml").write_text(yaml.safe_dump(document))
    return folder / "toy.yaml"


@pytest.fixture(scope="module")
def found(bare: Path) -> Audit:
    return audit(load_scene(bare), views=3, size=48)


def test_pixels_are_those_of_the_images(bare: Path, found: Audit) -> None:
    scene = load_scene(bare)
    studio = Studio(scene, (48, 48), 0)
    counts = np.zeros(len(scene.product.parts) + 1, int)
    for index in range(3):
        parts = studio.record(index).parts
        assert parts is not None
        counts += np.bincount(parts.ravel(), minlength=len(counts))
    ruled = np.array([rule is not None for rule in scene.classes.rule_of_part])
    assert found.classes.covered_share == pytest.approx(counts[1:][ruled].sum() / counts[1:].sum())
    for group in found.classes.groups:
        assert group.pixels == counts[1:][list(group.parts)].sum()
    # Every material of the toy's file is of the library.
    assert found.materials.covered_share == pytest.approx(1)
    assert not found.materials.groups


def test_suggested_rules_can_be_pasted(bare: Path, found: Audit) -> None:
    document = yaml.safe_load(bare.read_text())
    pasted = "\n".join(rule_text(group, "is") for group in found.classes.groups)
    document["classes"]["rules"] += [
        {**rule, "is": "ignore" if rule["is"] == "TODO" else rule["is"]}
        for rule in yaml.safe_load(pasted)
    ]
    bare.with_name("more.yaml").write_text(yaml.safe_dump(document))
    scene = load_scene(bare.with_name("more.yaml"))
    assert None not in scene.classes.rule_of_part
    again = audit(scene, views=1, size=32)
    assert again.classes.covered_share == 1
    suggested = {g.name: g.guess.label for g in found.classes.groups if g.guess is not None}
    assert suggested == {
        "cabin_glass": "glass",
        "cabin_seat": "seat",
        "wheels_front": "wheel",
        "wheels_rear": "wheel",
    }


def test_the_part_is_marked_in_its_picture(found: Audit) -> None:
    for group in found.classes.groups:
        if group.pixels:
            picture = found.thumbnails[group.parts[0]].astype(int)
            marked = (picture[..., 0] - picture[..., 1]) > 60
            assert 0 < marked.mean() < 0.9


def test_the_page_holds_every_group_and_nothing_else(found: Audit) -> None:
    page = audit_page(found)
    for group in found.classes.groups:
        assert f"<code>{group.name}</code>" in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_command(bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "audit"
    main(["audit", str(bare), "--views", "1", "--size", "32", "--out", str(out), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert {file.name for file in out.iterdir()} == {"audit.html", "classes.png"}
    rows = document["classes"]["unmatched"]
    shares = [row["visible_share"] for row in rows]
    assert shares == sorted(shares, reverse=True)
    assert rows[-1]["cumulative_share"] == pytest.approx(1, abs=1e-4)
    main(["audit", str(bare), "--views", "1", "--size", "32"])
    assert "cabin_glass" in capsys.readouterr().out


def test_what_cannot_be_written_is_said_before_the_views_are_drawn(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "afile").write_text("")
    # There is no such spec: nobody looks for it before.
    with pytest.raises(SystemExit):
        main(["audit", str(tmp_path / "none.yaml"), "--out", str(tmp_path / "afile" / "out")])
    assert "a file stands where a folder is needed" in capsys.readouterr().err
    # No material is left to show, and what shows those of an earlier audit cannot go.
    (tmp_path / "out" / "materials.png").mkdir(parents=True)
    with pytest.raises(SystemExit):
        main(["audit", str(bare), "--views", "1", "--size", "32", "--out", str(tmp_path / "out")])
    assert f"where:    {tmp_path / 'out' / 'materials.png'}" in capsys.readouterr().err


def test_of_a_family_one_vehicle_is_looked_at(tmp_path: Path) -> None:
    spec = tmp_path / "family.yaml"
    spec.write_text(
        "product: {builtin: family, style: sedan}\n"
        "classes: {names: [wheel], rules: [{part: 'wheels/*', is: wheel}]}\n"
    )
    scene = load_scene(spec)
    looked = audit(scene, views=1, size=32)
    paths = [part.path for part in scene.at(0, 0).product.parts]
    assert [part.path for part in looked.product.parts] == paths
    assert 0 < looked.classes.covered_share < 0.5
    assert looked.classes.groups


def test_views_meet_what_the_camera_requires(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "toy.glb").write_bytes((bare.parent / "toy.glb").read_bytes())
    spec = tmp_path / "toy.yaml"
    spec.write_text(
        bare.read_text() + "camera: {elevation_deg: {uniform: [5, 60]}, require: {azimuth_deg: "
        '[300, 60], visible: ["body*"], min_visible_share: 0.3, attempts: 300}}\n'
    )
    scene = load_scene(spec)
    found = audit(scene, views=2, size=32)
    studio = Studio(scene, (32, 32), 0)
    counts = sum(
        np.bincount(studio.record(index).parts.ravel(), minlength=len(scene.product.parts) + 1)
        for index in range(2)
    )
    pixels = {
        group.parts[0]: group.pixels
        for group in (*found.classes.groups, *found.materials.groups)
        if len(group.parts) == 1
    }
    assert len(pixels) >= 3
    assert sum(pixels.values()) > 0
    assert pixels == {number: counts[number + 1] for number in pixels}
    free = load_scene(bare)
    unruled = [audit(free, views=2, size=32).classes.groups[0].pixels]
    assert unruled != [found.classes.groups[0].pixels]
