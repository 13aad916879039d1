"""The serial line to the controller: one command at a time, what makes safe first, answers told from what comes by itself."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import Callable
from itertools import count, cycle
from typing import Any

from hal.drivers.openevse import rapi
from hal.errors import BoardSilent, HalError

ANSWER_S = 0.5
"""An answer comes within this time (the firmware's own sender waits as long)."""
TRIES = 2
UNANSWERED = 3
"""So many time-outs in a row are silence."""


class Refused(HalError):
    """`$NK`: `values` as they came."""

    def __init__(self, words: tuple[object, ...], values: tuple[str, ...]) -> None:
        super().__init__(f"${' '.join(map(str, words))}: the controller says NK {' '.join(values)}".rstrip())
        self.values = values


class Overtaken(HalError):
    """Something that makes safe came first; the command was not sent."""


class Line(asyncio.Protocol):
    """`hear` takes `$AT` and the like; `lost` is called when the line breaks or falls silent."""

    def __init__(self, port: str, baudrate: int, hear: Callable[[rapi.Message], None], lost: Callable[[], None]) -> None:
        self.port, self.baudrate, self._hear, self._lost = port, baudrate, hear, lost
        self.opened = self.sent = self.received = 0
        """How often the port was opened, and octets since then: what is still on its way can be reckoned."""
        self._transport: Any = None
        self._framer = rapi.Framer()
        self._ids = cycle(range(1, 0x100))
        self._waiting: tuple[int, asyncio.Future[rapi.Message]] | None = None
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._busy = False
        self._unanswered = 0

    @property
    def is_open(self) -> bool:
        """The port is there."""
        return self._transport is not None

    # ---- the port

    async def open(self) -> None:
        """Raises BoardSilent."""
        import serialx  # noqa: PLC0415 the extra `serial`; options are read without it

        self._framer, self._unanswered = rapi.Framer(), 0
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await serialx.create_serial_connection(loop, lambda: self, self.port, baudrate=self.baudrate)
        except (OSError, serialx.SerialException) as error:
            raise BoardSilent(f"{self.port}: {error}") from None
        self.opened, self.sent, self.received = self.opened + 1, 0, 0

    async def close(self) -> None:
        """Let go of the port."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
            with contextlib.suppress(OSError):
                await transport.wait_closed()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._transport = None
            self._lost()

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        for line in self._framer.feed(data):
            try:
                self._take(rapi.parse(line))
            except rapi.RapiError:
                continue  # garbage is no reading; an answer that was cut is asked for again

    def _take(self, message: rapi.Message) -> None:
        if message.kind not in ("OK", "NK"):
            self._hear(message)
            return
        if self._waiting is None:
            return
        sequence, future = self._waiting
        bare_refusal = message.kind == "NK" and message.sequence is None
        if (message.sequence == sequence or bare_refusal) and not future.done():
            future.set_result(message)

    # ---- commands

    async def ask(self, *words: object, safe: bool = False, still: Callable[[], bool] = lambda: True) -> tuple[str, ...]:
        """The values after OK. `safe` goes before everything that waits; `still` is asked when the turn has come.

        Raises BoardSilent (no answer, tried twice), Refused (NK), Overtaken.
        """
        await self._turn(0 if safe else 1)
        try:
            return await self._ask(words, still)
        finally:
            self._next()

    async def _ask(self, words: tuple[object, ...], still: Callable[[], bool]) -> tuple[str, ...]:
        message: rapi.Message | None = None
        for _ in range(TRIES):
            if not still():
                raise Overtaken(f"${words[0]} came too late")
            message = await self._once(words)
            if message is not None and (message.kind == "OK" or message.sequence is not None):
                break
            if self._queue and self._queue[0][0] == 0:
                break  # what makes safe does not wait for a second try
        if message is None:
            raise BoardSilent(f"${words[0]}: no answer")
        if message.kind == "NK":
            raise Refused(words, message.values)
        return message.values

    async def _once(self, words: tuple[object, ...]) -> rapi.Message | None:
        if self._transport is None:
            raise BoardSilent(f"{self.port}: not open")
        sequence = next(self._ids)
        future: asyncio.Future[rapi.Message] = asyncio.get_running_loop().create_future()
        self._waiting = (sequence, future)
        try:
            octets = rapi.frame(*words, sequence=sequence)
            self._transport.write(octets)
            self.sent += len(octets)
            await asyncio.wait([future], timeout=ANSWER_S)
        except OSError as error:
            raise BoardSilent(f"{self.port}: {error}") from None
        finally:
            self._waiting = None
        if future.done():
            self._unanswered = 0
            return future.result()
        self._unanswered += 1
        if self._unanswered >= UNANSWERED:
            self._lost()
        return None

    async def _turn(self, rank: int) -> None:
        if not self._busy:
            self._busy = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (rank, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._next()
            raise

    def _next(self) -> None:
        while self._queue:
            _, _, turn = heapq.heappop(self._queue)
            if not turn.done():
                turn.set_result(None)
                return
        self._busy = False
