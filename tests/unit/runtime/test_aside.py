"""What blocks and may hang, aside: its answer, its error, and no more threads than a few where it hangs."""

from __future__ import annotations

import asyncio
import threading

import pytest

from chargepoint.runtime.aside import MOST_HANGING, StillHangs, aside


def fails() -> None:
    raise ValueError("so")


def test_the_answer_or_the_error() -> None:
    assert asyncio.run(aside(lambda: 7, "test")) == 7
    with pytest.raises(ValueError, match="so"):
        asyncio.run(aside(fails, "test"))


def test_what_hangs_takes_a_few_threads_and_gives_them_back() -> None:
    hangs = threading.Event()

    async def story() -> None:
        for _ in range(MOST_HANGING):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(aside(hangs.wait, "test hanging"), 0.02)
        for _ in range(50):
            with pytest.raises(StillHangs, match="test hanging does not answer"):
                await aside(hangs.wait, "test hanging")
        assert sum(each.name == "test hanging" for each in threading.enumerate()) == MOST_HANGING
        assert await aside(lambda: 1, "test other") == 1
        waits = [each for each in threading.enumerate() if each.name == "test hanging"]
        hangs.set()
        for each in waits:
            await asyncio.to_thread(each.join)
        assert await aside(lambda: 2, "test hanging") == 2

    asyncio.run(story())
