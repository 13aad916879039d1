"""What is true around one EVSE that is explored: contactor, pilot line, EV, cable, lock, lease; and the closing invariant, looked at there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from chargepoint.clock import WallClock
from chargepoint.commands import (
    CloseContactor,
    Delete,
    LockCable,
    OpenContactor,
    Permit,
    Persist,
    Put,
    SetDuty,
    SetStateF,
    SetX1,
    UnlockCable,
    WithdrawPermit,
)
from chargepoint.config import EvseConfig, Timings
from chargepoint.events import IdToken
from chargepoint.evse import EvseMachine
from chargepoint.facts import EvseFacts
from chargepoint.faults import FAULTS, Reaction, Until
from chargepoint.tick import Tick
from hal.types import EvseInfo, PhaseWiring, PilotState, PilotVoltage

TTL_S = 2.0
TIMINGS = Timings(
    hlc_attempts=2,
    permit_ttl_s=TTL_S, boot_jitter_s=0, close_after_boot_s=5, meter_silence_s=1e6, pilot_open_debounce_s=0, pilot_debounce_s=0,
    reclose_after_s=2, wake_up_after_s=8, phase_switch_wait_s=5, lock_timeout_s=2, duty_spacing_s=5,
)  # fmt: skip
CONFIG = EvseConfig(connector="sType2", ventilation=True, max_current_A=32)
TRAITS = EvseInfo(max_current_A=80, phase_wiring=PhaseWiring.SERIAL, has_meter=False, has_lock=True)
C1_HOLDS_S, EV_STOPS_S = 6.0, 3.0
DIODE_S = 0.1
"""The diode shows in the negative half of the PWM only; when that comes back in C1's 6 s, it is judged after this."""
LATE_S = 1e-6
TOKEN = IdToken("T", "ISO14443")


class Violation(AssertionError):
    """The invariant does not hold in the world; the trace leads there."""


@dataclass
class World:
    connected: bool = False
    s2: bool = False
    ventilated: bool = False
    diode: bool = True
    short: bool = False
    ohm: float | None = None
    pilot: str = "X1"
    duty: float = 0.0
    x1_since: float = 0.0
    x2_since: float = 0.0
    booted_at: float = 100.0
    closed: bool = False
    phases: int = 0
    welded: bool = False
    stuck: bool = False
    permit_until: float = -1.0
    locked: bool = False
    authorised: bool = False
    deauthorised_at: float = -100.0
    at_once: bool = False
    durable: bool = False
    undurable_at: float = -100.0
    wanted_phases: int = 3
    faults: int = 0
    pending: tuple[str, ...] = ()
    """Feedback that has not arrived: "closed", "open", "locked", "unlocked"."""
    stored: dict[str, Any] = field(default_factory=dict)
    down: bool = False

    def high_V(self) -> float:
        if self.pilot == "F":
            return -12.0
        if self.short:
            return 0.0
        if not self.connected:
            return 12.0
        return (3.0 if self.ventilated else 6.0) if self.s2 else 9.0

    def low_V(self) -> float | None:
        return None if self.pilot != "X2" else -12.0 if self.diode or not self.connected else -self.high_V()


