"""Cycles as BlenderProc drives it. Runs under a Python that has `bpy`, as a process of its own.

    python blenderproc.py JOB.json

The job names the GLB, the panorama, the poses, the size, and a list of renders: samples, whether
it is the reference, whether it is timed (else the pictures are kept as arrays). `bpy` is GPL and no
part of clearcoat: nothing imports this file.

What BlenderProc (github.com/DLR-RM/BlenderProc) sets is set here: persistent data, adaptive
sampling with a noise threshold of 0.01, Intel's denoiser in the compositor with albedo and
normals, at most 3 bounces, and object index and depth as passes of the same render, written by
the compositor: the cheapest way to labels that Cycles has.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

_BLENDERPROC_BOUNCES = {
    "max_bounces": 3,
    "diffuse_bounces": 3,
    "glossy_bounces": 0,
    "transmission_bounces": 0,
    "volume_bounces": 0,
    "transparent_max_bounces": 8,
}
_NOISE_THRESHOLD = 0.01


def load_product(glb: str, product_from_gltf: list[list[float]]) -> list[Any]:
    """Import the GLB, number its objects, and put it where clearcoat puts it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=glb)
    objects = [item for item in bpy.context.scene.objects if item.type == "MESH"]
    # Blender's importer turns y up into z up: (x, y, z) becomes (x, -z, y).
    gltf_from_blender = Matrix(((1, 0, 0), (0, 0, 1), (0, -1, 0))).to_4x4()
    turn = Matrix(product_from_gltf).to_4x4() @ gltf_from_blender
    corners = []
    for item in objects:
        points = np.empty(3 * len(item.data.vertices), np.float32)
        item.data.vertices.foreach_get("co", points)
        world = np.array(turn @ item.matrix_world)
        corners.append(points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3])
    low = np.min([points.min(axis=0) for points in corners], axis=0)
    high = np.max([points.max(axis=0) for points in corners], axis=0)
    shift = Matrix.Translation((-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]))
    for number, item in enumerate(objects, start=1):
        item.pass_index = number
    for item in bpy.context.scene.objects:
        if item.parent is None:
            item.matrix_world = shift @ turn @ item.matrix_world
    return objects


def light(panorama: str) -> None:
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    texture = nodes.new("ShaderNodeTexEnvironment")
    rgb = np.load(panorama)[::-1]
    height, width = rgb.shape[:2]
    image = bpy.data.images.new("panorama", width, height, float_buffer=True)
    image.colorspace_settings.name = "Linear Rec.709"
    image.pixels.foreach_set(np.dstack([rgb, np.ones_like(rgb[..., :1])]).ravel())
    image.pack()
    texture.image = image
    links.new(texture.outputs["Color"], nodes["Background"].inputs["Color"])


def compose(folder: Path, size: list[int]) -> Any:
    """Set up passes and compositor; return the node that denoises."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.render.use_persistent_data = True
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_depth = "32"
    scene.render.image_settings.exr_codec = "NONE"
    scene.view_settings.view_transform = "Raw"
    scene.cycles.device = "CPU"
    layer = bpy.context.view_layer
    layer.use_pass_object_index = layer.use_pass_z = True
    layer.use_pass_normal = layer.use_pass_diffuse_color = True
    scene.use_nodes = True
    nodes, links = scene.node_tree.nodes, scene.node_tree.links
    nodes.clear()
    source = nodes.new("CompositorNodeRLayers")
    target = nodes.new("CompositorNodeComposite")
    denoiser = nodes.new("CompositorNodeDenoise")
    links.new(source.outputs["Image"], denoiser.inputs["Image"])
    links.new(source.outputs["DiffCol"], denoiser.inputs["Albedo"])
    links.new(source.outputs["Normal"], denoiser.inputs["Normal"])
    links.new(denoiser.outputs["Image"], target.inputs["Image"])
    for output, name in (("IndexOB", "parts_"), ("Depth", "depth_")):
        file = nodes.new("CompositorNodeOutputFile")
        file.base_path = str(folder)
        file.format.file_format = "OPEN_EXR"
        file.file_slots[0].path = name
        links.new(source.outputs[output], file.inputs[0])
    return denoiser


def camera(size: list[int]) -> Any:
    data = bpy.data.cameras.new("camera")
    data.sensor_fit = "HORIZONTAL"
    data.clip_start, data.clip_end = 0.01, 1e5
    item = bpy.data.objects.new("camera", data)
    bpy.context.scene.collection.objects.link(item)
    bpy.context.scene.camera = item
    return item


def move(eye: Any, poses: list[dict[str, Any]], rounds: int) -> None:
    """Key the camera's pose at every frame: an animation, as BlenderProc makes of its poses."""
    scene = bpy.context.scene
    eye.rotation_mode = "QUATERNION"
    for frame in range(len(poses) * rounds):
        pose = poses[frame % len(poses)]
        eye.data.sensor_width = pose["sensor_width_mm"]
        eye.data.lens = pose["focal_mm"]
        eye.matrix_world = Matrix(pose["world_from_camera"])
        for path in ("location", "rotation_quaternion"):
            eye.keyframe_insert(path, frame=frame)
        for path in ("lens", "sensor_width"):
            eye.data.keyframe_insert(path, frame=frame)
    scene.frame_start, scene.frame_end = 0, len(poses) * rounds - 1


def _note(moments: list[tuple[float, float]], *_: Any) -> None:
    moments.append((time.perf_counter(), time.process_time()))


def keep(exr: Path, name: str) -> None:
    """Put a picture beside its file as an array (H, W, 3), float32, linear."""
    image = bpy.data.images.load(str(exr))
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    np.save(exr.with_name(name), pixels.reshape(height, width, 4)[::-1, :, :3])


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(job["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    objects = load_product(job["glb"], job["product_from_gltf"])
    light(job["panorama"])
    denoiser = compose(folder, job["size"])
    eye = camera(job["size"])
    scene = bpy.context.scene
    scene.render.threads_mode = "FIXED"
    scene.render.threads = job["threads"]
    bounces = dict(_BLENDERPROC_BOUNCES)
    if job["max_bounces"] is not None:
        bounces = dict.fromkeys(bounces, job["max_bounces"])
    for name, value in bounces.items():
        setattr(scene.cycles, name, value)
    move(eye, job["poses"], job["rounds"])
    results = []
    for number, task in enumerate(job["renders"]):
        scene.cycles.samples = task["samples"]
        scene.cycles.use_adaptive_sampling = not task["reference"]
        scene.cycles.adaptive_threshold = _NOISE_THRESHOLD
        denoiser.mute = task["reference"]
        scene.cycles.seed = number
        scene.render.filepath = str(folder / f"{task['name']}_")
        moments = [(time.perf_counter(), time.process_time())]
        clock = partial(_note, moments)
        bpy.app.handlers.render_write.append(clock)
        bpy.ops.render.render(animation=True)
        bpy.app.handlers.render_write.remove(clock)
        between = np.diff(np.array(moments), axis=0)
        results.append(
            {
                "name": task["name"],
                "seconds": between[:, 0].tolist(),
                "cpu_s": between[:, 1].tolist(),
            }
        )
        if not task["timed"]:
            for place in range(len(job["poses"])):
                keep(folder / f"{task['name']}_{place:04d}.exr", f"{task['name']}_{place}.npy")
    Path(job["result"]).write_text(
        json.dumps(
            {
                "version": bpy.app.version_string,
                "objects": len(objects),
                "triangles": sum(
                    sum(len(p.vertices) - 2 for p in item.data.polygons) for item in objects
                ),
                "renders": results,
            }
        )
    )


if __name__ == "__main__":
    main()
