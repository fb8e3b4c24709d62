"""Where things stand in a data set's folder, and how its manifest is read."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pydantic import ValidationError

from clearcoat.dataset.record import FORMAT, VERSION, Manifest
from clearcoat.errors import DatasetError

MANIFEST = "dataset.json"
FOLDERS = (
    *("images", "labels", "parts", "depth", "behind", "instances", "normals", "coverage"),
    "records",
)
"""Where the files of records are; a folder that no record needs may be missing."""

_RECORD = re.compile(r"(?P<index>\d{6,})\.json")


def image_stem(index: int) -> str:
    """Return the name, without suffix, of every file of a record."""
    return f"{index:06d}"


def record_path(path: Path, index: int) -> Path:
    """Return where the JSON file of a record is or will be."""
    return path / "records" / f"{image_stem(index)}.json"


def stored_indices(path: Path) -> tuple[int, ...]:
    """Return the indices of the records that are whole, ascending.

    Raises DatasetError where the folder of records cannot be read.
    """
    try:
        names = [entry.name for entry in (path / "records").iterdir()]
    except FileNotFoundError:
        # Killed between the manifest and the folders: a data set without records.
        return ()
    except OSError as error:
        raise DatasetError(
            "the records of the data set cannot be listed",
            where=path / "records",
            found=error.strerror or str(error),
            expected="a folder with the JSON files of the records",
            do="get read permission, or restore the folder from a copy",
        ) from error
    matches = (_RECORD.fullmatch(name) for name in names)
    return tuple(sorted(int(match["index"]) for match in matches if match))


def read_manifest(path: Path) -> Manifest:
    """Read `dataset.json`; raise DatasetError where `path` is no data set that we can read."""
    file = path / MANIFEST
    try:
        document = json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatasetError(
            "this is not a data set",
            where=path,
            found=f"no {MANIFEST}" if path.is_dir() else "a file" if path.exists() else "nothing",
            expected=f"a folder with a {MANIFEST}",
            do="make one with `clearcoat render` or `clearcoat dataset import`",
        ) from error
    except (OSError, ValueError) as error:
        raise _damaged(file, str(error)) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _damaged(file, "no `format` of a clearcoat data set")
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise DatasetError(
            "the data set was written by a newer clearcoat",
            where=file,
            found=f"version {version}",
            expected=f"version {VERSION}",
            do="upgrade clearcoat",
        )
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        raise _damaged(file, first_fault(error)) from error


def first_fault(error: ValidationError) -> str:
    """Return the first of pydantic's complaints on one line."""
    fault = error.errors(include_url=False)[0]
    key = ".".join(map(str, fault["loc"]))
    says = str(fault["msg"]).removeprefix("Value error, ")
    return f"{key}: {says}" if key else says


def _damaged(file: Path, found: str) -> DatasetError:
    return DatasetError(
        "the manifest of the data set is damaged",
        where=file,
        found=found,
        expected=f"a JSON document with format {FORMAT!r}, version, classes and source",
        do="restore the file from a copy, or make the data set again in another folder",
    )
