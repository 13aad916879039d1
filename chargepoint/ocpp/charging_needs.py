"""What a vehicle needs and plans, as NotifyEVChargingNeeds and NotifyEVChargingSchedule say it (OCPP 2.1 K17 to K19, Q01).

ISO 15118-20 is told by v2xChargingParameters, whichever way the energy flows (K18.FR.06, K19.FR.06); ISO 15118-2 and DIN 70121 by acChargingParameters or
dcChargingParameters (K15.FR.06), and they have no modes of control.
"""

from __future__ import annotations

from typing import Any

from chargepoint.config import EvseConfig
from chargepoint.facts import Vehicle
from chargepoint.ocpp.ratings import discharge_W, rated_W
from chargepoint.ocpp.wire import format_timestamp
from iso15118 import phases
from iso15118.protocols import DIN, ISO2
from iso15118.terms import Control, Energy, Slot

TRANSFER_MODES = ("AC_single_phase", "AC_three_phase", "DC", "AC_BPT", "DC_BPT")
"""EnergyTransferModeEnumType, as far as a vehicle can ask for it here."""
CONTROL_MODES = {Control.SCHEDULED: "ScheduledControl", Control.DYNAMIC: "DynamicControl"}
OLDER = (DIN, ISO2)
_NEEDED = {
    "ac": ("acChargingParameters", ("energyAmount", "evMinCurrent", "evMaxCurrent", "evMaxVoltage")),
    "dc": ("dcChargingParameters", ("evMaxCurrent", "evMaxVoltage")),
}
"""Kind of current -> what it is called, and what has to be in it."""
MOST_PERIODS = 1024
"""chargingSchedulePeriod, maxItems."""


def transfer_mode(vehicle: Vehicle, evse: EvseConfig) -> str:
    """EnergyTransferModeEnumType of the service that the vehicle has chosen."""
    energy = vehicle.chosen.energy if vehicle.chosen else Energy(evse.mode.upper())
    if energy is Energy.AC:
        return "AC_single_phase" if phases.used(_asked(vehicle), evse.phases) == 1 else "AC_three_phase"
    return str(energy.value)


def _asked(vehicle: Vehicle) -> int:
    """AC: so many phases it has chosen; 0: it did not say."""
    return vehicle.chosen.phases if vehicle.chosen else 0


def needs_request(vehicle: Vehicle, evse: EvseConfig, utc: float) -> dict[str, Any]:
    """NotifyEVChargingNeedsRequest; `utc` is when the vehicle has said it."""
    needs: dict[str, Any] = {"requestedEnergyTransfer": transfer_mode(vehicle, evse)}
    older = vehicle.protocol in OLDER
    if vehicle.chosen and not older:
        needs["controlMode"] = CONTROL_MODES[vehicle.chosen.control]
        needs["mobilityNeedsMode"] = "EVCC_SECC" if vehicle.chosen.mobility_by_secc else "EVCC"
    if vehicle.needs.departure_s is not None:
        needs["departureTime"] = format_timestamp(utc + vehicle.needs.departure_s)
    if older:
        needs |= older_parameters(vehicle, evse)
    elif parameters := v2x_parameters(vehicle, evse):
        needs["v2xChargingParameters"] = parameters
    request: dict[str, Any] = {"evseId": evse.id, "chargingNeeds": needs, "timestamp": format_timestamp(utc)}
    return request | ({"maxScheduleTuples": vehicle.most_points} if vehicle.most_points else {})


def older_parameters(vehicle: Vehicle, evse: EvseConfig) -> dict[str, Any]:
    """ACChargingParametersType or DCChargingParametersType: what the vehicle has said, as it has said it; nothing as long as something that has to be there
    is not.
    """
    limits, battery = vehicle.limits, vehicle.battery
    values: dict[str, float | None] = {
        "energyAmount": vehicle.needs.target_Wh,
        "evMaxCurrent": limits.max_current_A,
        "evMaxVoltage": limits.max_voltage_V,
    }
    if evse.mode == "dc":
        values |= {
            "evMaxPower": limits.max_power_W,
            "evEnergyCapacity": battery.capacity_Wh,
            "stateOfCharge": battery.soc,
            "fullSoC": battery.max_soc,
            "bulkSoC": battery.target_soc,
        }
    else:
        values["evMinCurrent"] = limits.min_current_A
    name, needed = _NEEDED[evse.mode]
    said = {key: value for key, value in values.items() if value is not None}
    return {name: said} if all(key in said for key in needed) else {}


def v2x_parameters(vehicle: Vehicle, evse: EvseConfig) -> dict[str, Any]:
    """V2XChargingParametersType: what both sides can, and what the vehicle wants. Discharging is told by its magnitude."""
    limits, needs, part = vehicle.limits, vehicle.needs, phases.share(_asked(vehicle), evse.phases)
    values: dict[str, float | None] = {
        "minChargePower": _magnitude(limits.min_power_W),
        "maxChargePower": _least(limits.max_power_W, rated_W(evse) * part),
        "minDischargePower": _magnitude(limits.min_discharge_W),
        "maxDischargePower": _least(limits.max_discharge_W, discharge_W(evse) * part),
        "evTargetEnergyRequest": needs.target_Wh,
        "evMinEnergyRequest": needs.min_Wh,
        "evMaxEnergyRequest": needs.max_Wh,
        "evMinV2XEnergyRequest": needs.min_v2x_Wh,
        "evMaxV2XEnergyRequest": needs.max_v2x_Wh,
        "targetSoC": needs.target_soc if needs.target_soc is not None else limits.target_soc,
    }
    if evse.mode == "dc":
        values |= {
            "minChargeCurrent": _magnitude(limits.min_current_A),
            "maxChargeCurrent": _least(limits.max_current_A, evse.dc.max_current_A),
            "maxDischargeCurrent": _least(limits.max_discharge_A, evse.dc.max_discharge_A),
            "minVoltage": max(limits.min_voltage_V, evse.dc.min_voltage_V) if limits.min_voltage_V is not None else None,
            "maxVoltage": _least(limits.max_voltage_V, evse.dc.max_voltage_V),
        }
    return {key: value for key, value in values.items() if value is not None}


def _magnitude(value: float | None) -> float | None:
    return abs(value) if value is not None else None


def _least(ev: float | None, evse: float) -> float | None:
    return min(abs(ev), evse) if ev is not None else None


def schedule_request(vehicle: Vehicle, evse: EvseConfig, utc: float) -> dict[str, Any] | None:
    """NotifyEVChargingScheduleRequest; None without a plan. `utc` is where the plan begins."""
    slots = vehicle.plan[:MOST_PERIODS]
    if not slots:
        return None
    schedule = {
        "id": vehicle.schedule_id or 0,
        "chargingRateUnit": "W",
        "duration": slots[-1].start_s + slots[-1].duration_s,
        "chargingSchedulePeriod": [_period(slot) for slot in slots],
    }
    request: dict[str, Any] = {"evseId": evse.id, "timeBase": format_timestamp(utc), "chargingSchedule": schedule}
    return request | ({"selectedChargingScheduleId": vehicle.schedule_id} if vehicle.schedule_id is not None else {})


def _period(slot: Slot) -> dict[str, Any]:
    back = {"dischargeLimit": slot.power_W} if slot.power_W < 0 else {}
    return {"startPeriod": slot.start_s, "limit": max(0.0, slot.power_W), **back}
