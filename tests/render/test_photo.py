"""Photographs as backdrop: cut to the picture, exposed like it, and no part of the product."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation, center_of_mass

from clearcoat.errors import RenderError
from clearcoat.materials import LIBRARY
from clearcoat.render import Renderer, RenderSettings, develop, list_photos, resolve_materials
from clearcoat.render import renderer as renderer_module
from clearcoat.render.develop import tone, untone
from clearcoat.render.panorama import HEIGHT, WIDTH
from clearcoat.render.photo import crop, defocused, photo_behind
from clearcoat.scene import (
    BackdropSpec,
    LightSpec,
    PhotoSample,
    SceneModel,
    SceneSample,
    Stage,
    sample,
)
from tests.products import toy_car

_PRODUCT = toy_car()
_POINTS = np.concatenate([p.mesh.vertices for p in _PRODUCT.parts]).astype(float)
_SIZE = (64, 48)
_WHOLE = PhotoSample("a.png", zoom=1.0, place=(0.5, 0.5), defocus=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    x, y = np.meshgrid(np.linspace(40, 220, 80), np.linspace(30, 200, 60))
    ramp = np.stack([x, y, 255 - x], axis=-1).astype(np.uint8)
    Image.fromarray(ramp).save(folder / "a.png")
    Image.fromarray(ramp[::-1]).save(folder / "b.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def _drawn(index: int = 0) -> SceneSample:
    model = SceneModel(
        light=LightSpec(environments={"studio": 1}, exposure_ev=0),
        backdrop=BackdropSpec(modes={"photo": 1}, photo_folder=Path("photos")),
    )
    stage = Stage(points_m=_POINTS, photo_names=("a.png", "b.png"))
    return sample(model, stage, 0, index, aspect=_SIZE[0] / _SIZE[1])


def _renderer(folder: Path | None, *, denoise: bool) -> Renderer:
    materials = list(resolve_materials(_PRODUCT, [None] * len(_PRODUCT.parts), LIBRARY))
    materials[1] = LIBRARY["glass_tinted"]
    settings = RenderSettings(samples=4, denoise=denoise)
    return Renderer(_PRODUCT, materials, settings=settings, size=_SIZE, photo_folder=folder)


def test_before_a_backdrop_as_bright_as_the_environment_no_cut_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Edges and glass too: with radiance 1 from everywhere a plain backdrop of 1 is the sky."""
    white = np.ones((HEIGHT, WIDTH, 3), np.float32)
    monkeypatch.setattr(renderer_module, "light", lambda *_: white)
    monkeypatch.setattr(renderer_module, "plain_color", lambda _: np.ones(3, np.float32))
    renderer = _renderer(None, denoise=False)
    drawn = replace(_drawn(), backdrop=replace(_drawn().backdrop, photo=None, mode="skybox"))
    sky = renderer.render(drawn)
    cut = renderer.render(replace(drawn, backdrop=replace(drawn.backdrop, mode="plain")))
    difference = np.abs(cut.radiance - sky.radiance).max(axis=-1)
    # A path through glass is by chance one that is reflected; all others are the same paths.
    pane = binary_dilation(sky.parts == 2)
    assert pane.sum() > 100
    assert difference[~pane].max() < 1e-4
    assert cut.radiance[pane].mean(axis=0) == pytest.approx(
        sky.radiance[pane].mean(axis=0), rel=0.005
    )
    # Tinted, and not as bright as what stands beside it.
    assert sky.radiance[pane].mean() < 0.97
    assert (np.abs(sky.radiance - 1) > 0.05).sum() > 100


def test_a_photograph_stands_behind_and_labels_stay(folder: Path) -> None:
    renderer = _renderer(folder, denoise=True)
    drawn = _drawn()
    assert drawn.backdrop.photo is not None
    frame = renderer.render(drawn)
    other = replace(drawn.backdrop.photo, name="a.png" if drawn.backdrop.photo.name == "b.png"
                    else "b.png", defocus=2.0)  # fmt: skip
    again = renderer.render(replace(drawn, backdrop=replace(drawn.backdrop, photo=other)))
    assert np.array_equal(again.parts, frame.parts)
    assert np.array_equal(again.depth_m, frame.depth_m)
    expected = photo_behind(drawn.backdrop.photo, folder, _SIZE, "filmic")
    # The denoiser smooths across edges, so look away from the product.
    assert (frame.parts[:4, :4] == 0).all()
    assert frame.radiance[:4, :4] == pytest.approx(expected[:4, :4], rel=0.02, abs=0.01)
    assert not np.allclose(again.radiance[:4], frame.radiance[:4], rtol=0.1)


