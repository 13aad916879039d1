"""The controller as a board: start-up, supervision, and what is told of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hal.drivers.openevse import rapi
from hal.drivers.openevse.line import Line, Overtaken, Refused
from hal.drivers.openevse.meter import Register
from hal.drivers.openevse.ports import OpenEvsePorts
from hal.drivers.openevse.told import Told
from hal.errors import BoardSilent, HalError, MeterFault
from hal.ports import EvsePorts, Sink
from hal.types import BoardInfo, BoardInput, BoardRestarted, BoardSilence, EvseInfo, FallsBack, MeterSample, MeterSilence, Shape

if TYPE_CHECKING:
    from hal.drivers.openevse import Options

START_S = 8.0
"""The controller answers by then; opening a USB port may have reset it."""
AGAIN_S = 0.5
LOOK_S = 0.1
"""Whoever waits for the relay asks so often: its opening is not told by itself."""
TEMPERATURES_S = 10.0
FAILED_READINGS = 3
RECOVER = 165
"""`$SY 165` ends the fall-back."""


class OpenEvseBoard:
    """hal.ports.DelegatedBoard."""

    reader = None
    clock = None

    def __init__(self, options: Options, evse_id: int) -> None:
        self.options, self.evse_id = options, evse_id
        has_meter = options.meter and options.phases == 1
        evse = EvseInfo(
            evse_id,
            float(options.max_current_A),
            phases=options.phases,
            connector=options.connector,
            closes_by_itself=True,
            has_meter=has_meter,
        )
        self.info = BoardInfo(
            "openevse", Shape.DELEGATED, FallsBack(float(options.fall_back_A)), (evse,), "OpenEVSE", "OpenEVSE controller"
        )
        self.line = Line(options.port, options.baudrate, self._hear_line, self._lost)
        self.register = Register(float(options.max_current_A))
        self.told = Told(evse_id, options.phases)
        self.ports = OpenEvsePorts(self)
        self.evses: dict[int, EvsePorts] = {evse_id: self.ports.evse}
        self.status: rapi.Status | None = None
        self.ready = False
        """Started up, answering, and what was put out still stands."""
        self._sink: Sink = _nobody
        self._stopped, self._silent, self._restarted = True, False, False
        self._task: asyncio.Task[None] | None = None
        self._said: list[BoardInput] = []
        self._changed: list[asyncio.Future[None]] = []
        self._news = asyncio.Event()
        self._beat_at = self._temperatures_at = 0.0
        self._failed_readings = 0
        self._limit_lost = False
        """The controller may be at its own maximum, until the limit has reached it again."""

    # ---- hal.ports.Board

    def listen(self, sink: Sink) -> None:
        self._sink = sink

    async def start(self) -> None:
        self._stopped, self._silent = False, False
        try:
            async with asyncio.timeout(START_S):
                await self._until_answered()
                while not self.ready:
                    await self._start_up()
        except TimeoutError:
            await self.line.close()
            self._stopped = True
            raise BoardSilent(f"{self.options.port}: no OpenEVSE controller answers") from None
        except HalError:
            await self.line.close()
            self._stopped = True
            raise
        self._task = asyncio.get_running_loop().create_task(self._supervise())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        if not self._stopped and self.line.is_open and not self._silent:
            with contextlib.suppress(HalError):
                await self.ports.contactor.open()
        self._stopped, self.ready, self._sink = True, False, _nobody
        await self.line.close()

    # ---- what is told, in turns of their own and in order

    def say(self, *said: BoardInput) -> None:
        """Told soon, never from inside of a call."""
        if said and not self._stopped:
            if not self._said:
                asyncio.get_running_loop().call_soon(self._tell)
            self._said.extend(said)

    def _tell(self) -> None:
        said, self._said = self._said, []
        for each in said:
            self._sink(each)

    def _hear_line(self, message: rapi.Message) -> None:
        if message.kind == "AT":
            with contextlib.suppress(rapi.RapiError):
                self.take(rapi.status_of(message))
        elif message.kind == "AB" and self.ready:
            self._begin_anew(" ".join(message.values))
        elif message.kind == "AB":
            self._restarted = True

    def take(self, status: rapi.Status) -> None:
        """The controller's state is this."""
        before, self.status = self.status, status
        if before is None or (before.vflags ^ status.vflags) & rapi.EV_CONNECTED:
            self.register.session_may_restart = True
        if self.ready:
            self.say(*self.told.changes(status))
        changed, self._changed = self._changed, []
        for each in changed:
            if not each.done():
                each.set_result(None)

    def _begin_anew(self, text: str) -> None:
        """The controller restarted: nothing of what was put out stands any more."""
        self.ready, self._restarted = False, True
        self.ports.forget()
        self.say(BoardRestarted(text))
        self._news.set()

    def _lost(self) -> None:
        if not self._stopped and not self._silent and self._task is not None:
            self._silent, self.ready = True, False
            self.ports.forget()
            self.say(BoardSilence(silent=True))
            self._news.set()

    # ---- asking

    async def ask(self, *words: object, safe: bool = False, still: Callable[[], bool] = lambda: True) -> tuple[str, ...]:
        """`Line.ask` for the ports. Raises BoardSilent at once while it is stopped or silent; what does not make safe waits for no start-up."""
        if self._stopped or self._silent or not (safe or self.ready):
            raise BoardSilent("the controller is " + ("let go" if self._stopped else "silent" if self._silent else "starting up"))
        return await self.line.ask(*words, safe=safe, still=still)

    async def until(self, holds: Callable[[rapi.Status], bool], timeout_s: float) -> bool:
        """Wait until its state is so. Raises BoardSilent."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + timeout_s
        while not (self.status is not None and holds(self.status)):
            if self._silent or self._stopped:
                raise BoardSilent("the controller fell silent")
            if loop.time() >= end_s:
                return False
            changed: asyncio.Future[None] = loop.create_future()
            self._changed.append(changed)
            await asyncio.wait([changed], timeout=min(LOOK_S, end_s - loop.time()))
            if not changed.done():
                self.take(await self._status(safe=True))
        return True

    async def _status(self, *, safe: bool = False) -> rapi.Status:
        """Raises BoardSilent, HalError."""
        try:
            return rapi.status_of_answer(await self.line.ask("GS", safe=safe))
        except rapi.RapiError as error:
            raise HalError(str(error)) from None

    # ---- start-up

    async def _until_answered(self) -> None:
        """A controller that is up says which it is; one that is just starting does not answer yet."""
        while True:
            try:
                if not self.line.is_open:
                    await self.line.open()
                version = await self.line.ask("GV")
            except Refused:
                version = ()
            except BoardSilent:
                if not self.line.is_open and self._task is None:
                    raise  # there is no such port: whoever starts the board wants to know now
                await asyncio.sleep(AGAIN_S)
                continue
            self._named(version)
            return

    def _named(self, version: tuple[str, ...]) -> None:
        self.info = replace(self.info, firmware=" ".join(version))

    async def _start_up(self) -> None:
        """Safe first; then the settings; then everything is read and told once. Not `ready` afterwards: it restarted meanwhile."""
        line, options = self.line, self.options
        self._restarted = False
        self.ports.forget()
        await line.ask("FS", safe=True)
        self.ports.asleep_for_sure = True
        for words in (("ST", 0, 0, 0, 0), ("SL", 2), ("SV", options.nominal_V * 1000)):
            await _unless_refused(line.ask(*words))
        await self._set_heartbeat()
        locked = await _unless_refused(line.ask("SB"))
        if locked == ("1",):
            self.say(self.told.boot_fault())
        self.take(await self._status())
        await self._begin_register()
        if self._restarted:
            return
        self.ready, self._failed_readings, self._temperatures_at = True, 0, 0.0
        if self.status is not None:
            self.say(*self.told.everything(self.status))
        await self._read_meter()
        await self._read_temperatures()

    async def _set_heartbeat(self) -> None:
        """It is kept in EEPROM, so it is written only where it differs; a fall-back that stands is ended."""
        wanted = (str(self.options.heartbeat_s), str(self.options.fall_back_A))
        now = await _unless_refused(self.line.ask("GY"))
        if now is None or now[:2] != wanted:
            await self.line.ask("SY", *wanted)
        await self._pulse()

    async def _begin_register(self) -> None:
        if not self.info.evses[0].has_meter:
            return
        try:
            session_Ws, total_Wh = rapi.numbers(await self.line.ask("GU"), 2)
        except rapi.RapiError as error:
            raise HalError(str(error)) from None
        in_session = self.status is not None and bool(self.status.vflags & rapi.EV_CONNECTED)
        self.register.begin(asyncio.get_running_loop().time(), session_Ws, total_Wh, in_session=in_session)

    # ---- supervision

    async def _supervise(self) -> None:
        while True:
            self._news.clear()
            try:
                if self._silent or self._restarted:
                    await self._come_back()
                else:
                    await self._look()
            except HalError:
                await asyncio.sleep(AGAIN_S)  # counted by the line: silence is told there
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(self.options.poll_s, self.options.heartbeat_s / 3)):
                    await self._news.wait()

    async def _come_back(self) -> None:
        """After a silence or a restart: all of the start-up again."""
        if self._silent:
            await self._until_answered()
            self._silent = False
            self.say(BoardSilence(silent=False))
        self.told, self._restarted = Told(self.evse_id, self.options.phases), True
        try:
            await self._start_up()
        finally:
            self._restarted = self._restarted or not self.ready

    async def _look(self) -> None:
        now_s, orders = asyncio.get_running_loop().time(), self.ports.orders
        if now_s >= self._beat_at and self.ports.may_go_on(now_s):
            self._beat_at = now_s + self.options.heartbeat_s / 3
            self._limit_lost = await self._pulse() or self._limit_lost
        if self._limit_lost:
            await self.ports.offer_again()
            self._limit_lost = False
        status = await self._status()
        if orders == self.ports.orders and self.ports.asleep_for_sure and status.state in (1, 2, 3):
            self._begin_anew("it is awake, though it was sent to sleep")
            return
        self.take(status)
        await self._read_meter()
        if now_s >= self._temperatures_at:
            self._temperatures_at = now_s + TEMPERATURES_S
            await self._read_temperatures()

    async def _pulse(self) -> bool:
        """True when the controller had fallen back and has been told that all is well: it is at its own maximum then."""
        try:
            await self.line.ask("SY")
        except Refused:
            await self.line.ask("SY", RECOVER)
            return True
        return False

    # ---- readings

    async def sample(self) -> MeterSample:
        """One reading. Raises MeterFault, BoardSilent."""
        try:
            milli_A, milli_V = rapi.numbers(await _read(self.ask("GG")), 2)
            session_Ws, _ = rapi.numbers(await _read(self.ask("GU")), 2)
        except rapi.RapiError as error:
            raise MeterFault(str(error)) from None
        current_A, voltage_V = milli_A / 1000.0, milli_V / 1000.0
        if not 0.0 <= current_A <= 100.0 or not 0.0 <= voltage_V <= 300.0:
            raise MeterFault(f"{current_A} A at {voltage_V} V")
        energy_Wh = self.register.take(asyncio.get_running_loop().time(), session_Ws)
        return MeterSample(self.evse_id, energy_Wh, None, current_A * voltage_V, (current_A,), (voltage_V,))

    async def _read_meter(self) -> None:
        if not self.info.evses[0].has_meter:
            return
        try:
            said: BoardInput = await self.sample()
        except MeterFault:
            self._failed_readings += 1
            if self._failed_readings == FAILED_READINGS:
                self.say(MeterSilence(self.evse_id))
        else:
            self._failed_readings = 0
            self.say(said)

    async def _read_temperatures(self) -> None:
        self.say(*self.told.temperatures(await _unless_refused(self.line.ask("GP")) or ()))


def _nobody(said: BoardInput) -> None:
    pass


async def _read(asked: Coroutine[Any, Any, tuple[str, ...]]) -> tuple[str, ...]:
    """A reading that is refused is none. Raises MeterFault."""
    try:
        return await asked
    except Refused as error:
        raise MeterFault(str(error)) from None


async def _unless_refused(asked: Coroutine[Any, Any, tuple[str, ...]]) -> tuple[str, ...] | None:
    """Not every build knows every command."""
    try:
        return await asked
    except (Refused, Overtaken):
        return None
