"""Ready-made grids of counts."""

from __future__ import annotations

from clearcoat.errors import SpecError, did_you_mean

_PAPER = (0, *(16 << power for power in range(10)))

PRESETS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    # Section IV.B: {0, 16, 32, ..., 8192} both ways.
    "paper": (_PAPER, _PAPER),
    # A few hundred photos, as a first project has them.
    "small": ((0, 16, 32, 64, 128, 256), (0, 64, 256, 1024, 4096)),
    # Whether it is worth looking any further.
    "first-look": ((0, 16, 64), (0, 256, 1024)),
}
"""Name to real counts and synthetic counts."""


def find_preset(name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the counts of a preset. Raises SpecError where there is none of that name."""
    if name not in PRESETS:
        raise SpecError(f"no such preset: {name!r}", do=did_you_mean(name, PRESETS))
    return PRESETS[name]
