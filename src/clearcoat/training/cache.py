"""Where what can be computed again is kept between runs: packed data sets, answers of probes."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "CLEARCOAT_CACHE"
"""Environment variable that names the folder."""


def cache_folder() -> Path:
    """Return the folder, which may not exist yet.

    `CLEARCOAT_CACHE` where it is set, else `clearcoat` in the user's cache folder. Removing it
    while nothing runs costs time only.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "clearcoat"
