"""The specs of the gallery load, and the page shows a picture of each with its command."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearcoat.generation import load_scene

_ROOT = Path(__file__).resolve().parents[2]
_SERIES = {"family": 10, "outdoors": 0, "panoramas": None, "tunnel": 0}
"""How many environments each draws from; None: all there are."""
_SPECS = sorted(
    path
    for path in (_ROOT / "examples" / "gallery").glob("*.yaml")
    if path.stem not in {*_SERIES, "shot"}
)


@pytest.mark.parametrize("spec", _SPECS, ids=lambda path: path.stem)
def test_every_spec_finds_its_one_environment(shared: Path, spec: Path) -> None:
    scene = load_scene(spec)
    assert len(scene.stage.hdri_names) == 1
    assert scene.hdri_folder is not None
    assert scene.hdri_folder.samefile(shared / "hdri")


@pytest.mark.parametrize("name", sorted(_SERIES))
def test_the_series_load(shared: Path, name: str) -> None:
    scene = load_scene(_ROOT / "examples" / "gallery" / f"{name}.yaml")
    expected = _SERIES[name]
    if expected is None:
        expected = len(list((shared / "hdri").iterdir()))
    assert len(scene.stage.hdri_names) == expected


@pytest.mark.parametrize("spec", _SPECS, ids=lambda path: path.stem)
def test_the_page_shows_every_spec(spec: Path) -> None:
    page = (_ROOT / "docs" / "gallery.md").read_text()
    assert f"clearcoat render examples/gallery/{spec.name} " in page
    assert f"images/gallery/{spec.stem}.jpg" in page
    assert (_ROOT / "docs" / "images" / "gallery" / f"{spec.stem}.jpg").is_file()
