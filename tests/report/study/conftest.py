"""Fixtures of the study report's tests: folders made from known response surfaces, and one run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clearcoat.studies import conduct
from tests.studies.conftest import data, squares, supplement

from .ledgers import write_grid, write_transfer

__all__ = ["data", "squares"]

FIGURE_5 = {"real": [4, 8], "synthetic": 8, "images": 2}


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


@pytest.fixture(scope="session")
def miniature(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid of five cells that has been trained, with its data sets and the pictures of Fig. 5."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("miniature") / "study"
    conduct(supplement(data, qualitative=FIGURE_5), out)
    return out
