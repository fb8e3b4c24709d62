"""The coverage audit: what no rule takes, by visible pixels, with pictures and suggestions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.dataset.overlay import contact_sheet
from clearcoat.generation.poses import LateRenderer, find_pose
from clearcoat.generation.scene import Scene
from clearcoat.materials import LIBRARY
from clearcoat.product import ClassMap, Product
from clearcoat.product.coverage import Coverage, PartGroup, coverage
from clearcoat.product.similarity import Candidate, words
from clearcoat.render.part_views import PartView, PartViews

Picture = NDArray[np.uint8]
_MARK = np.array([235, 20, 140], np.float32)
_THUMBNAIL_PX = 128


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit of one spec found."""

    product: Product
    classes: Coverage
    materials: Coverage
    class_names: tuple[str, ...]
    thumbnails: dict[int, Picture]
    """By part: the view that shows it best, the part marked; (H, W, 3) uint8 sRGB."""
    views: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "product": self.product.name,
            "parts": len(self.product.parts),
            "views": self.views,
            "classes": _plain(self.product, self.classes, "is"),
            "materials": _plain(self.product, self.materials, "use"),
        }


def audit(
    scene: Scene,
    *,
    views: int = 24,
    size: int = 384,
    seed: int = 0,
    pictures: int = 200,
    progress: Callable[[int, int], None] | None = None,
) -> Audit:
    """Look at a product as its spec's camera does, and find what no rule takes.

    Of a family it is the first vehicle of the series.

    Args:
        scene: the loaded spec.
        views: number of images of the series `seed` whose cameras are used.
        size: width and height of a view in pixels.
        seed: of the series.
        pictures: thumbnails are made for so many groups of each kind, the most visible first.
        progress: called with (done, total) after every view.
    """
    scene = scene.at(seed, 0)
    product, classes = scene.product, scene.own_classes
    looker = PartViews(product, (size, size))
    surveyor = LateRenderer(scene, (size, size))
    counts = np.zeros((views, len(product.parts) + 1), np.int64)
    seen: list[PartView] = []
    for index in range(views):
        found = find_pose(scene, surveyor, seed, index, (size, size))
        seen.append(looker.look(found.sample.camera))
        counts[index] = np.bincount(seen[-1].parts.ravel(), minlength=counts.shape[1])
        if progress is not None:
            progress(index + 1, views)
    pixels = counts[:, 1:].sum(axis=0)
    of_classes = coverage(
        product.parts,
        [rule is not None for rule in classes.rule_of_part],
        pixels,
        _class_candidates(product, classes),
    )
    of_materials = coverage(
        product.parts,
        # A material that the file names after the library's is as good as a rule.
        [
            m.kind == "measured" or (m.name in LIBRARY and m.source != "CAD file")
            for m in scene.materials
        ],
        pixels,
        _material_candidates(),
    )
    shown = {
        group.parts[0]
        for found in (of_classes, of_materials)
        for group in found.groups[:pictures]
        if group.pixels
    }
    best = counts[:, 1:].argmax(axis=0)
    return Audit(
        product=product,
        classes=of_classes,
        materials=of_materials,
        class_names=classes.names,
        thumbnails={part: thumbnail(product, seen[best[part]], part) for part in sorted(shown)},
        views=views,
    )


def thumbnail(product: Product, view: PartView, part: int) -> Picture:
    """Return a square cut-out of a view around one part, which is marked."""
    mask = view.parts == part + 1
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    side = int(max(np.ptp(rows) + 1, np.ptp(columns) + 1))
    # Some surroundings, so that one sees where it is.
    side = min(max(round(side * 2.2), 48), height, width)
    top = int(np.clip((rows.min() + rows.max()) // 2 - side // 2, 0, height - side))
    left = int(np.clip((columns.min() + columns.max()) // 2 - side // 2, 0, width - side))
    cut = (slice(top, top + side), slice(left, left + side))
    pick = np.arange(_THUMBNAIL_PX) * side // _THUMBNAIL_PX
    parts, facing = view.parts[cut][np.ix_(pick, pick)], view.facing[cut][np.ix_(pick, pick)]
    grey = 60 + 150 * facing[..., None] * np.ones(3, np.float32)
    grey[parts == 0] = 246
    own = parts == part + 1
    grey[own] = (0.35 + 0.65 * facing[own])[:, None] * _MARK
    picture: Picture = grey.clip(0, 255).astype(np.uint8)
    return picture


def rule_text(group: PartGroup, key: str) -> str:
    """Return the rule of a group as a line of YAML, `key` being `is` or `use`."""
    given = "TODO" if group.guess is None else group.guess.label
    pairs = [f'{name}: "{_quoted(text)}"' for name, text in group.condition.items()]
    return "- {" + ", ".join([*pairs, f"{key}: {given}"]) + "}"


def sheet(found: Audit, kind: Coverage, count: int = 60, columns: int = 10) -> Picture | None:
    """Return the thumbnails of the most visible groups of a kind on one sheet; None without any."""
    tiles = [
        found.thumbnails[group.parts[0]]
        for group in kind.groups[:count]
        if group.parts[0] in found.thumbnails
    ]
    return contact_sheet(tiles, columns) if tiles else None


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _class_candidates(product: Product, classes: ClassMap) -> list[Candidate]:
    names: dict[int, set[str]] = {number: set() for number in range(len(classes.names))}
    for part, members in zip(product.parts, classes.of_part, strict=True):
        for number in members or ():
            names[number] |= words(part.name)
    return [
        Candidate(name, words(name) | frozenset(sorted(names[number])[:40]))
        for number, name in enumerate(classes.names)
    ]


def _material_candidates() -> list[Candidate]:
    return [
        Candidate(
            label=material.name,
            words=words(material.name, material.category),
            color=material.tint if material.kind == "thin_glass" else material.base_color,
            clear=material.kind == "thin_glass",
            metal=material.metallic > 0.5,
        )
        for material in LIBRARY.values()
        if not material.is_paint or material.name == "paint"
    ]


def _plain(product: Product, found: Coverage, key: str) -> dict[str, Any]:
    total, rows = found.covered_share, []
    for group in found.groups:
        total += group.share
        rows.append(
            {
                "match": dict(group.condition),
                "parts": [product.parts[number].path for number in group.parts],
                "visible_share": round(group.share, 6),
                "cumulative_share": round(min(total, 1.0), 6),
                "material": group.material,
                "color": group.color,
                "suggestion": None if group.guess is None else group.guess.label,
                "score": None if group.guess is None else round(group.guess.score, 3),
                "because": None if group.guess is None else group.guess.because,
                "rule": rule_text(group, key),
            }
        )
    return {
        "covered_share": round(found.covered_share, 6),
        "covered_parts": found.covered_parts,
        "visible_parts": found.visible_parts,
        "unmatched": rows,
    }
