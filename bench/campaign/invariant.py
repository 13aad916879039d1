"""The closing invariant at the simulated board, whatever station and vehicle believe (safety facts, end of section 3). Raises AssertionError.

It knows the board's physics, what was said and answered on the wire, whom the CSMS has accepted, and what is on disk; it asks the station nothing.
"""

from __future__ import annotations

from bench.campaign.csms_view import CsmsView
from bench.campaign.session_view import SessionView
from bench.ev.talking import TalkingEv
from bench.heap import Heap
from chargepoint.energy import cable_A
from chargepoint.faults import Reaction, known
from hal.sim.signals import PilotOutput
from hal.sim.stage import INRUSH_V, DcStage

OPENS_AC_S, OPENS_DC_S = 0.15, 1.2
"""From the loss of what the contactor needs until it is open: 100 ms after 20 ms of debouncing and the contactor's travel; DC ramps down first, 1 s at most."""
PAUSE_S = 6.2
"""C1 may hold closed for 6 s."""
STOPS_S = 5.0
"""No energy so long after the authorisation has ended (S-11)."""
CODING_S = 0.65
"""A coding out of range counts when it has stood for 0.5 s."""
READ_S = 0.1
"""From what is so at the pilot until it has been read."""
DIODE_S = 0.1
"""From the beginning of the PWM until its negative half is read."""
IDLE_A, OPENS_A, RAMP_S = 2.0, 5.0, 1.2
SAFE_V = 60.0
DIGITAL = (4.5, 5.5)


