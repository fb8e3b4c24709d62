"""Ready-made scene specs of the built-in vehicles."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from clearcoat.dataset.files import cannot_write, write_whole


def copy_presets(folder: Path) -> Path:
    """Copy the ready-made specs into a folder, where a user may change them, and return it.

    A file that is already there is kept, since somebody may have changed it.

    Raises DatasetError when the file system refuses.
    """
    presets = [p for p in resources.files(__name__).iterdir() if p.name.endswith(".yaml")]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        missing = [preset for preset in presets if not (folder / preset.name).exists()]
    except OSError as error:
        raise cannot_write(folder, error) from error
    for preset in sorted(missing, key=lambda entry: entry.name):
        write_whole(folder / preset.name, preset.read_bytes())
    return folder
