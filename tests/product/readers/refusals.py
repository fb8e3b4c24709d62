"""What a file that must be refused is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearcoat.errors import ProductError
from clearcoat.product import read


def refused(path: Path) -> str:
    """Return what is said of a file that must be refused."""
    with pytest.raises(ProductError) as caught:
        read(path)
    assert caught.value.where == str(path)
    assert "Traceback" not in str(caught.value)
    return str(caught.value)
