"""How many prims a stage will have, counted in its layers before OpenUSD composes any."""

from __future__ import annotations

from pathlib import Path

from pxr import Sdf

from clearcoat.errors import ProductError

MOST_PRIMS = 2_000_000
# References nest as deep as assemblies do; a chain beyond that is a mistake or an attack.
_DEEPEST = 200


def check_size(path: Path) -> None:
    """Make sure that references of references do not multiply beyond measure.

    Ten prims that refer ten times to the level below give ten thousand million on ten levels, and
    OpenUSD composes them all as it opens the stage.

    Raises:
        ProductError: more prims than can be read.
    """
    layer = Sdf.Layer.FindOrOpen(str(path))
    counter = _Counter()
    layers = [layer, *(found for found in map(counter.layer, _sublayers(layer)) if found)]
    total = sum(counter.below(one, one.pseudoRoot, 0) for one in layers)
    if total > MOST_PRIMS:
        raise ProductError(
            "the stage is too large once its references are followed",
            where=path,
            found=f"{min(total, 10**15):,} prims or more",
            expected=f"at most {MOST_PRIMS:,}",
            do="export a lighter stage, or fewer copies",
        )


def _sublayers(layer: Sdf.Layer) -> list[str]:
    return [layer.ComputeAbsolutePath(name) for name in layer.subLayerPaths if name]


class _Counter:
    """Counts prims below a spec, each reference as often as it is followed; results are kept."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}
        self._open: set[tuple[str, str]] = set()

    def layer(self, identifier: str) -> Sdf.Layer | None:
        """Return a layer that `check_layers` has found readable; None where it is absent."""
        return Sdf.Layer.FindOrOpen(identifier)

    def below(self, layer: Sdf.Layer, spec: Sdf.PrimSpec, depth: int) -> int:
        """Number of prims of a spec and below it."""
        key = (layer.identifier, str(spec.path))
        if key in self._known:
            return self._known[key]
        if key in self._open or depth > _DEEPEST:
            # OpenUSD breaks cycles itself and says so.
            return 0
        self._open.add(key)
        total = 1
        for child in spec.nameChildren:
            total += self.below(layer, child, depth + 1)
        if spec.path != Sdf.Path.absoluteRootPath:
            for arc in (*_items(spec.referenceList), *_items(spec.payloadList)):
                total += self._followed(layer, arc, depth + 1)
            for target in (*_items(spec.inheritPathList), *_items(spec.specializesList)):
                found = layer.GetPrimAtPath(target)
                total += 0 if found is None else self.below(layer, found, depth + 1)
            for variants in spec.variantSets.values():
                total += max(
                    (self.below(layer, v.primSpec, depth + 1) for v in variants.variantList),
                    default=0,
                )
        self._open.discard(key)
        self._known[key] = total
        return total

    def _followed(self, layer: Sdf.Layer, arc: Sdf.Reference | Sdf.Payload, depth: int) -> int:
        target = layer
        if arc.assetPath:
            found = self.layer(layer.ComputeAbsolutePath(arc.assetPath))
            if found is None:
                return 0
            target = found
        spec = (
            target.GetPrimAtPath(arc.primPath)
            if arc.primPath
            else (target.rootPrims.get(target.defaultPrim) if target.defaultPrim else None)
        )
        return 0 if spec is None else self.below(target, spec, depth)


def _items(proxy: object) -> list[object]:
    """Return the entries of a list operation that add something."""
    return list(proxy.GetAddedOrExplicitItems())  # type: ignore[attr-defined]
