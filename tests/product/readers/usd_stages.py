"""Small stages, written with OpenUSD itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearcoat.product import Product

pytest.importorskip("pxr", reason="usd-core is not installed")
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade

CORNERS = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
QUADS = [0, 1, 3, 2, 4, 6, 7, 5, 0, 4, 5, 1, 2, 3, 7, 6, 0, 2, 6, 4, 1, 5, 7, 3]


def stage(path: Path, *, metres: float = 1.0, up: str = "Z") -> Usd.Stage:
    made = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageMetersPerUnit(made, metres)
    UsdGeom.SetStageUpAxis(made, up)
    return made


def cube(made: Usd.Stage, path: str, offset: tuple[float, float, float] = (0, 0, 0)) -> Any:
    mesh = UsdGeom.Mesh.Define(made, path)
    mesh.CreatePointsAttr([Gf.Vec3f(*corner) for corner in CORNERS])
    mesh.CreateFaceVertexCountsAttr([4] * 6)
    mesh.CreateFaceVertexIndicesAttr(QUADS)
    mesh.CreateSubdivisionSchemeAttr("none")
    if any(offset):
        mesh.AddTranslateOp().Set(Gf.Vec3d(*offset))
    return mesh


def surface(made: Usd.Stage, path: str, **values: Any) -> UsdShade.Material:
    material = UsdShade.Material.Define(made, path)
    shader = UsdShade.Shader.Define(made, f"{path}/surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    for name, value in values.items():
        if isinstance(value, tuple):
            shader.CreateInput(name, Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*value))
        else:
            shader.CreateInput(name, Sdf.ValueTypeNames.Float).Set(value)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return material


def pictured(made: Usd.Stage, path: str, image: str, varname: str) -> UsdShade.Material:
    """Return a material whose colour is a picture beside the stage, read by `varname`."""
    material = surface(made, path)
    texture = UsdShade.Shader.Define(made, f"{path}/image")
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(f"./{image}")
    reader = UsdShade.Shader.Define(made, f"{path}/reader")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set(varname)
    texture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(
        reader.ConnectableAPI(), "result"
    )
    shader = UsdShade.Shader(made.GetPrimAtPath(f"{path}/surface"))
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).ConnectToSource(
        texture.ConnectableAPI(), "rgb"
    )
    return material


def bind(prim: Any, material: UsdShade.Material) -> None:
    UsdShade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(material)


def outward(product: Product) -> bool:
    """Whether all faces of a product of convex parts look outwards."""
    for part in product.parts:
        corners = part.mesh.vertices[part.mesh.faces].astype(np.float64)
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        away = corners.mean(axis=1) - part.mesh.vertices.mean(axis=0)
        if (np.einsum("ij,ij->i", normal, away) <= 0).any():
            return False
    return True
