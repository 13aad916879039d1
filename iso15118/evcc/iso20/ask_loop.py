"""ISO 15118-20, the requests of a vehicle in the charge loop."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.evcc.iso20.ask_contracts import signed
from iso15118.evcc.iso20.plans import planned, planned_W
from iso15118.evcc.iso20.rounds import controlled_dynamic, needs, shown, v2x
from iso15118.evcc.iso20.talk import Talk, header
from iso15118.iso20.values import rational
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct


def ac_loop(talk: Talk, now: Now) -> ac.AC_ChargeLoopReq:
    """What is drawn now, and the limits."""
    limits, dynamic, bpt = talk.wants.limits, controlled_dynamic(talk), _bpt(talk)
    fields: dict[str, Any] = {
        "EVMaximumChargePower": rational(limits.max_power_W or 0.0),
        "EVMinimumChargePower": rational(limits.min_power_W or 0.0),
        "EVPresentActivePower": rational(talk.wants.power_W if talk.drawing else 0.0),
    } | needs(talk, dynamic=dynamic)
    if bpt:
        fields |= {
            "EVMaximumDischargePower": rational(limits.max_discharge_W or 0.0),
            "EVMinimumDischargePower": rational(limits.min_discharge_W or 0.0),
        }
    mode: ct.CLReqControlModeType
    if dynamic:
        fields["EVPresentReactivePower"] = rational(0.0)
        mode = ac.BPT_Dynamic_AC_CLReqControlMode(**fields, **v2x(talk)) if bpt else ac.Dynamic_AC_CLReqControlMode(**fields)
    else:
        mode = (ac.BPT_Scheduled_AC_CLReqControlMode if bpt else ac.Scheduled_AC_CLReqControlMode)(**fields)
    return ac.AC_ChargeLoopReq(
        Header=header(talk, now), DisplayParameters=shown(talk.wants.shown), MeterInfoRequested=talk.wants.meter, CLReqControlMode=mode
    )


def dc_loop(talk: Talk, now: Now) -> dc.DC_ChargeLoopReq:
    """The voltage at the inlet, and the limits; scheduled with what is wanted now, within the profile. In standby nothing is wanted."""
    limits, dynamic, bpt = talk.wants.limits, controlled_dynamic(talk), _bpt(talk)
    fields: dict[str, Any] = {
        "EVMaximumChargePower": rational(limits.max_power_W or 0.0),
        "EVMinimumChargePower": rational(limits.min_power_W or 0.0),
        "EVMaximumChargeCurrent": rational(limits.max_current_A or 0.0),
        "EVMaximumVoltage": rational(limits.max_voltage_V or 0.0),
        "EVMinimumVoltage": rational(limits.min_voltage_V or 0.0),
    } | needs(talk, dynamic=dynamic)
    if bpt:
        fields |= {
            "EVMaximumDischargePower": rational(limits.max_discharge_W or 0.0),
            "EVMinimumDischargePower": rational(limits.min_discharge_W or 0.0),
            "EVMaximumDischargeCurrent": rational(limits.max_discharge_A or 0.0),
        }
    mode: ct.CLReqControlModeType
    if dynamic:
        mode = dc.BPT_Dynamic_DC_CLReqControlMode(**fields, **v2x(talk)) if bpt else dc.Dynamic_DC_CLReqControlMode(**fields)
    else:
        fields |= {"EVTargetVoltage": rational(talk.wants.target_V), "EVTargetCurrent": rational(_target_A(talk, now))}
        mode = (dc.BPT_Scheduled_DC_CLReqControlMode if bpt else dc.Scheduled_DC_CLReqControlMode)(**fields)
    return dc.DC_ChargeLoopReq(
        Header=header(talk, now),
        DisplayParameters=shown(talk.wants.shown),
        MeterInfoRequested=talk.wants.meter,
        EVPresentVoltage=rational(talk.wants.voltage_V),
        CLReqControlMode=mode,
    )


def _bpt(talk: Talk) -> bool:
    return talk.energy is not None and talk.energy.is_bpt


def _target_A(talk: Talk, now: Now) -> float:
    if not talk.drawing:
        return 0.0
    wants, most_W = talk.wants, planned_W(talk.profile, now.utc)
    return planned(wants.target_A, None if most_W is None else most_W / max(wants.voltage_V, wants.target_V, 1.0))


def metering_confirmation(talk: Talk, now: Now) -> cm.MeteringConfirmationReq:
    """The last reading, acknowledged; signed where a contract pays."""
    if talk.meter is None:
        raise AssertionError("a reading is confirmed before one was shown")
    scheduled = talk.profile.Scheduled_EVPPTControlMode if talk.profile else None
    data = cm.SignedMeteringDataType(
        Id="id1",
        SessionID=talk.session_id,
        MeterInfo=talk.meter,
        Receipt=talk.receipt,
        Dynamic_SMDTControlMode=None if scheduled else cm.Dynamic_SMDTControlModeType(),
        Scheduled_SMDTControlMode=cm.Scheduled_SMDTControlModeType(SelectedScheduleTupleID=scheduled.SelectedScheduleTupleID)
        if scheduled
        else None,
    )
    signature = signed(talk.contract.chain, talk.contract.signer, ("id1", "SignedMeteringData", data)) if talk.contract else None
    return cm.MeteringConfirmationReq(Header=header(talk, now, signature), SignedMeteringData=data)


def check_in(talk: Talk, now: Now) -> cm.VehicleCheckInReq:
    """The vehicle stands where it charges."""
    return cm.VehicleCheckInReq(Header=header(talk, now), EVCheckInStatus="Completed", ParkingMethod=talk.wants.parking_method)  # type: ignore[arg-type]


def check_out(talk: Talk, now: Now) -> cm.VehicleCheckOutReq:
    """It leaves when it departs."""
    return cm.VehicleCheckOutReq(
        Header=header(talk, now), EVCheckOutStatus="CheckOut", CheckOutTime=max(0, int(now.utc) + (talk.wants.needs.departure_s or 0))
    )
