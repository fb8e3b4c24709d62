"""What all pages have in common: from a template to one self-contained file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from clearcoat import __version__
from clearcoat.dataset.files import make_folder, make_folder_of, write_whole
from clearcoat.dataset.overlay import IGNORE_LABEL
from clearcoat.errors import ClearcoatError, UsageError
from clearcoat.report.pictures import hex_colors
from clearcoat.report.verdict import images

_APART = re.compile(
    r"(?<=\d) (?=%)|(?<=\bp) (?=(?:=|&lt;) \d)|(?<=\bp =) (?=\d)|(?<=\bp &lt;) (?=\d)"
)

_CODE = re.compile("`([^`]+)`")


def page(template: str, title: str, *, filters: dict[str, Any] | None = None, **values: Any) -> str:
    """Return a page of that template."""
    environment = Environment(
        loader=PackageLoader("clearcoat.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"told": _told} | (filters or {})
    environment.globals |= {
        "title": title,
        "version": __version__,
        "ignore_label": IGNORE_LABEL,
        "images": images,
        "swatches": _swatches,
    }
    return _kept_together(environment.get_template(template).render(**values))


def _told(text: str) -> Markup:
    """Return a sentence with what it names between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


def _kept_together(page: str) -> str:
    """Return a page of which no line ends between a number and its sign."""
    return _APART.sub("\N{NO-BREAK SPACE}", page)


def prepare(out: Path, files: Path | None = None) -> None:
    """Make the folders of a page and of its files, before the work that ends in them.

    Raises UsageError where that cannot be, or where a page would have to replace a folder.
    """
    if out.is_dir():
        raise UsageError(
            "the report is a file, and a folder of that name exists",
            where=out,
            do=f"use --out {out / 'report.html'}",
        )
    try:
        make_folder_of(out)
        if files is not None:
            make_folder(files)
    except ClearcoatError as error:
        raise cannot_write(Path(error.where or out), error) from error


@contextmanager
def prepared(out: Path | None) -> Iterator[None]:
    """Prepare a page's folders for the work within, and remove them if it leaves them empty."""
    if out is None:
        yield
        return
    # Path.exists raises where a parent may not be looked into; `prepare` has an error for that.
    made = [folder for folder in out.parents if not os.path.exists(folder)]  # noqa: PTH110
    try:
        prepare(out)
        yield
    finally:
        for folder in made:
            # Those that hold the page, or what others wrote meanwhile, stay.
            with suppress(OSError):
                folder.rmdir()


def write_page(out: Path, content: str) -> None:
    """Write a page, with the folders it lies in. Raises UsageError where that cannot be."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, content.encode())
    except (OSError, ClearcoatError) as error:
        raise cannot_write(out, error) from error


def cannot_write(out: Path, error: OSError | ClearcoatError) -> UsageError:
    """Return the error of a report that cannot be written."""
    return UsageError(
        "cannot write the report",
        where=out,
        found=error.found if isinstance(error, ClearcoatError) else error.strerror,
        do="choose another --out",
    )


def _swatches(classes: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(classes, hex_colors(len(classes)), strict=True))
