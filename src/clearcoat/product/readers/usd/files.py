"""Which files a stage is made of: only those in the product's folder and below."""

from __future__ import annotations

from pathlib import Path

from pxr import Ar, Sdf, Tf

from clearcoat.errors import ProductError
from clearcoat.product.raw import Notes

_MOST_LAYERS = 10_000


def check_layers(path: Path, notes: Notes) -> None:
    """Follow sublayers, references and payloads before anything is composed.

    Raises:
        ProductError: a layer is damaged, or lies outside the product's folder.
    """
    seen: set[str] = set()
    open_: list[str] = [str(path)]
    while open_:
        identifier = open_.pop()
        if identifier in seen:
            continue
        seen.add(identifier)
        if len(seen) > _MOST_LAYERS:
            raise ProductError(f"the stage has more than {_MOST_LAYERS:,} layers", where=path)
        layer = _layer(path, identifier)
        for asset in layer.GetCompositionAssetDependencies():
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
