"""Ready-made scene specs of the built-in vehicles."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def copy_presets(folder: Path) -> Path:
    """Copy the ready-made specs into a folder, where a user may change them, and return it.

    A file that is already there is kept, since somebody may have changed it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for preset in sorted(resources.files(__name__).iterdir(), key=lambda entry: entry.name):
        if preset.name.endswith(".yaml") and not (folder / preset.name).exists():
            (folder / preset.name).write_text(preset.read_text("utf-8"), "utf-8")
    return folder
