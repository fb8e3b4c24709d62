"""Fixtures of the study report's tests: folders made from known response surfaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from .ledgers import write_grid, write_transfer


@pytest.fixture(scope="session")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid in which renders help few photos."""
    return write_grid(
        tmp_path_factory.mktemp("ledgers") / "grid",
        drop=[(256, 4096)],
        prices={"real": 5.0, "synthetic": 0.02},
    )


@pytest.fixture(scope="session")
def transfer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transfer study in which starting from renders helps few photos."""
    return write_transfer(tmp_path_factory.mktemp("ledgers") / "transfer")
