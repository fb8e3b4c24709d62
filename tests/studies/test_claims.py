"""Claims on runs: whose process lives, and whose does not."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from clearcoat.studies.locks import Claims


def test_claims_of_the_dead_are_free(tmp_path: Path) -> None:
    with Claims(tmp_path) as ours:
        assert ours.take("run")
        file = tmp_path / "claims" / "run.json"
        with Claims(tmp_path) as theirs:
            assert not theirs.take("run")
            assert theirs.others() == {"run"}
            # Its process lives, though it may have slept for long.
            os.utime(file, (0, 0))
            assert not theirs.take("run")
            holder = json.loads(file.read_text())
            file.write_text(json.dumps(holder | {"started": "1"}))
            assert theirs.take("run")
    assert not list((tmp_path / "claims").glob("*.json"))


def test_claims_of_other_containers_live_while_they_are_touched(tmp_path: Path) -> None:
    file = tmp_path / "claims" / "run.json"
    with Claims(tmp_path) as claims:
        assert claims.take("run")
        # As of a container with this host's name: its process 1 is not the one of that number here.
        holder = json.loads(file.read_bytes())
        other = holder | {"pid": 1, "started": "1", "space": "boot pid:[1]"}
        file.write_text(json.dumps(other))
        assert not Claims(tmp_path).take("run")
        os.utime(file, (0, 0))
        assert not Claims(tmp_path).others()
        # It was taken from us meanwhile, and is not ours to give back.
        claims.release("run")
    assert json.loads(file.read_bytes()) == other


def test_claims_of_other_machines_live_while_they_are_touched(tmp_path: Path) -> None:
    file = tmp_path / "claims" / "run.json"
    with Claims(tmp_path) as ours:
        file.write_text(json.dumps({"host": "elsewhere", "pid": 1, "started": "5"}))
        assert not ours.take("run")
        os.utime(file, (0, 0))
        assert ours.take("run")


def test_claims_are_touched_again_after_the_file_system_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touches: list[Any] = []
    again = threading.Event()

    def away(*touched: Any) -> None:
        touches.append(touched)
        if len(touches) == 1:
            raise OSError("stale file handle")
        again.set()

    with Claims(tmp_path, touch_every_s=0.01) as claims:
        monkeypatch.setattr(os, "utime", away)
        assert claims.take("run")
        assert again.wait(10)
