"""Settings that belong together, by name. Anything given besides a recipe wins over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clearcoat.errors import UsageError, did_you_mean
from clearcoat.training.config import AUGMENTATIONS

RECIPES: dict[str, dict[str, Any]] = {
    # The protocol of section IV.A: TrainingConfig's own defaults.
    "paper": {},
    # A few dozen photos and a thousand renders: see docs/decisions/0029-recipe.md.
    "few-photos": {
        "mix": "sequential",
        "batch_size": 16,
        "schedule": "cosine",
        "tuning_rate": 0.001,
        "pretrain_max_steps": 4800,
        "max_steps": 1200,
        "real_share": 0.5,
        "stop_on": "mean_iou",
        "augment": AUGMENTATIONS["strong"],
    },
}


def recipe(name: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the settings of a recipe, those `given` in place of its own.

    A recipe's share of photos in a batch goes where the given mix has no such thing. Raises
    UsageError where there is no recipe of that name.
    """
    if name not in RECIPES:
        raise UsageError(f"no such recipe: {name!r}", do=did_you_mean(name, RECIPES))
    values = RECIPES[name] | dict(given or {})
    if values.get("mix") == "concatenate" and "real_share" not in (given or {}):
        values.pop("real_share", None)
    return values
