"""What the vehicle has said in its session, as events and facts of the station."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from chargepoint import v2g_asks, v2g_contracts, v2g_paced
from chargepoint.commands import Log
from chargepoint.config import EvseConfig
from chargepoint.events import (
    SessionChanged,
    SessionStage,
    Supply,
    SupplyAsked,
    VehicleIdentified,
)
from chargepoint.facts import EvseFacts, Vehicle
from chargepoint.tick import Tick
from chargepoint.v2g_state import V2gState
from iso15118.terms import (
    AcDemand,
    AuthorizationWanted,
    Battery,
    CableCheckWanted,
    ContractRefused,
    ContractShown,
    DcDemand,
    DialectChosen,
    EnergyChosen,
    EnergyWanted,
    EvLimits,
    InstallationAsked,
    InstallationRefused,
    MeteringConfirmed,
    ParkingTold,
    PlanChanged,
    PowerOff,
    PowerWanted,
    PrechargeWanted,
    ScheduleAsked,
    SessionBegun,
    StandbyWanted,
    Told,
    VehicleTrouble,
)

LAST_WORDS = (ContractRefused, InstallationRefused, MeteringConfirmed)
"""What may be told with the end of a session, and be why."""
_BATTERY = (Supply.PRECHARGE, Supply.POWER, Supply.STANDBY)
"""What is asked for at the voltage of the battery; that of a cable check is none for power."""


class Teller:
    """Of one EVSE. Writes `vehicle` of its facts."""

    def __init__(self, config: EvseConfig, evse: EvseFacts) -> None:
        self.config, self.evse = config, evse

    def said(self, now: Tick, state: V2gState, told: Sequence[Told]) -> list[object]:
        """All that one message tells. Energy that goes off for a standby stays, without current, for DC: the voltage is that of the battery."""
        standby = any(isinstance(each, StandbyWanted) for each in told)
        return [item for each in told if not (standby and isinstance(each, PowerOff)) for item in self._one(now, state, each)]

    def _one(self, now: Tick, state: V2gState, told: Told) -> list[object]:
        evse_id = self.evse.evse_id
        match told:
            case DialectChosen(namespace):
                state.protocol = namespace
            case SessionBegun(_, evcc_id, resumed):
                self.evse.vehicle = Vehicle(state.protocol, evcc_id, resumed=resumed, connection=state.active or 0)
                begun = Log("info", "v2g.begun", {"evse": evse_id, "protocol": state.protocol, "resumed": resumed})
                return [begun, SessionChanged(evse_id, SessionStage.BEGUN), VehicleIdentified(evse_id)]
            case AuthorizationWanted():
                state.authorization_wanted = True
                return v2g_contracts.say(state.contracts, self.evse)
            case ScheduleAsked(most_points):
                if self.evse.vehicle is not None:
                    self.evse.vehicle.most_points = most_points
                return self._needs(now, state)
            case MeteringConfirmed():
                return self._confirmed(now, state, told)
            case ContractShown() | ContractRefused() | InstallationAsked() | InstallationRefused():
                return self._of_contracts(now, state, told)
            case ParkingTold(what, status):
                return [Log("info", "v2g.parking", {"evse": evse_id, "what": what, "status": status})]
            case _:
                return [*self._noted(now, state, told), *self._asked(state, told)]
        return []

    def _confirmed(self, now: Tick, state: V2gState, told: MeteringConfirmed) -> list[object]:
        """Where a contract pays, its key has to have signed the reading; else it is enough that the vehicle says so."""
        values: dict[str, Any] = {"evse": self.evse.evse_id, "Wh": told.reading.import_Wh, "signed": told.verified}
        if told.why:
            values["why"] = told.why
        if state.contracts.pays and not told.verified:
            return [Log("warning", "v2g.metering_refused", values)]
        v2g_asks.confirmed(state.asks, now)
        return [Log("info", "v2g.metering_confirmed", values)]

    def _of_contracts(self, now: Tick, state: V2gState, told: Told) -> list[object]:
        s, evse = state.contracts, self.evse
        match told:
            case ContractShown():
                state.authorization_wanted = True
                return v2g_contracts.shown(s, evse, told)
            case ContractRefused():
                return v2g_contracts.refused(s, evse, told)
            case InstallationAsked():
                return v2g_contracts.asked(s, now, evse, told)
            case InstallationRefused():
                return v2g_contracts.not_installed(s, evse, told)
        return []

    def _needs(self, now: Tick, state: V2gState) -> list[object]:
        """Once for each time that the vehicle asks, however often it polls."""
        if state.asking_needs:
            return []
        state.asking_needs, state.needs_told = True, state.needs_told + 1
        return v2g_paced.say(state, now, self.evse.evse_id, v2g_paced.NEEDS)

    def _noted(self, now: Tick, state: V2gState, told: Told) -> list[object]:
        vehicle = self.evse.vehicle
        if vehicle is None:
            return []
        match told:
            case EnergyChosen():
                vehicle.chosen = told
            case EvLimits():
                vehicle.limits = _merged(vehicle.limits, told)
            case EnergyWanted():
                vehicle.needs = _merged(vehicle.needs, told)
            case Battery():
                vehicle.battery, vehicle.battery_mono = _merged(vehicle.battery, told), now.mono
            case DcDemand(limits=limits) if limits is not None:
                vehicle.limits = _merged(vehicle.limits, limits)
            case AcDemand(limits=limits):
                vehicle.limits, vehicle.target_W = _merged(vehicle.limits, limits or EvLimits()), told.target_W
            case PowerWanted(schedule_id, profile, _) | PlanChanged(schedule_id, profile):
                state.asking_needs, vehicle.target_W = False, None
                vehicle.schedule_id, vehicle.plan = schedule_id, profile
                return v2g_paced.say(state, now, self.evse.evse_id, v2g_paced.PLAN)
            case VehicleTrouble(error, ready):
                vehicle.trouble = error
                return [
                    Log("warning" if error else "info", "v2g.trouble", {"evse": self.evse.evse_id, "code": error or "none", "ready": ready})
                ]
        return []

    def _asked(self, state: V2gState, told: Told) -> list[object]:
        evse_id, limits = self.evse.evse_id, self.evse.vehicle.limits if self.evse.vehicle else EvLimits()
        match told:
            case EnergyChosen():
                return [SupplyAsked(evse_id, Supply.OFF, why="a service was chosen")]
            # Its voltage bounds the current, and so the power that it is offered next; said again while it has energy, it changes nothing.
            case EvLimits() if self.config.mode == "dc" and state.supply is Supply.OFF:
                return [SupplyAsked(evse_id, Supply.OFF, why="the vehicle has said its limits")]
            case CableCheckWanted():
                return [SupplyAsked(evse_id, Supply.CABLE_CHECK, limits.max_voltage_V or 0.0)]
            case PrechargeWanted(target_V, _):
                return [SupplyAsked(evse_id, Supply.PRECHARGE, _least(target_V, limits.max_voltage_V))]
            case PowerWanted():
                return [SupplyAsked(evse_id, Supply.POWER, state.asked_V if state.supply in _BATTERY else 0.0)]
            case DcDemand():
                return [self._demanded(told, limits)]
            case PowerOff(why):
                return [SupplyAsked(evse_id, Supply.OFF, why=why)]
            case StandbyWanted() if self.config.mode == "dc":
                return [SupplyAsked(evse_id, Supply.STANDBY, state.asked_V, why="standby")]
            case StandbyWanted():
                return [SupplyAsked(evse_id, Supply.OFF, why="standby")]
        return []

    def _demanded(self, told: DcDemand, limits: EvLimits) -> SupplyAsked:
        """Scheduled: what the vehicle wants, within what it has said that it can take. Dynamic: as much as both sides may; the battery holds the voltage."""
        evse_id = self.evse.evse_id
        if told.target_V is not None and told.target_A is not None:
            return SupplyAsked(
                evse_id, Supply.POWER, _least(told.target_V, limits.max_voltage_V), _within(told.target_A, told.present_V, limits)
            )
        most_V = limits.max_voltage_V or told.present_V
        watts = min(self.evse.limit_W, limits.max_power_W if limits.max_power_W is not None else self.evse.limit_W)
        amps = watts / max(told.present_V, 1.0)
        return SupplyAsked(evse_id, Supply.POWER, most_V, amps if limits.max_current_A is None else min(amps, limits.max_current_A))


def _least(value: float, most: float | None) -> float:
    """A maximum below nothing is nothing; one that was not said is none."""
    return value if most is None else min(value, max(0.0, most))


def _within(target_A: float, present_V: float, limits: EvLimits) -> float:
    """The current that is wanted, as far as the vehicle's own limits go, each way."""
    volts = max(present_V, 1.0)
    if target_A < 0.0:
        back_A = _least(-target_A, limits.max_discharge_A)
        return -(min(back_A, limits.max_discharge_W / volts) if limits.max_discharge_W else back_A)
    amps = _least(target_A, limits.max_current_A)
    # There are vehicles that leave their power at 0.
    return min(amps, limits.max_power_W / volts) if limits.max_power_W is not None and limits.max_power_W > 0.0 else amps


def _merged(old: Any, new: Any) -> Any:
    """What is said now, and what was said before where now nothing is."""
    return replace(old, **{each.name: value for each in fields(new) if (value := getattr(new, each.name)) is not None})
