"""From a USD stage to placed parts. Runs in the reader's child process; imports OpenUSD."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pxr import Sdf, Tf, Usd, UsdGeom

from clearcoat.errors import ProductError, did_you_mean
from clearcoat.product.raw import Float64Array, Notes, RawPart, RawProduct
from clearcoat.product.readers.gltf.nodes import extras_text
from clearcoat.product.readers.gltf.primitives import Primitive, place, place_untidied
from clearcoat.product.readers.naming import unique
from clearcoat.product.readers.pieces import Piece
from clearcoat.product.readers.triangles import tidy
from clearcoat.product.readers.usd.files import check_layers, check_used, unreadable
from clearcoat.product.readers.usd.materials import Materials
from clearcoat.product.readers.usd.meshes import inherited_colour, mesh_pieces
from clearcoat.product.readers.usd.size import check_size

_HIDDEN_PURPOSES = {"proxy", "guide"}
_MOST_PARTS = 200_000
_MOST_TRIANGLES = 200_000_000
_MOST_VISITS = 2_000_000
_DEEPEST = 300


def read_stage(path: Path, variant: str | None) -> RawProduct:
    """Read a stage as it stands at its earliest time, or as it is without time samples.

    Raises:
        ProductError: damaged, too large once its instances are placed, refers to files outside
            its folder, or has no such variant.
    """
    warnings.simplefilter("ignore")
    notes = Notes()
    check_layers(path, notes)
    check_size(path)
    try:
        stage = Usd.Stage.Open(str(path), Usd.Stage.LoadAll)
    except Tf.ErrorException as error:
        raise unreadable(path, error) from error
    names = _choose_variant(stage, path, variant)
    up = str(UsdGeom.GetStageUpAxis(stage)).lower()
    if up not in ("y", "z"):
        raise ProductError(
            "malformed USD: the stage's upAxis", where=path, found=repr(up), expected="Y or Z"
        )
    check_used(path, stage)
    unit = float(UsdGeom.GetStageMetersPerUnit(stage))
    if not UsdGeom.StageHasAuthoredMetersPerUnit(stage):
        notes.add("the file names no unit: centimetres, as the format says; correct it with `unit`")
    try:
        walker = _Walker(stage, path, notes)
        for root in stage.GetPseudoRoot().GetFilteredChildren(_predicate()):
            walker.visit(root, "", np.eye(4), {})
        check_used(path, stage)
    except Tf.ErrorException as error:
        raise unreadable(path, error) from error
    return RawProduct(
        parts=tuple(walker.parts),
        unit_m=unit,
        up=up,
        front=None,
        notes=notes.sentences(),
        variants=names,
        variant=variant or "",
    )


def _predicate(*, prototype: bool = False) -> Any:
    """Which prims are followed: below a prototype also `over` and `class`, where they are kept."""
    wide = Usd.PrimIsActive & Usd.PrimIsLoaded
    return Usd.TraverseInstanceProxies(wide if prototype else Usd.PrimDefaultPredicate)


def _choose_variant(stage: Usd.Stage, path: Path, variant: str | None) -> tuple[str, ...]:
    """Names `set=choice` of the variants of root prims and their children; selects one."""
    sets: dict[str, list[Any]] = {}
    for root in stage.GetPseudoRoot().GetChildren():
        for prim in (root, *root.GetChildren()):
            for name in prim.GetVariantSets().GetNames():
                chosen = prim.GetVariantSet(name)
                for choice in chosen.GetVariantNames():
                    sets.setdefault(f"{name}={choice}", []).append((chosen, choice))
    if variant is not None:
        if variant not in sets:
            raise ProductError(
                "the product has no such variant",
                where=path,
                found=repr(variant),
                expected="one of " + ", ".join(sets) if sets else "no variant",
                do=did_you_mean(variant, sets) if sets else "remove `variant`: the file has none",
            )
        stage.SetEditTarget(stage.GetSessionLayer())
        for chosen, choice in sets[variant]:
            chosen.SetVariantSelection(choice)
    return tuple(sets)


@dataclass
class _Shape:
    """A mesh as pieces in its own frame, tidied once, placed as often as it is shown."""

    pieces: list[Piece]
    tidied: list[RawPart | None] = field(default_factory=list)
    notes: list[Notes] = field(default_factory=list)


class _Walker:
    def __init__(self, stage: Usd.Stage, path: Path, notes: Notes) -> None:
        self.parts: list[RawPart] = []
        self._path, self._notes = path, notes
        self._time = Usd.TimeCode.EarliestTime()
        self._materials = Materials(path, self._time, notes)
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._taken: dict[str, int] = {}
        self._triangles = 0
        self._visits = 0
        self._open: list[Sdf.Path] = []
        self._collections = list(_collections(stage))

    def visit(
        self, prim: Usd.Prim, above: str, transform: Float64Array, inherited: dict[str, str]
    ) -> None:
        """Add the parts of a prim and of what is below it; `transform` is its parent's."""
        try:
            self._visit(prim, above, transform, inherited)
        except (TypeError, ValueError) as error:
            # OpenUSD hands out what is there, whatever type the schema asks for.
            raise ProductError(
                "malformed USD: a prim has an attribute of the wrong type or size",
                where=self._path,
                found=f"{prim.GetPath()}: {error}"[:300],
                do="open it in usdview and export it again",
            ) from error

    def _visit(
        self, prim: Usd.Prim, above: str, transform: Float64Array, inherited: dict[str, str]
    ) -> None:
        self._visits += 1
        if self._visits > _MOST_VISITS or _levels(above) > _DEEPEST:
            raise self._too_large(f"{self._visits:,} prims, {_levels(above)} levels")
        if prim.IsA(UsdGeom.Imageable):
            imageable = UsdGeom.Imageable(prim)
            if imageable.GetVisibilityAttr().Get(self._time) == UsdGeom.Tokens.invisible:
                self._notes.add("invisible prims left out", part=above + "/" + prim.GetName())
                return
        stem = f"{above}/{prim.GetName()}" if above else prim.GetName()
        full = transform @ self._local(prim, transform)
        metadata = {**inherited, **_metadata(prim, self._time)}
        if prim.IsA(UsdGeom.PointInstancer):
            if prim.GetPath() in self._open:
                raise ProductError(
                    "malformed USD: a point instancer is a prototype of itself",
                    where=self._path,
                    found=prim.GetPath(),
                )
            self._open.append(prim.GetPath())
            self._instances(prim, stem, full, metadata)
            self._open.pop()
            return
        if prim.IsA(UsdGeom.Gprim):
            self._show(prim, stem, full, metadata)
        for child in prim.GetFilteredChildren(_predicate(prototype=bool(self._open))):
            self.visit(child, stem, full, metadata)

    def _local(self, prim: Usd.Prim, above: Float64Array) -> Float64Array:
        """(4, 4) for column vectors; USD's matrices are for rows."""
        if not prim.IsA(UsdGeom.Xformable):
            return np.eye(4)
        xformable = UsdGeom.Xformable(prim)
        local: Float64Array = np.array(xformable.GetLocalTransformation(self._time)).T
        if not xformable.GetResetXformStack():
            return local
        return np.asarray(np.linalg.pinv(above), np.float64) @ local

    def _instances(
        self, prim: Usd.Prim, stem: str, transform: Float64Array, metadata: dict[str, str]
    ) -> None:
        instancer = UsdGeom.PointInstancer(prim)
        targets = instancer.GetPrototypesRel().GetForwardedTargets()
        indices = np.asarray(instancer.GetProtoIndicesAttr().Get(self._time) or [], np.int64)
        if len(indices) > _MOST_PARTS:
            raise self._too_large(f"{len(indices):,} instances in {stem}")
        matrices = instancer.ComputeInstanceTransformsAtTime(
            self._time,
            self._time,
            UsdGeom.PointInstancer.ExcludeProtoXform,
            UsdGeom.PointInstancer.IgnoreMask,
        )
        mask = instancer.ComputeMaskAtTime(self._time) or [True] * len(indices)
        if len(matrices) != len(indices) or len(mask) != len(indices):
            raise ProductError(
                "malformed USD: the arrays of a point instancer differ in length",
                where=self._path,
                found=f"{prim.GetPath()}: {len(indices)} indices, {len(matrices)} placements",
            )
        for index, matrix, shown in zip(indices, matrices, mask, strict=True):
            if not shown:
                continue
            if not 0 <= index < len(targets):
                raise ProductError(
                    "malformed USD: a point instancer names a prototype that it lacks",
                    where=self._path,
                    found=f"{prim.GetPath()}: number {index} of {len(targets)}",
                )
            target = prim.GetStage().GetPrimAtPath(targets[index])
            if target:
                self.visit(target, stem, transform @ np.array(matrix).T, metadata)
            else:
                self._notes.add("prototypes of point instancers are absent", part=stem)

    def _show(
        self, prim: Usd.Prim, stem: str, transform: Float64Array, metadata: dict[str, str]
    ) -> None:
        purpose = UsdGeom.Imageable(prim).ComputePurpose()
        if purpose in _HIDDEN_PURPOSES:
            self._notes.add(f"prims of purpose {purpose} left out", part=stem)
            return
        if not prim.IsA(UsdGeom.Mesh):
            self._notes.add(f"{prim.GetTypeName()} prims left out: only meshes are read", part=stem)
            return
        source = prim.GetPrimInPrototype() if prim.IsInstanceProxy() else prim
        # Instances of one prototype may inherit different looks from above.
        key = (str(source.GetPath()), self._materials.bound(prim), inherited_colour(prim))
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._read(prim, stem)
            self._shapes[key] = shape
        path = unique(stem, self._taken)
        several = len(shape.pieces) > 1
        layer = ", ".join(
            name for name, query in self._collections if query.IsPathIncluded(prim.GetPath())
        )
        for number, piece in enumerate(shape.pieces):
            name = f"{path}/{piece.path}" if piece.path else path
            if number and not piece.path:
                name = unique(path, self._taken)
            part = self._at(shape, number, name, transform)
            if part is None:
                continue
            self._triangles += len(part.faces)
            if len(self.parts) >= _MOST_PARTS or self._triangles > _MOST_TRIANGLES:
                raise self._too_large(f"more at {stem}")
            self.parts.append(
                replace(
                    part,
                    path=name,
                    material=piece.material,
                    color=None if piece.material is None else piece.material.base_color,
                    layer=layer,
                    metadata=metadata,
                    body=path if several else "",
                    definition=_definition(prim),
                )
            )

    def _read(self, prim: Usd.Prim, stem: str) -> _Shape:
        shape = _Shape(
            mesh_pieces(prim, stem, self._path, self._time, self._materials, self._notes)
        )
        for piece in shape.pieces:
            notes = Notes()
            shape.tidied.append(
                tidy("", piece.vertices, piece.faces, piece.normals, piece.uv, None, notes)
            )
            shape.notes.append(notes)
        return shape

    def _at(self, shape: _Shape, number: int, path: str, transform: Float64Array) -> RawPart | None:
        tidied = shape.tidied[number]
        part = None if tidied is None else place(tidied, transform)
        if part is not None or tidied is None:
            self._notes.merge(shape.notes[number], part=path)
            return part
        piece = shape.pieces[number]
        moved = place_untidied(
            Primitive(piece.vertices, piece.faces, piece.normals, piece.uv), transform
        )
        return tidy(path, moved.vertices, moved.faces, moved.normals, moved.uv, None, self._notes)

    def _too_large(self, found: str) -> ProductError:
        return ProductError(
            "the stage is too large once its instances are placed",
            where=self._path,
            found=found,
            expected=f"at most {_MOST_PARTS:,} parts and {_MOST_TRIANGLES:,} triangles",
            do="export a lighter stage, or fewer instances",
        )


