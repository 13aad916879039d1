"""Faults that can be put into a simulated EVSE, by name: the names of the control port, of OCPP 1.6 and MREC, and a few of our own.

A name that no part of the physics knows is a fault that the board reports of itself (`BoardFault` with that code).
"""

from __future__ import annotations

from collections.abc import Callable

from hal.sim.evse import SimEvse
from hal.sim.stage import INSULATION_OHM

Inject = Callable[[SimEvse, float], None]
Clear = Callable[[SimEvse], None]


def _weld(evse: SimEvse, value: float) -> None:
    evse.contactor.weld(evse.options.info.phases)


def _weld_on_close(evse: SimEvse, value: float) -> None:
    evse.contactor.welds_on_close = True


def _unweld(evse: SimEvse) -> None:
    evse.contactor.welded = evse.contactor.welds_on_close = False
    evse.contactor.free()


def _stuck_open(evse: SimEvse, value: float) -> None:
    evse.contactor.stuck_open = True


def _unstick(evse: SimEvse) -> None:
    evse.contactor.stuck_open = False
    evse.contactor.free()


def _mirror(evse: SimEvse, value: float) -> None:
    evse.contactor.mirror_stuck = True


def _mirror_right(evse: SimEvse) -> None:
    evse.contactor.mirror_stuck = False
    evse.contactor.mirror = evse.contactor.poles


def _meter(evse: SimEvse, value: float) -> None:
    evse.meter_silent = True


def _meter_back(evse: SimEvse) -> None:
    evse.meter_silent = False
    evse.sensors.meter_at = evse.now_s


def _trip(evse: SimEvse, value: float) -> None:
    evse.rcd.trip("dc")


def _rearm(evse: SimEvse) -> None:
    evse.fault_dc_mA = evse.fault_ac_mA = 0.0
    evse.rcd.set(0.0, 0.0)
    evse.rcd.reset()


def _residual_dc(evse: SimEvse, value: float) -> None:
    evse.fault_dc_mA = value


def _residual_ac(evse: SimEvse, value: float) -> None:
    evse.fault_ac_mA = value


def _no_residual(evse: SimEvse) -> None:
    evse.fault_dc_mA = evse.fault_ac_mA = 0.0


def _rcd_broken(evse: SimEvse, value: float) -> None:
    evse.rcd.broken = True


def _rcd_whole(evse: SimEvse) -> None:
    evse.rcd.broken = False


def _lock(evse: SimEvse, value: float) -> None:
    evse.lock.stuck = True
    evse.reported["ConnectorLockFailure"] = "the lock does not move"


def _lock_free(evse: SimEvse) -> None:
    evse.lock.stuck = False
    evse.lock.wanted = evse.lock.locked
    evse.reported.pop("ConnectorLockFailure", None)


def _short(evse: SimEvse, value: float) -> None:
    evse.pilot_shorted = True


def _no_short(evse: SimEvse) -> None:
    evse.pilot_shorted = False


def _diode(evse: SimEvse, value: float) -> None:
    evse.diode_bridged = True


def _diode_right(evse: SimEvse) -> None:
    evse.diode_bridged = False


def _proximity_open(evse: SimEvse, value: float) -> None:
    evse.proximity_forced = (None,)


def _proximity_value(evse: SimEvse, value: float) -> None:
    evse.proximity_forced = (value,)


def _proximity_right(evse: SimEvse) -> None:
    evse.proximity_forced = None


def _hot(evse: SimEvse, value: float) -> None:
    evse.thermal.forced_C = value


def _cool(evse: SimEvse) -> None:
    evse.thermal.forced_C = None


# An EVSE without a DC stage has nothing of these that could break.


def _insulation_low(evse: SimEvse, value: float) -> None:
    if evse.stage is not None:
        evse.stage.insulation_ohm = value


def _insulation_right(evse: SimEvse) -> None:
    _insulation_low(evse, INSULATION_OHM)


def _stage_stuck(evse: SimEvse, value: float) -> None:
    if evse.stage is not None:
        evse.stage.stuck = True


def _stage_obeys(evse: SimEvse) -> None:
    if evse.stage is not None:
        evse.stage.stuck = False


def _stage_no_rise(evse: SimEvse, value: float) -> None:
    if evse.stage is not None:
        evse.stage.no_rise = True


def _stage_rises(evse: SimEvse) -> None:
    if evse.stage is not None:
        evse.stage.no_rise = False


def _stage_not_off(evse: SimEvse, value: float) -> None:
    if evse.stage is not None:
        evse.stage.not_off = True


def _stage_off(evse: SimEvse) -> None:
    if evse.stage is not None:
        evse.stage.obey()


def _outlet_live(evse: SimEvse, value: float) -> None:
    if evse.stage is not None:
        evse.stage.stray_V = value


def _outlet_dead(evse: SimEvse) -> None:
    _outlet_live(evse, 0.0)


# Name -> what it does with a value, the value when none is given, and what takes it away.
FAULTS: dict[str, tuple[Inject, float, Clear]] = {
    "ContactorWeld": (_weld, 0.0, _unweld),
    "ContactorWeldOnClose": (_weld_on_close, 0.0, _unweld),
    "ContactorStuckOpen": (_stuck_open, 0.0, _unstick),
    "MirrorStuck": (_mirror, 0.0, _mirror_right),
    "MeterSilent": (_meter, 0.0, _meter_back),
    "RcdTrip": (_trip, 0.0, _rearm),
    "ResidualDc": (_residual_dc, 10.0, _no_residual),
    "ResidualAc": (_residual_ac, 40.0, _no_residual),
    "RcdBroken": (_rcd_broken, 0.0, _rcd_whole),
    "ConnectorLockFailure": (_lock, 0.0, _lock_free),
    "PilotShort": (_short, 0.0, _no_short),
    "DiodeFault": (_diode, 0.0, _diode_right),
    "ProximityOpen": (_proximity_open, 0.0, _proximity_right),
    "ProximityValue": (_proximity_value, 350.0, _proximity_right),
    "Temperature": (_hot, 95.0, _cool),
    "InsulationLow": (_insulation_low, 20_000.0, _insulation_right),
    "StageStuck": (_stage_stuck, 0.0, _stage_obeys),
    "StageNoRise": (_stage_no_rise, 0.0, _stage_rises),
    "StageNotOff": (_stage_not_off, 0.0, _stage_off),
    "OutletLive": (_outlet_live, 400.0, _outlet_dead),
}


def inject(evse: SimEvse, name: str, value: float | None = None) -> None:
    """From now on; `value` is mA, ohm, degrees Celsius or volts where the fault has one. `settle` the EVSE afterwards."""
    if name in FAULTS:
        act, default, _ = FAULTS[name]
        act(evse, default if value is None else value)
    else:
        evse.reported[name] = name
    evse.injected[name] = value
    evse.changes += 1


def clear(evse: SimEvse, name: str = "") -> None:
    """No longer; "" takes all away. What is not there is no error."""
    for each in [name] if name else list(evse.injected):
        if each not in evse.injected:
            continue
        del evse.injected[each]
        if each in FAULTS:
            FAULTS[each][2](evse)
        else:
            evse.reported.pop(each, None)
    evse.changes += 1
