"""BOP: images, depth, masks and the 6-D pose of the product, for pose estimators.

The format is that of the BOP benchmark (Hodaň et al. 2018, doi 10.1007/978-3-030-01249-6_2;
https://github.com/thodan/bop_toolkit/blob/master/docs/bop_datasets_format.md). The object is the
product as a whole, number 1. Its model frame is the product's: x forward, y left, z up, origin on
the ground below the middle; BOP's unit is the millimetre.

What the format cannot hold: lens distortion (refused), classes, and several products in one scene
(refused). Counts of silhouettes stay within the picture, where BOP's own go beyond its edges.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearcoat.dataset.files import cannot_write, write_whole
from clearcoat.dataset.objects import box_of
from clearcoat.dataset.record import DepthEntry, RecordInfo
from clearcoat.dataset.store import Dataset, Progress
from clearcoat.errors import DatasetError

PRODUCT = 1
"""Number of the product among the objects."""
_NOWHERE = (-1, -1, -1, -1)
"""BOP's box of what is not seen."""


@dataclass(frozen=True)
class _View:
    """A record as BOP sees it."""

    info: RecordInfo
    depth: DepthEntry
    camera_matrix: NDArray[np.float64]
    """(3, 3), pixels; the centre of the first pixel is (0, 0)."""
    camera_from_product: NDArray[np.float64]
    """(4, 4), metres."""


def as_bop(dataset: Dataset, out: Path, progress: Progress | None = None) -> None:
    """Write a data set of renders as one scene, in the folder `out`.

    `rgb/` (images as they are), `depth/` (16-bit, `depth_scale` millimetres per step), `mask/` and
    `mask_visib/` of the product, `scene_camera.json`, `scene_gt.json`, `scene_gt_info.json`. The
    JSON files come last.

    Raises:
        DatasetError: records lack pose, depth or parts; the camera distorts; the product changes
            from image to image; a record is damaged or a file cannot be written.
    """
    # All of it is looked at before anything is written.
    views = [_view(dataset, index) for index in dataset.indices]
    _refuse_several(dataset, views)
    try:
        for folder in ("rgb", "depth", "mask", "mask_visib"):
            (out / folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(out, error) from error
    cameras: dict[str, Any] = {}
    poses: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for done, view in enumerate(views, start=1):
        index, stem = view.info.index, f"{view.info.index:06d}"
        parts = dataset.parts(index)
        assert parts is not None
        mask = parts > 0
        for folder in ("mask", "mask_visib"):
            # Nothing stands in front of the product, so both are the same.
            write_whole(out / folder / f"{stem}_000000.png", _png(mask))
        suffix = Path(view.info.image.file).suffix
        write_whole(out / "rgb" / f"{stem}{suffix}", dataset.read_bytes(view.info.image))
        write_whole(out / "depth" / f"{stem}.png", dataset.read_bytes(view.depth))
        depth = dataset.depth(index)
        assert depth is not None
        cameras[str(index)] = _camera(view)
        poses[str(index)] = [_pose(view.camera_from_product, "m2c") | {"obj_id": PRODUCT}]
        facts[str(index)] = [_facts(mask, depth)]
        if progress is not None:
            progress(done, len(views))
    for name, content in (
        ("scene_camera", cameras),
        ("scene_gt", poses),
        ("scene_gt_info", facts),
    ):
        write_whole(out / f"{name}.json", json.dumps(content, indent=1).encode())


def _view(dataset: Dataset, index: int) -> _View:
    info = dataset.record_info(index)
    camera, pose = info.metadata.get("camera"), info.metadata.get("pose")
    try:
        matrix = np.array(camera["opencv"]["camera_matrix"], dtype=np.float64)  # type: ignore[index]
        placed = np.array(pose["camera_from_product"], dtype=np.float64)  # type: ignore[index]
        model = camera["model"]  # type: ignore[index]
    except (KeyError, TypeError, ValueError) as error:
        raise _lacking(dataset, index, "no camera and pose in its metadata") from error
    if matrix.shape != (3, 3) or placed.shape != (4, 4):
        raise _lacking(dataset, index, "matrices of another shape in its metadata")
    if info.depth is None or info.parts is None:
        missing = "depth" if info.depth is None else "parts"
        raise _lacking(dataset, index, f"no {missing}: name it under labels.write of the spec")
    if model != "pinhole":
        raise DatasetError(
            "BOP files cannot hold a lens that distorts",
            where=dataset.path,
            found=f"record {index}: {model}",
            expected="pinhole",
            do="leave camera.distortion out of the spec and render again",
        )
    sample = info.metadata.get("sample")
    if isinstance(sample, dict) and sample.get("occluders"):
        # `mask` is the silhouette without what stands in front, which no raster stores.
        raise DatasetError(
            "BOP needs the product's whole silhouette, and occluders hide some of it",
            where=dataset.path,
            found=f"record {index}: {len(sample['occluders'])} occluders",
            do="leave occluders out of the spec and render again",
        )
    return _View(info, info.depth, matrix, placed)


def _lacking(dataset: Dataset, index: int, found: str) -> DatasetError:
    return DatasetError(
        "the data set cannot be written as BOP",
        where=dataset.path,
        found=f"record {index}: {found}",
        expected="renders with camera, pose, depth and parts",
        do="make them with `clearcoat render`",
    )


def _refuse_several(dataset: Dataset, views: list[_View]) -> None:
    vehicles = {json.dumps(view.info.metadata.get("vehicle")) for view in views}
    if len(vehicles) > 1 or "merged" in dataset.source:
        raise DatasetError(
            "a BOP scene shows one product, and this data set shows several",
            where=dataset.path,
            found=f"{len(vehicles)} vehicles" if len(vehicles) > 1 else "a merged data set",
            do="export a data set of one product, each into a folder of its own",
        )


def _camera(view: _View) -> dict[str, Any]:
    # The world is the product's frame.
    return {
        "cam_K": view.camera_matrix.ravel().tolist(),
        "depth_scale": view.depth.unit_m * 1000,
        **_pose(view.camera_from_product, "w2c"),
    }


def _pose(matrix: NDArray[np.float64], name: str) -> dict[str, Any]:
    return {
        f"cam_R_{name}": matrix[:3, :3].ravel().tolist(),
        f"cam_t_{name}": (matrix[:3, 3] * 1000).tolist(),
    }


def _facts(mask: NDArray[np.bool_], depth: NDArray[np.float32]) -> dict[str, Any]:
    box = list(box_of(mask) or _NOWHERE)
    pixels = int(mask.sum())
    return {
        "bbox_obj": box,
        "bbox_visib": box,
        "px_count_all": pixels,
        "px_count_valid": int((mask & np.isfinite(depth)).sum()),
        "px_count_visib": pixels,
        "visib_fract": float(pixels > 0),
    }


def _png(mask: NDArray[np.bool_]) -> bytes:
    encoded = BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(encoded, "PNG")
    return encoded.getvalue()
