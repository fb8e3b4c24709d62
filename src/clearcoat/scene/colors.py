"""Colours to draw from, as a spec gives them: a list, or each with its relative weight."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, field_validator

from clearcoat.errors import SpecError
from clearcoat.scene.distributions import some_weight
from clearcoat.spec import Model

Colors = Annotated[dict[str, float], Field(min_length=1)]


class ColorSpec(Model):
    """What has `colors`: sRGB as #rrggbb."""

    @field_validator(
        "colors", mode="before", check_fields=False, json_schema_input_type=Colors | tuple[str, ...]
    )
    @classmethod
    def _list_means_equal(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            return {str(color): 1.0 for color in value}
        return value

    @field_validator("colors", check_fields=False)
    @classmethod
    def _hex(cls, value: Mapping[str, float]) -> dict[str, float]:
        for color in value:
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
                raise SpecError(
                    "not a colour", found=repr(color), expected="#rrggbb (quote it in YAML)"
                )
        return some_weight(dict(value))
