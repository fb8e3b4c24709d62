"""Setting up Mitsuba: the library it compiles with, and what happens without one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clearcoat.cli import main
from clearcoat.errors import RenderError
from clearcoat.render import backend


def test_llvm_comes_from_the_wheel() -> None:
    library = backend._llvm_library()
    assert library is not None
    assert "LLVM" in library.name
    assert library.is_file()


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(RenderError) as caught:
        backend.load("scalar_rgb")
    assert "llvm_ad_rgb" in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "tried"),
    [
        (None, ("cuda_ad_rgb", "llvm_ad_rgb")),
        ("", ("cuda_ad_rgb", "llvm_ad_rgb")),
        ("auto", ("cuda_ad_rgb", "llvm_ad_rgb")),
        ("cuda", ("cuda_ad_rgb",)),
        ("cpu", ("llvm_ad_rgb",)),
        ("llvm_ad_rgb", ("llvm_ad_rgb",)),
    ],
)
def test_devices_and_variants(wanted: str | None, tried: tuple[str, ...]) -> None:
    assert backend.candidates(wanted) == tried


def test_the_option_reaches_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARCOAT_VARIANT", "auto")
    out = str(tmp_path / "out.png")
    with pytest.raises(SystemExit) as ended:
        main(["preview", str(tmp_path / "absent.yaml"), "--out", out, "--device", "cpu"])
    assert ended.value.code == 2
    assert os.environ["CLEARCOAT_VARIANT"] == "cpu"
    monkeypatch.setenv("CLEARCOAT_VARIANT", "tpu")
    with pytest.raises(RenderError, match="unknown renderer variant 'tpu'"):
        backend.load()


def test_a_variant_that_does_not_work_here_says_so() -> None:
    code = (
        "from clearcoat.render import backend\n"
        "from clearcoat.errors import RenderError\n"
        "try: backend.load('cuda_ad_rgb')\n"
        "except RenderError as error: print(error)\n"
        "else: print('a CUDA device')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said = run.stdout
    assert ("no CUDA device can render" in said and "--device cpu" in said) or "a CUDA" in said
