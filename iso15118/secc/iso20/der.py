"""ISO 15118-20, the charger's answers by grid rules (AC_DER of Amendment 1, IEC and SAE): parameters with all that the rules ask for, and in the loop what the
grid operator changes. Everything else is as AC by cable.

IEC has no way to change a curve in the loop, but for the setpoints of the grid operator: other curves need a renegotiation of services. SAE tells whatever
has changed of functions, and nothing of the grid's own values. What of the rules the vehicle does not have, the host hears.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from iso15118.connection import Now
from iso15118.grid import GridCode, Inverter, InverterState, Nameplate, Quadrants
from iso15118.iso20 import der_iec, der_sae
from iso15118.iso20.grid_words import LASTING, SETPOINTS, Base, Worded, by_iec, by_sae, differing
from iso15118.iso20.values import maybe, number, rational, total_W
from iso15118.messages.iso20 import ac
from iso15118.messages.iso20 import ac_der_iec as iec
from iso15118.messages.iso20 import ac_der_sae as sae
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc import phases
from iso15118.secc.iso20.rounds import common, seen, told_W, uncontrolled
from iso15118.secc.iso20.talk import Result, Talk, failed, ok, status
from iso15118.secc.offers import least_of
from iso15118.terms import AcDemand, AcLimits, Energy, EvLimits, GridRulesMissed, InverterDeclared, InverterShown, Told

RULES_S = 55.0
"""So long a vehicle may take to take the rules over: V2G_SECC timeout of what may be ongoing [K]."""
_ASKED: dict[Energy, Any] = {
    Energy.AC_DER_IEC: iec.DER_AC_CPDReqEnergyTransferMode,
    Energy.AC_DER_SAE: sae.DER_AC_CPDReqEnergyTransferMode,
}
_ROUND: dict[Energy, Any] = {
    Energy.AC_DER_IEC: (iec.DER_Scheduled_AC_CLReqControlMode, iec.DER_Dynamic_AC_CLReqControlMode),
    Energy.AC_DER_SAE: (sae.DER_Scheduled_AC_CLReqControlMode, sae.DER_Dynamic_AC_CLReqControlMode),
}


# ---- parameters


def parameters(talk: Talk, now: Now, request: ac.AC_ChargeParameterDiscoveryReq) -> Result:
    """Limits of both sides, and what the rules ask for. Answered again and again while the vehicle takes them over."""
    asked: Any = request.AC_CPDReqEnergyTransferMode
    limits, code = phases.limits_of(talk), talk.facts.grid
    if limits is None or code is None:
        return failed(talk, now, request, "FAILED_WrongChargeParameter", "this charger has no AC by grid rules")
    if talk.offered is None or not isinstance(asked, _ASKED.get(talk.offered.energy, ())):
        return failed(talk, now, request, "FAILED_WrongChargeParameter", "the parameters are not those of the chosen service")
    ready = asked.EVProcessing == "Finished"
    if not ready and not talk.ongoing("grid rules", now, RULES_S):
        return failed(talk, now, request, "FAILED", "the vehicle does not take the grid rules over in time")
    ev = EvLimits(
        max_power_W=total_W(asked, "EVMaximumChargePower"),
        min_power_W=total_W(asked, "EVMinimumChargePower"),
        max_discharge_W=total_W(asked, "EVMaximumDischargePower"),
        min_discharge_W=total_W(asked, "EVMinimumDischargePower"),
    )
    inverter = _by_iec(asked) if _is_iec(talk) else _by_sae(asked)
    talk.least_W, talk.least_back_W = least_of(ev)
    talk.ev_give_W = max(0.0, ev.max_discharge_W or 0.0)
    talk.ev_var = max(inverter.var.discharge_absorb, inverter.var.discharge_inject) if inverter.var else None
    worded = _worded(talk, code)
    mode = _iec_parameters(limits, worded.code) if _is_iec(talk) else _sae_parameters(talk, now, limits, worded.code)
    talk.grid_told, talk.grid_stale, talk.grid_unsaid = worded.code, frozenset(), worded.unsaid
    if ready:
        talk.done("grid rules")
    response = ok(talk, now, ac.AC_ChargeParameterDiscoveryRes, AC_CPDResEnergyTransferMode=mode)
    return Result(response, (ev, InverterDeclared(inverter, ready, worded.unsaid)), stay=not ready)


def _is_iec(talk: Talk) -> bool:
    return talk.offered is not None and talk.offered.energy is Energy.AC_DER_IEC


def _worded(talk: Talk, code: GridCode) -> Worded:
    """The rules as the vehicle can be told them."""
    return by_iec(code, Base(talk.ev_give_W, talk.ev_var, code.nominal_V)) if _is_iec(talk) else by_sae(code)


def _limits(limits: AcLimits, code: GridCode) -> dict[str, Any]:
    most, most_back = rational(limits.max_power_W), rational(limits.max_discharge_W)
    return {
        "EVSEMaximumChargePower": most,
        "EVSEMinimumChargePower": rational(limits.min_power_W),
        "EVSENominalFrequency": rational(code.nominal_Hz),
        "EVSENominalChargePower": most,
        "EVSENominalDischargePower": most_back,
        "EVSEMaximumDischargePower": most_back,
        "GridConnectionMode": "GridIslanded" if code.islanded else "GridConnected",
    }


def _working(code: GridCode) -> Any:
    return "GridForming" if code.forming else "GridFollowing"


def _iec_parameters(limits: AcLimits, code: GridCode) -> iec.DER_AC_CPDResEnergyTransferMode:
    return iec.DER_AC_CPDResEnergyTransferMode(**_limits(limits, code), EVOperatingMode=_working(code), DERControl=der_iec.control(code))


def _sae_parameters(talk: Talk, now: Now, limits: AcLimits, code: GridCode) -> sae.DER_AC_CPDResEnergyTransferMode:
    return sae.DER_AC_CPDResEnergyTransferMode(
        **_limits(limits, code),
        EVSEProcessing="Finished",
        EVSEStatus=status(talk.facts),
        DERControlCPDRes=der_sae.all_of(code),
        EVSEReactivePowerLimits=der_sae.var_limits(replace(code, most_var=code.most_var * phases.share(talk))),
        GridLimits=der_sae.limits(code),
        RequiredDEROperatingMode=_working(code),
        EVSEUpdateTime=max(0, int(now.utc)),
    )


def _by_iec(asked: iec.DER_AC_CPDReqEnergyTransferMode) -> Inverter:
    """Reactive power is said for both directions of it together."""
    said = asked.EVReactivePowerLimits
    charge, discharge = (
        (max(0.0, total_W(said, f"EVMaximum{way}ReactivePower") or 0.0) for way in ("Charge", "Discharge"))
        if said is not None
        else (0.0, 0.0)
    )
    return Inverter(
        var=Quadrants(charge, charge, discharge, discharge) if said is not None else None,
        available_Wh=maybe(asked.EVSessionTotalDischargeEnergyAvailable),
    )


def _quadrants(said: object, name: str) -> Quadrants:
    """`name`, in which what happens in which direction is left open. Less than nothing nobody can do."""
    return Quadrants(
        *(
            max(0.0, total_W(said, name.format(kind, way)) or 0.0)
            for way in ("Charging", "Discharging")
            for kind in ("Absorption", "Injection")
        )
    )


def _by_sae(asked: sae.DER_AC_CPDReqEnergyTransferMode) -> Inverter:
    excited, details = asked.EVExcitationLimits, asked.EVInverterDetails
    return Inverter(
        var=_quadrants(asked.EVReactivePowerLimits, "EVMaximumVar{}During{}"),
        apparent_VA=Quadrants(
            *(
                max(0.0, total_W(asked.EVApparentPowerLimits, f"EVMaximumApparentPowerDuring{way}AndVar{kind}") or 0.0)
                for way in ("Charging", "Discharging")
                for kind in ("Absorption", "Injection")
            )
        ),
        available_Wh=maybe(asked.EVSessionTotalDischargeEnergyAvailable),
        usable_Wh=float(asked.EVUseableWattHours),
        over_excited=(number(excited.EVSpecifiedOverExcitedPowerFactor), total_W(excited, "EVSpecifiedOverExcitedDischargePower") or 0.0),
        under_excited=(
            number(excited.EVSpecifiedUnderExcitedPowerFactor),
            total_W(excited, "EVSpecifiedUnderExcitedDischargePower") or 0.0,
        ),
        susceptance_S=number(asked.EVReactivePowerLimits.EVReactiveSusceptance),
        nameplate=Nameplate(
            details.EVInverterManufacturer,
            details.EVInverterModel,
            details.EVInverterSerialNumber,
            details.EVInverterSwVersion,
            details.EVInverterHwVersion,
        ),
        normal_category=asked.IEEE1547NormalCategory.removeprefix("Category"),
        abnormal_category=asked.IEEE1547AbnormalCategory.removeprefix("Category"),
        nominal_V=number(asked.EVNominalVoltage),
        most_V=number(asked.EVMaximumVoltage),
        least_V=number(asked.EVMinimumVoltage),
        certified_utc=asked.J3072CertificationDate if asked.J3072Certified else None,
        supported=asked.SupportedModes,
        enabled=asked.EnabledModes,
    )


# ---- the loop


def loop(talk: Talk, now: Now, request: ac.AC_ChargeLoopReq) -> Result:
    """What the charger wants the vehicle to draw, or to give, and what the grid operator wants now."""
    mode: Any = request.CLReqControlMode
    facts, own = talk.facts, phases.limits_of(talk)
    if talk.offered is None or not isinstance(mode, _ROUND.get(talk.offered.energy, ())):
        return failed(talk, now, request, "FAILED", f"{type(mode).__name__} in the loop by grid rules")
    if wrong := uncontrolled(talk, mode):
        return failed(talk, now, request, "FAILED", wrong)
    if facts.fault or own is None or facts.grid is None:
        return failed(talk, now, request, "FAILED", facts.fault or "this charger has no AC by grid rules any more")
    limits = EvLimits(
        max_power_W=total_W(mode, "EVMaximumChargePower"),
        min_power_W=total_W(mode, "EVMinimumChargePower"),
        max_discharge_W=total_W(mode, "EVMaximumDischargePower"),
        min_discharge_W=total_W(mode, "EVMinimumDischargePower"),
    )
    give_W = talk.ev_give_W if limits.max_discharge_W is None else max(0.0, limits.max_discharge_W)
    back_W = _back_W(facts.grid, own.max_discharge_W, give_W)
    target_W = told_W(talk, limits, back_W)
    fields: dict[str, Any] = {
        "EVSETargetActivePower": rational(target_W),
        "EVSEMaximumChargePower": rational(own.max_power_W),
        "EVSEMaximumDischargePower": rational(back_W),
    }
    dynamic = isinstance(mode, ac.Dynamic_AC_CLReqControlMode)
    worded = _worded(talk, facts.grid)
    answer: ct.CLResControlModeType
    if _is_iec(talk):
        fields |= der_iec.setpoints(worded.code, give_W)
        answer = (iec.DER_Dynamic_AC_CLResControlMode if dynamic else iec.DER_Scheduled_AC_CLResControlMode)(**fields)
    else:
        answer = _sae_round(talk, worded.code, fields, dynamic=dynamic)
    told: tuple[Told, ...] = (*common(request, mode), InverterShown(_state(mode)), *_missed(talk, worded))
    if talk.energy_on:  # in standby nothing is demanded
        told = (*told, AcDemand(total_W(mode, "EVPresentActivePower"), limits, target_W))
    return Result(ok(talk, now, ac.AC_ChargeLoopRes, CLResControlMode=answer, **seen(talk, request)), told)


def _back_W(code: GridCode, most_W: float, give_W: float) -> float:
    """So much the rules let back of what the charger takes and the vehicle can give."""
    if not code.enter.permitted:
        return 0.0
    return most_W if code.most_discharge_percent is None else min(most_W, max(0.0, give_W * code.most_discharge_percent / 100))


def _missed(talk: Talk, worded: Worded) -> tuple[Told, ...]:
    """The vehicle has what was said now, and the rest as it was. Once the host hears of that."""
    before = talk.grid_told or worded.code
    stale = differing(before, worded.code, but=SETPOINTS) if _is_iec(talk) else differing(before, worded.code) & {*LASTING}
    talk.grid_told = replace(worded.code, **{name: getattr(before, name) for name in stale})
    if (stale, worded.unsaid) == (talk.grid_stale, talk.grid_unsaid):
        return ()
    talk.grid_stale, talk.grid_unsaid = stale, worded.unsaid
    return (GridRulesMissed(stale, worded.unsaid),)


def _sae_round(talk: Talk, code: GridCode, fields: dict[str, Any], *, dynamic: bool) -> ct.CLResControlModeType:
    before = talk.grid_told
    if before is None or before.forming != code.forming:
        fields["RequiredDEROperatingMode"] = _working(code)
    if before is None or before.islanded != code.islanded:
        fields["GridConnectionMode"] = "GridIslanded" if code.islanded else "GridConnected"
    made = sae.DER_Dynamic_AC_CLResControlMode if dynamic else sae.DER_Scheduled_AC_CLResControlMode
    return made(DERControlCLRes=der_sae.since(before, code), **fields)


def _state(mode: Any) -> InverterState:
    if isinstance(mode, _ROUND[Energy.AC_DER_IEC]):
        return InverterState(
            event=mode.GridEventCondition,
            available_Wh=maybe(getattr(mode, "EVSessionTotalDischargeEnergyAvailable", None)),
            most_charge_var=total_W(mode, "EVMaximumChargeReactivePower"),
            most_discharge_var=total_W(mode, "EVMaximumDischargeReactivePower"),
        )
    return InverterState(
        number(mode.EVPresentVoltage),
        number(mode.EVPresentFrequency),
        mode.DEROperationalState == "On",
        mode.DERConnectionStatus == "Connected",
        mode.DERAlarmStatus,
        mode.EnabledModes,
        available_Wh=maybe(getattr(mode, "EVSessionTotalDischargeEnergyAvailable", None)),
    )
