"""Which photos the weights of a run know, so that none of them is scored as if it were unseen.

A photo is known by its file's bytes, wherever it lies; renders are not written down, since there
are more of them than anyone scores on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from clearcoat.dataset import Dataset
from clearcoat.errors import UsageError
from clearcoat.training.config import TrainingConfig
from clearcoat.training.folder import CONFIG, KNOWN, RunFolder
from clearcoat.training.selection import REAL, UNLABELLED, Selection, Sources

_DIGITS = 16
"""Of a photo's SHA-256: 64 bits, and a file of 17 bytes a photo."""


def photos_of(
    config: TrainingConfig, selection: Selection, sources: Sources, init: Path | None
) -> tuple[str, ...] | None:
    """Return what a run will know: photos that it trains on or stops on, and those of its start.

    None where its start does not tell.
    """
    parts = [(sources.real, (*selection.real, *selection.held_back.get(REAL, ())))]
    parts.append((sources.unlabelled, selection.unlabelled))
    stops_on = sources.test if config.mode == "paper" else sources.validation
    parts.append((stops_on, () if stops_on is None else stops_on.indices))
    found: set[str] = set()
    for dataset, numbers in parts:
        found.update(_digests(dataset, numbers))
    if init is not None:
        before = known_photos(init)
        if before is None:
            return None
        found |= before
    return tuple(sorted(found))


def known_photos(run: Path) -> frozenset[str] | None:
    """Return what the weights of a run know; None where an earlier version did not write it down,
    of this run or of one that it started from.

    Raises RunError where the file is damaged.
    """
    folder = RunFolder(run)
    if not folder.has(KNOWN):
        return None if _saw_photos(folder.read_json(CONFIG)) else frozenset()
    photos = folder.read_json(KNOWN).get("photos")
    return None if photos is None else frozenset(photos)


def _saw_photos(identity: Mapping[str, Any]) -> bool:
    images, before = identity["images"], identity.get("before") or {}
    used = (images["real"], images.get(UNLABELLED), images["held_back"].get(REAL), before.get(REAL))
    given = identity["data"].keys() & {"validation"}
    return any(used) or bool(given) or identity["config"]["mode"] == "paper"


def known_of(run: Path, scored: Dataset) -> int | None:
    """Return how many images of a data set the weights of a run know; None where it is not told."""
    known = known_photos(run)
    if known is None:
        return None
    return sum(digest in known for digest in _digests(scored, scored.indices))


def require_unknown(run: Path, scored: Dataset, what: str) -> None:
    """Raise UsageError where weights know photos that they are to be scored on."""
    if not (shared := known_of(run, scored)):
        return
    raise UsageError(
        f"{what} was trained on photos to score on",
        where=run,
        found=f"{shared} of the {len(scored)} of {scored.path} are among those that it was trained "
        "or stopped on",
        expected="photos that no training has seen",
        do="give photos of their own; or `clearcoat evaluate RUN --data DIR` to see how well a "
        "model knows what it was trained on",
    )


def _digests(dataset: Dataset | None, numbers: Collection[int]) -> list[str]:
    if dataset is None:
        return []
    return [dataset.record_info(number).image.sha256[:_DIGITS] for number in numbers]
