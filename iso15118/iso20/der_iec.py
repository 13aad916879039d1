"""Grid rules as the messages of AC_DER by IEC have them (Amendment 1, EN 50549), and back. What is written is what there are words for, in absolute units
(`grid_words.by_iec`).

Slope is taken as the droop in % [K]. The sides of the nominal frequency are those of Fstart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from iso15118.grid import Curve, Droop, GridCode, PowerFactor, RideThrough, Setpoint, Unit, ZeroCurrent
from iso15118.iso20.grid_words import Base
from iso15118.iso20.values import maybe, maybe_rational, number, rational
from iso15118.messages.iso20 import ac_der_iec as iec


def _unit(unit: Unit) -> Any:
    """A power factor has no unit; there is none for it here, and W stands in its place [K]."""
    return "W" if unit is Unit.NONE else unit.value


# ---- to messages


def control(code: GridCode) -> iec.DERControlType:
    """What the grid rules ask for."""
    reactive = next(
        (
            {name: _curve(curve, cos_phi=name == "WattCosPhi")}
            for name, curve in (("VoltVar", code.volt_var), ("WattVar", code.watt_var), ("WattCosPhi", code.watt_cos_phi))
            if curve is not None
        ),
        None,
    )
    active: dict[str, Any] = {}
    if code.under_frequency is not None:
        active["UnderFrequencyWatt"] = _droop(code.under_frequency, code.nominal_Hz, -1)
    if code.over_frequency is not None:
        active["OverFrequencyWatt"] = _droop(code.over_frequency, code.nominal_Hz, +1)
    if code.volt_watt is not None:
        active["VoltWatt"] = _volt_watt(code.volt_watt)
    return iec.DERControlType(
        OvervoltageFaultRideThrough=_ride(code.over_voltage) if code.over_voltage else None,
        UndervoltageFaultRideThrough=_ride(code.under_voltage) if code.under_voltage else None,
        ZeroCurrent=_zero(code.zero_current) if code.zero_current else None,
        ReactivePowerSupport=iec.ReactivePowerSupportType(**reactive) if reactive else None,
        ActivePowerSupport=iec.ActivePowerSupportType(**active) if active else None,
        MaximumLevelDCInjection=maybe_rational(code.dc_injection),
    )


def setpoints(code: GridCode, power_W: float) -> dict[str, Any]:
    """What the grid operator may change while energy flows; discharging is limited to a share of `power_W`."""
    found: dict[str, Any] = {}
    if code.most_discharge_percent is not None:
        found["DSOMaximumDischargePower"] = rational(power_W * code.most_discharge_percent / 100)
    if (held := code.fixed_var) is not None:
        found["DSOQSetpoint"] = iec.DSOQSetpointType(
            DSOQSetpointValue=rational(held.value),
            PT1ResponseReactivePower=held.first_order,
            StepResponseTimeConstantReactivePower=rational(held.response_s),
        )
    if (factor := code.power_factor) is not None:
        found["DSOCosPhiSetpoint"] = iec.DSOCosPhiSetpointType(
            DSOCosPhiSetpointValue=rational(factor.cos_phi),
            Excitation="UnderExcited" if factor.under_excited else "OverExcited",
            PT1ResponseReactivePower=factor.first_order,
            StepResponseTimeConstantReactivePower=rational(factor.response_s),
        )
    return found


def _curve(curve: Curve, *, cos_phi: bool) -> iec.DERCurveType:
    points = tuple(
        iec.DataTupleType(
            xValue=rational(at),
            yValue=iec.SetpointExcitationType(
                SetpointValue=rational(abs(value) if cos_phi else value),
                Excitation=("UnderExcited" if value < 0 else "OverExcited") if cos_phi else None,
            ),
        )
        for at, value in curve.points
    )
    return iec.DERCurveType(
        xUnit=_unit(curve.x),
        yUnit=_unit(curve.y),
        CurveDataPoints=iec.CurveDataPointsListType(CurveDataPoint=points),
        MinCosPhi=maybe_rational(curve.least_cos_phi),
        LockValueUnit=_unit(curve.lock_unit) if curve.lock_unit else None,
        LockInValue=maybe_rational(curve.lock_in),
        LockOutValue=maybe_rational(curve.lock_out),
        PT1ResponseReactivePower=curve.first_order,
        StepResponseTimeConstantReactivePower=rational(curve.response_s),
        IntentionalDelay=maybe_rational(curve.delay_s),
    )


def _droop(droop: Droop, nominal_Hz: float, side: int) -> iec.FrequencyWattType:
    start_Hz = nominal_Hz + side * droop.dead_band_Hz
    return iec.FrequencyWattType(
        Fstart=rational(start_Hz),
        Fstop=rational(start_Hz if droop.stop_Hz is None else droop.stop_Hz),
        Slope=rational(droop.droop * 100),
        IntentionalDelayPowerControl=None if droop.delay_s is None else round(droop.delay_s),
        PowerReference="MomentaryPower" if droop.of_present_power else "MaximumDischargePower",
        HysteresisControl=droop.hysteresis,
        PT1ResponseActivePower=droop.first_order,
        StepResponseTimeConstantActivePower=rational(droop.response_s),
    )


def _volt_watt(curve: Curve) -> iec.VoltWattType:
    """From all of the power to none."""
    return iec.VoltWattType(
        PowerReference="MomentaryPower" if curve.y is Unit.AVAILABLE_W else "MaximumDischargePower",
        UStart=rational(curve.points[0][0]),
        UStop=rational(curve.points[-1][0]),
        PT1ResponseActivePower=curve.first_order,
        StepResponseTimeConstantActivePower=rational(curve.response_s),
        IntentionalDelayPowerControl=None if curve.delay_s is None else round(curve.delay_s),
    )


def _responses(first_order: bool, response_s: float) -> dict[str, Any]:
    return {
        "PT1ResponseActivePower": first_order,
        "StepResponseTimeConstantActivePower": rational(response_s),
        "PT1ResponseReactivePower": first_order,
        "StepResponseTimeConstantReactivePower": rational(response_s),
    }


def _ride(ride: RideThrough) -> iec.FaultRideThroughType:
    return iec.FaultRideThroughType(
        VoltageLimitStartFRT=rational(ride.start_V),
        VoltageLimitStopFRT=maybe_rational(ride.stop_V),
        VoltageRecoveryLimit=maybe_rational(ride.recovery_V),
        VoltageRideThroughPositiveCurveKFactor=maybe_rational(ride.positive_k),
        VoltageRideThroughNegativeCurveKFactor=maybe_rational(ride.negative_k),
        **_responses(ride.first_order, ride.response_s),
    )


def _zero(zero: ZeroCurrent) -> iec.ZeroCurrentType:
    return iec.ZeroCurrentType(
        OverVoltageLimit=maybe_rational(zero.over_V),
        UnderVoltageLimit=maybe_rational(zero.under_V),
        OverVoltageRecoveryLimit=maybe_rational(zero.over_recovery_V),
        UnderVoltageRecoveryLimit=maybe_rational(zero.under_recovery_V),
        **_responses(zero.first_order, zero.response_s),
    )


# ---- from messages


def code_of(mode: iec.DER_AC_CPDResEnergyTransferMode) -> GridCode:
    """As a vehicle reads it; of voltages only the functions say something."""
    asked, nominal_Hz = mode.DERControl, number(mode.EVSENominalFrequency)
    reactive, active = asked.ReactivePowerSupport, asked.ActivePowerSupport
    return GridCode(
        nominal_Hz=nominal_Hz,
        forming=mode.EVOperatingMode == "GridForming",
        islanded=mode.GridConnectionMode == "GridIslanded",
        over_frequency=_read_droop(active.OverFrequencyWatt, nominal_Hz) if active and active.OverFrequencyWatt else None,
        under_frequency=_read_droop(active.UnderFrequencyWatt, nominal_Hz) if active and active.UnderFrequencyWatt else None,
        volt_watt=_read_volt_watt(active.VoltWatt) if active and active.VoltWatt else None,
        volt_var=_read_curve(reactive.VoltVar) if reactive and reactive.VoltVar else None,
        watt_var=_read_curve(reactive.WattVar) if reactive and reactive.WattVar else None,
        watt_cos_phi=_read_curve(reactive.WattCosPhi) if reactive and reactive.WattCosPhi else None,
        over_voltage=_read_ride(asked.OvervoltageFaultRideThrough),
        under_voltage=_read_ride(asked.UndervoltageFaultRideThrough),
        zero_current=_read_zero(asked.ZeroCurrent),
        dc_injection=maybe(asked.MaximumLevelDCInjection),
    )


def changed(code: GridCode, mode: iec.DER_Scheduled_AC_CLResControlMode | iec.DER_Dynamic_AC_CLResControlMode, base: Base) -> GridCode:
    """With the setpoints that the grid operator has now: what is not said any more does not hold any more."""
    most, var, factor = mode.DSOMaximumDischargePower, mode.DSOQSetpoint, mode.DSOCosPhiSetpoint
    return replace(
        code,
        most_discharge_percent=None if most is None else _share(number(most), base.power_W),
        fixed_var=None
        if var is None
        else Setpoint(
            number(var.DSOQSetpointValue), Unit.VAR, number(var.StepResponseTimeConstantReactivePower), var.PT1ResponseReactivePower
        ),
        power_factor=None
        if factor is None
        else PowerFactor(
            number(factor.DSOCosPhiSetpointValue),
            factor.Excitation == "UnderExcited",
            number(factor.StepResponseTimeConstantReactivePower),
            factor.PT1ResponseReactivePower,
        ),
    )


def _share(most_W: float, power_W: float) -> float:
    """In %; of a vehicle that can give nothing, nothing."""
    return round(100 * most_W / power_W, 3) if power_W > 0 else 0.0


def _read_curve(curve: iec.DERCurveType) -> Curve:
    points, cos_phi = curve.CurveDataPoints.CurveDataPoint, False
    found = []
    for each in points:
        excitation = each.yValue.Excitation
        cos_phi = cos_phi or excitation is not None
        found.append((number(each.xValue), number(each.yValue.SetpointValue) * (-1 if excitation == "UnderExcited" else 1)))
    return Curve(
        tuple(found),
        Unit(curve.xUnit),
        Unit.NONE if cos_phi else Unit(curve.yUnit),
        response_s=number(curve.StepResponseTimeConstantReactivePower),
        first_order=curve.PT1ResponseReactivePower,
        delay_s=maybe(curve.IntentionalDelay),
        least_cos_phi=maybe(curve.MinCosPhi),
        lock_in=maybe(curve.LockInValue),
        lock_out=maybe(curve.LockOutValue),
        lock_unit=Unit(curve.LockValueUnit) if curve.LockValueUnit else None,
    )


def _read_droop(droop: iec.FrequencyWattType, nominal_Hz: float) -> Droop:
    start_Hz, stop_Hz = number(droop.Fstart), number(droop.Fstop)
    return Droop(
        round(abs(start_Hz - nominal_Hz), 3),
        number(droop.Slope) / 100,
        None if stop_Hz == start_Hz else stop_Hz,
        droop.PowerReference == "MomentaryPower",
        droop.HysteresisControl,
        number(droop.StepResponseTimeConstantActivePower),
        droop.PT1ResponseActivePower,
        None if droop.IntentionalDelayPowerControl is None else float(droop.IntentionalDelayPowerControl),
    )


def _read_volt_watt(asked: iec.VoltWattType) -> Curve:
    return Curve(
        ((number(asked.UStart), 100.0), (number(asked.UStop), 0.0)),
        Unit.V,
        Unit.AVAILABLE_W if asked.PowerReference == "MomentaryPower" else Unit.MOST_W,
        response_s=number(asked.StepResponseTimeConstantActivePower),
        first_order=asked.PT1ResponseActivePower,
        delay_s=None if asked.IntentionalDelayPowerControl is None else float(asked.IntentionalDelayPowerControl),
    )


def _read_ride(ride: iec.FaultRideThroughType | None) -> RideThrough | None:
    if ride is None:
        return None
    return RideThrough(
        number(ride.VoltageLimitStartFRT),
        maybe(ride.VoltageLimitStopFRT),
        maybe(ride.VoltageRecoveryLimit),
        maybe(ride.VoltageRideThroughPositiveCurveKFactor),
        maybe(ride.VoltageRideThroughNegativeCurveKFactor),
        number(ride.StepResponseTimeConstantReactivePower),
        ride.PT1ResponseReactivePower,
    )


def _read_zero(zero: iec.ZeroCurrentType | None) -> ZeroCurrent | None:
    if zero is None:
        return None
    return ZeroCurrent(
        maybe(zero.OverVoltageLimit),
        maybe(zero.UnderVoltageLimit),
        maybe(zero.OverVoltageRecoveryLimit),
        maybe(zero.UnderVoltageRecoveryLimit),
        number(zero.StepResponseTimeConstantReactivePower),
        zero.PT1ResponseReactivePower,
    )
