"""A light tunnel, as stands over the last station of a line: rows of tubes that bend in the paint.

The tubes are near, so they are geometry of a scene of their own; what moves per image is how
brightly each piece of them shines. See docs/decisions/0062-light-tunnel.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcoat.render.color import black_body
from clearcoat.scene import TunnelSample

Float32Array = NDArray[np.float32]

_ROWS, _PIECES = 15, 96
_LENGTH_M, _WIDTH_M = 10.0, 0.14
_HALF_WIDTH_M, _HEIGHT_M = 3.4, 3.4
_GAP_M = 0.12


class Tunnel:
    """The emitting mesh of all tubes, and the map of their radiance."""

    def __init__(self, mi: Any) -> None:
        self.mi = mi
        centre, inward, across = _rows()
        vertices, normals, uv = [], [], []
        for row in range(_ROWS):
            for end, side in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                edge = centre[row] + side * _WIDTH_M / 2 * across[row]
                vertices.append([end * _LENGTH_M / 2, *edge])
                normals.append([0.0, *inward[row]])
                uv.append([0.5 + 0.5 * end, (row + 0.5) / _ROWS])
        first = np.arange(_ROWS, dtype=np.uint32)[:, None] * 4
        faces = np.concatenate(
            [first + np.array(corners) for corners in ([0, 1, 2], [0, 2, 3])]
        ).astype(np.uint32)
        triangle = np.array(vertices)[faces[0]]
        facing = np.cross(triangle[1] - triangle[0], triangle[2] - triangle[0])
        if facing[1:] @ inward[0] < 0:
            faces = faces[:, ::-1]
        self._radiance = mi.load_dict(
            {
                "type": "bitmap",
                "data": mi.TensorXf(np.ones((_ROWS, _PIECES, 3), np.float32)),
                "raw": True,
                "filter_type": "nearest",
                "wrap_mode": "clamp",
            }
        )
        properties = mi.Properties()
        # From behind, a camera outside looks through the tubes.
        properties["mesh_bsdf"] = mi.load_dict(
            {"type": "mask", "opacity": 0.0, "surface": {"type": "diffuse"}}
        )
        properties["mesh_emitter"] = mi.load_dict({"type": "area", "radiance": self._radiance})
        self.mesh = mi.Mesh(
            "tunnel",
            vertex_count=len(vertices),
            face_count=len(faces),
            has_vertex_normals=False,
            has_vertex_texcoords=True,
            props=properties,
        )
        values = mi.traverse(self.mesh)
        values["vertex_positions"] = mi.Float(np.array(vertices, np.float32).ravel())
        values["vertex_texcoords"] = mi.Float(np.array(uv, np.float32).ravel())
        values["faces"] = mi.UInt32(np.ascontiguousarray(faces).ravel())
        values.update()
        self._values = mi.traverse(self._radiance)

    def show(self, sample: TunnelSample, variation: int) -> None:
        """Light the tubes of a sample so that they and the hall light the ground with pi."""
        shining = lit_pieces(sample, variation)
        unit = float((shining * form_factors()).sum())
        level = (1 - sample.ambient) * np.pi / max(unit, 1e-9)
        color = black_body(sample.temperature_k).astype(np.float32)
        radiance = (shining * np.float32(level))[..., None] * color
        self._values["data"] = self.mi.TensorXf(np.ascontiguousarray(radiance, np.float32))
        self._values.update()


def lit_pieces(sample: TunnelSample, variation: int) -> Float32Array:
    """(rows, pieces): 1 where a tube shines, 0 in the gaps and where one has failed."""
    rng = np.random.default_rng([variation, 4])
    lit = np.zeros((_ROWS, _PIECES), np.float32)
    # Spread over the arch rather than all on one side.
    rows = np.unique(np.round(np.linspace(0, _ROWS - 1, sample.rows)).astype(int))
    x = (np.arange(_PIECES) + 0.5) / _PIECES * _LENGTH_M
    step = _LENGTH_M / sample.segments
    on = np.minimum(x % step, step - x % step) > _GAP_M / 2
    tube = np.minimum((x // step).astype(int), sample.segments - 1)
    for row in rows:
        alive = rng.random(sample.segments) >= sample.dead
        lit[row] = on * alive[tube] * rng.uniform(0.9, 1.1)
    if not lit.any():
        lit[_ROWS // 2] = on
    return lit


def form_factors() -> Float32Array:
    """(rows, pieces): irradiance on the ground at the origin per radiance of a piece."""
    centre, inward, _ = _rows()
    x = ((np.arange(_PIECES) + 0.5) / _PIECES - 0.5) * _LENGTH_M
    y, z = centre[:, :1], centre[:, 1:]
    square = x[None, :] ** 2 + y**2 + z**2
    distance = np.sqrt(square)
    leaving = np.maximum(-(y * inward[:, :1] + z * inward[:, 1:]) / distance, 0)
    area = _LENGTH_M / _PIECES * _WIDTH_M
    factors: Float32Array = (area * leaving * (z / distance) / square).astype(np.float32)
    return factors


def _rows() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Per row (rows, 2) in the plane across the tunnel (y, z): centre, inward normal, tangent."""
    angle = np.linspace(0.08, np.pi - 0.08, _ROWS)
    # Between a half circle and a box, as the frames are.
    round_ = 0.6
    y = _HALF_WIDTH_M * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** round_
    z = _HEIGHT_M * np.sin(angle) ** round_ + 0.25
    centre = np.stack([y, z], axis=1)
    inward = np.array([0.0, 0.9]) - centre
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    return centre, inward, np.stack([-inward[:, 1], inward[:, 0]], axis=1)
