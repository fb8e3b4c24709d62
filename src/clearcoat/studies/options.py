"""Options of training as the file of a study or a search gives them, made into a config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clearcoat.errors import SpecError, UsageError
from clearcoat.spec.yaml_text import Key, dotted
from clearcoat.training import TrainingConfig, recipe, written_config


def config_of(
    recipe_name: str, options: Mapping[str, Any], section: Callable[[str], Key]
) -> TrainingConfig:
    """Return the config of a recipe with `options` in place of its own.

    `section` says under which key of the file an option stands. Raises SpecError with its key.
    """
    try:
        values = recipe(recipe_name, options)
    except UsageError as error:
        raise SpecError(error.what, key=("recipe",), where="recipe", do=error.do) from None
    try:
        return written_config(values)
    except SpecError as mistake:
        mistake.key = (*section(str(mistake.key[0])), *mistake.key)
        # For who has no file, which puts its own place here.
        mistake.where = dotted(mistake.key)
        raise
