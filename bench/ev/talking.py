"""An EV that talks (ISO 15118): its session, its battery, its pilot and its current, as one load on the cable of a simulated EVSE.

At 5 % it finds its link and connects, whoever carries the octets: `out` is what it wants done on the network, `connected`, `hear` and `lost` are what
comes of it. A PWM that states a current it obeys as any other EV, where it charges by AC.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bench.ev.ev import Ev
from bench.ev.spec import EvSpec
from bench.v2g.model import SPECS, Vehicle
from bench.v2g.progress import progress
from chargepoint.tick import Tick
from hal.iec61851 import EV_B_OHM, EV_C_OHM
from hal.sim.signals import NO_OFFER, NOTHING, Offered, PhaseValues, PilotLoad, PilotOutput
from iso15118.connection import Close, Command, Connected, Event, Heard, Lost, Received, Send, TimerExpired
from iso15118.evcc.refusals import unplugged
from iso15118.evcc.session import Session
from iso15118.evcc.speak import spoken
from iso15118.evcc.terms import EvseAsks
from iso15118.messages.declare import Message
from iso15118.slac.ev import Ev as Slac
from iso15118.slac.signals import Begin, EvCommand, FrameHeard, Leave, LinkChanged, SendFrame, Toggle
from iso15118.slac.signals import TimerExpired as SlacTimer
from iso15118.terms import Control, Ending, Energy, SessionOver, Told, Wish

UTC_S = 1_800_000_000.0
LINK_S, DIAL_S = 1.0, 0.3
"""From 5 % to the data link, and from there to the connection."""
LEAVE_S = 0.5
"""From 5 % that is gone to leaving the network; the end of a session may still be on its way then (TP_match_leave: 1 s)."""
TOGGLE_S = 0.3
"""B-C-B: each of them."""
AGAIN_S = 2.0
"""From a connection that is lost to the next one."""
WAKES_S = 5.0
"""From a session that it has ended in order, and after which it comes again, to its B-C-B: a charger of DC shows no 5 % by itself then."""


@dataclass(frozen=True, slots=True)
class LinkFound:
    """Its modem has joined ours."""


@dataclass(frozen=True, slots=True)
class Dial:
    """SDP, then a connection."""


@dataclass(frozen=True, slots=True)
class Say:
    """Octets."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection."""


@dataclass(frozen=True, slots=True)
class OnLine:
    """A frame for its power-line modem."""

    octets: bytes


Out = LinkFound | Dial | Say | HangUp | OnLine


