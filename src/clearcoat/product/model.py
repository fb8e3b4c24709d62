"""What a product is once it has been read: named parts in one frame, in metres.

The product frame is ISO 8855's vehicle frame: x forward, y left, z up, right-handed. Its
origin lies on the ground (lowest point of the product) below the centre of the bounding box.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clearcoat.product.textures import Textures

Float32Array = NDArray[np.float32]
Uint32Array = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles. Front faces are counter-clockwise."""

    vertices: Float32Array
    """(V, 3), metres, product frame."""
    faces: Uint32Array
    """(F, 3), indices into `vertices`."""
    normals: Float32Array | None = None
    """(V, 3), unit length; None where the source has none (the renderer then shades flat)."""
    uv: Float32Array | None = None
    """(V, 2), texture coordinates, v upwards."""

    def __post_init__(self) -> None:
        for name, array, width in (
            ("vertices", self.vertices, 3),
            ("faces", self.faces, 3),
            ("normals", self.normals, 3),
            ("uv", self.uv, 2),
        ):
            if array is not None and (array.ndim != 2 or array.shape[1] != width):
                raise ValueError(f"Mesh.{name}: expected shape (n, {width}), got {array.shape}")


@dataclass(frozen=True)
class SourceMaterial:
    """A material as the CAD file describes it, before any rule replaces it."""

    name: str
    base_color: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Linear sRGB, 0 to 1; the mean where there is a texture."""
    alpha: float = 1.0
    metallic: float = 0.0
    roughness: float = 0.5
    transmission: float = 0.0
    clearcoat: float = 0.0
    emissive: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Linear, times the strength; relative, since files seldom mean cd/m²."""
    ior: float = 1.5
    """Refractive index."""
    specular: float = 1.0
    """What the reflection of a dielectric is multiplied by."""
    specular_color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    clearcoat_roughness: float = 0.0
    sheen_color: tuple[float, float, float] = (0.0, 0.0, 0.0)
    sheen_roughness: float = 0.0
    iridescence: float = 0.0
    """Share of the surface under a thin film."""
    iridescence_ior: float = 1.3
    iridescence_thickness_nm: float = 400.0
    """Mean thickness of the film."""
    textures: Textures | None = None


@dataclass(frozen=True, eq=False)
class Part:
    """One body of one material: the smallest thing that a rule can name and a label can show."""

    path: str
    """Names from the root down, joined by '/', unique in the product."""
    mesh: Mesh
    material: SourceMaterial | None = None
    color: tuple[float, float, float] | None = None
    """The colour that the file gives it: linear sRGB, 0 to 1; None where it gives none."""
    layer: str = ""
    """The layer (collection, level) that the file has it on; several are joined by ', '."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What else the file says of it or of an assembly above it, as text; the nearest counts."""
    body: str = ""
    """Path of the occurrence that it is a piece of, where one body is cut by material or colour;
    empty where it is a body by itself."""
    definition: str = ""
    """Name of the shape in the file that it is an occurrence of; empty where there is none."""

    @property
    def instance(self) -> str:
        """Path of its occurrence: equal for the pieces of one body, different for every copy."""
        return self.body or self.path

    @property
    def name(self) -> str:
        """The last component of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def triangle_count(self) -> int:
        """Number of triangles."""
        return len(self.mesh.faces)


@dataclass(frozen=True, eq=False)
class Product:
    """A product: its parts, and what was found out about the file it came from."""

    name: str
    parts: tuple[Part, ...]
    source: str = ""
    """Where it came from: a file name or `builtin:<name>`."""
    unit_m: float = 1.0
    """Metres per unit of the source file."""
    up: str = "z"
    """Axis of the source file that points up: one of x, y, z, -x, -y, -z."""
    front: str = "x"
    """Axis of the source file that points forward."""
    variants: tuple[str, ...] = ()
    """Names of the variants that the file offers."""
    variant: str = ""
    """Name of the variant that is shown; empty: as the file stands."""
    notes: tuple[str, ...] = field(default=())
    """What the reader repaired, left out or assumed, one sentence each."""

    @property
    def triangle_count(self) -> int:
        """Number of triangles of all parts."""
        return sum(part.triangle_count for part in self.parts)

    @property
    def bounds_m(self) -> NDArray[np.float64]:
        """(2, 3): least and greatest corner of the bounding box, product frame."""
        lows = [part.mesh.vertices.min(axis=0) for part in self.parts]
        highs = [part.mesh.vertices.max(axis=0) for part in self.parts]
        return np.array([np.min(lows, axis=0), np.max(highs, axis=0)], dtype=np.float64)
