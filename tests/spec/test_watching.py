"""What counts as a change of a spec: its own file and every file that it extends."""

from __future__ import annotations

import os
from pathlib import Path

from clearcoat.spec import Watched


def _save(path: Path, text: str) -> None:
    later = path.stat().st_mtime_ns + 1_000_000 if path.exists() else None
    path.write_text(text, encoding="utf-8")
    if later is not None:
        os.utime(path, ns=(later, later))


def test_a_saved_file_changes_the_stamp_wherever_it_stands_in_the_chain(tmp_path: Path) -> None:
    spec, middle, last = (tmp_path / name for name in ("spec.yaml", "middle.yaml", "last.yaml"))
    _save(last, "a: 1\n")
    _save(middle, "extends: last.yaml\n")
    _save(spec, "extends: [middle.yaml]\nb: 2\n")
    watched = Watched(spec)
    stamps = [watched.stamp()]
    assert watched.stamp() == stamps[0]
    for file, text in ((last, "a: 2\n"), (middle, "extends: last.yaml\nc: 1\n"), (spec, "b: 3\n")):
        _save(file, text)
        stamps.append(watched.stamp())
    assert len(set(stamps)) == len(stamps)
    # Nothing extends it any more.
    _save(last, "a: 3\n")
    assert watched.stamp() == stamps[-1]


def test_a_mistake_or_a_missing_file_is_waited_for(tmp_path: Path) -> None:
    spec, other = tmp_path / "spec.yaml", tmp_path / "other.yaml"
    watched = Watched(spec)
    stamps = [watched.stamp()]
    for file, text in (
        (spec, "extends: [other.yaml\n"),
        (spec, "extends: other.yaml\n"),
        (other, "a: {\n"),
        (other, "extends: spec.yaml\n"),
        (other, "extends: 7\n"),
    ):
        _save(file, text)
        stamps.append(watched.stamp())
    assert len(set(stamps)) == len(stamps)
    spec.unlink()
    assert watched.stamp() not in stamps[1:]
