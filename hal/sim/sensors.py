"""What the sensors of a simulated EVSE say, and when: a change once, the meter at its interval, everything after `forget`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hal.sim.meter import FREQUENCY_Hz
from hal.sim.pilot import plateaus_V
from hal.sim.signals import OPEN_PILOT
from hal.types import (
    BoardFault,
    BoardInput,
    ContactorFeedback,
    DcSample,
    InsulationSample,
    LockState,
    MeterSample,
    MeterSilence,
    PilotVoltage,
    ProximityResistance,
    ResidualCurrentReset,
    ResidualCurrentTrip,
    TemperatureSample,
)

if TYPE_CHECKING:
    from hal.sim.evse import SimEvse
    from hal.sim.stage import DcStage

PILOT_CYCLE_S = 0.004
"""From a change on the pilot to its reading: one cycle of the peak detectors (Tarragon)."""
SILENT_AFTER_READS = 3
"""So many readings of the meter in a row fail before it is called silent (F-13)."""
TOLD_EVERY_K = 1.0
"""A change of the temperature of this much is told."""
TEMPERATURE_POLL_S = 15.0
"""How often the temperature is looked at while it moves."""
DC_INTERVAL_S, DC_IDLE_INTERVAL_S = 0.1, 1.0
"""Between two samples of a DC stage that is on, or on its way; and of one that is off."""
PLACE = "relay"


class Sensors:
    """Pure. Remembers what it has said."""

    def __init__(self, now_s: float) -> None:
        self.pilot_at: float | None = None
        self.meter_at = now_s
        self.warm_at: float | None = None
        self.dc_at: float | None = None
        self._pilot: PilotVoltage | None = None
        self._meter: MeterSample | None = None
        self._temperature: TemperatureSample | None = None
        self._levels: dict[str, BoardInput] = {}
        self._faults: dict[str, str] = {}
        self._silent_reads = 0
        self._dc: DcSample | None = None
        self._insulation_ohm: float | None = None

    def forget(self, now_s: float) -> None:
        """Say everything once more."""
        self.pilot_at, self.meter_at, self.warm_at, self.dc_at = None, now_s, None, None
        self._pilot = self._meter = self._temperature = None
        self._levels, self._faults, self._silent_reads = {}, {}, 0
        self._dc, self._insulation_ohm = None, None

    def deadline(self, *, has_meter: bool) -> float | None:
        """When there is something to say by time."""
        parts = (self.pilot_at, self.meter_at if has_meter else None, self.warm_at, self.dc_at)
        return min((at for at in parts if at is not None), default=None)

    def say(self, evse: SimEvse) -> list[BoardInput]:
        """What is new at this moment; levels before the meter, so that a sample never contradicts the contactor."""
        changed = [*self._levels_of(evse), *self._faults_of(evse)]
        evse.changes += len(changed)
        return [*self._pilot_of(evse), *changed, *self._dc_of(evse), *self._meter_of(evse), *self._temperature_of(evse)]

    def _pilot_of(self, evse: SimEvse) -> list[BoardInput]:
        load = evse.load.pilot_load if evse.load else OPEN_PILOT
        high_V, low_V = plateaus_V(evse.pilot.pilot, load, shorted=evse.pilot_shorted, diode_bridged=evse.diode_bridged)
        if self._pilot is not None and self._pilot.high_V == high_V and self._pilot.low_V == low_V:
            self.pilot_at = None
            return []
        if self.pilot_at is None:
            self.pilot_at = evse.now_s + PILOT_CYCLE_S
        if evse.now_s < self.pilot_at:
            return []
        self.pilot_at = None
        self._pilot = PilotVoltage(evse.id, high_V, low_V)
        return [self._pilot]

    def _levels_of(self, evse: SimEvse) -> list[BoardInput]:
        info, mirror, tripped = evse.options.info, evse.contactor.mirror, evse.rcd.tripped
        now: dict[str, BoardInput] = {"contactor": ContactorFeedback(evse.id, mirror > 0, mirror)}
        if info.connector == "sType2":
            now["proximity"] = ProximityResistance(evse.id, evse.proximity_ohm)
        if info.has_lock and evse.lock.moving_until is None:
            now["lock"] = LockState(evse.id, evse.lock.locked, evse.lock.failed)
        if info.residual_current:
            now["rcd"] = ResidualCurrentTrip(evse.id, tripped) if tripped else ResidualCurrentReset(evse.id)
        said = [item for key, item in now.items() if self._levels.get(key) != item]
        self._levels.update(now)
        return said

    def _faults_of(self, evse: SimEvse) -> list[BoardInput]:
        if self._faults == evse.reported:
            return []
        over = [BoardFault(evse.id, code, "", present=False) for code in self._faults if code not in evse.reported]
        new = [BoardFault(evse.id, code, text, present=True) for code, text in evse.reported.items() if self._faults.get(code) != text]
        self._faults = dict(evse.reported)
        return [*over, *new]

    def _dc_of(self, evse: SimEvse) -> list[BoardInput]:
        stage = evse.stage
        if stage is None:
            return []
        sample = DcSample(evse.id, round(stage.voltage_V, 2), round(stage.current_A, 2), round(stage.outlet_V, 2))
        busy = stage.on or stage.moving
        interval_s = DC_INTERVAL_S if busy else DC_IDLE_INTERVAL_S
        due = self.dc_at is None or evse.now_s >= self.dc_at
        tells = due or (sample != self._dc and not busy)
        next_at = evse.now_s + interval_s
        self.dc_at = next_at if tells or self.dc_at is None else min(self.dc_at, next_at)
        self._dc = sample if tells else self._dc
        return [*([sample] if tells else []), *self._insulation_of(evse, stage)]

    def _insulation_of(self, evse: SimEvse, stage: DcStage) -> list[BoardInput]:
        """By itself only when it changes while it can be measured; else it waits to be asked."""
        before, self._insulation_ohm = self._insulation_ohm, stage.insulation_ohm
        if before is None or before == stage.insulation_ohm or not stage.measurable:
            return []
        return [InsulationSample(evse.id, stage.insulation_ohm)]

    def _meter_of(self, evse: SimEvse) -> list[BoardInput]:
        flows = any(evse.current_A)
        if self._meter is not None and flows is not any(self._meter.current_A) and not evse.meter_silent:
            self.meter_at = min(self.meter_at, evse.now_s)
        if not evse.options.info.has_meter or evse.now_s < self.meter_at:
            return []
        busy = evse.contactor.poles > 0
        self.meter_at = evse.now_s + (evse.options.meter_interval_s if busy else evse.options.meter_idle_interval_s)
        if evse.meter_silent:
            self._silent_reads += 1
            return [MeterSilence(evse.id)] if self._silent_reads == SILENT_AFTER_READS else []
        self._silent_reads = 0
        self._meter = sample(evse)
        return [self._meter]

    def _temperature_of(self, evse: SimEvse) -> list[BoardInput]:
        moving = any(evse.current_A) or abs(evse.thermal.celsius - evse.options.ambient_C) > TOLD_EVERY_K
        if not moving:
            self.warm_at = None
        elif self.warm_at is None or evse.now_s >= self.warm_at:
            self.warm_at = evse.now_s + TEMPERATURE_POLL_S
        reading_C, told = evse.thermal.reading_C, self._temperature
        if told is not None and abs(told.celsius - reading_C) < TOLD_EVERY_K:
            return []
        self._temperature = temperature(evse)
        return [self._temperature]


def sample(evse: SimEvse) -> MeterSample:
    """The meter as it stands; it sits before the contactor, so it sees the voltage always. That of a DC EVSE sits at the outlet."""
    volts, amps, register = evse.options.voltage_V, evse.current_A, evse.register
    if evse.stage is not None:
        outlet_V, outlet_A = round(evse.stage.outlet_V, 2), round(amps[0], 2)
        power_W = round(outlet_V * outlet_A, 1)
        return MeterSample(evse.id, register.import_Wh, register.export_Wh, power_W, (outlet_A,), (outlet_V,))
    power_W = volts[0] * amps[0] + volts[1] * amps[1] + volts[2] * amps[2]
    return MeterSample(evse.id, register.import_Wh, register.export_Wh, round(power_W, 1), amps, volts, FREQUENCY_Hz)


def temperature(evse: SimEvse) -> TemperatureSample:
    """The sensor as it stands."""
    return TemperatureSample(evse.id, PLACE, round(evse.thermal.reading_C, 1))
