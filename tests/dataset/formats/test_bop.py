"""A BOP scene of a render: its camera and pose draw the product where its mask and depth are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from clearcoat.cli import main
from clearcoat.dataset import Dataset, DatasetWriter, LabelRaster, Record
from clearcoat.dataset.formats import as_bop
from clearcoat.errors import DatasetError

_SIZE = 24
_CAMERA_MATRIX = [[30.0, 0.0, 11.5], [0.0, 30.0, 11.5], [0.0, 0.0, 1.0]]
_RADIUS_M = 0.5


def _pose() -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = cv2.Rodrigues(np.array([0.3, -0.4, 0.2]))[0]
    pose[:3, 3] = (0.1, -0.05, 2.0)
    return pose


def _sphere() -> tuple[np.ndarray, np.ndarray]:
    """Part ids and depth of a ball around the product's origin, by the quadratic formula."""
    y, x = np.indices((_SIZE, _SIZE))
    rays = np.stack([(x - 11.5) / 30, (y - 11.5) / 30, np.ones_like(x)], axis=-1)
    centre = _pose()[:3, 3]
    a, b = (rays**2).sum(-1), rays @ centre
    root = b**2 - a * (centre @ centre - _RADIUS_M**2)
    hit = root > 0
    depth = np.where(hit, (b - np.sqrt(np.where(hit, root, 0))) / a, np.inf)
    return hit.astype(np.uint16), depth.astype(np.float32)


def _write(path: Path, count: int = 1, source: dict[str, Any] | None = None, **change: Any) -> Path:
    parts, depth = _sphere()
    camera = {"model": "pinhole", "opencv": {"camera_matrix": _CAMERA_MATRIX}}
    metadata = {"camera": camera, "pose": {"camera_from_product": _pose().tolist()}}
    image = np.random.default_rng(0).integers(0, 256, (_SIZE, _SIZE, 3), dtype=np.uint8)
    writer = DatasetWriter.create(path, ["a"], source or {"kind": "synthetic"}, ["ball"])
    for index in range(count):
        writer.write(
            Record(
                index=index + 7,
                image=image,
                labels=LabelRaster.from_planes((parts > 0)[None]),
                parts=change.get("parts", parts),
                depth=change.get("depth", depth),
                metadata=metadata
                | {key: value(index) for key, value in change.get("metadata", {}).items()},
            )
        )
    return path


def test_camera_and_pose_put_the_product_where_the_files_show_it(tmp_path: Path) -> None:
    out = tmp_path / "000000"
    main(["dataset", "export", "bop", str(_write(tmp_path / "data")), "--out", str(out)])
    camera, gt, info = (
        json.loads((out / f"{name}.json").read_text())["7"]
        for name in ("scene_camera", "scene_gt", "scene_gt_info")
    )
    depth_mm = np.asarray(Image.open(out / "depth/000007.png")) * camera["depth_scale"]
    mask = np.asarray(Image.open(out / "mask_visib/000007_000000.png")) > 0
    assert np.array_equal(mask, depth_mm > 0)
    assert mask.sum() > 100
    # Every pixel of the depth image, brought into the model's frame, lies on the ball.
    rows, columns = np.nonzero(mask)
    matrix = np.array(camera["cam_K"]).reshape(3, 3)
    pixels = np.stack([columns, rows, np.ones(len(rows))])
    points = np.linalg.inv(matrix) @ pixels * depth_mm[mask]
    (one,) = gt
    assert one["obj_id"] == 1
    rotation = np.array(one["cam_R_m2c"]).reshape(3, 3)
    in_model = rotation.T @ (points - np.array(one["cam_t_m2c"])[:, None])
    assert np.linalg.norm(in_model, axis=0) == pytest.approx(1000 * _RADIUS_M, abs=0.1)
    assert camera["cam_R_w2c"] == one["cam_R_m2c"]
    assert camera["cam_t_w2c"] == one["cam_t_m2c"]
    (facts,) = info
    count = int(mask.sum())
    assert facts["px_count_all"] == facts["px_count_valid"] == facts["px_count_visib"] == count
    x, y, width, height = facts["bbox_visib"]
    assert [x, y] == [columns.min(), rows.min()]
    assert [x + width - 1, y + height - 1] == [columns.max(), rows.max()]
    assert (out / "rgb/000007.png").read_bytes() == (
        tmp_path / "data/images/000007.png"
    ).read_bytes()


def test_a_picture_without_the_product_is_told_as_bop_does(tmp_path: Path) -> None:
    empty = {
        "parts": np.zeros((_SIZE, _SIZE), np.uint16),
        "depth": np.full((_SIZE, _SIZE), np.inf, np.float32),
    }
    as_bop(Dataset.open(_write(tmp_path / "data", **empty)), tmp_path / "out")
    ((facts,),) = json.loads((tmp_path / "out/scene_gt_info.json").read_text()).values()
    assert facts["bbox_visib"] == [-1, -1, -1, -1]
    assert facts["visib_fract"] == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"depth": None}, "no depth"),
        ({"parts": None}, "no parts"),
        ({"metadata": {"pose": lambda _: None}}, "no camera and pose"),
        (
            {
                "metadata": {
                    "camera": lambda _: {
                        "model": "fisheye",
                        "opencv": {"camera_matrix": _CAMERA_MATRIX},
                    }
                }
            },
            "fisheye",
        ),
        ({"metadata": {"sample": lambda _: {"occluders": [{"shape": "box"}]}}}, "1 occluders"),
        ({"count": 2, "metadata": {"vehicle": lambda index: {"number": index}}}, "2 vehicles"),
        ({"source": {"kind": "synthetic", "merged": []}}, "merged"),
    ],
)
def test_what_bop_cannot_hold_is_refused_before_anything_is_written(
    change: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError) as caught:
        as_bop(Dataset.open(_write(tmp_path / "data", **change)), tmp_path / "out")
    assert says in (caught.value.found or "")
    assert not (tmp_path / "out").exists()
