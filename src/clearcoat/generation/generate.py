"""From a spec to a data set: sample, render, label, store; in any order, from any process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from clearcoat import __version__
from clearcoat.dataset import DatasetWriter, EncodedImage, Record
from clearcoat.dataset.writer import make_place
from clearcoat.errors import UsageError
from clearcoat.execution import run_local
from clearcoat.generation.annotate import annotate, described
from clearcoat.generation.camera_record import camera_metadata
from clearcoat.generation.family import renumbered
from clearcoat.generation.labels import label_raster
from clearcoat.generation.moving import held_classes, in_effect, marks
from clearcoat.generation.picture import take_picture
from clearcoat.generation.poses import find_pose
from clearcoat.generation.scene import Scene, load_scene
from clearcoat.generation.scene_spec import SceneSpec
from clearcoat.render import Renderer
from clearcoat.render.sensor import SensorSample, sample_sensor
from clearcoat.scene import SceneSample, resolve
from clearcoat.spec import digest


@dataclass(frozen=True)
class Job:
    """One series of images of one spec at one size."""

    spec_path: Path
    seed: int
    size: tuple[int, int]
    """Width and height in pixels."""
    out: Path

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UsageError("a seed must be 0 or more", found=self.seed)
        if min(self.size) < 8 or max(self.size) > 8192:
            raise UsageError(
                "picture size out of range", found=self.size, expected="8 to 8192 pixels a side"
            )


class Studio:
    """One process's hold on a job: the scene, its renderer, the data set it writes to."""

    def __init__(self, scene: Scene, size: tuple[int, int], seed: int) -> None:
        self.scene = scene
        self.size = size
        self.seed = seed
        self._current: Scene | None = None
        self._renderer: Renderer | None = None

    def change(self, scene: Scene) -> None:
        """Go on with another reading of the spec; where both are drawn alike, the renderer stays.

        So does a vehicle of a family, which takes seconds to build, where both have the same cast.

        What it draws is what a new studio would: no image leaves anything behind in a renderer.
        """
        last, self.scene = self._current, scene
        self._current = None if last is None else scene.going_on_from(last)
        if last is None or self._current is None or not self._current.is_drawn_like(last):
            self._renderer = None

    def _at(self, index: int) -> tuple[Scene, Renderer]:
        """Return scene and renderer of an image, built where the one before shows another."""
        scene = self.scene.at(self.seed, index, last=self._current)
        if self._renderer is None or scene is not self._current:
            # The last one goes first: beside it the new one's shapes would have other numbers, for
            # which kernels would be compiled.
            self._renderer = None
            self._renderer = scene.renderer(self.size)
            self._current = scene
        return scene, self._renderer

    def record(self, index: int) -> Record:
        """Make image `index`: a pure function of spec, seed and index."""
        scene, renderer = self._at(index)
        found = find_pose(scene, renderer, self.seed, index, self.size)
        search = {} if scene.spec.camera.require is None else {"pose_search": found.as_dict()}
        return self.draw(found.sample, spec=found.spec, metadata=search)

    def draw(
        self,
        drawn: SceneSample,
        *,
        spec: SceneSpec | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Record:
        """Make the image of a scene sample, however that came about.

        `spec` is the spec with its joint groups drawn, `metadata` what the record says besides.
        """
        scene, renderer = self._at(drawn.index)
        spec = spec or resolve(scene.spec, scene.spec.joint, drawn.seed, drawn.index)
        frame = renumbered(renderer.render(drawn), scene.part_ids)
        sensor = None
        if spec.sensor is not None:
            sensor = sample_sensor(spec.sensor, drawn.seed, drawn.index)
        # By the catalogue's numbers, as the frame's parts now are.
        classes = held_classes(self.scene.classes, scene.part_ids, scene.states, drawn)
        taken = take_picture(frame, drawn, sensor, spec.render.tone_curve)
        return annotate(
            Record(
                index=drawn.index,
                image=taken.image,
                labels=label_raster(frame, classes, scene.spec.labels, marks(classes, spec.states)),
                metadata=_metadata(drawn, sensor, self.size, scene) | dict(metadata or {}),
                original=None if taken.jpeg is None else EncodedImage(taken.jpeg, ".jpg"),
            ),
            frame,
            self.scene,
            classes,
        )


def generate(job: Job, indices: Sequence[int], *, workers: int = 1) -> Iterator[int]:
    """Render what is missing of `indices` into the job's data set; yield each as it is done.

    The data set is created with the first image, since a mistake that only shows then would leave
    an empty one in the way of the mended spec. One that is there is refused before any image where
    it was made from another spec, seed or size. Run again after an interruption, it goes on.

    Raises:
        SpecError, ProductError, RenderError: as `load_scene` and `Renderer`.
        DatasetError: the folder holds something else.
    """
    scene = load_scene(job.spec_path)
    missing = create(job, scene).missing(indices) if make_place(job.out) else tuple(indices)
    # Images of one vehicle stay together, so that no two processes build the same one.
    blocks = by_product(missing, scene.images_per_product)
    if workers <= 1:
        # The scene is at hand; several processes each load their own.
        made = run_local(partial(_prepare, job, scene), _make, [[i] for i in missing], 1)
    else:
        made = run_local(
            partial(_prepare, job, None), _make, blocks, min(workers, max(len(blocks), 1))
        )
    for block in made:
        yield from block


def by_product(indices: Sequence[int], images_per_product: int | None) -> list[list[int]]:
    """Group indices whose images show the same product; one by one where all show the same."""
    if images_per_product is None:
        return [[index] for index in indices]
    blocks: dict[int, list[int]] = {}
    for index in indices:
        blocks.setdefault(index // images_per_product, []).append(index)
    return list(blocks.values())


def create(job: Job, scene: Scene) -> DatasetWriter:
    """Create the data set of a job, or open it to go on."""
    return DatasetWriter.create(
        job.out,
        scene.classes.names,
        {
            "kind": "synthetic",
            "fingerprint": digest([scene.digest, job.seed, list(job.size)]),
            "spec": job.spec_path.name,
            "spec_digest": scene.digest,
            "product": scene.product.source or scene.product.name,
            "seed": job.seed,
            "size": list(job.size),
            "clearcoat": __version__,
        },
        **described(scene),
    )


class _Maker:
    """Makes images of a job in one process."""

    def __init__(self, job: Job, scene: Scene) -> None:
        self.job = job
        self.studio = Studio(scene, job.size, job.seed)
        self._writer: DatasetWriter | None = None

    def make(self, index: int) -> None:
        """Make an image and store it."""
        record = self.studio.record(index)
        if self._writer is None:
            self._writer = create(self.job, self.studio.scene)
        self._writer.write(record)


def _prepare(job: Job, scene: Scene | None) -> _Maker:
    return _Maker(job, scene or load_scene(job.spec_path))


def _make(maker: _Maker, block: Sequence[int]) -> Sequence[int]:
    for index in block:
        maker.make(index)
    return block


def _metadata(
    drawn: SceneSample, sensor: SensorSample | None, size: tuple[int, int], scene: Scene
) -> dict[str, Any]:
    """Describe camera and chance: enough to reproject depth, or to draw the image again."""
    vehicle = {} if scene.cast is None else {"vehicle": asdict(scene.cast)}
    shown = in_effect(scene.states, drawn)
    held = [state for state in drawn.states if state.name in shown]
    return vehicle | {
        "camera": camera_metadata(drawn.camera, size),
        "pose": {
            # The world frame is the product's: it is the camera that moves.
            "camera_from_product": np.asarray(drawn.camera.pose.camera_from_world).tolist(),
            "world_from_camera": np.linalg.inv(drawn.camera.pose.camera_from_world).tolist(),
            "convention": "4 x 4, metres; OpenCV camera: x right, y down, z forward",
        },
        "sample": drawn.as_dict(),
        **({} if sensor is None else {"sensor": sensor.as_dict()}),
        "image_labels": sorted({state.label for state in held if state.label}),
    }
