"""What a driver's test brings (`Rig`), and what a story works with (`Bench`)."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, TypeVar

from hal.errors import HalError
from hal.ports import Board, EvsePorts
from hal.types import BoardInput, ContactorFeedback, EvseInfo, PilotState, PilotVoltage, Shape

Said = TypeVar("Said", bound=BoardInput)
CarState = Literal["A", "B", "C", "D"]
LEVEL_V: dict[CarState, float] = {"A": 12.0, "B": 9.0, "C": 6.0, "D": 3.0}
TOLERANCE_V = 1.0
"""Of each level (IEC 61851-1)."""
DUTY_16_A, DUTY_10_A = 26.7, 16.7
PERMIT_S = 0.4
RENEWED_EVERY_S = 0.1


class Can(enum.Enum):
    """What the hands of a rig can do besides playing the car."""

    WELD = "weld the contactor"
    JAM = "hold the contactor open"
    SILENCE = "make the board silent, and bring it back"
    GARBAGE = "put garbage on the line"
    DRAW = "let current flow"
    PRESENT = "hold a card to the reader"
    LIMIT = "see the current that the board allows the car"
    BATTERY = "put a battery on the cable of a DC output"


class Rig(Protocol):
    """One board that was not started yet, and hands. What is not in the list of `Can` given to `stories` is not called."""

    evse_id: int
    tells_within_s: float
    """A change is told by then."""
    silent_within_s: float
    """A silence, and its end, is noticed by then."""

    @property
    def board(self) -> Board:
        """The board under test."""

    async def car(self, state: CarState) -> None:
        """The car shows this state from now on; A is unplugged."""

    async def weld(self) -> None:
        """The contacts stick together; before this they are closed."""

    async def jam(self) -> None:
        """The contacts do not move any more; before this they are open."""

    async def mend(self) -> None:
        """Weld and jam are repaired."""

    async def silence(self, on: bool) -> None:
        """The board does not answer, or answers again."""

    async def garbage(self) -> None:
        """Octets that mean nothing arrive from the board, between good ones."""

    async def draw(self, ampere: float) -> None:
        """The car draws so much on L1 from now on, while there is voltage."""

    async def battery(self, volts: float | None) -> None:
        """A plugged-in car closes its contactors with so much voltage behind them; None: it opens them."""

    async def present(self, id_token: str) -> None:
        """A card is held to the reader."""

    async def limit_A(self) -> float:
        """What the board allows the car now; 0: nothing."""


class Bench:
    """One playing of one story: the rig, and what it has heard."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.board = rig, rig.board
        self.heard: list[BoardInput] = []
        self._task = asyncio.current_task()
        self._news = asyncio.Event()
        self.told_inside: list[BoardInput] = []
        self._keeping: asyncio.Task[None] | None = None

    @property
    def ports(self) -> EvsePorts:
        """Of the EVSE under test."""
        return self.board.evses[self.rig.evse_id]

    @property
    def info(self) -> EvseInfo:
        """Of the EVSE under test."""
        return self.board.info.evse(self.rig.evse_id)

    def sink(self, said: BoardInput) -> None:
        """hal.ports.Sink."""
        if asyncio.current_task() is self._task:
            self.told_inside.append(said)
        self.heard.append(said)
        self._news.set()

    def mark(self) -> int:
        """So much was heard up to now."""
        return len(self.heard)

    def since(self, mark: int, kind: type[Said]) -> list[Said]:
        """What was heard of this kind since, of this EVSE or of the board."""
        return [each for each in self.heard[mark:] if isinstance(each, kind) and getattr(each, "evse_id", 0) in (0, self.rig.evse_id)]

    async def hears(self, kind: type[Said], holds: Callable[[Said], bool] = lambda _: True, *, since: int, within_s: float = 0.0) -> Said:
        """Wait for such an input."""
        end_s = now_s() + (within_s or self.rig.tells_within_s)
        while True:
            for each in self.since(since, kind):
                if holds(each):
                    return each
            self._news.clear()
            try:
                async with asyncio.timeout_at(end_s):
                    await self._news.wait()
            except TimeoutError:
                raise AssertionError(f"no such {kind.__name__} in time; heard since: {self.heard[since:]}") from None

    async def refuses(self, call: Awaitable[object], *errors: type[HalError]) -> HalError:
        """It raises one of these, within bounded time."""
        try:
            async with asyncio.timeout(10.0):
                await call
        except errors as error:
            return error
        raise AssertionError(f"nothing raised; {[each.__name__ for each in errors]} was due")

    def shows(self, state: CarState) -> bool:
        """Whether this is the state that the board told last."""
        if self.board.info.shape is Shape.RAW:
            volts = self.since(0, PilotVoltage)
            return bool(volts) and abs(volts[-1].high_V - LEVEL_V[state]) <= TOLERANCE_V
        states = self.since(0, PilotState)
        return bool(states) and states[-1].state == state

    async def car(self, state: CarState) -> None:
        """Put the car into this state and wait until the board has said so."""
        await self.rig.car(state)
        end_s = now_s() + self.rig.tells_within_s
        while not self.shows(state):
            await self.hears(BoardInput, since=self.mark(), within_s=max(end_s - now_s(), 1e-3))

    def keep_permitted(self) -> None:
        """Renew the lease from now on, until `let_lapse` or the end of the story."""
        self._keeping = asyncio.get_running_loop().create_task(self._renew())

    async def _renew(self) -> None:
        with contextlib.suppress(HalError):
            while True:
                await self.ports.power.permit(PERMIT_S)
                await asyncio.sleep(RENEWED_EVERY_S)

    async def let_lapse(self) -> None:
        """No renewal any more."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
            self._keeping = None

    async def supply(self) -> None:
        """Bring power on as the shape of the board has it, with a car in C, and keep it permitted."""
        await self.ports.pilot.set_x1()
        await self.car("B")
        await self.ports.power.permit(PERMIT_S)
        self.keep_permitted()
        mark = self.mark()
        await self.ports.pilot.set_pwm(DUTY_16_A)
        await self.rig.car("C")
        if not self.board.info.closes_by_itself:
            await self.ports.contactor.close(self.info.phases)
        if self.info.contactor_feedback:
            await self.hears(ContactorFeedback, lambda f: f.closed, since=mark)

    async def open_told(self, since: int, within_s: float = 0.0) -> None:
        """The feedback says open, where there is one."""
        if self.info.contactor_feedback:
            await self.hears(ContactorFeedback, lambda f: not f.closed and f.phases == 0, since=since, within_s=within_s)


def now_s() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()
