"""Presets of randomisation: how far a series strays from what is plausible.

`full`: everything that does not change what the product is, far beyond what is plausible
(Tobin et al. 2017, doi 10.1109/IROS.2017.8202133). `structured`: only what occurs together in the
world (Prakash et al. 2019, doi 10.1109/ICRA.2019.8794443). `hybrid`: a plausible product and
camera, with light and a busy skybox turned about all axes (section III.C of the paper).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Literal, get_args

from clearcoat.scene.distributions import KINDS
from clearcoat.spec.document import read_text

Randomisation = Literal["full", "structured", "hybrid"]


def with_preset(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a spec's data with its `randomisation` preset under it.

    Mappings merge key by key, as with `extends`. A distribution or a table of weights that the
    spec gives replaces the preset's whole.
    """
    name = data.get("randomisation")
    if name not in get_args(Randomisation):
        # None, or a mistake that validation will name.
        return data
    file = resources.files("clearcoat.generation") / "presets" / "randomisation" / f"{name}.yaml"
    preset = read_text(file.read_text("utf-8"), f"randomisation {name}").data
    own = data.get("joint", [])
    groups = [group for group in preset.pop("joint", ()) if not _says(data, own, group)]
    merged = {**_merged(preset, data)}
    # Something else than a list is a mistake that validation will name.
    merged["joint"] = [*groups, *own] if isinstance(own, list) else own
    return merged


def _says(data: Mapping[str, Any], own: Any, group: Mapping[str, Any]) -> bool:
    """Whether a spec itself says something on a quantity of a preset's joint group.

    `own` are the spec's own groups.
    """

    def present(name: str) -> bool:
        node: Any = data
        for key in name.split("."):
            if not isinstance(node, Mapping) or key not in node:
                return False
            node = node[key]
        return True

    groups = own if isinstance(own, list) else ()
    grouped = {name for one in groups for name in _names(one)}
    return any(present(name) or name in grouped for name in group["rows"][0])


def _names(group: Any) -> Iterator[str]:
    """Yield the quantities of a group, as far as it is one."""
    if not isinstance(group, Mapping):
        return
    rows, normal = group.get("rows"), group.get("normal")
    for row in rows if isinstance(rows, list) else ():
        yield from map(str, row) if isinstance(row, Mapping) else ()
    of = normal.get("of") if isinstance(normal, Mapping) else None
    yield from map(str, of) if isinstance(of, list) else ()


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping) or _is_one_value(old):
        return new
    return {**old, **{key: _merged(old[key], new[key]) if key in old else new[key] for key in new}}


def _is_one_value(node: Mapping[str, Any]) -> bool:
    """Whether a mapping is a distribution or weights, which make no sense in parts."""
    return any(key in KINDS for key in node) or (
        bool(node) and all(isinstance(value, int | float) for value in node.values())
    )
