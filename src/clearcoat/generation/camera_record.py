"""The camera as a record describes it: enough to reproject depth, or to feed OpenCV."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearcoat.scene import CameraSample
from clearcoat.scene.lens import COEFFICIENTS


def camera_metadata(camera: CameraSample, size: tuple[int, int]) -> dict[str, Any]:
    """Return plain data on a camera for a picture of `size` (width, height); see docs/format.md."""
    fx, fy, cx, cy = camera.intrinsics.pixels(size)
    lens = camera.lens
    return {
        "model": lens.model,
        "fx_px": fx,
        "fy_px": fy,
        "cx_px": cx,
        "cy_px": cy,
        "distortion": dict(zip(COEFFICIENTS[lens.model], lens.coefficients, strict=True)),
        "camera_from_world": np.asarray(camera.pose.camera_from_world).tolist(),
        "convention": "OpenCV: x right, y down, z forward; metres; world is the product frame; "
        "the centre of the first pixel is (0.5, 0.5)",
        # OpenCV's own functions put the centre of the first pixel at (0, 0).
        "opencv": {
            "camera_matrix": [[fx, 0.0, cx - 0.5], [0.0, fy, cy - 0.5], [0.0, 0.0, 1.0]],
            "distortion_coefficients": list(lens.coefficients),
            "module": "cv2.fisheye" if lens.model == "fisheye" else "cv2",
        },
    }
