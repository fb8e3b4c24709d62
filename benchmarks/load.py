"""How fast a product of 10,000 parts and 5 million triangles loads: against 30 s and trimesh.

Run: python benchmarks/load.py [--parts 10000] [--triangles 500] [--no-trimesh] [--render 512]
Prints ratios; below 1 is within the limit, or faster than trimesh.load. Each is a process of its
own, so that peak memory is its own. `--render` makes one labelled picture of that many pixels a
side as well, and a second one in the same process.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

LIMIT_S = 30.0

_READ = """
import resource, sys, time
start = time.perf_counter()
{}
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""
_OURS = """
from pathlib import Path
from clearcoat.product import read
product = read(Path(sys.argv[1]))
assert len(product.parts) == int(sys.argv[2])
"""
_SPEC = """
product: {file: large.glb}
classes: {names: [panel], rules: [{part: "panel_*", is: panel}]}
labels: {write: [parts, instances, depth]}
light: {environments: {sky: 1}}
render: {samples: 4}
"""
_RENDER = """
from pathlib import Path
import numpy as np
from clearcoat.generation import Studio, load_scene
scene = load_scene(Path(sys.argv[1]))
print(f"  spec, product, classes: {time.perf_counter() - start:.1f} s")
studio = Studio(scene, (int(sys.argv[2]),) * 2, 0)
for index in range(2):
    began = time.perf_counter()
    record = studio.record(index)
    seen = len(np.unique(record.parts)) - 1
    assert seen > 0 and np.array_equal(record.parts > 0, np.isfinite(record.depth))
    print(f"  labelled picture {index}: {time.perf_counter() - began:.1f} s, {seen:,} parts seen")
"""
_TRIMESH = """
import trimesh
trimesh.load(sys.argv[1], process=False)
"""


def write(path: Path, parts: int, triangles: int) -> None:
    """Write a GLB of wavy patches, each a mesh of its own with normals, on a grid."""
    side = max(int(np.sqrt(triangles / 2)), 1)
    u, v = np.meshgrid(np.linspace(0, 1, side + 1), np.linspace(0, 1, side + 1), indexing="ij")
    row = (np.arange(side)[:, None] * (side + 1) + np.arange(side)[None]).reshape(-1)
    faces = np.concatenate(
        [
            np.stack([row, row + side + 1, row + 1], axis=1),
            np.stack([row + 1, row + side + 1, row + side + 2], axis=1),
        ]
    ).astype("<u4")
    views, accessors, meshes, nodes, chunks, place = [], [], [], [], [], 0

    def add(values: np.ndarray, kind: str, code: int) -> int:
        nonlocal place
        content = np.ascontiguousarray(values).tobytes()
        views.append({"buffer": 0, "byteOffset": place, "byteLength": len(content)})
        count = values.size if kind == "SCALAR" else len(values)
        entry = {"bufferView": len(views) - 1, "componentType": code, "count": count, "type": kind}
        accessors.append(entry)
        chunks.append(content)
        place += len(content)
        return len(accessors) - 1

    for number in range(parts):
        phase = 0.1 * number
        height = 0.2 * np.sin(5 * u + phase) * np.cos(4 * v)
        points = np.stack([u, v, height], axis=-1).reshape(-1, 3).astype("<f4")
        slope = np.stack(
            [
                -np.cos(5 * u + phase) * np.cos(4 * v),
                0.8 * np.sin(5 * u + phase) * np.sin(4 * v),
                np.ones_like(u),
            ],
            axis=-1,
        ).reshape(-1, 3)
        normals = (slope / np.linalg.norm(slope, axis=1, keepdims=True)).astype("<f4")
        attributes = {"POSITION": add(points, "VEC3", 5126), "NORMAL": add(normals, "VEC3", 5126)}
        piece = {"attributes": attributes, "indices": add(faces, "SCALAR", 5125)}
        meshes.append({"name": f"panel_{number}", "primitives": [piece]})
        where = [1.1 * (number % 100), 0.0, 1.1 * (number // 100)]
        nodes.append({"name": f"panel_{number}", "mesh": number, "translation": where})
    document = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": list(range(parts))}],
        "nodes": nodes,
        "meshes": meshes,
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": place}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    with path.open("wb") as stream:
        stream.write(struct.pack("<4sII", b"glTF", 2, 28 + len(text) + place))
        stream.write(struct.pack("<II", len(text), 0x4E4F534A) + text)
        stream.write(struct.pack("<II", place, 0x004E4942))
        stream.writelines(chunks)


def measure(code: str, *arguments: str) -> tuple[float, float]:
    """Seconds and peak GiB of a fresh process, imports included; prints what else it says."""
    # Not by `format`: the code has braces of its own.
    command = [sys.executable, "-c", _READ.replace("{}", code), *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    *said, last = done.stdout.splitlines()
    print("\n".join(said), end="\n" if said else "")
    seconds, gibibytes = last.split()
    return float(seconds), float(gibibytes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=10_000)
    parser.add_argument("--triangles", type=int, default=512, help="of each part")
    parser.add_argument("--no-trimesh", action="store_true")
    parser.add_argument("--render", type=int, metavar="PIXELS", help="a side; makes pictures, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.glb"
        write(path, options.parts, options.triangles)
        print(
            f"{options.parts:,} parts of {options.triangles} triangles, {path.stat().st_size:,} B"
        )
        ours, peak = measure(_OURS, str(path), str(options.parts))
        print(
            f"clearcoat: {ours:.1f} s, {peak:.2f} GiB; of the {LIMIT_S:g} s: {ours / LIMIT_S:.2f}"
        )
        if options.render is not None:
            spec = path.with_name("large.yaml")
            spec.write_text(_SPEC)
            seconds, peak = measure(_RENDER, str(spec), str(options.render))
            print(f"from start to the second labelled picture: {seconds:.1f} s, {peak:.2f} GiB")
        if not options.no_trimesh:
            theirs, their_peak = measure(_TRIMESH, str(path))
            print(f"trimesh: {theirs:.1f} s, {their_peak:.2f} GiB; ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
