"""What is true around an EVSE that talks (ISO 15118): a session that may say anything, a DC stage, what was read of it; and what has to hold there.

AC: 5 % needs PowerDelivery Start. DC: never another duty than 5 %; closed from a cable check until it is over; current only with PowerDelivery Start, through
a contactor that is closed, after the insulation was measured; and the contactor breaks none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from chargepoint.commands import MeasureInsulation, OpenContactor, ServeVehicle, SetDcOutput, SetDuty, StopDcOutput
from chargepoint.config import DcConfig, EvseConfig, V2gConfig
from chargepoint.events import Supply
from hal.types import DcRatings, DcSample, EvseInfo
from tests.property.evse_world import LATE_S, TIMINGS, Site, Violation, World

AC = EvseConfig(connector="cType2", max_current_A=32, v2g=V2gConfig(interface="plc0"))
DC = EvseConfig(
    connector="cCCS2", mode="dc", max_current_A=32, v2g=V2gConfig(interface="plc0"),
    dc=DcConfig(max_power_W=20_000.0, max_current_A=70.0, max_voltage_V=900.0, min_voltage_V=200.0, max_discharge_W=10_000.0, max_discharge_A=30.0),
)  # fmt: skip
AC_BOARD = EvseInfo(max_current_A=32, has_meter=False)
DC_BOARD = EvseInfo(max_current_A=80, has_meter=False, connector="cCCS2", dc=DcRatings(max_discharge_A=40.0, max_discharge_W=20_000.0))
SHORT = replace(TIMINGS, link_s=5, setup_s=4, dc_rise_s=3, insulation_s=3)
DIGITAL = 5.0
IDLE_A, OPENS_A, MEET_V, SAFE_V, READS_S = 2.0, 5.0, 20.0, 60.0, 1.5
ROUNDING = 1e-6


@dataclass
class TalkingWorld(World):
    link: bool = False
    served: bool = True
    serving: bool = False
    session: bool = False
    asked: Supply = Supply.OFF
    """What the session lets be."""
    checked: bool = False
    """It has asked for a cable check since the output was off (DC)."""
    offered: str = ""
    """What the PWM said last to this vehicle: "digital", "current"."""
    ordered: tuple[float, float] | None = None
    off_since: float = -100.0
    """The stage was told to go off."""
    measuring: bool = False
    measured: bool = False
    """The insulation is right."""
    volts: float = 0.0
    amps: float = 0.0
    outlet: float = 0.0
    """As last read."""
    read_at: float = -100.0
    deaf: bool = False
    """The stage says nothing."""
    wrong_since: float | None = None
    """DC: closed and not right; so long the output may take to go down."""

    def consent(self, *, dc: bool) -> bool:
        return self.session and (self.checked if dc else self.asked is Supply.POWER)

    def forget(self) -> None:
        """No session any more."""
        self.session, self.asked, self.checked, self.measured = False, Supply.OFF, False, False


class TalkingSite(Site):
    """`Site`, with an EVSE that talks."""

    timings = SHORT
    kind = TalkingWorld
    world: TalkingWorld

    @property
    def dc(self) -> bool:
        return self.config.mode == "dc"

    def _obey(self, command: Any) -> None:
        w = self.world
        match command:
            case SetDuty():
                self._duty(command.duty_percent)
            case ServeVehicle():
                w.serving = command.on
            case SetDcOutput():
                self._order(command.voltage_V, command.current_A)
            case StopDcOutput():
                w.off_since = self.now if w.ordered is not None else w.off_since
                w.ordered = None
            case MeasureInsulation():
                w.measuring = True
            case OpenContactor() if self.dc and w.closed and not w.welded and abs(w.amps) >= OPENS_A:
                if self.now < w.off_since + self.timings.dc_ramp_s - LATE_S or w.ordered is not None:
                    self._broken(f"opened under {w.amps:g} A")
        super()._obey(command)

    def _broken(self, what: str) -> None:
        raise Violation(f"{what}: {' > '.join(self.path)}")

    def _duty(self, duty: float) -> None:
        """Of what the pilot is to show from now on."""
        w = self.world
        if self.dc and duty != DIGITAL:
            self._broken(f"{duty:g} % on DC")
        says = "digital" if duty == DIGITAL else "current"
        rested = w.pilot == "X1" and self.now - w.x1_since >= self.timings.x1_s - LATE_S
        if w.offered and says != w.offered and not rested:
            self._broken(f"{says} without X1")
        w.offered = says

    def _order(self, volts: float, amps: float) -> None:
        w, site = self.world, self.config.dc
        if not w.closed:
            self._broken("an order, and the contactor is open")
        if not site.min_voltage_V <= volts <= site.max_voltage_V or not -site.max_discharge_A <= amps <= site.max_current_A:
            self._broken(f"an order of {volts:g} V, {amps:g} A")
        watts = amps * min(volts, w.volts)
        if not -site.max_discharge_W - ROUNDING <= watts <= site.max_power_W + ROUNDING:
            self._broken(f"an order of {watts:g} W")
        if abs(amps) > IDLE_A and not w.measured:
            self._broken("an order, and nobody knows the insulation")
        w.ordered = volts, amps

    def _close(self, phases: int) -> None:
        w = self.world
        if self.dc and self.now - w.read_at > READS_S:
            self._broken(f"closed on a reading of {self.now - w.read_at:g} s ago")
        if self.dc and abs(w.volts - w.outlet) >= MEET_V and max(w.volts, w.outlet) >= SAFE_V:
            self._broken(f"closed with {w.volts:g} V on {w.outlet:g} V")
        super()._close(phases)
        if wrong := list(super()._wrong()):
            self._broken(f"closed: {'; '.join(wrong)}")

    def tell(self, event: object) -> None:
        w = self.world
        if isinstance(event, DcSample) and event.current_A - event.current_A == 0.0:  # a number
            w.volts, w.amps, w.outlet, w.read_at = event.voltage_V, event.current_A, event.outlet_V, self.now
        super().tell(event)

    # ---- what has to hold after each step

    def _duty_allows(self) -> bool:
        w = self.world
        return w.consent(dc=self.dc) if w.duty == DIGITAL else super()._duty_allows()

    def _wrong(self) -> Iterator[str]:
        w, found = self.world, list(super()._wrong())
        if not self.dc:
            yield from found
            return
        if w.ordered is not None and abs(w.ordered[1]) > IDLE_A and not (w.asked is Supply.POWER and w.consent(dc=True)):
            yield f"{w.ordered[1]:g} A without PowerDelivery Start"
        w.wrong_since = None if not found else self.now if w.wrong_since is None else w.wrong_since
        if "no lease" in found or (w.wrong_since is not None and self.now - w.wrong_since > self.timings.dc_ramp_s + LATE_S):
            yield from found

    def _note(self) -> None:
        super()._note()
        w = self.world
        if w.closed:
            self.closed_in.add(w.asked.value if w.duty == DIGITAL else w.offered)
        if w.ordered is not None and abs(w.ordered[1]) > IDLE_A:
            self.closed_in.add("flows back" if w.ordered[1] < 0 else "flows")