def test_the_development_gives_back_the_photograph(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearcoat.render.photo._MOST_EV", 0.0)
    behind = photo_behind(_WHOLE, folder, (80, 60), "filmic")
    shown = develop(behind, exposure_ev=0, tone_curve="filmic")
    original = np.asarray(Image.open(folder / "a.png"))
    assert np.abs(shown.astype(int) - original).max() <= 1


@pytest.mark.parametrize("curve", ["filmic", "linear"])
def test_untone_undoes_tone(curve: str) -> None:
    light = np.linspace(0, 3 if curve == "filmic" else 1, 50, dtype=np.float32)
    assert untone(tone(light, curve), curve) == pytest.approx(light, rel=1e-3, abs=1e-5)


def test_dark_and_bright_photographs_are_exposed_like_the_render(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    means = []
    for level in (80, 150):
        pixels = rng.integers(level - 20, level + 20, (60, 80, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{level}.png")
        photo = replace(_WHOLE, name=f"{level}.png")
        means.append(photo_behind(photo, tmp_path, (80, 60), "linear").mean())
    assert means == pytest.approx([0.18, 0.18], rel=0.12)


@pytest.mark.parametrize(("width", "height"), [(400, 100), (100, 400), (120, 90)])
def test_the_piece_has_the_pictures_aspect_and_lies_inside(width: int, height: int) -> None:
    for zoom in (1.0, 2.5):
        for place in ((0.0, 0.0), (0.3, 0.9), (1.0, 1.0)):
            photo = PhotoSample("a.png", zoom, place, 0.0)
            left, top, right, bottom = crop(width, height, 4 / 3, photo)
            assert left >= 0
            assert top >= 0
            assert right <= width
            assert bottom <= height
            assert (right - left) / (bottom - top) == pytest.approx(4 / 3)
            # At 1 it is the largest such piece.
            fits = min(width / (right - left), height / (bottom - top))
            assert fits == pytest.approx(zoom)


def test_defocus_spreads_a_point_over_a_disc() -> None:
    point = np.zeros((41, 51, 3), np.float32)
    point[20, 25] = 1.0
    radius = 6.0
    spread = defocused(point, radius)
    assert spread.sum() == pytest.approx(3.0, rel=1e-4)
    assert center_of_mass(spread[..., 0]) == pytest.approx((20, 25), abs=1e-3)
    lit = spread[..., 0] > 0.5 / (np.pi * radius**2)
    assert lit.sum() == pytest.approx(np.pi * radius**2, rel=0.05)
    assert defocused(point, 0.3) is point


def test_a_photograph_held_upright_is_shown_upright(tmp_path: Path) -> None:
    pixels = np.zeros((60, 90, 3), np.uint8)
    pixels[:, :45] = 255
    # Little-endian TIFF with two tags. Turned by a quarter: what is left in the file is on top. And
    # a resolution unit of a wrong type, on which Pillow's own `exif_transpose` fails.
    entries = struct.pack("<HHLL", 0x0112, 3, 1, 6) + struct.pack("<HHLL", 0x0128, 7, 1, 2)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + b"\0\0\0\0"
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, quality=95)
    shown = photo_behind(replace(_WHOLE, name="a.jpg"), tmp_path, (60, 90), "linear")
    assert shown[:40].mean() > 20 * shown[50:].mean()


def test_a_photograph_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    shown = []
    for color, height in (((200, 0, 0), 24), ((0, 0, 200), 25)):
        Image.new("RGB", (32, height), color).save(tmp_path / "a.png")
        shown.append(photo_behind(_WHOLE, tmp_path, (8, 6), "linear").mean(axis=(0, 1)))
    assert shown[0][0] > shown[0][2]
    assert shown[1][0] < shown[1][2]


def test_choice_is_pure_and_uses_every_photograph() -> None:
    names = [one.name for one in (_drawn(i).backdrop.photo for i in range(24)) if one is not None]
    assert set(names) == {"a.png", "b.png"}
    assert _drawn(7).backdrop == _drawn(7).backdrop


def test_mistakes_are_named(tmp_path: Path, folder: Path) -> None:
    assert list_photos(folder) == ("a.png", "b.png")
    with pytest.raises(RenderError, match="does not exist"):
        list_photos(tmp_path / "nowhere")
    with pytest.raises(RenderError, match="holds no photograph"):
        list_photos(tmp_path)
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    with pytest.raises(RenderError, match="cannot read the photograph"):
        photo_behind(replace(_WHOLE, name="bad.jpg"), tmp_path, _SIZE, "linear")
    with pytest.raises(ValueError, match="no photo_folder"):
        BackdropSpec(modes={"photo": 1})
