"""Which photos the weights of a run know, so that none of them is scored as if it were unseen.

A photo is known by its file's bytes, wherever it lies; renders are not written down, since there
are more of them than anyone scores on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearcoat.dataset import Dataset
from clearcoat.errors import UsageError
from clearcoat.training.config import TrainingConfig
from clearcoat.training.folder import CONFIG, KNOWN, RunFolder
from clearcoat.training.selection import REAL, UNLABELLED, Selection, Sources

_DIGITS = 16
"""Of a photo's SHA-256: 64 bits, and a file of 17 bytes a photo."""


@dataclass(frozen=True)
class Known:
    """Photos that weights know, by digest."""

    photos: frozenset[str]
    """Those that were trained or stopped on."""
    only_stopped: frozenset[str] | None
    """Those that were never trained on; None where an earlier version did not keep them apart."""

    @property
    def trained(self) -> frozenset[str] | None:
        """Those that were trained on; None where that is not told apart."""
        return None if self.only_stopped is None else self.photos - self.only_stopped

    def as_json(self) -> dict[str, Any]:
        """Plain data for a run's known.json."""
        found: dict[str, Any] = {"photos": sorted(self.photos)}
        if self.only_stopped is not None:
            found["only_stopped"] = sorted(self.only_stopped)
        return found


def knowledge(
    config: TrainingConfig, selection: Selection, sources: Sources, init: Path | None
) -> Known | None:
    """Return what a run will know: photos that it trains on or stops on, and those of its start.

    None where its start does not tell.
    """
    trained = {
        *_digests(sources.real, selection.real),
        *_digests(sources.unlabelled, selection.unlabelled),
    }
    stopped = {
        digest
        for dataset, numbers in _stopping(config, selection, sources)
        for digest in _digests(dataset, numbers)
    }
    if init is None:
        return Known(frozenset(trained | stopped), frozenset(stopped - trained))
    before = _known(init)
    if before is None:
        return None
    only_stopped = None
    if before.only_stopped is not None:
        trained |= before.trained or frozenset()
        only_stopped = frozenset((stopped | before.only_stopped) - trained)
    return Known(before.photos | trained | stopped, only_stopped)


def trained_before(
    config: TrainingConfig, selection: Selection, sources: Sources, init: Path
) -> tuple[int, int] | None:
    """Return how many photos a run stops on, and how many of them its start was trained on.

    None where the start does not tell. Its loss on such photos says little of others: training
    goes on for too long.
    """
    before = _known(init)
    if before is None or before.trained is None:
        return None
    digests = [
        digest
        for dataset, numbers in _stopping(config, selection, sources)
        for digest in _digests(dataset, numbers)
    ]
    return len(digests), sum(digest in before.trained for digest in digests)


def labelled_count(run: Path, identity: Mapping[str, Any]) -> int:
    """Return how many labelled photos the weights of a run were trained on, those of its start too.

    `identity` is the run's config.json. The photos of both may be others; an earlier version did
    not write down which, and the more of the two are then counted.
    """
    before, images = identity.get("before") or {}, identity["images"]
    unlabelled = max(len(images.get(UNLABELLED, ())), before.get(UNLABELLED, 0))
    known = _known(run)
    told = 0 if known is None or known.trained is None else len(known.trained) - unlabelled
    return max(len(images["real"]), int(before.get("real", 0)), told)


def _stopping(
    config: TrainingConfig, selection: Selection, sources: Sources
) -> tuple[tuple[Dataset | None, Collection[int]], ...]:
    """Return the photos that decide when a run stops."""
    given = sources.test if config.mode == "paper" else sources.validation
    return (
        (sources.real, selection.held_back.get(REAL, ())),
        (given, () if given is None else given.indices),
    )


def known_photos(run: Path) -> frozenset[str] | None:
    """Return what the weights of a run know; None where an earlier version did not write it down,
    of this run or of one that it started from.

    Raises RunError where the file is damaged.
    """
    known = _known(run)
    return None if known is None else known.photos


def _known(run: Path) -> Known | None:
    folder = RunFolder(run)
    if not folder.has(KNOWN):
        none: frozenset[str] = frozenset()
        return None if _saw_photos(folder.read_json(CONFIG)) else Known(none, none)
    found = folder.read_json(KNOWN)
    if (photos := found.get("photos")) is None:
        return None
    apart = found.get("only_stopped")
    return Known(frozenset(photos), None if apart is None else frozenset(apart))


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
