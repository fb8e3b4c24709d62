"""The structure holds: data flows rightwards only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_packages_import_only_from_their_left() -> None:
    root = Path(__file__).resolve().parents[1]
    tool = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [tool, "--no-cache"], cwd=root, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
