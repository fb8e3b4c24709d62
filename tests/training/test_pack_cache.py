"""Packs stay within their limit: the longest unused goes, and never one in use."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clearcoat.dataset import Dataset
from clearcoat.errors import UsageError
from clearcoat.training import pack_cache
from clearcoat.training.pack_cache import hold, limit_bytes, prune
from clearcoat.training.packing import pack_dataset

Make = Callable[..., Dataset]


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """Three packs of 1,000 bytes; `a` was used longest ago."""
    folder = tmp_path / "packs"
    for age, name in enumerate("cba"):
        (folder / name).mkdir(parents=True)
        (folder / name / "images.u8").write_bytes(bytes(1000))
        (folder / name / ".in-use").touch()
        moment = time.time() - 100 * (age + 1)
        os.utime(folder / name / ".in-use", (moment, moment))
    return folder


def _names(packs: Path) -> set[str]:
    return {path.name for path in packs.iterdir()}


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        (None, {"a", "b", "c"}),
        (3000, {"a", "b", "c"}),
        (2999, {"b", "c"}),
        (1500, {"c"}),
        (1, set()),
    ],
)
def test_the_longest_unused_goes_first(packs: Path, limit: int | None, left: set[str]) -> None:
    removed = prune(packs, limit)
    assert _names(packs) == left and removed == sorted({"a", "b", "c"} - left)


def test_use_makes_it_the_youngest(packs: Path) -> None:
    held = hold(packs / "a")
    assert held is not None
    held.release()
    assert prune(packs, 1000) == ["b", "c"]


def test_what_is_in_use_stays(packs: Path) -> None:
    held = hold(packs / "a")
    assert held is not None
    assert prune(packs, 1) == ["b", "c"]
    held.release()
    assert prune(packs, 1) == ["a"] and hold(packs / "a") is None


def _use(pack: Path, ready: object) -> None:
    held = hold(pack)
    assert held is not None
    ready.set()  # type: ignore[attr-defined]
    time.sleep(60)


def test_what_another_process_uses_stays_until_it_dies(packs: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    worker = context.Process(target=_use, args=(packs / "a", ready))
    worker.start()
    assert ready.wait(30)
    assert prune(packs, 1) == ["b", "c"]
    worker.kill()
    worker.join()
    assert prune(packs, 1) == ["a"]


def test_what_killed_processes_left_is_swept(packs: Path) -> None:
    for name in (".removing-1", ".writing-old", ".writing-new"):
        (packs / name).mkdir()
        (packs / name / "images.u8").touch()
    for path in (packs / ".writing-old" / "images.u8", packs / ".writing-old"):
        os.utime(path, (0, 0))
    prune(packs, None)
    assert _names(packs) == {"a", "b", "c", ".writing-new"}


def test_a_new_pack_pushes_an_old_one_out(
    squares: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARCOAT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CLEARCOAT_CACHE_LIMIT", "5kB")
    first, second = (squares(name, 3, where=tmp_path, seed=s) for s, name in enumerate("ab"))
    old = pack_dataset(first, 16).path
    # The first is garbage by now, and so used by nobody: 3 × 16² × 4 bytes and its header.
    new = pack_dataset(second, 16)
    assert new.path.is_dir() and not old.exists()
    again = pack_dataset(first, 16)
    # Both are in use now: neither goes, although that is more than the limit.
    assert again.path.is_dir() and new.path.is_dir()
    assert again.images.shape == (3, 3, 16, 16)


def test_a_pack_that_is_pruned_before_it_is_held_is_made_again(
    squares: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARCOAT_CACHE", str(tmp_path / "cache"))
    dataset = squares("data", 2, where=tmp_path)
    path = pack_dataset(dataset, 16).path

    def pruned_first(pack: Path) -> object:
        monkeypatch.setattr("clearcoat.training.packing.hold", hold)
        assert prune(pack.parent, 1) == [pack.name]
        return hold(pack)

    monkeypatch.setattr("clearcoat.training.packing.hold", pruned_first)
    assert pack_dataset(dataset, 16).path == path


@pytest.mark.parametrize(
    ("text", "limit"),
    [("", pack_cache._DEFAULT_LIMIT_BYTES), ("0", None), ("1500", 1500), ("1.5 GB", 1_500_000_000)],
)
def test_limits(text: str, limit: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARCOAT_CACHE_LIMIT", text)
    assert limit_bytes() == limit


@pytest.mark.parametrize("text", ["much", "-1", "3 PB"])
def test_what_is_no_limit(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARCOAT_CACHE_LIMIT", text)
    with pytest.raises(UsageError, match="not a size"):
        limit_bytes()
