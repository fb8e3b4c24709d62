"""Small products that tests build for themselves."""

from __future__ import annotations

import numpy as np
import trimesh

from clearcoat.product import Mesh, Part, Product, SourceMaterial


def part(path: str, shape: trimesh.Trimesh, material: str = "plastic_grey") -> Part:
    mesh = Mesh(
        vertices=np.asarray(shape.vertices, np.float32),
        faces=np.asarray(shape.faces, np.uint32),
        normals=np.asarray(shape.vertex_normals, np.float32),
    )
    return Part(path=path, mesh=mesh, material=SourceMaterial(name=material))


def toy_car() -> Product:
    """A car of five bodies: a painted block, a cabin of glass with a seat in it, two wheels."""

    def box(
        size: tuple[float, float, float], centre: tuple[float, float, float]
    ) -> trimesh.Trimesh:
        shape = trimesh.creation.box(size)
        shape.apply_translation(centre)
        # One normal per corner and face, so that faces stay flat.
        shape.unmerge_vertices()
        return shape

    def ball(radius: float, centre: tuple[float, float, float]) -> trimesh.Trimesh:
        shape = trimesh.creation.icosphere(subdivisions=3, radius=radius)
        shape.apply_translation(centre)
        return shape

    return Product(
        name="toy",
        parts=(
            part("body/block", box((4.0, 1.6, 0.6), (0, 0, 0.6)), "paint"),
            part("cabin/glass", box((2.0, 1.4, 0.6), (0, 0, 1.22)), "glass"),
            part("cabin/seat", ball(0.25, (0, 0, 1.2)), "interior_fabric"),
            part("wheels/front", ball(0.4, (1.3, 0, 0.4)), "tyre_rubber"),
            part("wheels/rear", ball(0.4, (-1.3, 0, 0.4)), "tyre_rubber"),
        ),
    )


def write_toy_car(path: object) -> None:
    """Write the toy car as GLB (y up, z forward)."""
    scene = trimesh.Scene()
    turn = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]], float)
    for body in toy_car().parts:
        name = body.path.replace("/", "_")
        shape = trimesh.Trimesh(body.mesh.vertices, body.mesh.faces, process=False)
        shape.apply_transform(turn)
        shape.visual = trimesh.visual.TextureVisuals(
            material=trimesh.visual.material.PBRMaterial(name=body.material.name)
        )
        scene.add_geometry(shape, node_name=name, geom_name=name)
    scene.export(str(path), file_type="glb")
