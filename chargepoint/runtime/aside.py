"""What blocks and may hang, in a daemon thread of its own: a thread of asyncio's pool would hold up the end of the process for as long (F-18: 5 s)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
MOST_HANGING = 4
"""Threads of one name that may be at work; what hangs for ever must not take all that the system has."""
_at_work: Counter[str] = Counter()


class StillHangs(OSError):
    """What was asked before has not answered yet."""


async def aside(work: Callable[[], T], name: str, *, threaded: bool = True) -> T:
    """What `work` gives, or raises. `threaded` False does it in place: on virtual time nothing waits. Raises StillHangs."""
    if not threaded:
        return work()
    if _at_work[name] >= MOST_HANGING:
        raise StillHangs(f"the {name} does not answer ({MOST_HANGING} questions hang)")
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(settled: Callable[[Any], None], value: Any) -> None:
        if not answer.done():
            settled(value)

    def run() -> None:
        settled: Callable[[Any], None] = answer.set_result
        value: Any
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 it is raised where it is waited for
            settled, value = answer.set_exception, error
        finally:
            _at_work[name] -= 1
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, settled, value)

    _at_work[name] += 1
    threading.Thread(target=run, name=name, daemon=True).start()
    return await answer
