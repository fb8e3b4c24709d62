"""Labelled images per second at equal quality: clearcoat against Cycles as BlenderProc drives it.

    python benchmarks/render.py --peer-python PYTHON_WITH_BPY [--size 256 512]

The same GLB, panorama, exposure and camera poses go to both. Each is scored by PSNR, after the
same tone curve, against a 1,024-sample reference of its own, so neither has to match the other's
materials. The fewest samples with which the mean PSNR reaches 35 dB are found on a ladder; at
those, labelled images (picture, part numbers, depth, all written) are timed.

References take long and are kept in --cache. `bpy` (GPL) is installed into an environment of its
own and run as a process: `python3.11 -m venv peer && peer/bin/pip install bpy==4.5.15`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent))

import task as bench

from clearcoat.product.frame import rotation
from clearcoat.render import backend
from clearcoat.render.light import light

LADDER = (1, 2, 3, 4, 6, 8, 12, 16, 20, 30, 42, 64, 100, 144, 256, 400)
"""Samples per pixel to try: rows times columns of a pixel, which the stratified sampler wants."""
_PEER = Path(__file__).with_name("peers") / "blenderproc.py"


def main() -> None:
    arguments = _arguments()
    rows = []
    for size in arguments.size:
        task = bench.Task(size=size, poses=arguments.poses, hdri=arguments.hdri)
        ours = clearcoat(task, arguments)
        print_row(ours)
        rows.append(ours)
        if arguments.peer_python is not None:
            theirs = cycles(task, arguments)
            print_row(theirs)
            rows.append(theirs)
            for measure in ("images_per_s", "images_per_cpu_s"):
                print(f"  ratio of {measure}: {ours[measure] / theirs[measure]:.2f}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=1))


def clearcoat(task: bench.Task, arguments: argparse.Namespace) -> dict[str, Any]:
    """Find clearcoat's samples for the target and time its workers with them."""
    references = [
        bench.tone_map(picture)
        for picture in cached(
            arguments.cache,
            {"renderer": "clearcoat", **bench.facts(task)},
            lambda: bench.reference(task),
        )
    ]
    samples, quality = fewest(
        arguments.target_db,
        lambda count: bench.psnr_db(bench.pictures(task, count), references)[0],
    )
    context = multiprocessing.get_context("spawn")
    ready, seconds = context.Barrier(arguments.cores), context.Queue()
    workers = [
        context.Process(target=bench.work, args=(task, samples, arguments.frames, ready, seconds))
        for _ in range(arguments.cores)
    ]
    for worker in workers:
        worker.start()
    measured = [seconds.get() for _ in workers]
    for worker in workers:
        worker.join()
    made = arguments.frames * arguments.cores
    return {
        "renderer": "clearcoat",
        "version": f"mitsuba {backend.load().__version__}",
        "size": task.size,
        "samples": samples,
        "psnr_db": quality,
        "images_per_s": made / max(wall for wall, _ in measured),
        "images_per_cpu_s": made / sum(cpu for _, cpu in measured),
    }


