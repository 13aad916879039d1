"""What a talking EV wants done on its network, for whoever carries it out as soon as it is wanted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from bench.ev.talking import Out


class Outbox(deque[Out]):
    """In the place of `TalkingEv.out`; `wake` is called at each wish, and empties it later."""

    def __init__(self, wake: Callable[[], object]) -> None:
        super().__init__()
        self._wake = wake

    def append(self, out: Out) -> None:
        super().append(out)
        self._wake()
