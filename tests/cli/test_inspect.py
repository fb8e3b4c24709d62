"""`clearcoat inspect`, from the command line to what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from clearcoat.cli import main
from clearcoat.product import Mesh, Part, Product, SourceMaterial
from clearcoat.product.rules import drop_parts

SPEC = """
product:
  file: {file}
  front: -x
  drop: ["emblem*"]
classes:
  names: [hood, wheel, sunroof]
  rules:
    - {{part: "hood__*", is: hood}}
    - {{part: "tire__*", is: wheel}}
    - {{material: "LEATHER", is: ignore}}
materials:
  - {{material: "CarPaint", use: car_paint, with: {{flakes: 0.1}}}}
"""


@pytest.fixture
def spec(shared: Path, tmp_path: Path) -> Path:
    path = tmp_path / "bmw.yaml"
    path.write_text(SPEC.format(file=shared / "vehicles/bmw_m6/bmw_m6.glb"))
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = 0
    try:
        main(["inspect", *map(str, arguments)])
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, *capsys.readouterr()


def test_text(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, shared / "cad/as1-oc-214.stp")
    assert (code, err) == (0, "")
    for text in ("nut-bolt-assembly_3", "bolt_1", "#ff0000", "18 parts", "0.001 m per unit, up z"):
        assert text in out


def test_json_is_one_document(shared: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = shared / "vehicles/asam_vehicle/vehicle_example.gltf"
    code, out, err = run(capfd, path, "--front", "x", "--unit", "cm", "--json")
    plain = json.loads(out)
    assert (code, err) == (0, "")
    assert (plain["unit_m"], plain["up"], plain["front"]) == (0.01, "y", "x")
    assert plain["size_m"] == pytest.approx([0.0385, 0.0162, 0.0130], abs=1e-4)
    assert sum(part["triangles"] for part in plain["parts"]) == plain["triangle_count"]


def test_spec_shows_classes_and_materials(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--spec", spec, "--json")
    plain = json.loads(out)
    assert (code, err) == (0, "")
    assert plain["front"] == "-x"
    assert plain["classes_without_part"] == ["sunroof"]
    parts = {part["path"]: part for part in plain["parts"]}
    assert not any("emblem" in path for path in parts)
    assert parts["hood__mesh_00093"]["classes"] == ["hood"]
    assert parts["hood__mesh_00093"]["library_material"] == "car_paint"
    assert parts["interior__mesh_00014"]["classes"] == "ignore"
    assert parts["sill__mesh_00094"]["classes"] == []
    _, out, _ = run(capsys, "--spec", spec)
    assert "CarPaint -> car_paint  [hood]" in out
    assert "absent   sunroof" in out


def test_a_misspelt_rule_names_its_line(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text(spec.read_text().replace("tire__*", "tyre__*"))
    code, out, err = run(capsys, "--spec", spec)
    assert (code, out) == (2, "")
    line = spec.read_text().splitlines().index('    - {part: "tyre__*", is: wheel}') + 1
    assert f"{spec}:{line} (classes.rules[1])" in err
    assert "did you mean 'tire" in err


def test_the_command_line_wins_over_the_spec(
    spec: Path, shared: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec.write_text(spec.read_text().replace(str(shared), "/nowhere"))
    monkeypatch.chdir(shared / "vehicles")
    code, out, _ = run(
        capsys, "bmw_m6/bmw_m6.glb", "--spec", spec, "--front", "x", "--unit", "in", "--json"
    )
    plain = json.loads(out)
    assert (code, plain["front"], plain["unit_m"]) == (0, "x", 0.0254)


def test_builtin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    part = Part("hood", Mesh(corners, np.array([[0, 1, 2]], np.uint32)))

    def build(style: str, seed: int, parameters: dict[str, float]) -> Product:
        return Product(style, (part,), source=f"builtin:{style}")

    monkeypatch.setattr("clearcoat.vehicles.build", build, raising=False)
    code, out, _ = run(capsys, "builtin:sedan", "--json")
    assert (code, json.loads(out)["source"]) == (0, "builtin:sedan")
    code, _, err = run(capsys, "builtin:sedan", "--up", "x")
    assert code == 2
    assert "`up` is for files" in err
    assert drop_parts(build("a", 0, {}), []).parts == (part,)


def test_thin_films_are_listed_where_there_are_any(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    mesh = Mesh(corners, np.array([[0, 1, 2]], np.uint32))
    oxide = SourceMaterial("oxide", iridescence=0.5, iridescence_thickness_nm=52.0)
    found = [Part("pipe", mesh, oxide), Part("clamp", mesh, SourceMaterial("zinc"))]

    def build(style: str, seed: int, parameters: dict[str, float]) -> Product:
        return Product(style, tuple(found), source=f"builtin:{style}")

    monkeypatch.setattr("clearcoat.vehicles.build", build, raising=False)
    _, out, _ = run(capsys, "builtin:sedan")
    assert "50% of 52 nm, n 1.30" in out
    _, out, _ = run(capsys, "builtin:sedan", "--json")
    films = {entry["name"]: entry["thin_film"] for entry in json.loads(out)["materials"]}
    assert films == {"oxide": {"weight": 0.5, "ior": 1.3, "thickness_nm": 52.0}, "zinc": None}
    del found[0]
    _, out, _ = run(capsys, "builtin:sedan")
    assert "thin film" not in out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "nothing to inspect"),
        (["absent.glb"], "cannot be read"),
        (["car.yaml"], "--spec"),
        (["car.gbl"], "did you mean '.glb'"),
        (["a.glb", "--unit", "mn"], "did you mean 'm"),
        (["a.glb", "--up", "y", "--front", "-y"], "one line"),
    ],
)
def test_mistakes(
    arguments: list[str],
    what: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert what in err
    assert "Traceback" not in err
