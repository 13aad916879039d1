"""Grid rules as the messages of AC_DER by SAE have them (Amendment 1; IEEE 1547, SAE J3072), and back. A function that is not asked for is there, not enabled.

What is written is what there are words for (`grid_words.by_sae`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from iso15118.grid import Curve, Droop, EnterService, GridCode, PowerFactor, Setpoint, Trip, TripKind, Unit
from iso15118.iso20.values import maybe, maybe_rational, number, rational
from iso15118.messages.iso20 import ac_der_sae as sae
from iso15118.messages.iso20 import ac_der_sae_control as control
from iso15118.minimal import minimal

FINE = -6
"""A droop is said by thousandths of it, too."""
UNITS: dict[Unit, control.derUnitType] = {
    Unit.V: "V",
    Unit.HZ: "Hz",
    Unit.W: "W",
    Unit.S: "s",
    Unit.VAR: "var",
    Unit.MOST_W: "PercentageEVMaximumConfiguredActivePower",
    Unit.MOST_VAR: "PercentageEVMaximumConfiguredReactivePower",
    Unit.MOST_VA: "PercentageEVMaximumConfiguredApparentPower",
    Unit.AVAILABLE_W: "PercentageEVMaximumAvailableActivePower",
    Unit.AVAILABLE_VAR: "PercentageEVMaximumAvailableReactivePower",
    Unit.EFFECTIVE_V: "PercentageV",
}
_READ = {word: unit for unit, word in UNITS.items()}
TRIPS: dict[TripKind, str] = {
    TripKind.HV_MUST: "OverVoltageMustTripCurve",
    TripKind.LV_MUST: "UnderVoltageMustTripCurve",
    TripKind.HV_CEASE: "OverVoltageMomentaryCessationTripCurve",
    TripKind.LV_CEASE: "UnderVoltageMomentaryCessationTripCurve",
    TripKind.HV_MAY: "OverVoltageMayTripCurve",
    TripKind.LV_MAY: "UnderVoltageMayTripCurve",
    TripKind.HF_MUST: "OverFrequencyMustTripCurve",
    TripKind.LF_MUST: "UnderFrequencyMustTripCurve",
    TripKind.HF_MAY: "OverFrequencyMayTripCurve",
    TripKind.LF_MAY: "UnderFrequencyMayTripCurve",
}
_TIMES = ("delay_s", "random_delay_s", "ramp_s")
_MUST = (TripKind.HV_MUST, TripKind.LV_MUST, TripKind.HF_MUST, TripKind.LF_MUST)


# ---- to messages


def all_of(code: GridCode) -> control.DERControlCPDResType:
    """All functions, on or off."""
    return control.DERControlCPDResType(
        VoltageTrip=_trips(code, voltage=True),
        FrequencyTrip=_trips(code, voltage=False),
        EnterServiceCPDRes=control.EnterServiceCPDResType(**_enter(code.enter)),
        ReactivePowerSupportCPDRes=control.ReactivePowerSupportCPDResType(
            ConstantPowerFactor=_factor(code), VoltVar=_volt_var(code), WattVar=_watt_var(code), ConstantVar=_var(code)
        ),
        ActivePowerSupportCPDRes=control.ActivePowerSupportCPDResType(
            FrequencyDroop=_frequency(code), VoltWatt=_volt_watt(code), ConstantWatt=_watt(code), LimitMaxDischargePower=_discharge(code)
        ),
    )


def since(told: GridCode | None, code: GridCode) -> control.DERControlCLResType:
    """The functions that have changed since they were told; None: none was."""

    def other(*names: str) -> bool:
        return told is None or any(getattr(told, each) != getattr(code, each) for each in names)

    reactive: dict[str, Any] = {}
    if other("power_factor"):
        reactive["ConstantPowerFactor"] = _factor(code)
    if other("volt_var"):
        reactive["VoltVar"] = _volt_var(code)
    if other("watt_var"):
        reactive["WattVar"] = _watt_var(code)
    if other("fixed_var"):
        reactive["ConstantVar"] = _var(code)
    active: dict[str, Any] = {}
    if other("over_frequency", "under_frequency"):
        active["FrequencyDroop"] = _frequency(code)
    if other("volt_watt"):
        active["VoltWatt"] = _volt_watt(code)
    if other("fixed_W"):
        active["ConstantWatt"] = _watt(code)
    if other("most_discharge_percent", "discharge_response_s"):
        active["LimitMaxDischargePower"] = _discharge(code)
    enter = _enter(_entered(told, code)) if other("enter") else {"PermitService": code.enter.permitted}
    return control.DERControlCLResType(
        VoltageTrip=_trips(code, told, voltage=True) if other("trips") else None,
        FrequencyTrip=_trips(code, told, voltage=False) if other("trips") else None,
        EnterServiceCLRes=control.EnterServiceCLResType(**enter),
        ReactivePowerSupportCLRes=control.ReactivePowerSupportCLResType(**reactive) if reactive else None,
        ActivePowerSupportCLRes=control.ActivePowerSupportCLResType(**active) if active else None,
    )


def limits(code: GridCode) -> sae.GridLimitsType:
    """Of the grid."""
    return sae.GridLimitsType(
        GridNominalFrequency=rational(code.nominal_Hz),
        GridNominalVoltage=rational(code.nominal_V),
        GridNominalVoltageOffset=rational(0),
        GridMinFrequency=maybe_rational(code.least_Hz),
        GridMaxFrequency=maybe_rational(code.most_Hz),
        GridMaximumVoltage=rational(code.most_V),
        GridMinimumVoltage=rational(code.least_V),
    )


def var_limits(code: GridCode) -> sae.EVSEReactivePowerLimitsType:
    """Of the charger."""
    most = rational(code.most_var)
    return sae.EVSEReactivePowerLimitsType(
        EVSEMaximumVarAbsorptionDuringCharging=most,
        EVSEMaximumVarInjectionDuringCharging=most,
        EVSEMaximumVarAbsorptionDuringDischarging=most,
        EVSEMaximumVarInjectionDuringDischarging=most,
    )


def _points(curve: Curve) -> control.CurveDataPointsListType:
    return control.CurveDataPointsListType(
        CurveDataPoint=tuple(control.DataTupleType(xValue=rational(x), yValue=rational(y)) for x, y in curve.points)
    )


def _axes(curve: Curve) -> dict[str, Any]:
    return {
        "Enable": True,
        "Priority": curve.priority,
        "xUnit": UNITS[curve.x],
        "yUnit": UNITS[curve.y],
        "CurveDataPoints": _points(curve),
    }


def _trips(code: GridCode, told: GridCode | None = None, *, voltage: bool) -> Any:
    """All trip curves of one kind; those that have to be there, or have been told, and are not asked for are not enabled."""
    there = {each.kind: each.curve for each in code.trips}
    before = {each.kind for each in told.trips} if told is not None else set()
    given: dict[str, Any] = {}
    for kind, name in TRIPS.items():
        if ("Voltage" in name) != voltage:
            continue
        if kind in there:
            given[name] = control.DERCurveType(**_axes(there[kind]))
        elif kind in _MUST or kind in before:
            given[name] = minimal(control.DERCurveType)
    return (control.VoltageTripType if voltage else control.FrequencyTripType)(**given)


def _entered(told: GridCode | None, code: GridCode) -> EnterService:
    """What is not said is as before: a time that is taken away is said to be none."""
    if told is None:
        return code.enter
    gone: dict[str, Any] = {name: 0.0 for name in _TIMES if getattr(code.enter, name) is None and getattr(told.enter, name) is not None}
    return replace(code.enter, **gone)


def _enter(enter: EnterService) -> dict[str, Any]:
    return {
        "PermitService": enter.permitted,
        "EnterServiceVoltageHigh": rational(enter.high_V),
        "EnterServiceVoltageLow": rational(enter.low_V),
        "EnterServiceFrequencyHigh": rational(enter.high_Hz),
        "EnterServiceFrequencyLow": rational(enter.low_Hz),
        "EnterServiceDelay": maybe_rational(enter.delay_s),
        "EnterServiceRandomizedDelay": maybe_rational(enter.random_delay_s),
        "EnterServiceRampTime": maybe_rational(enter.ramp_s),
    }


def _factor(code: GridCode) -> control.ConstantPowerFactorType:
    held = code.power_factor
    if held is None:
        return minimal(control.ConstantPowerFactorType)
    return control.ConstantPowerFactorType(
        Enable=True,
        Priority=held.priority,
        PowerFactorValue=rational(held.cos_phi),
        PowerFactorExcitation="UnderExcited" if held.under_excited else "OverExcited",
    )


def _volt_var(code: GridCode) -> control.VoltVarType:
    curve = code.volt_var
    if curve is None:
        return minimal(control.VoltVarType)
    follows_s = curve.reference_follows_s
    return control.VoltVarType(
        **_axes(curve),
        OpenLoopResponseTime=rational(curve.response_s),
        ReferenceVoltage=rational(curve.reference_V or 0.0),
        AutonomousReferenceVoltageAdjustmentEnable=follows_s is not None,
        ReferenceVoltageAdjustmentTimeConstant=round(follows_s or 0),
    )


def _watt_var(code: GridCode) -> control.WattVarType:
    curve = code.watt_var
    if curve is None:
        return minimal(control.WattVarType)
    return control.WattVarType(**_axes(curve), OpenLoopResponseTime=rational(curve.response_s))


def _volt_watt(code: GridCode) -> control.VoltWattType:
    curve = code.volt_watt
    if curve is None:
        return minimal(control.VoltWattType)
    return control.VoltWattType(**_axes(curve), OpenLoopResponseTime=rational(curve.response_s))


def _setpoint(held: Setpoint) -> dict[str, Any]:
    return {"Enable": True, "Priority": held.priority, "Unit": UNITS[held.unit]}


def _var(code: GridCode) -> control.ConstantVarType:
    held = code.fixed_var
    if held is None:
        return minimal(control.ConstantVarType)
    return control.ConstantVarType(**_setpoint(held), VarSetpoint=rational(held.value))


def _watt(code: GridCode) -> control.ConstantWattType:
    held = code.fixed_W
    if held is None:
        return minimal(control.ConstantWattType)
    return control.ConstantWattType(**_setpoint(held), WattSetpoint=rational(held.value))


def _discharge(code: GridCode) -> control.LimitMaxDischargePowerType:
    percent = code.most_discharge_percent
    if percent is None:
        return minimal(control.LimitMaxDischargePowerType)
    return control.LimitMaxDischargePowerType(
        Enable=True, PercentageValue=round(percent), OpenLoopResponseTime=maybe_rational(code.discharge_response_s)
    )


def _frequency(code: GridCode) -> control.FrequencyDroopType:
    over, under = code.over_frequency, code.under_frequency
    if over is None and under is None:
        return minimal(control.FrequencyDroopType)
    return control.FrequencyDroopType(
        Enable=True,
        Priority=next((each.priority for each in (over, under) if each is not None and each.priority is not None), None),
        OverFrequencyDroop=_droop(over) if over else None,
        UnderFrequencyDroop=_droop(under) if under else None,
    )


def _droop(droop: Droop) -> control.FrequencyDroopSettingsType:
    return control.FrequencyDroopSettingsType(
        db=rational(droop.dead_band_Hz),
        DroopFactor=rational(droop.droop, FINE),
        PowerReference="MomentaryPower" if droop.of_present_power else "MaximumActivePower",
        OpenLoopResponseTime=rational(droop.response_s),
    )


# ---- from messages


def code_of(mode: sae.DER_AC_CPDResEnergyTransferMode) -> GridCode:
    """As a vehicle reads it."""
    asked, grid = mode.DERControlCPDRes, mode.GridLimits
    code = GridCode(
        nominal_V=number(grid.GridNominalVoltage),
        nominal_Hz=number(grid.GridNominalFrequency),
        most_V=number(grid.GridMaximumVoltage),
        least_V=number(grid.GridMinimumVoltage),
        most_Hz=maybe(grid.GridMaxFrequency),
        least_Hz=maybe(grid.GridMinFrequency),
        forming=mode.RequiredDEROperatingMode == "GridForming",
        islanded=mode.GridConnectionMode == "GridIslanded",
        most_var=number(mode.EVSEReactivePowerLimits.EVSEMaximumVarAbsorptionDuringCharging),
    )
    return _read(
        code,
        asked.VoltageTrip,
        asked.FrequencyTrip,
        asked.EnterServiceCPDRes,
        asked.ReactivePowerSupportCPDRes,
        asked.ActivePowerSupportCPDRes,
    )


def changed(code: GridCode, mode: sae.DER_Scheduled_AC_CLResControlMode | sae.DER_Dynamic_AC_CLResControlMode) -> GridCode:
    """With what has changed."""
    asked = mode.DERControlCLRes
    if mode.RequiredDEROperatingMode is not None:
        code = replace(code, forming=mode.RequiredDEROperatingMode == "GridForming")
    if mode.GridConnectionMode is not None:
        code = replace(code, islanded=mode.GridConnectionMode == "GridIslanded")
    reactive, active = asked.ReactivePowerSupportCLRes, asked.ActivePowerSupportCLRes
    return _read(code, asked.VoltageTrip, asked.FrequencyTrip, asked.EnterServiceCLRes, reactive, active)


def _read(
    code: GridCode,
    voltage: control.VoltageTripType | None,
    frequency: control.FrequencyTripType | None,
    enter: control.EnterServiceCPDResType | control.EnterServiceCLResType,
    reactive: control.ReactivePowerSupportCPDResType | control.ReactivePowerSupportCLResType | None,
    active: control.ActivePowerSupportCPDResType | control.ActivePowerSupportCLResType | None,
) -> GridCode:
    found: dict[str, Any] = {"enter": _read_enter(code.enter, enter)}
    if voltage is not None or frequency is not None:
        said = {kind for kind, name in TRIPS.items() if ("Voltage" in name and voltage) or ("Frequency" in name and frequency)}
        trips = [each for each in code.trips if each.kind not in said]
        for kind in said:
            curve = getattr(voltage if "Voltage" in TRIPS[kind] else frequency, TRIPS[kind])
            if curve is not None and curve.Enable:
                trips.append(Trip(kind, _read_curve(curve)))
        found["trips"] = tuple(sorted(trips, key=lambda each: list(TripKind).index(each.kind)))
    if reactive is not None:
        found |= _read_reactive(reactive)
    if active is not None:
        found |= _read_active(active)
    return replace(code, **found)


def _read_enter(before: EnterService, enter: control.EnterServiceCPDResType | control.EnterServiceCLResType) -> EnterService:
    """What is not said is as before."""
    said = {
        "high_V": maybe(enter.EnterServiceVoltageHigh),
        "low_V": maybe(enter.EnterServiceVoltageLow),
        "high_Hz": maybe(enter.EnterServiceFrequencyHigh),
        "low_Hz": maybe(enter.EnterServiceFrequencyLow),
        "delay_s": maybe(enter.EnterServiceDelay),
        "random_delay_s": maybe(enter.EnterServiceRandomizedDelay),
        "ramp_s": maybe(enter.EnterServiceRampTime),
    }
    return replace(before, permitted=enter.PermitService, **{name: value for name, value in said.items() if value is not None})


def _read_curve(curve: Any) -> Curve:
    response, follows = getattr(curve, "OpenLoopResponseTime", None), getattr(curve, "AutonomousReferenceVoltageAdjustmentEnable", False)
    return Curve(
        tuple((number(each.xValue), number(each.yValue)) for each in curve.CurveDataPoints.CurveDataPoint),
        _READ[curve.xUnit],
        _READ[curve.yUnit],
        curve.Priority,
        response_s=0.0 if response is None else number(response),
        reference_V=maybe(getattr(curve, "ReferenceVoltage", None)),
        reference_follows_s=float(curve.ReferenceVoltageAdjustmentTimeConstant) if follows else None,
    )


def _read_reactive(said: control.ReactivePowerSupportCPDResType | control.ReactivePowerSupportCLResType) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (factor := said.ConstantPowerFactor) is not None:
        held = PowerFactor(number(factor.PowerFactorValue), factor.PowerFactorExcitation == "UnderExcited", priority=factor.Priority)
        found["power_factor"] = held if factor.Enable else None
    for name, curve in (("volt_var", said.VoltVar), ("watt_var", said.WattVar)):
        if curve is not None:
            found[name] = _read_curve(curve) if curve.Enable else None
    if (var := said.ConstantVar) is not None:
        found["fixed_var"] = Setpoint(number(var.VarSetpoint), _READ[var.Unit], priority=var.Priority) if var.Enable else None
    return found


def _read_active(said: control.ActivePowerSupportCPDResType | control.ActivePowerSupportCLResType) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (droops := said.FrequencyDroop) is not None:
        over, under = (droops.OverFrequencyDroop, droops.UnderFrequencyDroop) if droops.Enable else (None, None)
        found["over_frequency"] = _read_droop(over, droops.Priority) if over else None
        found["under_frequency"] = _read_droop(under, droops.Priority) if under else None
    if (curve := said.VoltWatt) is not None:
        found["volt_watt"] = _read_curve(curve) if curve.Enable else None
    if (watt := said.ConstantWatt) is not None:
        found["fixed_W"] = Setpoint(number(watt.WattSetpoint), _READ[watt.Unit], priority=watt.Priority) if watt.Enable else None
    if (limit := said.LimitMaxDischargePower) is not None:
        found["most_discharge_percent"] = float(limit.PercentageValue) if limit.Enable else None
        found["discharge_response_s"] = maybe(limit.OpenLoopResponseTime) if limit.Enable else None
    return found


def _read_droop(droop: control.FrequencyDroopSettingsType, priority: int | None) -> Droop:
    return Droop(
        number(droop.db),
        number(droop.DroopFactor),
        of_present_power=droop.PowerReference == "MomentaryPower",
        response_s=number(droop.OpenLoopResponseTime),
        priority=priority,
    )
