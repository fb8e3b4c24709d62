"""The run folder: what a run leaves on disk, every file whole at any moment.

config.json       identity: config, classes, data digests, chosen images
known.json        digests of the photos that its weights know
environment.json  machine and software, and the way of computing that was chosen
.lock             held by the process that trains
curve.jsonl       one line per evaluation
last.pt           everything to go on from; gone once the run is finished
best.pt           the weights that the run is about, once it is finished
per_image.json    pixels of intersection and union per test image and class
README.md         all of this for people, with curve.png, best.png and worst.png
metrics.json      the result; written last, so its presence says *finished*
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from clearcoat.dataset.files import is_temporary, remove_abandoned, write_whole
from clearcoat.errors import ClearcoatError, OccupiedError, RunError

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
KNOWN = "known.json"
CURVE = "curve.jsonl"
LAST = "last.pt"
BEST = "best.pt"
PER_IMAGE = "per_image.json"
METRICS = "metrics.json"
LOCK = ".lock"


class RunFolder:
    """Reads and writes the files of one run; raises RunError where that fails."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Claim the folder for a run, or find that it already is this run's.

        Raises RunError where the folder holds another run or something else.
        """
        if self.is_of(identity):
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                "cannot make the run's folder", where=self.path, found=error.strerror
            ) from error
        self.write_json(CONFIG, identity)

    def is_of(self, identity: Mapping[str, Any]) -> bool:
        """Whether the folder is this run's already; False where it is absent or free to claim.

        Raises RunError where it holds another run or something else. Writes nothing.
        """
        if (self.path / CONFIG).exists():
            self._check_same(self.read_json(CONFIG), identity)
            return True
        if self.path.exists() and (not self.path.is_dir() or self._is_used()):
            raise RunError(
                "the output folder is not empty and holds no run",
                where=self.path,
                do="choose another --out",
            )
        return False

    def _is_used(self) -> bool:
        # A kill while `config.json` was written leaves a file that is nobody's.
        return not all(is_temporary(entry.name) for entry in self.path.iterdir())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training in this folder meanwhile.

        The lock ends with the process that holds it, however that ends. Raises OccupiedError where
        another process holds it.
        """
        lock = FileLock(self.path / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise OccupiedError(
                "another process is training in this folder",
                where=self.path,
                do="wait until it is done, or choose another --out",
            ) from None
        except OSError as error:
            raise _cannot_write(self.path / LOCK, error.strerror) from error
        try:
            remove_abandoned(self.path)
            yield
        finally:
            lock.release()

    @property
    def finished(self) -> bool:
        """Whether the run has its result."""
        return (self.path / METRICS).is_file()

    def has(self, name: str) -> bool:
        """Whether a file of the run exists."""
        return (self.path / name).is_file()

    def read_json(self, name: str) -> dict[str, Any]:
        """Read one of the run's JSON files."""
        file = self.path / name
        try:
            content = json.loads(file.read_bytes())
        except (OSError, ValueError) as error:
            raise _damaged(file, error) from error
        if not isinstance(content, dict):
            raise _damaged(file, "something else than a JSON object")
        return content

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write one of the run's JSON files."""
        text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
        self._write(name, text.encode())

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write one of the files that are for people."""
        self._write(name, content)

    def read_tensors(self, name: str) -> dict[str, Any]:
        """Read a checkpoint on the CPU; nothing in it is executed."""
        file = self.path / name
        try:
            with zipfile.ZipFile(file) as archive:
                broken = archive.testzip()
            if broken is not None:
                raise ValueError(f"{broken} is not what was written")
            content: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises anything from EOFError to UnpicklingError
            raise _damaged(file, error) from error
        return content

    def read_progress(self) -> dict[str, Any] | None:
        """How far the checkpoint is, read without its weights; None where there is none.

        A damaged one is none either: whoever goes on from it is told.
        """
        try:
            # Mapped, since a study asks this of many runs.
            saved = torch.load(self.path / LAST, map_location="cpu", weights_only=True, mmap=True)
            progress: dict[str, Any] = saved["progress"]
        except Exception:  # torch raises anything from EOFError to UnpicklingError
            return None
        return progress

    def write_tensors(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a checkpoint."""
        buffer = io.BytesIO()
        torch.save(dict(content), buffer)
        self._write(name, buffer.getvalue())

    def append_curve(self, line: Mapping[str, Any]) -> None:
        """Add one evaluation."""
        try:
            with (self.path / CURVE).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, allow_nan=False) + "\n")
        except OSError as error:
            raise _cannot_write(self.path / CURVE, error.strerror) from error

    def read_curve(self) -> list[dict[str, Any]]:
        """Every evaluation so far; a last line cut off by a kill is left out.

        Raises RunError where another line is no evaluation.
        """
        file = self.path / CURVE
        lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
        found = []
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                continue
            try:
                evaluation = json.loads(line)
                if not isinstance(evaluation, dict):
                    raise ValueError("something else than a JSON object")
            except ValueError as error:
                raise RunError(
                    "an evaluation of the run cannot be read",
                    where=f"{file}, line {number}",
                    found=error,
                    expected="a JSON object",
                    do="remove the line, then give the same command again: only this point of "
                    "the curve is lost",
                ) from error
            found.append(evaluation)
        return found

    def cut_curve(self, count: int) -> None:
        """Keep the first `count` evaluations: those before the checkpoint gone on from."""
        kept = self.read_curve()[:count]
        self._write(CURVE, "".join(json.dumps(line) + "\n" for line in kept).encode())

    def remove(self, name: str) -> None:
        """Remove a file of the run if it is there."""
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise _cannot_write(self.path / name, error.strerror) from error

    def _write(self, name: str, data: bytes) -> None:
        try:
            write_whole(self.path / name, data)
        except ClearcoatError as error:
            raise _cannot_write(error.where, error.found) from error

    def _check_same(self, existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        if existing.get("run_id") == wanted["run_id"]:
            return
        before, now = _flat(existing), _flat(wanted)
        changed = [
            key
            for key in sorted(before.keys() | now.keys())
            if before.get(key) != now.get(key) and key.split(".")[0] in ("config", "data")
        ]
        raise RunError(
            "the output folder holds a run of another configuration",
            where=self.path,
            found=", ".join(f"{key} = {before.get(key)}" for key in changed[:6]) or "another run",
            expected=", ".join(f"{key} = {now.get(key)}" for key in changed[:6]) or None,
            do="choose another --out, or remove this folder",
        )


def finished_run(path: Path) -> RunFolder:
    """Return the folder of a finished run; raises RunError for anything else."""
    folder = RunFolder(path)
    if not folder.has(CONFIG):
        raise not_a_run(path)
    if not folder.finished:
        raise RunError(
            "the run is not finished",
            where=path,
            found="no metrics.json",
            do="run the same `clearcoat train` command again: it goes on where it stopped",
        )
    return folder


def not_a_run(path: Path) -> RunError:
    """Return the error of a path that holds no run."""
    do = "check the path, or train one: `clearcoat train --help`"
    if path.is_dir():
        found = "a folder without config.json"
    elif path.exists():
        found = "a file"
        if (path.parent / CONFIG).is_file():
            do = f"name the folder that it lies in: {path.parent}"
    else:
        found = "no such folder"
    return RunError(
        "not a run",
        where=path,
        found=found,
        expected="the --out folder of `clearcoat train`",
        do=do,
    )


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            leaves.update(_flat(value, f"{prefix}{key}."))
        else:
            leaves[prefix + key] = value
    return leaves


def _cannot_write(where: object, found: object) -> RunError:
    return RunError(
        "cannot write into the run's folder",
        where=where,
        found=found,
        do="make room or get write permission, then run the same command again to go on",
    )


def _damaged(file: Path, found: object) -> RunError:
    return RunError(
        "a file of the run is damaged",
        where=file,
        found=str(found).splitlines()[0] if str(found) else type(found).__name__,
        do="remove the run's folder and train again",
    )
