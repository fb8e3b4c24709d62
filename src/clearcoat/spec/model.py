"""The base class of every model that a YAML file fills, and the digest of its content."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A part of a spec: immutable, no unknown keys, docstrings under fields become help."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        validate_default=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )


def digest(content: object) -> str:
    """Return the SHA-256 (hex) of anything JSON can hold, whatever the order of its keys.

    Models are digested by value with their defaults filled in, so writing a default out or
    reformatting the file changes nothing.
    """
    if isinstance(content, BaseModel):
        content = content.model_dump(mode="json", by_alias=True)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
