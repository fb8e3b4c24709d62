"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.browser import browser

__all__ = ["browser"]

# Sums over threads come in another order each time, and resuming is tested bit for bit. Before
# PyTorch is loaded, so that it holds for fixtures of every scope and for processes of their own.
os.environ["OMP_NUM_THREADS"] = "1"

# A busy machine is no failure: nothing here asserts how long a thing takes.
settings.register_profile("clearcoat", deadline=None)
settings.load_profile("clearcoat")


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Packed data sets and answers of probes are this session's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARCOAT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development data: CLEARCOAT_SHARED, else `shared` beside the repository."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("CLEARCOAT_SHARED", default)) / "data"
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; set CLEARCOAT_SHARED to its folder")
    return folder
