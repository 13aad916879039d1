"""An event loop on virtual time: timers cost nothing, sockets are real.

The selector asks the real sockets first. Only when none of them has anything to say does the clock jump to the next timer, so a day
passes in seconds while station and CSMS talk over real connections in the same loop. There are no threads: what asyncio would give
to one runs in place.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

DEADLOCK_S = 5.0
"""Real seconds to wait for a socket when no timer is left; then nothing will ever happen any more."""


class Deadlock(RuntimeError):
    """No timer, and no socket that says anything."""


class VirtualSelector(selectors.BaseSelector):
    """A selector that advances `now_s` instead of sleeping. `patience_s`: real seconds that other processes get before a jump."""

    def __init__(self, patience_s: float = 0.0) -> None:
        self.now_s = 0.0
        self.patience_s = patience_s
        self._real = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            ready = self._real.select(DEADLOCK_S)
            if not ready:
                raise Deadlock(f"no timer is set and no socket spoke for {DEADLOCK_S} s")
            return ready
        if self.patience_s and (ready := self._real.select(self.patience_s)):
            return ready
        self.now_s += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio on virtual time; `time()` begins at 0."""

    def __init__(self, patience_s: float = 0.0) -> None:
        self._virtual = VirtualSelector(patience_s)
        super().__init__(self._virtual)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._virtual.now_s

    @contextlib.contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """While this holds, other processes get so many real seconds to say something before time jumps."""
        before, self._virtual.patience_s = self._virtual.patience_s, seconds
        try:
            yield
        finally:
            self._virtual.patience_s = before

    def advance(self, seconds: float) -> None:
        """Time passes while nothing runs: a loop that hangs."""
        self._virtual.now_s += seconds

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override] # in place, so a future of this loop
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 it is the caller's, as from a thread
            future.set_exception(error)
        return future


def run_virtual(main: Coroutine[Any, Any, T], *, patience_s: float = 0.0) -> T:
    """Run to the end on a loop of its own; tasks that are left over are cancelled, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(patience_s)) as runner:
        return runner.run(main)
