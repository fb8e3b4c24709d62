"""Setting up Mitsuba: the library it compiles with, and what happens without one."""

from __future__ import annotations

import subprocess
import sys

import pytest

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


def test_a_variant_that_does_not_work_here_says_so() -> None:
    code = (
        "from clearcoat.render import backend\n"
        "from clearcoat.errors import RenderError\n"
        "try: backend.load('cuda_ad_rgb')\n"
        "except RenderError as error: print(error)\n"
        "else: print('a CUDA device')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "no renderer works" in run.stdout or "a CUDA device" in run.stdout