def _levels(stem: str) -> int:
    """Number of levels of a path."""
    return stem.count("/") + 1 if stem else 0


def _definition(prim: Usd.Prim) -> str:
    """Path of the mesh in the layer that it is referred from; empty where it stands itself."""
    stack = prim.GetPrimStack()
    if not stack:
        return ""
    source = stack[-1].path.StripAllVariantSelections()
    if source == prim.GetPath() and len({spec.layer for spec in stack}) == 1:
        return ""
    return str(source).strip("/")


def _metadata(prim: Usd.Prim, time: Usd.TimeCode) -> dict[str, str]:
    """Custom data, kind, display name, asset name and user properties, as text."""
    found: dict[str, str] = {}
    for spec in reversed(prim.GetPrimStack()):
        # Of the layers only: the schema's own defaults say nothing of the product.
        found |= extras_text({"extras": dict(spec.customData)})
    info = prim.GetAssetInfo()
    for key in ("name", "version"):
        if key in info:
            found[f"asset.{key}"] = str(info[key])
    kind = Usd.ModelAPI(prim).GetKind()
    if kind:
        found["kind"] = str(kind)
    if prim.GetDisplayName():
        found["displayName"] = str(prim.GetDisplayName())
    for entry in prim.GetAuthoredPropertiesInNamespace("userProperties"):
        if isinstance(entry, Usd.Attribute):
            value = entry.Get(time)
            name = entry.GetName().partition(":")[2]
            found |= extras_text({"extras": {name: value}})
    return found


def _collections(stage: Usd.Stage) -> Iterator[tuple[str, Any]]:
    """Yield name and membership of the collections that are no link of a light or material."""
    names: Counter[str] = Counter()
    for prim in stage.TraverseAll():
        if not prim.HasAPI(Usd.CollectionAPI):
            continue
        for collection in Usd.CollectionAPI.GetAllCollections(prim):
            name = collection.GetName()
            if name in {"lightLink", "shadowLink", "filterLink"}:
                continue
            names[name] += 1
            yield name, collection.ComputeMembershipQuery()
