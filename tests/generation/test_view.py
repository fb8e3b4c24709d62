"""`clearcoat view`: its answers, its limits, and the page in a real browser."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clearcoat.dataset.overlay import overlay
from clearcoat.dataset.palette import class_colors
from clearcoat.errors import UsageError
from clearcoat.generation import Studio, load_scene
from clearcoat.generation.serve import server
from clearcoat.generation.viewer import LAYERS, Viewer

_SIZE = 32


@pytest.fixture(scope="module")
def spec(toy_spec: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("view")
    shutil.copy(toy_spec.parent / "toy.glb", folder)
    return Path(shutil.copy(toy_spec, folder))


@pytest.fixture(scope="module")
def address(spec: Path) -> Iterator[str]:
    running = server(Viewer(spec, _SIZE, samples=2), 0)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    thread.join()
    running.server_close()


def _get(url: str, **headers: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return json.loads(answer.read())


def _picture(uri: str) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_layers_are_those_of_the_record(spec: Path, address: str) -> None:
    shown = _get(f"{address}/show?seed=3&index=2")
    assert tuple(shown["layers"]) == LAYERS
    scene = load_scene(spec)
    record = Studio(scene, (_SIZE, _SIZE), 3).record(2)
    assert record.parts is not None
    assert np.array_equal(_picture(shown["layers"]["image"]), record.image)
    painted = overlay(record.image, record.labels, class_colors(len(scene.classes.names)))
    assert np.array_equal(_picture(shown["layers"]["classes"]), painted)
    assert shown["parts"] == record.parts.ravel().tolist()
    for part, path in shown["names"].items():
        assert scene.product.parts[int(part) - 1].path == path
    assert shown["sample"]["index"] == 2
    assert "seat" in {entry["name"] for entry in shown["legend"]}


def test_only_numbers_and_only_this_machine(address: str) -> None:
    assert "error" in _get(f"{address}/show?seed=-1&index=x")
    for url, headers, status in (
        (f"{address}/show", {"Host": "evil.example"}, 403),
        (f"{address}/../toy.yaml", {}, 404),
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            _get(url, **headers)
        assert caught.value.code == status
        caught.value.close()
    port = int(address.rsplit(":", 1)[1])
    with pytest.raises(UsageError, match="cannot be had"):
        server(Viewer(Path("x"), 32, 1), port)


def test_a_page_that_no_longer_waits_is_no_error(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as gone:
        gone.sendall(b"GET /show?seed=7&index=7 HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        # Closed like a browser does: what still comes is answered with a reset.
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _get(f"{address}/show?seed=7&index=8")
    assert capsys.readouterr().err == ""


def _dom(url: str) -> str:
    """The page after its scripts have run, as Chromium prints it."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    browser = browser or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom")
    return subprocess.run(
        [browser, *options, "--virtual-time-budget=3000", url],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "HOME": os.environ.get("TMPDIR", "/tmp")},
    ).stdout


def test_a_browser_shows_the_layer_and_then_the_mistake(spec: Path, address: str) -> None:
    shown = _get(f"{address}/show?seed=0&index=0")
    page = _dom(f"{address}/#depth")
    assert f'src="{shown["layers"]["depth"]}"' in page
    assert "azimuth_deg" in page
    before = spec.read_text()
    lines = before.splitlines()
    number = next(i for i, line in enumerate(lines, start=1) if "is: glass" in line)
    try:
        spec.write_text(before.replace("is: glass", "is: glas"))
        page = _dom(f"{address}/")
        assert f"toy.yaml:{number} (classes.rules[1].is)" in page
        assert "rule 2 names class 'glas'" in page
        assert "did you mean" in page
        assert "data:image" not in page
    finally:
        spec.write_text(before)
    # Mended, it is drawn again.
    assert "error" not in _get(f"{address}/show?seed=0&index=0")


def test_the_cursor_names_part_and_class(address: str, browser: Any) -> None:
    shown = _get(f"{address}/show?seed=0&index=0")
    parts = np.array(shown["parts"]).reshape(-1, shown["width"])
    page = browser.new_page(viewport={"width": 900, "height": 700})
    page.set_default_timeout(60_000)
    page.goto(f"{address}/")
    page.wait_for_function("document.getElementById('picture').naturalWidth > 0")
    box = page.locator("#picture").bounding_box()
    seen = set()
    for part in np.unique(parts):
        rows, columns = np.nonzero(parts == part)
        row, column = rows[len(rows) // 2], columns[len(columns) // 2]
        page.mouse.move(
            box["x"] + (column + 0.5) * box["width"] / parts.shape[1],
            box["y"] + (row + 0.5) * box["height"] / parts.shape[0],
        )
        classes = shown["classes"].get(str(part))
        named = classes if isinstance(classes, str) else ", ".join(classes or []) or "background"
        expected = f"{shown['names'][str(part)]}: {named}" if part else "no part"
        assert page.locator("#under").inner_text() == expected
        seen.add(named)
    assert {"body", "ignore"} & seen
    assert len(seen) >= 3
    # The last column and row belong to the picture, to its very edge.
    page.mouse.move(box["x"] + box["width"] - 0.01, box["y"] + box["height"] - 0.01)
    assert page.locator("#under").inner_text() != ""
    page.close()
