"""Run the same function on many items, here or in several processes of this machine."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from clearcoat.errors import ClearcoatError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_state: Any = None


class Workers:
    """One process or several, whose states stay from one series of items to the next.

    `state = prepare()` is made once per process. A count of one is this process. With more,
    `prepare`, the work and its items must be picklable, and what they do must bear being ended at
    any moment, which Ctrl-C does. The processes are started afresh instead of forked, because a
    fork copies the locks of the renderer's threads in whatever state they are.

    A context manager: the processes end with it.
    """

    def __init__(self, prepare: Callable[[], Any], count: int) -> None:
        self._prepare, self._count = prepare, count
        self._own: list[Any] = []
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, each after the item that it works on; another series starts others."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def run(
        self, work: Callable[[Any, ItemT], ResultT], items: Iterable[ItemT]
    ) -> Iterator[ResultT]:
        """Yield `work(state, item)` as items finish; in one process in their order.

        Raises:
            ClearcoatError: what `prepare` or `work` raised, or that a worker died.
        """
        pending = list(items)
        return self._run_here(work, pending) if self._count <= 1 else self._run_apart(work, pending)

    def _run_here(
        self, work: Callable[[Any, ItemT], ResultT], pending: list[ItemT]
    ) -> Iterator[ResultT]:
        if pending and not self._own:
            self._own.append(self._prepare())
        for item in pending:
            yield work(self._own[0], item)

    def _run_apart(
        self, work: Callable[[Any, ItemT], ResultT], pending: list[ItemT]
    ) -> Iterator[ResultT]:
        if self._pool is None:
            # Pickled here, so that what it refers to is imported by `_start` and not before.
            self._pool = ProcessPoolExecutor(
                self._count,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start,
                initargs=(pickle.dumps(self._prepare),),
            )
        futures: list[Future[ResultT]] = []
        try:
            futures += [self._pool.submit(_call, work, item) for item in pending]
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            self.close()
            raise ClearcoatError(
                "a worker process died",
                found=str(error),
                do="if memory ran out, use fewer workers; then run the same command again, "
                "it goes on where this stopped",
            ) from error
        finally:
            for future in futures:
                future.cancel()


def run_local(
    prepare: Callable[[], Any],
    work: Callable[[Any, ItemT], ResultT],
    items: Iterable[ItemT],
    workers: int,
) -> Iterator[ResultT]:
    """Yield `work(state, item)` of one series of items as they finish; see `Workers`.

    Raises:
        ClearcoatError: as `Workers.run`.
    """
    with Workers(prepare, workers) as processes:
        yield from processes.run(work, items)


def _start(prepare: bytes) -> None:
    # Ctrl-C reaches the processes of a terminal all at once, and only the first need say so.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # An exception here would only break the pool; keep it to raise where an item is worked on.
    global _state
    try:
        _state = pickle.loads(prepare)()
    except Exception as error:
        _state = _Failed(error)


@dataclass(frozen=True)
class _Failed:
    """What `prepare` raised, in place of its result."""

    error: Exception


def _call(work: Callable[[Any, ItemT], ResultT], item: ItemT) -> ResultT:
    try:
        if isinstance(_state, _Failed):
            raise _state.error
        return work(_state, item)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            # It would break the pool on its way, and nobody would read it.
            raise RuntimeError("".join(traceback.format_exception(error))) from None
        raise
