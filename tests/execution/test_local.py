"""Local execution: results, errors and dead workers."""

from __future__ import annotations

import os

import pytest

from clearcoat.errors import ClearcoatError, UsageError
from clearcoat.execution import run_local


def _ten() -> int:
    return 10


def _add(state: int, item: int) -> int:
    return state + item


def _fail(state: int, item: int) -> int:
    raise UsageError("no", found=item)


def _unprepared() -> int:
    raise UsageError("cannot prepare")


def _die(state: int, item: int) -> int:
    os._exit(9)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_of_all_items(workers: int) -> None:
    assert sorted(run_local(_ten, _add, range(5), workers)) == [10, 11, 12, 13, 14]
    assert list(run_local(_unprepared, _add, [], workers)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_come_back_whole(workers: int) -> None:
    with pytest.raises(UsageError) as caught:
        list(run_local(_ten, _fail, [7], workers))
    assert caught.value.found == "7"
    with pytest.raises(UsageError, match="cannot prepare"):
        list(run_local(_unprepared, _add, [1], workers))


def test_a_dead_worker_is_reported() -> None:
    with pytest.raises(ClearcoatError, match="worker process died"):
        list(run_local(_ten, _die, [1, 2], 2))
