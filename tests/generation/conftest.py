"""A small scene on disk: the toy car as GLB and a spec that names its parts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.products import write_toy_car

SPEC = """\
product: {file: toy.glb}
classes:
  names: [body, glass, seat, wheel, handle]
  rules:
    - {part: "body*", is: body}
    - {part: "*glass", is: glass}
    - {part: "*seat", is: seat}
    - {part: "wheels_front", is: wheel}
    - {part: "wheels_rear", is: ignore}
materials:
  - {part: "wheels*", use: tyre_rubber}
labels: {see_through: [seat]}
light: {environments: {studio: 1}}
render: {samples: 2}
"""


@pytest.fixture(scope="session")
def toy_spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    write_toy_car(folder / "toy.glb")
    (folder / "toy.yaml").write_text(SPEC)
    return folder / "toy.yaml"


@pytest.fixture
def spec(toy_spec: Path, tmp_path: Path) -> Path:
    """The small scene in a folder of its own, for tests that change it."""
    shutil.copy(toy_spec.parent / "toy.glb", tmp_path)
    return Path(shutil.copy(toy_spec, tmp_path))
