"""Changes of a spec between two readings."""

from __future__ import annotations

from pathlib import Path


def change(spec: Path, old: str, new: str) -> None:
    """Replace text that stands in a spec."""
    text = spec.read_text()
    assert old in text
    spec.write_text(text.replace(old, new))
