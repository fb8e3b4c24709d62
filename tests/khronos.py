"""The Khronos glTF validator, where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest


def validator() -> tuple[str, str]:
    """Node and the folder of the validator; skips where they are not installed."""
    node, folder = shutil.which("node"), os.environ.get("GLTF_VALIDATOR")
    if node is None or folder is None:
        pytest.skip("set GLTF_VALIDATOR to node_modules/gltf-validator (npm) and install node")
    return node, folder


def khronos_issues(file: Path) -> dict[str, object]:
    """What the Khronos validator says; skips where it is not installed."""
    node, folder = validator()
    script = (
        f"require({json.dumps(folder)}).validateBytes(new Uint8Array(require('fs')"
        f".readFileSync({json.dumps(str(file))}))).then(r => console.log(JSON.stringify(r.issues)))"
    )
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    issues: dict[str, object] = json.loads(done.stdout)
    return issues
