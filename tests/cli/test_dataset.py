from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearcoat.cli import main
from clearcoat.dataset import Dataset


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    images = []
    for number in range(4):
        name = f"photo{number}.jpg"
        Image.fromarray(np.full((20, 30, 3), 40 * number, np.uint8)).save(tmp_path / name)
        images.append({"id": number, "file_name": name, "width": 30, "height": 20})
    outlines = [
        {
            "id": number,
            "image_id": number,
            "category_id": 1 + number % 2,
            "segmentation": [[2, 2, 12, 2, 12, 12, 2, 12]],
        }
        for number in range(3)
    ]
    document = {
        "images": images,
        "categories": [{"id": 1, "name": "left"}, {"id": 2, "name": "right"}],
        "annotations": outlines,
    }
    (tmp_path / "labels.json").write_text(json.dumps(document))
    (tmp_path / "map.yaml").write_text("classes: [door]\nmap: {left: door, right: ignore}\n")
    return tmp_path / "labels.json"


def _run(capsys, *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = 0
    try:
        main(["dataset", *map(str, arguments)])
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_import_stats_check_export(capsys, annotations, tmp_path):
    data = tmp_path / "data"
    code, out, _ = _run(capsys, "import", "coco", annotations, "--out", data)
    assert code == 0
    assert "4 images imported" in out
    code, out, _ = _run(capsys, "stats", data, "--json")
    (found,) = json.loads(out)
    assert [(c["name"], c["images"], c["frequency"]) for c in found["classes"]] == [
        ("left", 2, 0.5),
        ("right", 1, 0.25),
    ]
    code, out, _ = _run(capsys, "check", data)
    assert code == 0
    assert "4 records, 0 errors, 0 warnings" in out
    code, out, _ = _run(capsys, "export", "coco", data, "--out", tmp_path / "out.json", "--json")
    assert json.loads(out)["images"] == 4
    assert len(json.loads((tmp_path / "out.json").read_text())["annotations"]) == 3


def test_import_with_map_selection_and_json(capsys, annotations, tmp_path):
    options = ["--map", tmp_path / "map.yaml", "--shuffle", 0, "--json", "--out"]
    first, rest = tmp_path / "first", tmp_path / "rest"
    code, out, _ = _run(capsys, "import", "coco", annotations, *options, first, "--select", "0:3")
    assert code == 0
    assert json.loads(out)["imported"] == 3
    _run(capsys, "import", "coco", annotations, *options, rest, "--select", "3:")
    assert sorted(Dataset.open(first).indices + Dataset.open(rest).indices) == [0, 1, 2, 3]


def test_stats_stand_side_by_side(capsys, annotations, tmp_path):
    _run(capsys, "import", "coco", annotations, "--out", tmp_path / "one")
    options = ["--map", tmp_path / "map.yaml", "--limit", 2]
    _run(capsys, "import", "coco", annotations, *options, "--out", tmp_path / "two")
    code, out, _ = _run(capsys, "stats", tmp_path / "one", tmp_path / "two")
    assert code == 0
    rows = {line.split("│")[1].strip(): line for line in out.splitlines() if "│" in line}
    assert [cell.strip() for cell in rows["left"].split("│")[2:-1]] == [
        "2",
        "50.0 %",
        "16.7 %",
        "not a class",
        "",
        "",
    ]
    assert "door" in rows
    assert "4 images" in out
    assert "2 images" in out


def test_check_exits_with_2_on_damage(capsys, annotations, tmp_path):
    data = tmp_path / "data"
    _run(capsys, "import", "coco", annotations, "--out", data)
    (data / "labels/000001.png").write_bytes(b"")
    code, out, _ = _run(capsys, "check", data)
    assert code == 2
    assert "error: " in out
    assert "labels/000001.png" in out
    code, out, _ = _run(capsys, "check", data, "--json")
    assert code == 2
    assert json.loads(out)["clean"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ["stats", "nowhere"],
        ["check", "nowhere"],
        ["export", "coco", "nowhere", "--out", "x.json"],
        ["import", "coco", "nowhere.json", "--out", "data"],
        ["import", "coco", "labels.json", "--out", "data", "--select", "1-2"],
        ["import", "coco", "labels.json", "--out", "data", "--select", "0:2", "--limit", "1"],
        ["import", "coco", "labels.json", "--out", "data", "--map", "nowhere.yaml"],
        ["import", "coco", "labels.json", "--out", ".", "--map", "map.yaml"],
        ["import", "coco", "labels.json", "--out", "data", "--images", "nowhere"],
    ],
    ids=" ".join,
)
def test_a_mistake_is_one_clear_error(capsys, annotations, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, out, err = _run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.strip().startswith("error: ")
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before, "nothing is left behind"
