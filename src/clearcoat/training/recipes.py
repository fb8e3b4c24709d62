"""Settings that belong together, by name. Anything given besides a recipe wins over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clearcoat.errors import UsageError, did_you_mean
from clearcoat.models import InitConfig
from clearcoat.training.config import AUGMENTATIONS

# A few dozen photos and thousands of renders: see docs/decisions/0029-recipe.md.
_FEW_PHOTOS: dict[str, Any] = {
    "mix": "sequential",
    "batch_size": 16,
    "schedule": "cosine",
    "tuning_rate": 0.001,
    "pretrain_max_steps": 4800,
    "max_steps": 1200,
    "real_share": 0.5,
    "stop_on": "mean_iou",
    "augment": AUGMENTATIONS["strong"],
}
RECIPES: dict[str, dict[str, Any]] = {
    # The protocol of section IV.A: TrainingConfig's own defaults.
    "paper": {},
    "few-photos": _FEW_PHOTOS,
    # What one core trains in an hour: the measured one of docs/results/car-parts.md.
    "few-photos-cpu": _FEW_PHOTOS
    | {
        "size": 96,
        "model": {"name": "efficientnet_lite0_unet", "filters": (8, 16, 32, 64, 128)},
        "initialisation": InitConfig(encoder="imagenet", freeze="encoder"),
        "learning_rate": 0.006,
        "tuning_rate": 0.004,
        "pretrain_max_steps": 9600,
        "max_steps": 2400,
        "augment": AUGMENTATIONS["geometry"],
    },
}


def recipe(name: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the settings of a recipe, those `given` in place of its own.

    Of a model that is given without a name the rest is the recipe's; with another model the
    recipe's initialisation goes, and with a mix that has no such thing its share of photos in a
    batch. Raises UsageError where there is no recipe of that name.
    """
    if name not in RECIPES:
        raise UsageError(f"no such recipe: {name!r}", do=did_you_mean(name, RECIPES))
    given = dict(given or {})
    own = dict(RECIPES[name])
    model = given.get("model")
    if "model" in own and isinstance(model, Mapping):
        if model.get("name", own["model"]["name"]) == own["model"]["name"]:
            given["model"] = own["model"] | dict(model)
        else:
            own.pop("initialisation", None)
    values = own | given
    if values.get("mix") == "concatenate" and "real_share" not in given:
        values.pop("real_share", None)
    return values


def with_size_of_recipe(written: Any) -> Any:
    """Return a study as it was written, with its recipe's `size` where it names none."""
    if not isinstance(written, dict) or "size" in written:
        return written
    name = written.get("recipe", "paper")
    own = RECIPES.get(name, {}) if isinstance(name, str) else {}
    return written | {"size": own["size"]} if "size" in own else written
