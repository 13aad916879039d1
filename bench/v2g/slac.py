"""Matching over the power line for `chargepoint secc --slac` and `chargepoint ev --slac`: the machines of SLAC on a real interface, the pilot simulated."""

from __future__ import annotations

import abc
import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Protocol

from bench.exi import given
from chargepoint.runtime.clock import SystemClock
from chargepoint.runtime.ports.plc import check_allowed
from chargepoint.runtime.ports.plc_line import PowerLine
from iso15118.connection import Now
from iso15118.slac.ev import Ev
from iso15118.slac.ev_state import EvOptions
from iso15118.slac.evse import Evse
from iso15118.slac.evse_state import Options
from iso15118.slac.evse_table import State
from iso15118.slac.modem_table import State as Modem
from iso15118.slac.signals import (
    Begin,
    Chosen,
    CountToggles,
    EvCommand,
    FrameHeard,
    KeyReady,
    Leave,
    LinkChanged,
    Matched,
    MatchFailed,
    ModemSeen,
    Note,
    PilotSeen,
    SendFrame,
    SlacEvent,
    TimerExpired,
    Toggle,
    Toggled,
)

INTERFACE_S = 5.0
"""So long a vehicle waits for its interface."""
Say = Callable[[str], None]


class Machine(Protocol):
    """Of either side."""

    def start(self, now: Now) -> Sequence[EvCommand]: ...

    def stop(self, now: Now, why: str) -> Sequence[EvCommand]: ...

    def handle(self, now: Now, event: SlacEvent) -> Sequence[EvCommand]: ...

    def deadline(self) -> float | None: ...


class Host(abc.ABC):
    """A machine at its interface: a new one whenever that comes back."""

    def __init__(self, interface: str, say: Say) -> None:
        """Raises StartError where raw frames are not allowed."""
        check_allowed(interface)
        self.interface, self._say = interface, say
        self.clock = SystemClock()
        self.machine: Machine | None = None
        self.line = PowerLine(interface, self._changed, lambda octets: self.handle(FrameHeard(octets)))
        self.line.serves = True
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    # ---- what a side makes of it

    @abc.abstractmethod
    def made(self, mac: bytes) -> Machine:
        """For an interface with this address."""

    @abc.abstractmethod
    def begun(self) -> None:
        """It is there, and has been started."""

    @abc.abstractmethod
    def ended(self, why: str) -> None:
        """The interface is away."""

    @abc.abstractmethod
    def told(self, command: EvCommand) -> None:
        """What concerns this side only."""

    # ---- through the machine

    def begin(self) -> None:
        """Look after the interface from now on."""
        self.line.begin()

    async def stop(self) -> None:
        """The network is left, and the interface."""
        self.handle(Leave("it ends"))
        self.machine = None
        self._set_timer()
        await self.line.stop()

    def later(self, *events: SlacEvent) -> None:
        """Not from inside of what the machine is just saying."""
        for each in events:
            self._loop.call_soon(self.handle, each)

    def handle(self, event: SlacEvent) -> None:
        """One event into the machine."""
        if self.machine is not None:
            self._carry_out(self.machine.handle(self.clock.now(), event))

    def _changed(self, ready: bool, mac: bytes, why: str) -> None:
        if self.machine is not None:
            self._carry_out(self.machine.stop(self.clock.now(), why))
        self.machine = self.made(mac) if ready else None
        if self.machine is None:
            self._set_timer()
            self.ended(why)
            return
        self._carry_out(self.machine.start(self.clock.now()))
        self.begun()

    def _carry_out(self, commands: Sequence[EvCommand]) -> None:
        for each in commands:
            match each:
                case SendFrame(octets):
                    self.line.send(octets)
                case ModemSeen(firmware, mac):
                    self._say(f"slac: modem {mac.hex(':')}, {firmware or 'says no firmware'}")
                case Note(level, _, words):
                    if level != "debug":
                        self._say(f"slac: {words}")
                case _:
                    self.told(each)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self.machine.deadline() if self.machine is not None else None
        self._timer = None if due is None else self._loop.call_at(due, self.handle, TimerExpired())


