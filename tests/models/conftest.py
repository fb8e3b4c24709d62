"""Fixtures of the model tests."""

from __future__ import annotations

import pytest
import torch

from clearcoat.models import ModelConfig
from tests.models.tiny import TINY


@pytest.fixture(params=list(TINY))
def tiny(request: pytest.FixtureRequest) -> ModelConfig:
    """Each model once."""
    return TINY[request.param]


@pytest.fixture(autouse=True)
def _repeatable() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
