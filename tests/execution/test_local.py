"""Local execution: results, errors and dead workers."""

from __future__ import annotations

import os
import signal
from itertools import count

import pytest

from clearcoat.errors import ClearcoatError, UsageError
from clearcoat.execution import Workers, run_local


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


def _tally() -> count[int]:
    return count()


def _next(tally: count[int], item: int) -> tuple[int, int]:
    return os.getpid(), next(tally)


def _interrupt(state: int, item: int) -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("processes", [1, 2])
def test_processes_and_their_states_stay_between_series(processes: int) -> None:
    with Workers(_tally, processes) as workers:
        first = list(workers.run(_next, range(6)))
        second = list(workers.run(_next, range(6)))
    # A process that starts slowly may get its first item in the second series.
    pids = {pid for pid, _ in first + second}
    assert len(pids) <= processes
    assert (os.getpid() in pids) == (processes == 1)
    # Every process counts its own items, on and on.
    for pid in pids:
        counted = sorted(number for who, number in first + second if who == pid)
        assert counted == list(range(len(counted)))


def test_work_goes_on_after_a_worker_died() -> None:
    with Workers(_ten, 2) as workers:
        with pytest.raises(ClearcoatError, match="worker process died"):
            list(workers.run(_die, [1, 2]))
        assert sorted(workers.run(_add, [1, 2])) == [11, 12]


@pytest.mark.skipif(os.name != "posix", reason="signals end processes on POSIX only")
def test_an_interrupted_worker_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ClearcoatError, match="worker process died"):
        list(run_local(_ten, _interrupt, [1], 2))
    assert capfd.readouterr().err == ""


class _TwoPiecesError(Exception):
    """Cannot be unpickled: its arguments are not those that it was made with."""

    def __init__(self, what: str, more: str) -> None:
        super().__init__(f"{what}: {more}")


def _full() -> int:
    raise OSError("disk full")


def _raise_two(state: int, item: int) -> int:
    raise _TwoPiecesError("broken", "beyond repair")


def test_what_went_wrong_in_a_worker_is_told() -> None:
    with pytest.raises(OSError, match="disk full"):
        list(run_local(_full, _add, [1, 2], 2))
    with pytest.raises(RuntimeError, match="_TwoPiecesError: broken: beyond repair"):
        list(run_local(_ten, _raise_two, [1, 2], 2))


def test_a_dead_worker_is_reported() -> None:
    with pytest.raises(ClearcoatError, match="worker process died"):
        list(run_local(_ten, _die, [1, 2], 2))
