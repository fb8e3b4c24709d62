"""Run the same function on many items, here or in several processes of this machine."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from clearcoat.errors import ClearcoatError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_state: Any = None


def run_local(
    prepare: Callable[[], Any],
    work: Callable[[Any, ItemT], ResultT],
    items: Iterable[ItemT],
    workers: int,
) -> Iterator[ResultT]:
    """Yield `work(state, item)` as items finish; `state = prepare()` is made once per process.

    With one worker everything runs in this process, in order. With more, `prepare`, `work` and
    the items must be picklable. The processes are started afresh instead of forked, because a
    fork copies the locks of the renderer's threads in whatever state they are.

    Raises:
        ClearcoatError: what `prepare` or `work` raised, or that a worker died.
    """
    pending = list(items)
    if workers <= 1:
        if pending:
            state = prepare()
            for item in pending:
                yield work(state, item)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(prepare,))
    try:
        futures: list[Future[ResultT]] = [pool.submit(_call, work, item) for item in pending]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise ClearcoatError(
            "a worker process died",
            found=str(error),
            do="if memory ran out, use fewer workers; then run the same command again, "
            "it goes on where this stopped",
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start(prepare: Callable[[], Any]) -> None:
    # An exception here would only break the pool; keep it to raise where an item is worked on.
    global _state
    try:
        _state = prepare()
    except ClearcoatError as error:
        _state = error


def _call(work: Callable[[Any, ItemT], ResultT], item: ItemT) -> ResultT:
    if isinstance(_state, ClearcoatError):
        raise _state
    return work(_state, item)
