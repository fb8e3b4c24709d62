"""Which files of a folder of HDR environments are used, and how they are turned."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clearcoat.errors import RenderError
from clearcoat.render import backend, list_hdris
from clearcoat.render.hdri import read_hdri
from clearcoat.render.panorama import HEIGHT, WIDTH, directions
from clearcoat.scene import LightSpec
from clearcoat.scene.light import sample_environment


def _folder(tmp_path: Path) -> Path:
    for name in ("street_1k.hdr", "street_night.exr", "studio.hdr", "notes.txt"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (("*",), ("street_1k.hdr", "street_night.exr", "studio.hdr")),
        (("street*",), ("street_1k.hdr", "street_night.exr")),
        (("studio*", "*night*"), ("street_night.exr", "studio.hdr")),
    ],
)
def test_patterns_choose_files(
    tmp_path: Path, patterns: tuple[str, ...], names: tuple[str, ...]
) -> None:
    assert list_hdris(_folder(tmp_path), patterns) == names


def test_a_pattern_without_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="matches no file") as caught:
        list_hdris(_folder(tmp_path), ("street*", "studoi.hdr"))
    assert caught.value.found == "studoi.hdr"
    assert "studio.hdr" in str(caught.value)


@pytest.mark.parametrize(("azimuth_deg", "towards"), [(0, (1, 0, 0)), (90, (0, 1, 0))])
def test_the_middle_of_the_picture_lies_where_asked(
    tmp_path: Path, azimuth_deg: float, towards: tuple[float, ...]
) -> None:
    spec = LightSpec(environments={"hdri": 1}, hdri_folder=tmp_path, azimuth_deg=azimuth_deg)
    drawn = sample_environment(spec, ("one.hdr",), 0, 0, upright=True)
    middle = directions()[HEIGHT // 2 - 1 : HEIGHT // 2 + 1, WIDTH // 2 - 1 : WIDTH // 2 + 1]
    turned = np.array(drawn.rotation) @ middle.mean(axis=(0, 1))
    assert turned == pytest.approx(towards, abs=1e-4)


def test_an_openexr_file_is_read(tmp_path: Path) -> None:
    # In a process of its own, which can be ended where the file is waited for in vain.
    code = (
        "import sys; from pathlib import Path; import drjit, numpy as np\n"
        "from clearcoat.render import backend; from clearcoat.render.hdri import read_hdri\n"
        "mi = backend.load(); count = drjit.thread_count(); drjit.set_thread_count(2)\n"
        "mi.Bitmap(np.full((512, 1024, 3), 3, np.float32)).write(sys.argv[1])\n"
        "drjit.set_thread_count(count); pixels = read_hdri(Path(sys.argv[1]), mi)\n"
        "print(pixels.shape, pixels.min(), pixels.max(), drjit.thread_count() == count)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.exr")]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert run.stdout.split("\n")[0] == f"({HEIGHT}, {WIDTH}, 3) 3.0 3.0 True"


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    mi, file = backend.load(), tmp_path / "a.hdr"
    for height in (8, 16):
        mi.Bitmap(np.full((height, 2 * height, 3), height, np.float32)).write(str(file))
        assert read_hdri(file, mi).mean() == pytest.approx(height, rel=1e-3)


def test_a_picture_that_is_no_panorama_is_refused(tmp_path: Path) -> None:
    mi, file = backend.load(), tmp_path / "crop.hdr"
    mi.Bitmap(np.ones((8, 12, 3), np.float32)).write(str(file))
    with pytest.raises(RenderError, match="twice as wide as high") as caught:
        read_hdri(file, mi)
    assert caught.value.found == "12 x 8 pixels"
