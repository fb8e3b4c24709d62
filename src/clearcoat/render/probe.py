"""What is seen at the centre of every pixel: part, part behind glass, depth. One ray each.

The renderer's own part numbers would be averaged over the pixel's samples, so the labels get
a ray of their own through the pixel's centre; part and depth come from the same hit and agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class LabelProbe:
    """Part numbers per pixel for one set of shapes.

    Args:
        shapes: Mitsuba meshes.
        face_parts: per shape, (F,) uint32: 1 + the part that each face belongs to.
        mi: Mitsuba with its variant set.
    """

    def __init__(
        self,
        shapes: Sequence[Any],
        face_parts: Sequence[NDArray[np.uint32]],
        mi: Any,
    ) -> None:
        import drjit

        # Dr.Jit's annotations describe arrays more generally than this module uses them.
        self.dr: Any = drjit
        self.mi = mi
        starts = np.cumsum([0, *(len(faces) for faces in face_parts)])
        numbers = [
            int(self.dr.reinterpret_array(mi.UInt32, mi.ShapePtr(shape))[0]) for shape in shapes
        ]
        # Dr.Jit numbers a shape in its own registry; what is not in the table is no product.
        table = np.full(max(numbers) + 1, starts[-1], np.uint32)
        table[numbers] = starts[:-1]
        self._starts = mi.UInt32(table)
        self._face_parts = mi.UInt32(np.append(np.concatenate(face_parts), np.uint32(0)))
        # As a literal it would make kernels of their own for every product.
        self._faces = self.dr.opaque(mi.UInt32, int(starts[-1]))

    def look(
        self,
        scene: Any,
        sensor: Any,
        size: tuple[int, int],
        position_m: NDArray[np.float64],
        forward: NDArray[np.float64],
        unglazed: Any = None,
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.float32]]:
        """Return `Frame.parts`, `Frame.behind` and `Frame.depth_m`.

        `unglazed` is the same scene without the panes that `behind` looks through. Stepping on
        behind each pane would miss what touches it, as seals do (decision 0085).
        """
        dr, mi = self.dr, self.mi
        width, height = size
        index = dr.arange(mi.UInt32, width * height)
        ray = self.rays(sensor, size, index % width, index // width)
        part, distance = self.hit(scene, ray)
        behind = part if unglazed is None else self.hit(unglazed, ray)[0]
        # A ray starts on the near plane; depth counts from the camera.
        axis = mi.Vector3f(*(float(v) for v in forward))
        position = mi.Point3f(*(float(v) for v in position_m))
        # As literals they would make a kernel of their own for every picture.
        dr.make_opaque(axis, position)
        start = dr.dot(ray.o - position, axis)
        depth = dr.select(part > 0, start + distance * dr.dot(ray.d, axis), dr.inf)
        return (
            np.array(part).reshape(height, width).astype(np.uint16),
            np.array(behind).reshape(height, width).astype(np.uint16),
            np.array(depth).reshape(height, width).astype(np.float32),
        )

    def rays(self, sensor: Any, size: tuple[int, int], column: Any, row: Any) -> Any:
        """Return the rays through the centres of pixels."""
        mi = self.mi
        width, height = size
        point = mi.Point2f((mi.Float(column) + 0.5) / width, (mi.Float(row) + 0.5) / height)
        # Through the middle of the aperture, in the middle of the exposure.
        ray, _ = sensor.sample_ray(0.5, 0.5, point, mi.Point2f(0.5), True)
        return ray

    def hit(self, scene: Any, ray: Any, *, coherent: bool = True) -> tuple[Any, Any]:
        """Return part number (0: none of the product) and distance (infinite: nothing) per ray."""
        dr, mi = self.dr, self.mi
        found = scene.ray_intersect_preliminary(ray, coherent=coherent)
        shape = dr.reinterpret_array(mi.UInt32, found.shape)
        known = found.is_valid() & (shape < dr.width(self._starts))
        start = dr.gather(mi.UInt32, self._starts, shape, known)
        known &= start < self._faces
        part = dr.gather(mi.UInt32, self._face_parts, start + found.prim_index, known)
        return part, dr.select(found.is_valid(), found.t, dr.inf)
