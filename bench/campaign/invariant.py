"""The closing invariant at the simulated board, whatever station and vehicle believe (safety facts, end of section 3). Raises AssertionError.

It knows the board's physics, what the vehicle has said on the wire, and whom the CSMS has accepted; it asks the station nothing.
"""

from __future__ import annotations

from bench.ev.talking import TalkingEv
from bench.heap import Heap
from hal.sim.signals import PilotOutput
from hal.sim.stage import DcStage
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import dc

OPENS_AC_S, OPENS_DC_S = 0.15, 1.2
"""From the loss of what the contactor needs until it is open: 100 ms after 20 ms of debouncing and the contactor's travel; DC ramps down first, 1 s at most."""
PAUSE_S = 6.2
"""C1 may hold closed for 6 s."""
IDLE_A, OPENS_A, RAMP_S = 2.0, 5.0, 1.2
DIGITAL = (4.5, 5.5)


class BoardGuard:
    """A look for `Heap.looks`. `accepted` is to be set when the CSMS has accepted somebody, and cleared when that has ended."""

    def __init__(self, heap: Heap, evse_id: int = 1) -> None:
        self.heap, self.evse = heap, heap.world.evses[evse_id]
        self.dc = self.evse.stage is not None
        self.standby = next(each.v2g.standby for each in heap.config.evses if each.id == evse_id)
        """It is granted; else a vehicle that asks for it goes on as before."""
        self.accepted = False
        self.closed_s = 0.0
        """How long the contactor has been closed in all: a guard that never sees it closed proves nothing."""
        self.most_A = 0.0
        self._since: dict[str, float] = {}
        self._at = heap.now
        self._read = 0
        self._ev: TalkingEv | None = None
        self._consent = self._power = self._was_closed = self._talks = False
        """`_talks`: 5 % was the last PWM, also while X1 stands."""

    def __call__(self) -> None:
        self._hear()
        now, closed = self.heap.now, self.evse.contactor.poles > 0
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
        self._holds("the consent of the session", not (closed and self._talks) or self._consent, opens_s)
        self._holds("somebody is authorised", not closed or self.accepted, 5.0)
        if self.evse.stage is not None:
            self._direct(self.evse.stage, closed)

    def _direct(self, stage: DcStage, closed: bool) -> None:
        flows_A = abs(stage.current_A)
        if stage.inrush_V and self._was_closed and self._ev is not None and not self._ev.honest:
            stage.inrush_V = 0.0  # onto an output that has been on, it has connected its battery itself, when it liked
        self._was_closed = closed
        self._holds("more than 2 A only after PowerDelivery Start", flows_A <= IDLE_A or self._power, RAMP_S)
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

    def _hear(self) -> None:
        """What the vehicle has said since the last look."""
        ev = self.evse.load
        if ev is not self._ev or not isinstance(ev, TalkingEv):
            self._ev = ev if isinstance(ev, TalkingEv) else None
            self._read, self._consent, self._power = 0, False, False
        if self._ev is None:
            return
        for _, who, message in self._ev.messages[self._read :]:
            if who == "ev":
                self._said(message)
        self._read = len(self._ev.messages)
        if not self._ev.online:
            self._consent = self._power = False

    def _said(self, message: object) -> None:
        match message:
            case cm.SessionSetupReq():
                self._consent = self._power = False
            case dc.DC_CableCheckReq():
                self._consent = True
            case cm.PowerDeliveryReq(ChargeProgress="Start"):
                self._consent = self._power = True
            case cm.PowerDeliveryReq(ChargeProgress="Standby") if not self.standby:
                pass
            case cm.PowerDeliveryReq(ChargeProgress="Standby") if self.dc:
                self._power = False
            case cm.PowerDeliveryReq(ChargeProgress="Stop" | "Standby") | cm.SessionStopReq():
                self._consent = self._power = False