def cycles(task: bench.Task, arguments: argparse.Namespace) -> dict[str, Any]:
    """Find Cycles' samples for the target and time it with all cores."""
    peer = Peer(task, arguments)
    what = {"renderer": "cycles", "bounces": arguments.peer_bounces, **bench.facts(task)}
    references = [
        bench.tone_map(picture) for picture in cached(arguments.cache, what, peer.reference)
    ]
    samples, quality = fewest(
        arguments.target_db, lambda count: bench.psnr_db(peer.pictures(count), references)[0]
    )
    # One round more than is counted: the first frames build what persistent data keeps.
    rounds = 1 + max(arguments.frames * arguments.cores // task.poses, 1)
    result = peer.run([{"name": "timed", "samples": samples}], rounds=rounds)
    wall, cpu = (result["renders"][0][key][task.poses :] for key in ("seconds", "cpu_s"))
    return {
        "renderer": "cycles",
        "version": f"bpy {result['version']}",
        "size": task.size,
        "samples": samples,
        "psnr_db": quality,
        "images_per_s": len(wall) / sum(wall),
        "images_per_cpu_s": len(cpu) / sum(cpu),
    }


class Peer:
    """Cycles in a process of its own."""

    def __init__(self, task: bench.Task, arguments: argparse.Namespace) -> None:
        self.task = task
        self.arguments = arguments
        self.folder: Path = arguments.cache / "peer"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.mi = backend.load()
        self.scene = bench.scene_with(1)
        self.drawn = task.samples(self.scene)

    def run(
        self, renders: list[dict[str, Any]], *, reference: bool = False, rounds: int = 0
    ) -> dict[str, Any]:
        """Render a list of jobs and return what the peer reports of them."""
        product = self.scene.product
        panorama = light(self.drawn[0], self.scene.hdri_folder, self.mi)
        # Blender's first column looks along -x, clearcoat's along +y.
        turned = np.roll(panorama, panorama.shape[1] // 4, axis=1)
        file = self.folder / "panorama.npy"
        np.save(file, turned)
        job = {
            "glb": str((bench.SPEC.parent / self.scene.spec.product.file).resolve()),
            "product_from_gltf": rotation(product.up, product.front).tolist(),
            "panorama": str(file),
            "size": [self.task.size, self.task.size],
            "threads": self.arguments.cores,
            "max_bounces": self.arguments.peer_bounces,
            "folder": str(self.folder),
            "result": str(self.folder / "result.json"),
            "renders": [one | {"reference": reference, "timed": rounds > 0} for one in renders],
            "rounds": max(rounds, 1),
            "poses": [
                {
                    "focal_mm": one.camera.focal_mm,
                    "sensor_width_mm": one.camera.sensor_width_mm,
                    "world_from_camera": _blender_pose(one.camera.pose).tolist(),
                }
                for one in self.drawn
            ],
        }
        path = self.folder / "job.json"
        path.write_text(json.dumps(job))
        done = subprocess.run(
            [self.arguments.peer_python, str(_PEER), str(path)],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SystemExit(f"the peer failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        result: dict[str, Any] = json.loads(Path(job["result"]).read_text())
        return result

    def reference(self) -> list[NDArray[np.float32]]:
        """Return linear radiance per pose: 1,024 samples, not adaptive, not denoised."""
        self.run([{"name": "reference", "samples": bench.REFERENCE_SAMPLES}], reference=True)
        return self._read("reference")

    def pictures(self, samples: int) -> list[NDArray[np.uint8]]:
        """Return the tone-mapped picture of every pose."""
        self.run([{"name": "trial", "samples": samples}])
        return [bench.tone_map(picture) for picture in self._read("trial")]

    def _read(self, name: str) -> list[NDArray[np.float32]]:
        return [np.load(self.folder / f"{name}_{place}.npy") for place in range(self.task.poses)]


def fewest(target_db: float, quality: Any) -> tuple[int, float]:
    """Return the lowest step of the ladder that reaches the target, by bisection, and its PSNR."""
    seen: dict[int, float] = {}

    def at(step: int) -> float:
        if step not in seen:
            seen[step] = quality(LADDER[step])
            print(f"    {LADDER[step]:4d} samples: {seen[step]:.2f} dB", flush=True)
        return seen[step]

    low, high = 0, LADDER.index(16)
    while at(high) < target_db:
        if high == len(LADDER) - 1:
            raise SystemExit(f"{LADDER[-1]} samples do not reach {target_db} dB")
        low, high = high + 1, min(high + 4, len(LADDER) - 1)
    while low < high:
        middle = (low + high) // 2
        if at(middle) < target_db:
            low = middle + 1
        else:
            high = middle
    return LADDER[high], at(high)


def cached(folder: Path, what: dict[str, Any], make: Any) -> list[NDArray[np.float32]]:
    """Return what `make` returns, from disk where it was made before."""
    key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
    file = folder / f"reference_{what['renderer']}_{what['size']}_{key}.npy"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = np.stack(make())
        with file.with_suffix(".part").open("wb") as handle:
            np.save(handle, made)
        file.with_suffix(".part").replace(file)
    return list(np.load(file))


def print_row(row: dict[str, Any]) -> None:
    print(
        f"{row['size']:4d}²  {row['renderer']:10s} {row['version']:16s} "
        f"{row['samples']:4d} samples  {row['psnr_db']:.2f} dB  "
        f"{row['images_per_s']:.3f} labelled images/s  "
        f"{row['images_per_cpu_s']:.3f} per CPU second",
        flush=True,
    )


def _blender_pose(pose: Any) -> NDArray[np.float64]:
    """(4, 4): Blender's camera looks along -z with +y up."""
    world = np.eye(4)
    world[:3, 0] = pose.right
    world[:3, 1] = -np.array(pose.down)
    world[:3, 2] = -np.array(pose.forward)
    world[:3, 3] = pose.position_m
    return world


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", help="a Python that has bpy; without, clearcoat only")
    parser.add_argument("--size", type=int, nargs="+", default=[256, 512], help="pixels a side")
    parser.add_argument("--poses", type=int, default=3)
    parser.add_argument("--frames", type=int, default=12, help="timed images per core")
    parser.add_argument("--cores", type=int, default=2, help="workers here, threads of the peer")
    parser.add_argument("--target-db", type=float, default=35.0)
    parser.add_argument("--hdri", default="venice_sunset_1k.hdr")
    parser.add_argument(
        "--peer-bounces", type=int, help="the same limit for all bounces; default BlenderProc's"
    )
    parser.add_argument("--cache", type=Path, default=Path(".benchmark-cache"))
    parser.add_argument("--json", type=Path, help="write the rows here, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
