"""One simulated EVSE: its parts, what hangs on its cable, and time.

`advance` goes from one interesting moment to the next; between two of them currents run linearly, so nothing is sampled away and an idle
hour costs nothing. Commands come between two calls of `advance`, and `settle` follows each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hal.sim.contactor import Contactor
from hal.sim.lock import PlugLock
from hal.sim.meter import Register
from hal.sim.pilot import letter
from hal.sim.rcd import ResidualCurrentDevice
from hal.sim.sensors import Sensors, sample, temperature
from hal.sim.signals import NO_OFFER, NOTHING, DcLoad, Load, Offered, PhaseValues, PilotOutput
from hal.sim.stage import DcStage
from hal.sim.thermal import Thermal
from hal.types import BoardInput, EvseInfo, MeterSample, PhaseWiring, TemperatureSample

SERIAL = EvseInfo(phase_wiring=PhaseWiring.SERIAL)
"""A tethered 32 A EVSE that can switch between one and three phases."""

MOST_AT_ONCE = 100
"""So many steps at one moment are a bug of a part or of a load, not physics."""


@dataclass(frozen=True, slots=True)
class SimEvseOptions:
    """What is built."""

    info: EvseInfo = SERIAL
    voltage_V: PhaseValues = (230.0, 230.0, 230.0)
    meter_interval_s: float = 1.0
    meter_idle_interval_s: float = 2.0
    """While the contactor is open and the register stands."""
    ambient_C: float = 20.0


class PlugHeld(Exception):
    """The lock holds the plug in the socket."""


class SimEvse:
    """Pure; all times are seconds on the caller's clock, which never goes back."""

    def __init__(self, options: SimEvseOptions, now_s: float = 0.0) -> None:
        self.options = options
        self.id = options.info.evse_id
        self.now_s = now_s
        self.pilot = Offered(PilotOutput.X1, 0.0, NOTHING)
        self.contactor = Contactor()
        self.stage = DcStage(options.info.dc, now_s) if options.info.dc is not None else None
        """Of a DC EVSE."""
        self.rcd = ResidualCurrentDevice()
        self.rcd.advance(now_s)
        self.lock = PlugLock()
        self.thermal = Thermal(options.ambient_C, options.ambient_C)
        if self.stage is not None:
            self.thermal.rated_A = self.stage.ratings.max_current_A
        self.register = Register()
        self.load: Load | None = None
        self._seen: Load | None = None
        self._dc_load: DcLoad | None = None
        self.cable_ohm: float | None = None
        self.pilot_shorted = self.diode_bridged = self.meter_silent = False
        self.proximity_forced: tuple[float | None] | None = None
        self.fault_dc_mA = self.fault_ac_mA = 0.0
        self.reported: dict[str, str] = {}
        """Faults of the board itself: code -> text."""
        self.injected: dict[str, float | None] = {}
        """Faults that were put in (`hal.sim.faults`): name -> value."""
        self.changes = 0
        """Counts whatever a restart has to know."""
        self._amps: PhaseValues = NOTHING
        self.sensors = Sensors(now_s)

    # ---- time

    def deadline(self) -> float | None:
        """The next moment at which something happens by itself."""
        load_at = self.load.deadline() if self.load else None
        stage, contactor = self.stage, self.contactor
        parts = (
            contactor.deadline(),
            stage.deadline() if stage else None,
            contactor.permit_until if stage and stage.on and contactor.permitted else None,
            self.rcd.deadline(),
            self.lock.deadline(),
            load_at,
            self.sensors.deadline(has_meter=self.options.info.has_meter),
        )
        return min((at for at in parts if at is not None), default=None)

    def advance(self, now_s: float) -> list[BoardInput]:
        """Let time come to `now_s`; gives what the sensors had to say on the way."""
        said: list[BoardInput] = []
        standing = 0
        while (due := self.deadline()) is not None and due < now_s:
            standing = standing + 1 if due <= self.now_s else 0
            if standing > MOST_AT_ONCE:
                raise RuntimeError(f"EVSE {self.id}: time stands still at {self.now_s} s: a part's deadline does not move")
            said += self._step(max(due, self.now_s))
        return said + self._step(now_s)

    def settle(self) -> list[BoardInput]:
        """After a command: what follows at this same moment."""
        return self._step(self.now_s)

    def _step(self, to_s: float) -> list[BoardInput]:
        self._integrate(to_s)
        self.now_s = to_s
        if self.stage is not None:
            self.stage.advance(to_s)
        self.rcd.advance(to_s)
        self.lock.advance(to_s)
        if self.rcd.tripped is not None:
            self.contactor.open()  # direct trip: no software between
        was_closed = self.contactor.poles > 0
        self.contactor.advance(to_s)
        if self.stage is not None and was_closed and not self.contactor.poles:
            self.contactor.broke(self.stage.current_A)
        self._look_at_load()
        return self.sensors.say(self)

    def _integrate(self, to_s: float) -> None:
        """From the last moment to this one with what has flowed."""
        passed_s = to_s - self.now_s
        if passed_s <= 0.0:
            return
        before, after = self._amps, self._amps_at(to_s)
        self.register.add(passed_s, self.voltage_V if self.stage is None else (self.stage.outlet_V, 0.0, 0.0), before, after)
        self.thermal.advance(passed_s, max((a * a + a * b + b * b) / 3.0 for a, b in zip(before, after, strict=True)))

    def _amps_at(self, at_s: float) -> PhaseValues:
        """What flows, up to the next moment."""
        if self.stage is not None:
            return (self.stage.current_at(at_s), 0.0, 0.0)
        return self.load.currents_A(at_s) if self.load and self.contactor.poles else NOTHING

    def _look_at_load(self) -> None:
        self._look_at_stage()
        if self.load is not None:
            self.load.advance(self.now_s, self.offered)
            self._look_at_stage()  # its contactors may have moved
        self._amps = self._amps_at(self.now_s)
        supplied = self.contactor.poles > 0
        leak_mA = self.load.leakage_dc_mA if self.load else 0.0
        self.rcd.set(self.fault_dc_mA + leak_mA if supplied else 0.0, self.fault_ac_mA if supplied else 0.0)

    def _look_at_stage(self) -> None:
        if self.stage is None:
            return
        if self.load is not self._seen:  # asking a protocol costs more than all the physics
            self._seen, self._dc_load = self.load, self.load if isinstance(self.load, DcLoad) else None
        battery_V = self._dc_load.battery_V(self.now_s) if self._dc_load else None
        self.stage.follow(closed=self.contactor.poles > 0, battery_V=battery_V, permitted=self.contactor.permitted)

    # ---- what is so

    @property
    def voltage_V(self) -> PhaseValues:
        """Of the phases, behind the contactor."""
        if self.contactor.poles == 0 or self.stage is not None:
            return NOTHING
        first, second, third = self.options.voltage_V
        return (first, 0.0, 0.0) if min(self.contactor.poles, self.options.info.phases) == 1 else (first, second, third)

    @property
    def offered(self) -> Offered:
        """What the EV sees."""
        if self.stage is not None:
            return replace(self.pilot, outlet_V=self.stage.outlet_V, outlet_A=self.stage.current_A)
        return replace(self.pilot, voltage_V=self.voltage_V)

    @property
    def current_A(self) -> PhaseValues:
        """What flows now; direct current stands in the first place."""
        return self._amps

    @property
    def state_letter(self) -> str:
        """The pilot's state, A to F."""
        return letter(self.pilot, self.load.pilot_load if self.load else None, shorted=self.pilot_shorted)

    @property
    def proximity_ohm(self) -> float | None:
        """What the proximity contact measures."""
        return self.cable_ohm if self.proximity_forced is None else self.proximity_forced[0]

    def sample(self) -> MeterSample:
        """The meter as it stands."""
        return sample(self)

    def temperature(self) -> TemperatureSample:
        """The sensor as it stands."""
        return temperature(self)

    # ---- what is commanded. `advance` to now first, `settle` afterwards

    def set_pilot(self, output: PilotOutput, duty_percent: float = 0.0) -> None:
        """What the EVSE puts on the pilot."""
        self.pilot = Offered(output, duty_percent, NOTHING)

    def rearm(self) -> bool:
        """Arm the residual-current device; False when it does not hold."""
        if not self.rcd.reset():
            return False
        self.injected.pop("RcdTrip", None)
        self.changes += 1
        return True

    # ---- what happens to the cable

    def plug(self, load: Load, cable_ohm: float | None = 220.0) -> None:
        """A cable into the socket (nothing of that where it is tethered), and its other end into the vehicle."""
        if self.options.info.connector == "sType2":
            self.cable_ohm = cable_ohm
        self.load = load
        self.changes += 1

    def unplug_vehicle(self) -> None:
        """Pull the plug at the EV: this end cannot be locked by us."""
        if self.load is not None:
            self.load.advance(self.now_s, NO_OFFER)
        self.load = None
        self.changes += 1

    def unplug_socket(self) -> None:
        """Pull the plug out of the socket. Raises PlugHeld while it is locked."""
        if self.lock.locked:
            raise PlugHeld(f"EVSE {self.id}: the lock holds the plug")
        self.unplug_vehicle()
        self.cable_ohm = None

    # ---- over a loss of power

    def save(self) -> dict[str, Any]:
        """What is still so after the power was away, as JSON values; the vehicle apart (`load`)."""
        return {
            "import_Ws": self.register.import_Ws,
            "export_Ws": self.register.export_Ws,
            "contactor": self.contactor.save(),
            "stage": self.stage.save() if self.stage else None,
            "rcd": self.rcd.save(),
            "locked": self.lock.locked,
            "lock_stuck": self.lock.stuck,
            "celsius": self.thermal.celsius,
            "forced_C": self.thermal.forced_C,
            "cable_ohm": self.cable_ohm,
            "proximity_forced": None if self.proximity_forced is None else list(self.proximity_forced),
            "pilot_shorted": self.pilot_shorted,
            "diode_bridged": self.diode_bridged,
            "meter_silent": self.meter_silent,
            "fault_dc_mA": self.fault_dc_mA,
            "fault_ac_mA": self.fault_ac_mA,
            "reported": dict(self.reported),
            "injected": dict(self.injected),
            "load": self.load.save(self.now_s) if self.load else None,
        }

    def restore(self, saved: dict[str, Any], load: Load | None) -> None:
        """Go on from `save`: the coil has fallen, the pilot is at X1. Raises KeyError, TypeError, ValueError for another shape."""
        self.register = Register(float(saved["import_Ws"]), float(saved["export_Ws"]))
        self.contactor = Contactor.restored(saved["contactor"])
        stage_saved = saved.get("stage")  # a world of an earlier version has none
        if self.stage is not None and stage_saved is not None:
            self.stage.restore(stage_saved)
        self.rcd.tripped, self.rcd.broken = saved["rcd"]["tripped"], bool(saved["rcd"]["broken"])
        self.lock = PlugLock(bool(saved["locked"]), bool(saved["locked"]), stuck=bool(saved["lock_stuck"]))
        self.thermal.celsius, self.thermal.forced_C = float(saved["celsius"]), saved["forced_C"]
        self.cable_ohm = saved["cable_ohm"]
        self.proximity_forced = None if saved["proximity_forced"] is None else (saved["proximity_forced"][0],)
        self.pilot_shorted, self.diode_bridged = bool(saved["pilot_shorted"]), bool(saved["diode_bridged"])
        self.meter_silent = bool(saved["meter_silent"])
        self.fault_dc_mA, self.fault_ac_mA = float(saved["fault_dc_mA"]), float(saved["fault_ac_mA"])
        self.reported, self.injected = dict(saved["reported"]), dict(saved["injected"])
        self.load = load
