"""How many prims a stage will have, counted in its layers before OpenUSD composes any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pxr import Sdf

from clearcoat.errors import ProductError
from clearcoat.product.readers.usd.files import evaluated

MOST_PRIMS = 2_000_000
# References nest as deep as assemblies do; a chain beyond that is a mistake or an attack.
_DEEPEST = 300


def check_size(path: Path) -> None:
    """Make sure that references of references do not multiply beyond measure.

    Ten prims that refer ten times to the level below give ten thousand million on ten levels, and
    OpenUSD composes them all as it opens the stage.

    Raises:
        ProductError: more prims than can be read, or nested too deep to count them.
    """
    layer = Sdf.Layer.FindOrOpen(str(path))
    total = _Counter(path, layer).below(layer, Sdf.Path.absoluteRootPath, 0)
    if total > MOST_PRIMS:
        raise _too_large(
            path, f"{min(total, 10**15):,} prims or more", f"at most {MOST_PRIMS:,} prims"
        )


def _too_large(path: Path, found: str, expected: str) -> ProductError:
    return ProductError(
        "the stage is too large once its references are followed",
        where=path,
        found=found,
        expected=expected,
        do="export a lighter stage, or fewer copies",
    )


class _Counter:
    """Counts prims below a path, each reference as often as it is followed; results are kept.

    A layer is counted together with its sublayers, theirs included, as OpenUSD composes it.
    """

    def __init__(self, path: Path, root: Sdf.Layer) -> None:
        self._path, self._root = path, root
        self._stacks: dict[str, list[Sdf.Layer]] = {}
        self._known: dict[tuple[str, str], int] = {}
        self._open: set[tuple[str, str]] = set()

    def below(self, top: Sdf.Layer, prim: Sdf.Path, depth: int) -> int:
        """Number of prims at a path and below it, in a layer and its sublayers.

        Raises:
            ProductError: nested too deep.
        """
        key = (top.identifier, str(prim))
        if key in self._known:
            return self._known[key]
        if key in self._open:
            # OpenUSD breaks cycles itself and says so.
            return 0
        if depth > _DEEPEST:
            raise _too_large(
                self._path, f"more than {_DEEPEST} levels", f"at most {_DEEPEST} levels"
            )
        found = [
            (layer, spec)
            for layer in self._stack(top)
            if (spec := layer.GetPrimAtPath(prim)) is not None
        ]
        self._open.add(key)
        total = 1 if found else 0
        # In the file's order, not a set's: what is too deep must be so each time.
        for name in dict.fromkeys(child.name for _, spec in found for child in spec.nameChildren):
            total += self.below(top, prim.AppendChild(name), depth + 1)
        if prim != Sdf.Path.absoluteRootPath:
            for layer, spec in found:
                for target, path in self._arcs(top, layer, spec):
                    total += self.below(target, path, depth + 1)
            for name, choices in _variants(spec for _, spec in found).items():
                counts = [0]
                for choice in choices:
                    path = prim.AppendVariantSelection(name, choice)
                    counts.append(self.below(top, path, depth + 1))
                total += max(counts)
        self._open.discard(key)
        self._known[key] = total
        return total

    def _stack(self, top: Sdf.Layer) -> list[Sdf.Layer]:
        """Return a layer and its sublayers, theirs included."""
        if top.identifier not in self._stacks:
            found = {top.identifier: top}
            open_ = [top]
            while open_:
                layer = open_.pop()
                for name in layer.subLayerPaths:
                    below = self._layer(name, layer)
                    if below is not None and below.identifier not in found:
                        found[below.identifier] = below
                        open_.append(below)
            self._stacks[top.identifier] = list(found.values())
        return self._stacks[top.identifier]

    def _layer(self, asset: str, layer: Sdf.Layer) -> Sdf.Layer | None:
        """Return a layer that `check_layers` has found readable; None where it is absent."""
        written = evaluated(asset, layer, self._root)
        return Sdf.Layer.FindOrOpen(layer.ComputeAbsolutePath(written)) if written else None

    def _arcs(
        self, top: Sdf.Layer, layer: Sdf.Layer, spec: Sdf.PrimSpec
    ) -> Iterator[tuple[Sdf.Layer, Sdf.Path]]:
        """Yield where references, payloads, inherits and specializes lead."""
        for arc in (*_items(spec.referenceList), *_items(spec.payloadList)):
            target = self._layer(arc.assetPath, layer) if arc.assetPath else top
            if target is None:
                continue
            path = arc.primPath or target.GetDefaultPrimAsPath()
            if path:
                yield target, path
        for path in (*_items(spec.inheritPathList), *_items(spec.specializesList)):
            yield top, path


def _variants(specs: Iterable[Sdf.PrimSpec]) -> dict[str, dict[str, None]]:
    """Names of the variants of each variant set, each once and in the file's order."""
    found: dict[str, dict[str, None]] = {}
    for spec in specs:
        for name, variants in spec.variantSets.items():
            found.setdefault(name, {}).update(dict.fromkeys(v.name for v in variants.variantList))
    return found


def _items(proxy: Any) -> list[Any]:
    """Return the entries of a list operation that add something."""
    return list(proxy.GetAddedOrExplicitItems())
