"""The arrays of a USD mesh: corners, interpolation, subsets, colours (UsdGeomMesh)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdGeom, UsdShade

from clearcoat.errors import ProductError
from clearcoat.product.raw import Float64Array, Notes
from clearcoat.product.readers.pieces import Piece, by_colour, by_face_colour
from clearcoat.product.readers.triangles import polygons_to_triangles
from clearcoat.product.readers.usd.materials import Materials

Int64Array = NDArray[np.int64]
_PER_POINT = {"vertex", "varying"}


def mesh_pieces(
    prim: Usd.Prim, stem: str, path: Path, time: Usd.TimeCode, materials: Materials, notes: Notes
) -> list[Piece]:
    """Return a mesh in its own frame, cut by material subsets, else by face colours.

    The path of a piece is the name of its subset; empty for what no subset takes.

    Raises:
        ProductError: faces refer to points that there are not.
    """
    mesh = UsdGeom.Mesh(prim)
    points = np.asarray(mesh.GetPointsAttr().Get(time) or [], np.float64).reshape(-1, 3)
    counts = np.asarray(mesh.GetFaceVertexCountsAttr().Get(time) or [], np.int64)
    flat = np.asarray(mesh.GetFaceVertexIndicesAttr().Get(time) or [], np.int64)
    if (
        (counts < 0).any()
        or int(counts.sum()) != len(flat)
        or (len(flat) and not 0 <= int(flat.min()) <= int(flat.max()) < len(points))
    ):
        raise ProductError(
            "malformed USD: the faces of a mesh do not fit its points",
            where=path,
            found=f"{prim.GetPath()}: {len(counts):,} faces of {int(counts.sum()):,} corners, "
            f"{len(flat):,} indices, {len(points):,} points",
            do="export it again",
        )
    scheme = mesh.GetSubdivisionSchemeAttr()
    if scheme.HasAuthoredValue() and scheme.Get() != UsdGeom.Tokens.none:
        notes.add("subdivision surfaces shown as their control cage", part=stem)

    material, coordinates = materials.of(prim)
    corners = np.arange(len(flat), dtype=np.uint32)
    faces, owner = polygons_to_triangles(counts, corners)
    shown = _not_holes(mesh, len(counts), time)[owner]
    faces, owner = faces[shown], owner[shown]
    owner_of_corner = np.repeat(np.arange(len(counts)), counts)
    normals = _normals(mesh, time, flat, owner_of_corner, len(points), stem, notes)
    flipped = mesh.GetOrientationAttr().Get(time) == UsdGeom.Tokens.leftHanded

    @functools.cache
    def whole(wanted: str) -> Piece:
        """Return all of the mesh, with the coordinates that one of its materials reads."""
        uv = _uv(prim, wanted, time, flat, owner_of_corner, len(points), stem, notes)
        vertices, joined, bends, uv = _joined(points, flat, faces, normals, uv)
        joined = joined[:, ::-1] if flipped else joined
        return Piece("", vertices, joined, bends, uv, material)

    pieces = _by_subset(prim, whole, coordinates, owner, time, materials)
    bare = len(pieces) == 1 and pieces[0].material is None
    if not bare or not len(counts):
        return pieces
    return _by_display_colour(prim, whole(coordinates), owner, counts, flat, time, notes)


def inherited_colour(prim: Usd.Prim) -> str:
    """Path of the attribute that a mesh without colours of its own takes them from."""
    primvar = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance("displayColor")
    if not primvar or primvar.GetAttr().GetPrim() == prim:
        return ""
    return str(primvar.GetAttr().GetPath())


def _not_holes(mesh: UsdGeom.Mesh, count: int, time: Usd.TimeCode) -> NDArray[np.bool_]:
    keep = np.ones(count, np.bool_)
    holes = np.asarray(mesh.GetHoleIndicesAttr().Get(time) or [], np.int64)
    keep[holes[(holes >= 0) & (holes < count)]] = False
    return keep


def _per_corner(
    values: NDArray[Any],
    interpolation: str,
    flat: Int64Array,
    owner: Int64Array,
    points: int,
    what: str,
    stem: str,
    notes: Notes,
) -> NDArray[Any] | None:
    """(C, n): a primvar's value at every corner; None (with a note) where its length is wrong."""
    index, count = {
        "constant": (np.zeros(len(flat), np.int64), 1),
        "uniform": (owner, int(owner.max(initial=-1)) + 1),
        "faceVarying": (np.arange(len(flat)), len(flat)),
    }.get(interpolation, (flat, points))
    if len(values) < count:
        notes.add(f"{what} of the wrong length left out", part=stem)
        return None
    taken: NDArray[Any] = values[index]
    return taken


def _normals(
    mesh: UsdGeom.Mesh,
    time: Usd.TimeCode,
    flat: Int64Array,
    owner: Int64Array,
    points: int,
    stem: str,
    notes: Notes,
) -> Float64Array | None:
    """(C, 3); `primvars:normals` goes before `normals`, as the schema says."""
    primvar = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("normals")
    if primvar and primvar.HasValue():
        values, interpolation = primvar.ComputeFlattened(time), primvar.GetInterpolation()
    else:
        values, interpolation = mesh.GetNormalsAttr().Get(time), mesh.GetNormalsInterpolation()
    if not values:
        return None
    table = np.asarray(values, np.float64).reshape(-1, 3)
    return _per_corner(table, str(interpolation), flat, owner, points, "normals", stem, notes)


