"""The page of an audit: every group with its picture, a suggested rule, and what it would cover."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray
from PIL import Image

from clearcoat.generation.audit import Audit, rule_text
from clearcoat.materials import LIBRARY
from clearcoat.product.coverage import Coverage

MAX_ROWS = 400
"""Groups on the page; the smallest ones beyond it are only counted."""


@dataclass(frozen=True)
class Row:
    """One group on the page."""

    picture: str
    name: str
    detail: str
    count: int
    share: float
    rule: str
    guess: str
    because: str
    color: str | None


@dataclass(frozen=True)
class Section:
    """The groups that no rule of one kind takes."""

    key: str
    title: str
    word: str
    found: Coverage
    rows: tuple[Row, ...]
    rest: int
    rest_share: float
    choices: tuple[str, ...]


def audit_page(found: Audit) -> str:
    """Return the HTML page; it needs no other file and no network."""
    environment = Environment(
        loader=PackageLoader("clearcoat.generation"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["percent"] = lambda share: f"{100 * share:.1f} %"
    class_choices = (*found.class_names, "background", "ignore")
    sections = (
        _section(found, found.classes, "is", "Classes", "class", class_choices),
        _section(found, found.materials, "use", "Materials", "material", tuple(LIBRARY)),
    )
    return environment.get_template("audit.html").render(
        name=found.product.name, views=found.views, sections=sections
    )


def _section(
    found: Audit, kind: Coverage, key: str, title: str, word: str, choices: tuple[str, ...]
) -> Section:
    rows = tuple(
        Row(
            picture=_data_uri(found.thumbnails.get(group.parts[0])),
            name=group.name,
            detail=found.product.parts[group.parts[0]].path,
            count=len(group.parts),
            share=group.share,
            rule=rule_text(group, key),
            guess="" if group.guess is None else group.guess.label,
            because="" if group.guess is None else group.guess.because,
            color=group.color,
        )
        for group in kind.groups[:MAX_ROWS]
    )
    rest = kind.groups[MAX_ROWS:]
    return Section(
        key=key,
        title=title,
        word=word,
        found=kind,
        rows=rows,
        rest=len(rest),
        rest_share=sum(group.share for group in rest),
        choices=choices,
    )


def _data_uri(picture: NDArray[np.uint8] | None) -> str:
    if picture is None:
        return ""
    encoded = BytesIO()
    Image.fromarray(picture).save(encoded, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode()
