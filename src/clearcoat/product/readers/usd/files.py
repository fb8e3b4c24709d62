"""Which files a stage is made of: only those in the product's folder and below."""

from __future__ import annotations

from pathlib import Path

from pxr import Ar, Sdf, Tf, Usd

from clearcoat.errors import ProductError
from clearcoat.product.raw import Notes

_MOST_LAYERS = 10_000


def check_layers(path: Path, notes: Notes) -> None:
    """Follow sublayers, references and payloads before anything is composed.

    Raises:
        ProductError: a layer is damaged, or lies outside the product's folder.
    """
    seen: set[str] = set()
    root = _layer(path, str(path))
    open_: list[str] = [str(path)]
    while open_:
        identifier = open_.pop()
        if identifier in seen:
            continue
        seen.add(identifier)
        if len(seen) > _MOST_LAYERS:
            raise ProductError(f"the stage has more than {_MOST_LAYERS:,} layers", where=path)
        layer = _layer(path, identifier)
        for written in layer.GetCompositionAssetDependencies():
            asset = evaluated(written, layer, root)
            if not asset:
                continue
            target = layer.ComputeAbsolutePath(asset)
            check_inside(path, target, asset)
            resolved = str(Ar.GetResolver().Resolve(target))
            if resolved:
                check_inside(path, resolved, asset)
                open_.append(target)
            else:
                notes.add("files that the stage refers to are absent", part=asset[:80])


def evaluated(asset: str, layer: Sdf.Layer, root: Sdf.Layer) -> str:
    """Return an asset path with the variables in it replaced; those of the root layer win.

    Where they come from a layer in between, or are absent, the path stays as it is written: what
    OpenUSD makes of it is looked at by `check_used`.
    """
    if not Sdf.VariableExpression.IsExpression(asset):
        return asset
    variables = {**layer.expressionVariables, **root.expressionVariables}
    outcome = Sdf.VariableExpression(asset).Evaluate(variables)
    if outcome.errors or not isinstance(outcome.value, str):
        return asset
    return outcome.value


def check_used(path: Path, stage: Usd.Stage) -> None:
    """Make sure that no layer was opened that `check_layers` cannot see beforehand.

    Value clips are opened when a value is read, and variables may come from any layer above.
    `UsdUtils.ExtractExternalReferences` would name them earlier, but also each file that is only
    mentioned (an asset's identifier, custom data), and those are never opened.

    Raises:
        ProductError: a layer lies outside the product's folder.
    """
    for layer in stage.GetUsedLayers(includeClipLayers=True):
        if layer.realPath:
            check_inside(path, layer.realPath, Path(layer.realPath).name)


def check_inside(path: Path, target: str, asset: str) -> None:
    """Raise ProductError where an asset lies outside the product's folder."""
    outer = Ar.SplitPackageRelativePathOuter(target)[0]
    folder = path.parent.resolve()
    if "://" in outer or not (folder / outer).resolve().is_relative_to(folder):
        raise ProductError(
            "the stage refers to a file outside the product's folder",
            where=path,
            found=asset[:80],
            do="put the file beside the product and refer to it by its relative path, "
            "or flatten the stage into one file",
        )


def _layer(path: Path, identifier: str) -> Sdf.Layer:
    try:
        layer = Sdf.Layer.FindOrOpen(identifier)
    except Tf.ErrorException as error:
        raise unreadable(path, error) from error
    if layer is None:
        raise unreadable(path, f"no layer in {identifier}")
    return layer


def unreadable(path: Path, error: object) -> ProductError:
    """Return the error of a file that OpenUSD refuses, with the first thing that it says."""
    text = str(error).strip()
    found = text.partition("\n")[0].rpartition(" : '")[2].strip(" '\t")
    return ProductError(
        "the USD file cannot be read",
        where=path,
        found=(found or text)[:300],
        do="open it in usdview and export it again",
    )


def asset_bytes(resolved: str) -> bytes | None:
    """Return the content of a resolved asset, inside a package or not; None where it is absent."""
    if not resolved:
        return None
    try:
        asset = Ar.GetResolver().OpenAsset(Ar.ResolvedPath(resolved))
        return bytes(asset.GetBuffer()) if asset else None
    except (Tf.ErrorException, RuntimeError, ValueError):
        return None
