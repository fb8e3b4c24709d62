"""From the parts of a product to few Mitsuba meshes: one per BSDF, which traces faster."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.materials import Material
from clearcoat.product import Mesh, Product
from clearcoat.product.facing import face_uv
from clearcoat.render.palette import Finish


def merge(
    product: Product,
    materials: Sequence[Material],
    made: Mapping[Material, Finish],
    mi: Any,
    apart: Mapping[int, Hashable] | None = None,
    company: Mapping[Material, Hashable] | None = None,
) -> tuple[list[Any], list[NDArray[np.uint32]]]:
    """Merge the parts of each BSDF into one mesh and remember which face is whose.

    Parts that `apart` names share a mesh only with those of the same value. A picture on a part
    without texture coordinates lies on its broad face.

    `company` are the materials of all products that are drawn in turn, with what `apart` has of
    their parts, which must have normals: each of their meshes is there, in its place, with nothing
    in it where this product has no such part. Scenes that are alike share their kernels.

    Returns the meshes, and per mesh (F,) uint32: 1 + the part that each face belongs to;
    0 in a mesh with nothing in it.
    """
    apart = apart or {}
    groups: dict[Hashable, list[int]] = {}
    absent: dict[Hashable, Material] = {}
    for material, alone in (company or {}).items():
        key: Hashable = (id(made[material].bsdf), (True, bool(material.textures)), alone)
        groups[key] = []
        absent.setdefault(key, material)
    for number, (part, material) in enumerate(zip(product.parts, materials, strict=True)):
        has = part.mesh.normals is not None, bool(material.textures)
        groups.setdefault((id(made[material].bsdf), has, apart.get(number)), []).append(number)
    shapes: list[Any] = []
    face_parts: list[NDArray[np.uint32]] = []
    for key, numbers in groups.items():
        if not numbers:
            shapes.append(_nothing(f"shape_{len(shapes)}", product, absent[key], made, mi))
            face_parts.append(np.zeros(1, np.uint32))
            continue
        meshes = [product.parts[number].mesh for number in numbers]
        first = materials[numbers[0]]
        uv: list[NDArray[np.float32]] | None = None
        if made[first].texel is not None:
            uv = [
                np.full((len(mesh.vertices), 2), made[materials[number]].texel, np.float32)
                for number, mesh in zip(numbers, meshes, strict=True)
            ]
        elif first.textures:
            uv = [
                face_uv(mesh) if mesh.uv is None else np.asarray(mesh.uv, np.float32)
                for mesh in meshes
            ]
        shapes.append(build_mesh(f"shape_{len(shapes)}", meshes, made[first].bsdf, mi, uv=uv))
        owners = np.array(numbers, np.uint32) + np.uint32(1)
        face_parts.append(np.repeat(owners, [len(mesh.faces) for mesh in meshes]))
    return shapes, face_parts


def _nothing(
    name: str, product: Product, material: Material, made: Mapping[Material, Finish], mi: Any
) -> Any:
    """Build a mesh that no ray meets, where it does not make the scene any larger."""
    corner = np.repeat(product.parts[0].mesh.vertices[:1], 3, axis=0)
    up = np.tile(np.array([0, 0, 1], np.float32), (3, 1))
    mesh = Mesh(corner, np.array([[0, 1, 2]], np.uint32), normals=up)
    has_uv = made[material].texel is not None or bool(material.textures)
    uv = [np.zeros((3, 2), np.float32)] if has_uv else None
    return build_mesh(name, [mesh], made[material].bsdf, mi, uv=uv)


def build_mesh(
    name: str,
    meshes: Sequence[Mesh],
    bsdf: Any,
    mi: Any,
    *,
    uv: Sequence[NDArray[np.float32]] | None = None,
) -> Any:
    """Build one Mitsuba mesh of several, all of them with normals or all without.

    `uv` are texture coordinates (V, 2) per mesh; without any the mesh does without, which saves
    memory.
    """
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])[:-1]
    faces = np.concatenate(
        [mesh.faces + np.uint32(start) for mesh, start in zip(meshes, starts, strict=True)]
    )
    vertices = np.concatenate([mesh.vertices for mesh in meshes])
    has_normals = meshes[0].normals is not None
    properties = mi.Properties()
    properties["mesh_bsdf"] = bsdf
    if not has_normals:
        properties["face_normals"] = True
    shape = mi.Mesh(
        name,
        vertex_count=len(vertices),
        face_count=len(faces),
        has_vertex_normals=has_normals,
        has_vertex_texcoords=uv is not None,
        props=properties,
    )
    values = mi.traverse(shape)
    values["vertex_positions"] = mi.Float(vertices.astype(np.float32).ravel())
    values["faces"] = mi.UInt32(faces.astype(np.uint32).ravel())
    if has_normals:
        normals = np.concatenate([np.asarray(mesh.normals) for mesh in meshes])
        values["vertex_normals"] = mi.Float(normals.astype(np.float32).ravel())
    if uv is not None:
        values["vertex_texcoords"] = mi.Float(np.concatenate(uv).astype(np.float32).ravel())
    values.update()
    return shape