class Site:
    """One EVSE machine, and its world: what it is told, what it wants done, and what has to hold after each step."""

    timings: ClassVar[Timings] = TIMINGS
    kind: ClassVar[type[World]] = World

    def __init__(self, config: EvseConfig, traits: EvseInfo, **extra: Any) -> None:
        self.config, self.traits, self.extra = config, traits, extra
        self.closed_in: set[str] = set()
        self.steps = 0
        self.world, self.now = self.kind(), 100.0
        self.path: tuple[str, ...] = ()
        self._boot()

    def _boot(self) -> None:
        self.facts = EvseFacts(evse_id=1)
        self.machine = EvseMachine(self.config, self.timings, self.facts, self.traits, WallClock(), **self.extra)

    # ---- machine and board

    def tell(self, event: object) -> None:
        self.steps += 1
        out = self.machine.handle(Tick(self.now, self.now), event)
        commands = sorted((c for c in out if hasattr(c, "lane")), key=lambda c: c.lane.value != "safe")
        before = self.world.pilot
        for command in commands:
            self._obey(command)
        if self.world.pilot != before or any(isinstance(c, (SetDuty, Permit)) for c in commands):
            self._show()

    def _obey(self, command: Any) -> None:
        w = self.world
        match command:
            case SetX1() | SetStateF():
                if w.pilot != "X1":
                    w.x1_since = self.now
                w.pilot, w.duty = "X1" if isinstance(command, SetX1) else "F", 0.0
            case SetDuty():
                if w.pilot != "X2":
                    w.x2_since = self.now
                w.pilot, w.duty = "X2", command.duty_percent
            case OpenContactor():
                w.closed = w.closed and w.welded
                w.pending = (*(p for p in w.pending if p not in ("open", "closed")), "closed" if w.closed else "open")
            case CloseContactor():
                self._close(command.phases)
            case Permit():
                w.permit_until = self.now + command.ttl_s
            case WithdrawPermit():
                w.permit_until = -1.0
            case LockCable() | UnlockCable():
                w.locked = isinstance(command, LockCable)
                w.pending = (*(p for p in w.pending if p not in ("locked", "unlocked")), "locked" if w.locked else "unlocked")
            case Persist():
                for write in command.writes:
                    if isinstance(write, Put):
                        w.stored[write.key] = write.value if isinstance(write.value, int) else {"text": "", "utc": 0.0}
                    elif isinstance(write, Delete):
                        w.stored.pop(write.key, None)
            case _:
                pass

    def _close(self, phases: int) -> None:
        w = self.world
        if w.closed and phases != w.phases:
            raise Violation(f"phases switched live: {' > '.join(self.path)}")
        if w.pilot != "X2" or not (w.connected and w.s2) or w.short:
            raise Violation(f"asked to close, and no EV that wants energy at PWM: {' > '.join(self.path)}")
        if self.now < w.booted_at + TIMINGS.close_after_boot_s:
            raise Violation(f"asked to close soon after a power loss: {' > '.join(self.path)}")
        if self.now < w.permit_until:
            w.closed, w.phases = True, phases
            w.pending = (*(p for p in w.pending if p not in ("open", "closed")), "closed")

    def _show(self) -> None:
        """The board reads the pilot; one that runs it by itself acts on it, too, and tells the state."""
        self._act_alone()
        w = self.world
        if self.traits.closes_by_itself:
            letter = {12.0: "A", 9.0: "B", 6.0: "C", 3.0: "D", 0.0: "E", -12.0: "F"}[w.high_V()]
            self.tell(PilotState(1, letter))  # type: ignore[arg-type]
        else:
            self.tell(PilotVoltage(1, w.high_V(), w.low_V()))

    def _act_alone(self) -> None:
        """A board that closes by itself: as soon as it may and the EV wants, and open as soon as not."""
        w = self.world
        if not self.traits.closes_by_itself:
            return
        wants = w.connected and w.s2 and not w.short and w.pilot == "X2" and self.now <= w.permit_until
        if wants and not w.closed:
            self._close(3)
        elif not wants and w.pilot == "X2" and w.closed and not w.welded:
            w.closed = False
            w.pending = (*(p for p in w.pending if p not in ("open", "closed")), "open")

    # ---- the invariant

    def check(self) -> None:
        wrong = list(self._wrong())
        if wrong:
            raise Violation(f"{'; '.join(wrong)}: {' > '.join(self.path)}")

    def _wrong(self) -> Iterator[str]:
        w, now = self.world, self.now
        if not w.closed or w.welded:
            return
        if not w.connected or w.short or not w.s2 or (w.ventilated and not self.config.ventilation):
            yield "closed, and no EV that wants energy"
        if w.pilot == "F":
            yield "closed in F"
        if w.pilot == "X1" and now - w.x1_since > C1_HOLDS_S + LATE_S:
            yield f"closed in C1 for {now - w.x1_since:g} s"
        if w.pilot == "X2" and not self._duty_allows():
            yield f"duty {w.duty:g} %"
        raw = not self.traits.closes_by_itself  # a board that runs the pilot checks the diode itself
        if raw and not w.diode and w.pilot == "X2" and now - w.x2_since > DIODE_S + LATE_S:
            yield "no diode"
        socket = self.config.connector == "sType2"
        if socket and w.ohm != 220.0:
            yield "no valid coding"
        if socket and not w.locked:
            yield "not locked"
        if not w.authorised and (w.at_once or now - w.deauthorised_at > EV_STOPS_S + LATE_S):
            yield "not authorised"
        if not w.durable and now - w.undurable_at > EV_STOPS_S + LATE_S:
            yield "no durable Started"
        if now > w.permit_until + LATE_S:
            yield "no lease"
        latched = [c for c in self.facts.faults if FAULTS[c].until is Until.ACKNOWLEDGED and FAULTS[c].reaction is Reaction.OPEN]
        if latched:
            yield f"latched {latched}"
        if not self.machine.state.running:
            yield "shut down"

    def _duty_allows(self) -> bool:
        return 10 <= self.world.duty <= 97

    def _note(self) -> None:
        w = self.world
        if w.closed:
            self.closed_in.add(("D" if w.ventilated else "C") + ("2" if w.pilot == "X2" else "1") + ("w" if w.welded else ""))