class TalkingEv:
    """Implements `hal.sim.signals.Load`, and `DcLoad` for DC. `modem` False: it cannot talk, however long 5 % is shown."""

    honest: ClassVar[bool] = True
    """It closes its contactors when the voltages meet."""

    def __init__(
        self,
        vehicle: Vehicle,
        now_s: float = 0.0,
        *,
        modem: bool = True,
        stubborn: bool = False,
        utc_s: float = UTC_S,
        slac: Slac | None = None,
    ) -> None:
        self.vehicle, self.modem, self.stubborn, self.utc_s = vehicle, modem, stubborn, utc_s
        """`stubborn`: it keeps drawing, whatever the charger says in the session."""
        self.slac = slac
        """What matches for it; None: its link comes by itself."""
        self.now_s = now_s
        phases, watts = vehicle.wants.phases, vehicle.spec.ac_power_W
        self.basic = Ev(EvSpec(phases=phases, max_A=watts / 230.0 / phases), now_s)
        self.offered = NO_OFFER
        self.evcc = Session(spoken(vehicle.wants))
        self.out: deque[Out] = deque()
        self.messages: list[tuple[float, str, Message]] = []
        """What was said: when, by whom ("ev", "evse"), what."""
        self.s2 = False
        self.online = self.muted = self.silent = False
        """`silent`: its modem finds ours, and that is all."""
        self.over: SessionOver | None = None
        self.sent_away = False
        """The charger has ended its last session: it comes again when it is asked to."""
        self.sessions = 0
        self._link_at: float | None = None
        self._dial_at: float | None = None
        self._linked = False
        self._stopping = False
        self._toggles = 0
        self._toggle_at: float | None = None
        self._toggle_s = TOGGLE_S
        self._open_since = float("-inf")  # S2: a charger that has not seen B yet sees no B-C-B either
        self._wake_at: float | None = None
        self._matching = self._matches = False
        self._leave_at: float | None = None

    # ---- what the driver does

    def toggle_bcb(self) -> None:
        """B-C-B: it wants to talk again."""
        self._toggle(1, TOGGLE_S)
        self.vehicle.comes_again = None
        if self.over is not None and self.over.ending is Ending.TERMINATED:
            self.over = None

    def connect_again(self) -> None:
        """It begins anew, whatever has become of its connection."""
        self._dial_at = self.now_s

    def mute(self) -> None:
        """From now on it says nothing more in its connection, and leaves it open."""
        self.muted = True

    # ---- the network

    def connected(self) -> None:
        """The connection stands."""
        paused = self.over is not None and self.over.ending is Ending.PAUSED
        self.vehicle.wants.resume = self.vehicle.session_id if paused else b""
        self.online, self.over, self.muted, self.sent_away = True, None, False, False
        self.sessions += 1
        self.evcc = self.session()
        self._do(Connected())

    def session(self) -> Session:
        """For a connection that stands."""
        return Session(spoken(self.vehicle.wants))

    def hear(self, octets: bytes) -> None:
        """Octets from the charger."""
        self._do(Received(octets))

    def on_line(self, octets: bytes) -> None:
        """A frame from its modem."""
        if self.slac is not None:
            self._slac(self.slac.handle(self._tick(), FrameHeard(octets)))

    def lost(self, why: str) -> None:
        """The connection is over."""
        if self.online:
            self.online = False
            self._do(Lost(why))
            self._redial()

    def _redial(self) -> None:
        """After what was no end in order, and by another way to pay where its contract was refused, as long as there is one."""
        again = self.vehicle.comes_again
        if again or (again is None and (self.over is None or self.over.ending is Ending.ABORTED)):
            self._dial_at = self.now_s + AGAIN_S
        if again and self._dc and self.over is not None and self.over.ending is Ending.TERMINATED:
            self._wake_at = self.now_s + WAKES_S

    def _do(self, event: Event) -> None:
        if self.muted and not isinstance(event, Lost):
            return
        for command in self.evcc.handle(self._tick(), event):
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        match command:
            case Send(octets, message):
                self.messages.append((self.now_s, "ev", message))
                self._says(message)
                self.out.append(Say(octets))
            case Heard(message):
                self.messages.append((self.now_s, "evse", message))
                if self._stopping and type(message).__name__ == "PowerDeliveryRes":
                    self._stopping = False
                    self.s2 = getattr(message, "ResponseCode", "") == "WARNING_StandbyNotAllowed"
            case Close():
                if self.online:
                    self.online = False
                    self.out.append(HangUp())
                    self._redial()
            case EvseAsks(Wish.STOP):
                self.sent_away = True
                self.vehicle.told(self._tick(), command)
            case SessionOver():
                self.over, self.s2, self._open_since = command, False, self.now_s
                self.vehicle.told(self._tick(), command)
            case Told():
                self.vehicle.told(self._tick(), command)

    def _says(self, message: Message) -> None:
        """S2 closes with the wish for energy: DC from the cable check on, AC at PowerDelivery Start."""
        match type(message).__name__:
            case "DC_CableCheckReq" | "CableCheckReq":
                self.s2, self._stopping = True, False
            case "PowerDeliveryReq":
                wanted = progress(message)
                self._stopping = wanted == "Stop" or (wanted == "Standby" and not self._dc)
                self.s2 = self.s2 or wanted == "Start"

    def _tick(self) -> Tick:
        return Tick(self.now_s, self.now_s + self.utc_s)

    # ---- as a load

    @property
    def digital(self) -> bool:
        """5 % is on the pilot."""
        return self.offered.pilot is PilotOutput.PWM and 3.0 <= self.offered.duty_percent <= 7.0

    @property
    def pilot_load(self) -> PilotLoad:
        closed = self.s2 or self.basic.state.s2
        return PilotLoad(EV_C_OHM if closed else EV_B_OHM)

    @property
    def leakage_dc_mA(self) -> float:
        return 0.0

    def battery_V(self, now_s: float) -> float | None:
        """What its closed contactors put on the DC pins."""
        wants = self.vehicle.wants
        return wants.voltage_V if wants.contactors_closed else None

    def currents_A(self, at_s: float) -> PhaseValues:
        if self.basic.state.s2:
            return self.basic.currents_A(at_s)
        volts = self.offered.voltage_V
        live = [i < self.vehicle.phases and each > 0.0 for i, each in enumerate(volts)]
        if not self.s2 or not any(live) or self._dc:
            return NOTHING
        watts = self.vehicle.spec.ac_power_W if self.stubborn else self.vehicle.wants.power_W
        amps = watts / (volts[0] * sum(live))
        return (amps * live[0], amps * live[1], amps * live[2])

    @property
    def _dc(self) -> bool:
        chosen = self.vehicle.chosen
        return chosen.energy.is_dc if chosen is not None else self.vehicle.wants.energies[0].is_dc

    def deadline(self) -> float | None:
        parts = (
            self.basic.deadline(),
            self.vehicle.deadline(),
            self.evcc.deadline() if self.online and not self.muted else None,
            self._link_at,
            self._dial_at,
            self._toggle_at,
            self._wake_at,
            self._leave_at,
            self.slac.deadline() if self.slac is not None and self._matches else None,
        )
        return min((at for at in parts if at is not None), default=None)

    def advance(self, now_s: float, offered: Offered) -> None:
        self.now_s, self.offered = now_s, offered
        self.basic.advance(now_s, replace(offered, pilot=PilotOutput.X1) if self._dc else offered)
        if offered is NO_OFFER:
            self._unplugged()
            return
        self._look_for_link()
        if self.vehicle.tick(self._tick()) and self.online:
            self._do(TimerExpired())
        if self.online and not self.muted and (at := self.evcc.deadline()) is not None and at <= now_s:
            self._do(TimerExpired())
        if self._wake_at is not None and (self.digital or now_s >= self._wake_at):
            self._wake_at = None
            if not self.digital:
                self._toggle(1, TOGGLE_S)
        if self._toggle_at is not None and now_s >= self._toggle_at:
            self.s2, self._toggles = not self.s2, self._toggles - 1
            self._toggle_at = now_s + self._toggle_s if self._toggles else None

    def _toggle(self, times: int, state_s: float) -> None:
        self._toggles, self._toggle_at, self._toggle_s = 2 * times, max(self.now_s, self._open_since + state_s), state_s

    def _unplugged(self) -> None:
        if self.slac is not None and self._matches:
            self._matches = self._matching = False
            self._leave_at = None
            self._slac(self.slac.handle(self._tick(), Leave("unplugged")))
        unplugged(self.vehicle.wants)
        self.vehicle.comes_again = None
        self.s2 = self._linked = False
        self._link_at = self._dial_at = self._toggle_at = self._wake_at = None
        if self.online:
            self.online = False
            self._do(Lost("unplugged"))

    def _look_for_link(self) -> None:
        now_s = self.now_s
        if self.slac is not None and self.modem:
            self._match(self.slac)
        if not self.digital:
            self._link_at = None if not self._linked else self._link_at
            self._linked, self._dial_at = self._linked and self.online, None
            return
        if self.modem and self.slac is None and not self._linked and self._link_at is None:
            self._link_at = now_s + LINK_S
        if self._link_at is not None and now_s >= self._link_at:
            self.out.append(LinkFound())
            self._link_found()
        if self._dial_at is not None and now_s >= self._dial_at:
            self._dial_at = None
            if self._linked and not self.online:
                self.out.append(Dial())

    def _link_found(self) -> None:
        self._link_at, self._linked = None, True
        again = self.vehicle.comes_again
        if again is None:
            again = self.over is None or self.over.ending is not Ending.TERMINATED or self.sent_away
        if again and not self.silent:
            self._dial_at = self.now_s + DIAL_S

    def _match(self, slac: Slac) -> None:
        """Its modem has power from the plug on; 5 % begins a matching, unless it has slept with its link."""
        now = self._tick()
        if not self._matches:
            self._matches = True
            self._slac(slac.start(now))
        if self.digital and not self._matching:
            self._matching = True
            if slac.linked:
                self._link_found()
            else:
                self._slac(slac.handle(now, Begin()))
        elif self._matching and not self.digital:
            self._matching = False
            self._leave_at = now.mono + LEAVE_S
        if self._leave_at is not None and (self.digital or now.mono >= self._leave_at):
            self._leave_at = None
            if not self.digital and (self.over is None or self.over.ending is not Ending.PAUSED):
                self._slac(slac.handle(now, Leave("5 % is off the pilot")))
        if (at := slac.deadline()) is not None and at <= now.mono:
            self._slac(slac.handle(now, SlacTimer()))

    def _slac(self, commands: Sequence[EvCommand]) -> None:
        for each in commands:
            match each:
                case SendFrame(octets):
                    self.out.append(OnLine(octets))
                case LinkChanged(up=True):
                    self._link_found()
                case LinkChanged():
                    self._linked, self._dial_at = False, None
                case Toggle(times, state_s):
                    self._toggle(times, state_s)

    # ---- over a restart of its world

    def save(self, now_s: float) -> dict[str, Any]:
        """What it is and what is in its battery, as JSON values. A session does not outlive the restart: it begins another one."""
        vehicle, wants = self.vehicle, self.vehicle.wants
        return {
            **self.basic.save(now_s),
            "talks": {
                "vehicle": vehicle.spec.name,
                "welded": vehicle.spec.welded,
                "soc": vehicle.soc,
                "taken_Wh": vehicle.taken_Wh,
                "energies": [each.value for each in wants.energies],
                "controls": [each.value for each in wants.controls],
                "protocols": list(wants.protocols),
                "modem": self.modem,
            },
        }

    @staticmethod
    def restored(saved: dict[str, Any], now_s: float) -> TalkingEv:
        """One of what `save` gave, with its contactors open. Raises KeyError, TypeError, ValueError for another shape."""
        talks = saved["talks"]
        vehicle = Vehicle(replace(SPECS[talks["vehicle"]], welded=bool(talks["welded"])), soc=float(talks["soc"]))
        vehicle.taken_Wh = float(talks["taken_Wh"])
        vehicle.wants.energies = tuple(Energy(each) for each in talks["energies"])
        vehicle.wants.controls = tuple(Control(each) for each in talks["controls"])
        vehicle.wants.protocols = tuple(str(each) for each in talks.get("protocols", ()))
        ev = TalkingEv(vehicle, now_s, modem=bool(talks["modem"]))
        ev.basic = Ev.restored(saved, now_s)
        return ev
