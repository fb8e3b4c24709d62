"""What a record says of its camera is enough for OpenCV to find the labels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from clearcoat.dataset import Dataset, check_dataset
from clearcoat.generation import Job, generate


@pytest.mark.parametrize(
    "distortion",
    [
        "{model: radial_tangential, k1: {uniform: [-0.15, -0.1]}, p1: 0.003}",
        "{model: fisheye, k1: -0.02}",
    ],
)
def test_opencv_reprojects_depth_onto_the_product(
    toy_spec: Path, tmp_path: Path, distortion: str
) -> None:
    (tmp_path / "toy.glb").write_bytes((toy_spec.parent / "toy.glb").read_bytes())
    spec = tmp_path / "lens.yaml"
    spec.write_text(
        toy_spec.read_text()
        + f"camera: {{distortion: {distortion}, focal_mm: 28, principal_point_y: 0.46}}\n"
    )
    out = tmp_path / "set"
    assert list(generate(Job(spec, seed=1, size=(48, 36), out=out), range(2))) == [0, 1]
    data = Dataset.open(out)
    assert not check_dataset(data).errors
    for index in range(2):
        camera = data.record_info(index).metadata["camera"]
        matrix = np.array(camera["opencv"]["camera_matrix"])
        k = np.array(camera["opencv"]["distortion_coefficients"])
        cv = cv2.fisheye if camera["opencv"]["module"] == "cv2.fisheye" else cv2
        parts, depth = data.parts(index), data.depth(index)
        assert parts is not None
        assert depth is not None
        rows, columns = np.nonzero(parts == data.part_names.index("body_block") + 1)
        pixels = np.stack([columns, rows], 1).astype(float)[:, None]
        until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-12)
        flat = cv.undistortPoints(pixels, matrix, k, criteria=until)[:, 0]
        local = np.c_[flat, np.ones(len(flat))] * depth[rows, columns][:, None]
        world_from_camera = np.linalg.inv(np.array(camera["camera_from_world"]))
        world = local @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
        # The block is 4.0 x 1.6 x 0.6 m, its centre 0.6 m above the ground.
        outside = np.abs(world - [0, 0, 0.6]) - [2.0, 0.8, 0.3]
        assert len(world) > 50
        assert np.abs(outside.max(axis=1)).max() < 2e-3
        # And forwards: the same points land in their pixels.
        turn = np.array(camera["camera_from_world"])
        rvec, tvec = cv2.Rodrigues(turn[:3, :3])[0], turn[:3, 3]
        points = world[:, None] if cv is cv2.fisheye else world
        seen = cv.projectPoints(points, rvec, tvec, matrix, k)[0].reshape(-1, 2)
        assert seen == pytest.approx(pixels[:, 0], abs=1e-3)
