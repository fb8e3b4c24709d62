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
) -> tuple[list[Any], list[NDArray[np.uint32]]]:
    """Merge the parts of each BSDF into one mesh and remember which face is whose.

    Parts that `apart` names share a mesh only with those of the same value. A picture on a part
    without texture coordinates lies on its broad face.

    Returns the meshes, and per mesh (F,) uint32: 1 + the part that each face belongs to.
    """
    apart = apart or {}
    groups: dict[Hashable, list[int]] = {}
    for number, (part, material) in enumerate(zip(product.parts, materials, strict=True)):
        has = part.mesh.normals is not None, bool(material.textures)
        groups.setdefault((id(made[material].bsdf), has, apart.get(number)), []).append(number)
    shapes: list[Any] = []
    face_parts: list[NDArray[np.uint32]] = []
    for numbers in groups.values():
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