class ChargerMatching(Host):
    """Of `secc`: a vehicle is always on the pilot, and may always begin. `unlinked(why)`: sessions have no line any more."""

    def __init__(self, interface: str, say: Say) -> None:
        super().__init__(interface, say)
        self.keyed = asyncio.Event()
        """The next vehicle finds a key."""
        self.unlinked: Callable[[str], None] = lambda _: None
        self._why = ""

    def made(self, mac: bytes) -> Evse:
        return Evse(Options(mac, anew_when_linked=True), os.urandom)

    def begun(self) -> None:
        self.handle(PilotSeen("B"))
        self.handle(Begin())

    def ended(self, why: str) -> None:
        self.keyed.clear()
        self._wait(why)

    def told(self, command: EvCommand) -> None:
        match command:
            case KeyReady(ready, why):
                (self.keyed.set if ready else self.keyed.clear)()
                if ready:
                    self._say("slac: the next vehicle finds a key")
                dead = isinstance(self.machine, Evse) and self.machine.modem.state is Modem.DEAD
                self._wait(why if dead and not ready else "")
            case Matched(mac, _, attenuation_dB):
                self._say(f"slac: matched {mac.hex(':')}, {attenuation_dB:.1f} dB")
            case LinkChanged(up, why):
                self._say(f"slac: link {'up' if up else 'lost'}: {why}")
                if not up:
                    self.unlinked(f"the link over the power line is lost: {why}")
                    self._anew(why)
            case MatchFailed(why):
                self._say(f"slac: {why}")
                self._anew(why)
            case CountToggles(for_s):
                self._loop.call_later(for_s, self.handle, Toggled(0))

    def _anew(self, why: str) -> None:
        """Unless a vehicle has begun anew by itself."""
        if isinstance(self.machine, Evse) and (self.machine.matchings.at(State.MATCHED) or not self.machine.matchings):
            self.later(Leave(why), Begin())

    def _wait(self, why: str) -> None:
        if why and why != self._why:
            self._say(f"waiting: {why}")
        self._why = why


class VehicleMatching(Host):
    """Of `ev`: one matching; `linked` is done when the link is up, or says why it will not be."""

    def __init__(self, interface: str, say: Say) -> None:
        super().__init__(interface, say)
        self.linked: asyncio.Future[None] = self._loop.create_future()
        self._why = ""

    def made(self, mac: bytes) -> Ev:
        return Ev(EvOptions(mac=mac), os.urandom)

    def begun(self) -> None:
        self._say("slac: matching")
        self.handle(Begin())

    def ended(self, why: str) -> None:
        self._why = why

    def told(self, command: EvCommand) -> None:
        match command:
            case Chosen(mac, _, attenuation_dB):
                self._say(f"slac: matched {mac.hex(':')}, {attenuation_dB:.1f} dB")
            case LinkChanged(up, why):
                self._say(f"slac: link {'up' if up else 'lost'}: {why}")
                if up and not self.linked.done():
                    self.linked.set_result(None)
            case MatchFailed(why):
                self._failed(ConnectionError(f"no charger has matched: {why}"))
            case Toggle(times, state_s):
                self._say(f"slac: {times} x C and B on the pilot, {state_s:g} s each")

    async def match(self) -> None:
        """Until the link is up. Raises ConnectionError, and InputError where the interface does not come."""
        self.begin()
        self._loop.call_later(INTERFACE_S, self._interface_due)
        await self.linked

    def _interface_due(self) -> None:
        if self.machine is None:
            self._failed(given.InputError(self._why))

    def _failed(self, error: Exception) -> None:
        if not self.linked.done():
            self.linked.set_exception(error)
