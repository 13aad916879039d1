"""ISO 15118-20, the charge loop: AC and DC, one way and both ways, scheduled and dynamic."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.iso20.certificates import PEER_SIGNATURES, leaf_of
from iso15118.iso20.values import maybe, number, rational, total_W
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.iso20.rounds import common, seen, told_W, uncontrolled
from iso15118.secc.iso20.talk import Result, Talk, failed, ok
from iso15118.signature import verify
from iso15118.terms import AcDemand, DcDemand, EvLimits, MeteringConfirmed, Reading, Told


def ac_loop(talk: Talk, now: Now, request: ac.AC_ChargeLoopReq) -> Result:
    """What the charger wants the vehicle to draw, or to give."""
    mode = request.CLReqControlMode
    if not isinstance(mode, (ac.Scheduled_AC_CLReqControlMode, ac.Dynamic_AC_CLReqControlMode)):
        return failed(talk, now, request, "FAILED", f"{type(mode).__name__} in the loop of AC")
    if wrong := _wrong(talk, mode):
        return failed(talk, now, request, "FAILED", wrong)
    if talk.facts.fault:
        return failed(talk, now, request, "FAILED", talk.facts.fault)
    limits = EvLimits(
        max_power_W=total_W(mode, "EVMaximumChargePower"),
        min_power_W=total_W(mode, "EVMinimumChargePower"),
        max_discharge_W=total_W(mode, "EVMaximumDischargePower"),
        min_discharge_W=total_W(mode, "EVMinimumDischargePower"),
    )
    target_W = told_W(talk, limits)
    target = rational(target_W)
    dynamic, bpt = isinstance(mode, ac.Dynamic_AC_CLReqControlMode), _is_bpt(mode)
    answer: ct.CLResControlModeType
    if dynamic:
        answer = (ac.BPT_Dynamic_AC_CLResControlMode if bpt else ac.Dynamic_AC_CLResControlMode)(EVSETargetActivePower=target)
    else:
        answer = (ac.BPT_Scheduled_AC_CLResControlMode if bpt else ac.Scheduled_AC_CLResControlMode)(EVSETargetActivePower=target)
    told: tuple[Told, ...] = common(request, mode)
    if talk.energy_on:  # in standby nothing is demanded
        told = (*told, AcDemand(total_W(mode, "EVPresentActivePower"), limits, target_W))
    return Result(ok(talk, now, ac.AC_ChargeLoopRes, CLResControlMode=answer, **seen(talk, request)), told)


def dc_loop(talk: Talk, now: Now, request: dc.DC_ChargeLoopReq) -> Result:
    """What the output has, and what holds it back."""
    mode = request.CLReqControlMode
    if not isinstance(mode, (dc.Scheduled_DC_CLReqControlMode, dc.Dynamic_DC_CLReqControlMode)):
        return failed(talk, now, request, "FAILED", f"{type(mode).__name__} in the loop of DC")
    if wrong := _wrong(talk, mode):
        return failed(talk, now, request, "FAILED", wrong)
    facts = talk.facts
    if facts.fault or facts.dc is None:
        return failed(talk, now, request, "FAILED", facts.fault or "this charger has no DC")
    scheduled = isinstance(mode, dc.Scheduled_DC_CLReqControlMode)
    limits = EvLimits(
        max_power_W=maybe(mode.EVMaximumChargePower),
        min_power_W=maybe(mode.EVMinimumChargePower),
        max_current_A=maybe(mode.EVMaximumChargeCurrent),
        max_voltage_V=maybe(mode.EVMaximumVoltage),
        min_voltage_V=maybe(mode.EVMinimumVoltage),
        max_discharge_W=maybe(getattr(mode, "EVMaximumDischargePower", None)),
        min_discharge_W=maybe(getattr(mode, "EVMinimumDischargePower", None)),
        max_discharge_A=maybe(getattr(mode, "EVMaximumDischargeCurrent", None)),
    )
    target_V = number(mode.EVTargetVoltage) if isinstance(mode, dc.Scheduled_DC_CLReqControlMode) else None
    target_A = number(mode.EVTargetCurrent) if isinstance(mode, dc.Scheduled_DC_CLReqControlMode) else None
    told: tuple[Told, ...] = common(request, mode)
    if talk.energy_on:  # in standby nothing is demanded
        told = (*told, DcDemand(number(request.EVPresentVoltage), target_V, target_A, limits))
    response = ok(
        talk, now, dc.DC_ChargeLoopRes,
        EVSEPresentCurrent=rational(facts.current_A),
        EVSEPresentVoltage=rational(facts.voltage_V),
        EVSEPowerLimitAchieved=facts.power_limited,
        EVSECurrentLimitAchieved=facts.current_limited,
        EVSEVoltageLimitAchieved=facts.voltage_limited,
        CLResControlMode=_dc_mode(talk, scheduled=scheduled, bpt=_is_bpt(mode)),
        **seen(talk, request),
    )  # fmt: skip
    return Result(response, told)


def _dc_mode(talk: Talk, *, scheduled: bool, bpt: bool) -> ct.CLResControlModeType:
    limits = talk.facts.dc
    if limits is None:
        return dc.Scheduled_DC_CLResControlMode()
    fields: dict[str, Any] = {
        "EVSEMaximumChargePower": rational(limits.max_power_W),
        "EVSEMinimumChargePower": rational(limits.min_power_W),
        "EVSEMaximumChargeCurrent": rational(limits.max_current_A),
        "EVSEMaximumVoltage": rational(limits.max_voltage_V),
    }
    if not bpt:
        return (dc.Scheduled_DC_CLResControlMode if scheduled else dc.Dynamic_DC_CLResControlMode)(**fields)
    fields |= {
        "EVSEMaximumDischargePower": rational(limits.max_discharge_W),
        "EVSEMinimumDischargePower": rational(0),
        "EVSEMaximumDischargeCurrent": rational(limits.max_discharge_A),
        "EVSEMinimumVoltage": rational(limits.min_voltage_V),
    }
    return (dc.BPT_Scheduled_DC_CLResControlMode if scheduled else dc.BPT_Dynamic_DC_CLResControlMode)(**fields)


def _is_bpt(mode: ct.CLReqControlModeType) -> bool:
    return isinstance(
        mode,
        (
            ac.BPT_Scheduled_AC_CLReqControlMode, ac.BPT_Dynamic_AC_CLReqControlMode,
            dc.BPT_Scheduled_DC_CLReqControlMode, dc.BPT_Dynamic_DC_CLReqControlMode,
        ),
    )  # fmt: skip


def _wrong(talk: Talk, mode: ct.CLReqControlModeType) -> str:
    """Another control mode or direction than was chosen."""
    if talk.offered is None or talk.way is None:
        return "no service was chosen"
    if _is_bpt(mode) != talk.offered.energy.is_bpt:
        return "the direction is not that of the chosen service"
    return uncontrolled(talk, mode)


def metering_confirmation(talk: Talk, now: Now, request: cm.MeteringConfirmationReq) -> Result:
    """The vehicle confirms a reading: with the key of its contract, where one pays."""
    data = request.SignedMeteringData
    if data.SessionID != talk.session_id:
        return failed(talk, now, request, "FAILED_MeteringSignatureNotValid", "a reading of another session was confirmed")
    info = data.MeterInfo
    reading = Reading(
        info.MeterID, info.ChargedEnergyReadingWh, info.BPT_DischargedEnergyReadingWh, info.MeterSignature or b"", info.MeterTimestamp
    )
    if talk.shown is None or not talk.shown.accepted:
        return Result(ok(talk, now, cm.MeteringConfirmationRes), (MeteringConfirmed(reading, why="no contract pays"),), stay=True)
    lax = PEER_SIGNATURES if talk.facts.trust.peer_profile else ()
    wrong = verify(request.Header.Signature, [(data.Id, "SignedMeteringData", data)], leaf_of(talk.shown.leaf).key, lax=lax)
    told = MeteringConfirmed(reading, verified=not wrong, why=wrong)
    if wrong:
        return failed(talk, now, request, "FAILED_MeteringSignatureNotValid", wrong)._replace(told=(told,))
    return Result(ok(talk, now, cm.MeteringConfirmationRes), (told,), stay=True)