def _uv(
    prim: Usd.Prim,
    wanted: str,
    time: Usd.TimeCode,
    flat: Int64Array,
    owner: Int64Array,
    points: int,
    stem: str,
    notes: Notes,
) -> NDArray[np.float32] | None:
    """(C, 2): the coordinates that the material reads, else the first there are."""
    api = UsdGeom.PrimvarsAPI(prim)
    candidates = [api.FindPrimvarWithInheritance(wanted)] if wanted else []
    kinds = {"texCoord2f[]", "texCoord2d[]", "texCoord2h[]"}
    candidates += [var for var in api.GetPrimvars() if str(var.GetTypeName()) in kinds]
    for primvar in candidates:
        if not primvar or not primvar.HasValue():
            continue
        table = np.asarray(primvar.ComputeFlattened(time), np.float32)
        if table.ndim != 2 or table.shape[1] != 2:
            continue
        interpolation = str(primvar.GetInterpolation())
        return _per_corner(
            table, interpolation, flat, owner, points, "texture coordinates", stem, notes
        )
    return None


def _joined(
    points: Float64Array,
    flat: Int64Array,
    faces: NDArray[np.uint32],
    normals: Float64Array | None,
    uv: NDArray[np.float32] | None,
) -> tuple[Float64Array, NDArray[np.uint32], Float64Array | None, NDArray[np.float32] | None]:
    """Join corners that agree in point, normal and coordinates into vertices."""
    if normals is None and uv is None:
        return points, flat.astype(np.uint32)[faces], None, None
    columns = [flat.astype(np.float64)[:, None]]
    columns += [np.asarray(values, np.float64) for values in (normals, uv) if values is not None]
    table = np.ascontiguousarray(np.concatenate(columns, axis=1) + 0.0)
    rows = table.view(np.dtype((np.void, table.shape[1] * 8))).reshape(-1)
    _, first, which = np.unique(rows, return_index=True, return_inverse=True)
    return (
        points[flat[first]],
        which.astype(np.uint32)[faces],
        None if normals is None else normals[first],
        None if uv is None else uv[first],
    )


def _by_subset(
    prim: Usd.Prim,
    whole: Callable[[str], Piece],
    coordinates: str,
    owner: Int64Array,
    time: Usd.TimeCode,
    materials: Materials,
) -> list[Piece]:
    """Cut by material subsets, each with the coordinates that its own material reads."""
    pieces = []
    left = np.ones(len(owner), np.bool_)
    for subset in UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
        indices = np.asarray(subset.GetIndicesAttr().Get(time) or [], np.int64)
        inside = left & np.isin(owner, indices)
        left &= ~inside
        if not inside.any():
            continue
        material, wanted = materials.of(subset.GetPrim())
        name = subset.GetPrim().GetName()
        source = whole(wanted or coordinates)
        pieces.append(replace(source, path=name, faces=source.faces[inside], material=material))
    if left.any() or not pieces:
        rest = whole(coordinates)
        pieces.insert(0, replace(rest, faces=rest.faces[left]))
    return pieces


def _by_display_colour(
    prim: Usd.Prim,
    whole: Piece,
    owner: Int64Array,
    counts: Int64Array,
    flat: Int64Array,
    time: Usd.TimeCode,
    notes: Notes,
) -> list[Piece]:
    """Cut by `primvars:displayColor` (linear, by the schema) where no material is bound."""
    api = UsdGeom.PrimvarsAPI(prim)
    primvar = api.FindPrimvarWithInheritance("displayColor")
    if not primvar or not primvar.HasValue():
        return [whole]
    colours = np.asarray(primvar.ComputeFlattened(time), np.float64).reshape(-1, 3)
    if not len(colours):
        return [whole]
    interpolation = str(primvar.GetInterpolation())
    if interpolation == "uniform" and len(colours) == len(counts):
        pieces = by_face_colour(whole, _codes(colours)[owner], notes)
    else:
        if len(colours) > 1:
            notes.add("colours per point averaged", part=whole.path or prim.GetName())
        pieces = [replace(whole, material=by_colour(colours.mean(axis=0)))]
    opacity = api.FindPrimvarWithInheritance("displayOpacity")
    if not opacity or not opacity.HasValue():
        return pieces
    alpha = float(np.clip(np.mean(np.asarray(opacity.ComputeFlattened(time))), 0.0, 1.0))
    return [
        piece
        if piece.material is None
        else replace(piece, material=replace(piece.material, alpha=alpha))
        for piece in pieces
    ]


def _codes(linear: Float64Array) -> NDArray[np.uint8]:
    """SRGB codes (IEC 61966-2-1) of linear values."""
    value = np.clip(np.nan_to_num(linear), 0.0, 1.0)
    encoded = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    codes: NDArray[np.uint8] = np.round(255 * encoded).astype(np.uint8)
    return codes