class BoardGuard:
    """A look for `Heap.looks`. What a closing needs it wants when the coil gets its current; what may be lost then has its time to open."""

    def __init__(self, heap: Heap, evse_id: int = 1) -> None:
        self.heap, self.evse = heap, heap.world.evses[evse_id]
        self.dc = self.evse.stage is not None
        config = next(each for each in heap.config.evses if each.id == evse_id)
        self.csms = CsmsView(heap)
        self.sessions = SessionView(heap.hears, evse_id, dc=self.dc, standby=config.v2g.standby, shown=self.csms.shown)
        self.socket, self.phases = config.connector == "sType2", config.phases
        self._coil = 0
        self._free_s: float | None = None
        """So long the cable has been free, as far as its pilot can show that; None: long enough."""
        self._gone = True
        self._sees_free_s = heap.config.timings.pilot_debounce_s + READ_S
        self.closed_s = 0.0
        """How long the contactor has been closed in all: a guard that never sees it closed proves nothing."""
        self.most_A = 0.0
        self._since: dict[str, float] = {}
        self._at = heap.now
        self._was_closed = self._talks = False
        """`_talks`: 5 % was the last PWM, also while X1 stands."""
        self._live_s: float | None = None
        """Since when the open outlet has a voltage that the stage does not have."""

    def __call__(self) -> None:
        now, closed = self.heap.now, self.evse.contactor.poles > 0
        self._look_at_cable(now - self._at)
        self.closed_s += (now - self._at) * closed
        self._at = now
        self.most_A = max(self.most_A, *map(abs, self.evse.current_A))
        opens_s = OPENS_DC_S if self.dc else OPENS_AC_S
        pilot = self.evse.pilot
        duty = pilot.duty_percent if pilot.pilot is PilotOutput.PWM else None
        digital = duty is not None and DIGITAL[0] <= duty <= DIGITAL[1]
        self._holds("5 % or nothing on DC", duty is None or digital or not self.dc, 0.0)
        self._holds("the vehicle wants energy (C)", not closed or self.evse.state_letter == "C", opens_s)
        self._holds("PWM that allows it", not closed or (duty is not None and (digital or (10 <= duty <= 97 and not self.dc))), PAUSE_S)
        self._talks = digital if duty is not None else self._talks
        self._holds("the consent of the session", not (closed and self._talks) or self.sessions.consent, opens_s)
        self._holds("somebody is authorised", not closed or self.csms.accepted, STOPS_S)
        self._holds("a Started on disk", not closed or self._durable, STOPS_S)
        self._holds("the plug is locked", not closed or self._locked, opens_s)
        self._holds("the plug's coding", not closed or self._coded, CODING_S)
        self._holds("the diode", not closed or duty is None or self._diode, opens_s + DIODE_S)
        self._holds("no fault that the board reports", not closed or not self._reported, opens_s)
        self._look_at_outlet(self.evse.stage, closed)
        self._closes(duty, digital=digital)
        if self.evse.stage is not None:
            self._direct(self.evse.stage, closed)

    def _look_at_cable(self, passed_s: float) -> None:
        """Who has gone has taken the permission along (S-10). State F hides it, and so does a plug that is back before the pilot was read."""
        was_gone, self._gone = self._gone, self.evse.load is None
        if not self._gone:
            self._free_s = 0.0
        elif self._free_s is not None:
            self._free_s += passed_s if was_gone and self.evse.pilot.pilot is not PilotOutput.F else 0.0
            if self._free_s > self._sees_free_s:
                self._free_s = None
                self.csms.left()

    def _closes(self, duty: float | None, *, digital: bool) -> None:
        """All that does not come from the vehicle is there when the coil gets its current; what the vehicle shows takes its time to be read."""
        coil = self.evse.contactor.coil
        closes, self._coil = coil > 0 and not self._coil, coil
        if not closes:
            return
        needs = {
            "a live permit": self.evse.contactor.permitted,
            "an open contactor": not self.evse.contactor.welded,
            "PWM that allows it": duty is not None and (digital or (10 <= duty <= 97 and not self.dc)),
            "the consent of the session": self.sessions.consent or not self._talks,
            "somebody is authorised": self.csms.accepted,
            "a Started on disk": self._durable,
            "the plug is locked": self._locked,
            "the plug's coding": self._coded,
            "an outlet without voltage": self._live_s is None or self.heap.now - self._live_s <= READ_S,
        }
        if missing := [what for what, there in needs.items() if not there]:
            raise AssertionError(
                f"closed at {self.heap.now:.3f} without: {', '.join(missing)} ({self.evse.state_letter}, {self.evse.pilot})"
            )

    @property
    def _durable(self) -> bool:
        """The row that goes with a Started is written with it, and stays until its Ended (F-1)."""
        return any(each.get("evse_id") == self.evse.id for each in self.heap.store.get("transactions", {}).values())

    @property
    def _locked(self) -> bool:
        return self.evse.lock.locked or not (self.socket and self.evse.options.info.has_lock)

    @property
    def _coded(self) -> bool:
        return not self.socket or cable_A(self.evse.proximity_ohm, self.phases) is not None

    @property
    def _diode(self) -> bool:
        return not self.evse.diode_bridged and (self.evse.load is None or self.evse.load.pilot_load.diode)

    @property
    def _reported(self) -> list[str]:
        """What opens, by the table of faults."""
        return [each for each in self.evse.reported if known(each).reaction is Reaction.OPEN]

    def _look_at_outlet(self, stage: DcStage | None, closed: bool) -> None:
        """Nothing stands on it before it is closed, but what the stage has as well: after a precharge, while its order holds."""
        live = stage is not None and not closed and stage.outlet_V >= SAFE_V and abs(stage.outlet_V - stage.voltage_V) >= INRUSH_V
        self._live_s = (self._live_s if self._live_s is not None else self.heap.now) if live else None

    def _direct(self, stage: DcStage, closed: bool) -> None:
        flows_A = abs(stage.current_A)
        if stage.inrush_V and self._was_closed and isinstance(self.evse.load, TalkingEv) and not self.evse.load.honest:
            stage.inrush_V = 0.0  # onto an output that has been on, it has connected its battery itself, when it liked
        self._was_closed = closed
        self._holds("more than 2 A only after PowerDelivery Start", flows_A <= IDLE_A or self.sessions.power, RAMP_S)
        self._holds("current only through a closed contactor", flows_A <= IDLE_A or closed, 0.05)
        self._holds("no inrush", stage.inrush_V == 0.0, 0.0)
        self._holds("the contactor breaks no current", self.evse.contactor.opened_under_A < OPENS_A, 0.0)

    def _holds(self, what: str, holds: bool, within_s: float) -> None:
        """It may be otherwise for so long."""
        if holds:
            self._since.pop(what, None)
            return
        since = self._since.setdefault(what, self.heap.now)
        if self.heap.now - since > within_s:
            raise AssertionError(f"{what}: not so since {since:.3f}, at {self.heap.now:.3f} ({self.evse.state_letter}, {self.evse.pilot})")
