"""ISO 15118-20, the charge loop: AC and DC, one way and both ways, scheduled and dynamic."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.iso20.certificates import PEER_SIGNATURES, leaf_of
from iso15118.iso20.values import maybe, number, rational, total_W
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.iso20.talk import Result, Talk, failed, ok, status
from iso15118.signature import verify
from iso15118.terms import AcDemand, Battery, Control, DcDemand, EnergyWanted, EvLimits, MeteringConfirmed, Reading, Told, Wish

MOST_WH = (1 << 64) - 1
"""More no message says."""
_NOTHING = EnergyWanted()


def ac_loop(talk: Talk, now: Now, request: ac.AC_ChargeLoopReq) -> Result:
    """What the charger wants the vehicle to draw, or to give."""
    mode = request.CLReqControlMode
    if not isinstance(mode, (ac.Scheduled_AC_CLReqControlMode, ac.Dynamic_AC_CLReqControlMode)):
        return failed(talk, now, request, "FAILED", f"{type(mode).__name__} in the loop of AC")
    if wrong := _wrong(talk, mode):
        return failed(talk, now, request, "FAILED", wrong)
    if talk.facts.fault:
        return failed(talk, now, request, "FAILED", talk.facts.fault)
    target = rational(talk.facts.target_power_W)
    dynamic, bpt = isinstance(mode, ac.Dynamic_AC_CLReqControlMode), _is_bpt(mode)
    answer: ct.CLResControlModeType
    if dynamic:
        answer = (ac.BPT_Dynamic_AC_CLResControlMode if bpt else ac.Dynamic_AC_CLResControlMode)(EVSETargetActivePower=target)
    else:
        answer = (ac.BPT_Scheduled_AC_CLResControlMode if bpt else ac.Scheduled_AC_CLResControlMode)(EVSETargetActivePower=target)
    limits = EvLimits(
        max_power_W=total_W(mode, "EVMaximumChargePower"),
        min_power_W=total_W(mode, "EVMinimumChargePower"),
        max_discharge_W=total_W(mode, "EVMaximumDischargePower"),
        min_discharge_W=total_W(mode, "EVMinimumDischargePower"),
    )
    told: tuple[Told, ...] = _common(request, mode)
    if talk.energy_on:  # in standby nothing is demanded
        told = (*told, AcDemand(total_W(mode, "EVPresentActivePower"), limits))
    return Result(ok(talk, now, ac.AC_ChargeLoopRes, CLResControlMode=answer, **_seen(talk, request)), told)


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
    told: tuple[Told, ...] = _common(request, mode)
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
        **_seen(talk, request),
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
    dynamic = isinstance(mode, ct.Dynamic_CLReqControlModeType)
    return "" if dynamic == (talk.way.control is Control.DYNAMIC) else "the control mode is not that of the chosen parameter set"


def _common(request: ct.ChargeLoopReqType, mode: Any) -> tuple[Told, ...]:
    """What both loops say about the battery and the energy that is still wanted."""
    told: list[Told] = []
    if (shown := request.DisplayParameters) is not None:
        told.append(
            Battery(
                shown.PresentSOC, shown.MinimumSOC, shown.TargetSOC, shown.MaximumSOC, shown.RemainingTimeToMinimumSOC, shown.RemainingTimeToTargetSOC,
                shown.RemainingTimeToMaximumSOC, shown.ChargingComplete, maybe(shown.BatteryEnergyCapacity), shown.InletHot,
            )
        )  # fmt: skip
    wanted = EnergyWanted(
        departure_s=getattr(mode, "DepartureTime", None),
        target_Wh=maybe(mode.EVTargetEnergyRequest),
        max_Wh=maybe(mode.EVMaximumEnergyRequest),
        min_Wh=maybe(mode.EVMinimumEnergyRequest),
        max_v2x_Wh=maybe(getattr(mode, "EVMaximumV2XEnergyRequest", None)),
        min_v2x_Wh=maybe(getattr(mode, "EVMinimumV2XEnergyRequest", None)),
    )
    return (*told, wanted) if wanted != _NOTHING else tuple(told)


def _seen(talk: Talk, request: ct.ChargeLoopReqType) -> dict[str, Any]:
    """What we want, and the meter where the vehicle asks for it, or is to confirm it."""
    wanted = request.MeterInfoRequested or talk.facts.wish is Wish.CONFIRM_METERING
    return {"EVSEStatus": status(talk.facts), "MeterInfo": _meter(talk.facts.meter) if wanted and talk.facts.meter else None}


def _meter(reading: Reading) -> ct.MeterInfoType:
    return ct.MeterInfoType(
        MeterID=reading.meter_id[:32],
        ChargedEnergyReadingWh=min(max(0, reading.import_Wh), MOST_WH),
        BPT_DischargedEnergyReadingWh=min(max(0, reading.export_Wh), MOST_WH) if reading.export_Wh is not None else None,
        MeterSignature=reading.signature[:64] or None,
        MeterTimestamp=reading.utc,
    )


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
