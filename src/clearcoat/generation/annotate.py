"""The label kinds that a spec chooses, from a frame into a record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from clearcoat.dataset import Record
from clearcoat.generation.labels import coverage
from clearcoat.generation.moving import marks
from clearcoat.generation.objects import object_pixels, part_pixels
from clearcoat.generation.scene import Scene
from clearcoat.product import ClassMap
from clearcoat.render import Frame


def described(scene: Scene) -> dict[str, Any]:
    """Return what a data set's manifest says of the labels: names of parts, instances, objects."""
    write = scene.spec.labels.write
    return {
        "parts": [part.path for part in scene.product.parts],
        "instances": scene.instances[0] if "instances" in write else (),
        "objects": scene.objects.entries if "objects" in write else (),
    }


def annotate(record: Record, frame: Frame, scene: Scene, classes: ClassMap) -> Record:
    """Add to a record the labels that `labels.write` asks for; `classes` are those of the image."""
    write = scene.spec.labels.write
    labelled = {classes.names[n] for members in record.labels.sets for n in members or ()}
    left_out = (scene.spec.labels.least_share or {}).keys() - labelled
    through = "parts" in write and bool(scene.spec.labels.see_through)
    return replace(
        record,
        parts=frame.parts if "parts" in write else None,
        behind=frame.behind if through else None,
        instances=scene.instances[1][frame.parts] if "instances" in write else None,
        depth=frame.depth_m if "depth" in write else None,
        normals=frame.surface_normal if "normals" in write else None,
        coverage=coverage(frame, classes, scene.spec.labels, marks(classes, scene.spec.states)),
        objects=object_pixels(scene.objects, frame, left_out) if "objects" in write else None,
        part_pixels=part_pixels(frame) if "extents" in write else None,
    )
