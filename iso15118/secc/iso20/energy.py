"""ISO 15118-20, the charger's answers from the parameters to the loop, and from its end to the test of the contactors."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.iso20.values import number, profile_slots, ramp, rational, total_W
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.secc import phases
from iso15118.secc.iso20 import schedules
from iso15118.secc.iso20.planning import ASIDE, SCHEDULE_S
from iso15118.secc.iso20.talk import Result, Talk, failed, off, ok, status
from iso15118.secc.offers import least_of
from iso15118.secc.output import BEFORE_S, UNREAD, flows, insulated, no_precharge
from iso15118.terms import (
    CableCheckWanted,
    EvLimits,
    PowerOff,
    PowerWanted,
    PrechargeWanted,
    Progress,
    StandbyWanted,
    WeldingCheckWanted,
)

# ---- parameters


def ac_parameters(talk: Talk, now: Now, request: ac.AC_ChargeParameterDiscoveryReq) -> Result:
    """Limits of both sides, AC: of the phases that were chosen."""
    asked, limits = request.AC_CPDReqEnergyTransferMode, phases.limits_of(talk)
    if limits is None:
        return failed(talk, now, request, "FAILED_WrongChargeParameter", "this charger has no AC")
    bpt = isinstance(asked, ac.BPT_AC_CPDReqEnergyTransferMode)
    if talk.offered is None or bpt != talk.offered.energy.is_bpt:
        return failed(talk, now, request, "FAILED_WrongChargeParameter", "the parameters are not those of the chosen service")
    fields: dict[str, Any] = {
        "EVSEMaximumChargePower": rational(limits.max_power_W),
        "EVSEMinimumChargePower": rational(limits.min_power_W),
        "EVSENominalFrequency": rational(limits.nominal_Hz),
    }
    mode: ac.AC_CPDResEnergyTransferModeType
    if bpt:
        mode = ac.BPT_AC_CPDResEnergyTransferMode(
            **fields, EVSEMaximumDischargePower=rational(limits.max_discharge_W), EVSEMinimumDischargePower=rational(limits.min_discharge_W)
        )
    else:
        mode = ac.AC_CPDResEnergyTransferModeType(**fields)
    told = EvLimits(
        max_power_W=total_W(asked, "EVMaximumChargePower"),
        min_power_W=total_W(asked, "EVMinimumChargePower"),
        max_discharge_W=total_W(asked, "EVMaximumDischargePower") if bpt else None,
        min_discharge_W=total_W(asked, "EVMinimumDischargePower") if bpt else None,
    )
    talk.least_W, talk.least_back_W = least_of(told)
    return Result(ok(talk, now, ac.AC_ChargeParameterDiscoveryRes, AC_CPDResEnergyTransferMode=mode), (told,))


def dc_parameters(talk: Talk, now: Now, request: dc.DC_ChargeParameterDiscoveryReq) -> Result:
    """Limits of both sides, DC. A battery whose voltage the charger cannot reach is refused here rather than at the precharge."""
    asked, limits = request.DC_CPDReqEnergyTransferMode, talk.facts.dc
    if limits is None:
        return failed(talk, now, request, "FAILED_WrongChargeParameter", "this charger has no DC")
    bpt = isinstance(asked, dc.BPT_DC_CPDReqEnergyTransferMode)
    if talk.offered is None or bpt != talk.offered.energy.is_bpt:
        return failed(talk, now, request, "FAILED_WrongChargeParameter", "the parameters are not those of the chosen service")
    if number(asked.EVMaximumVoltage) < limits.min_voltage_V or number(asked.EVMinimumVoltage) > limits.max_voltage_V:
        return failed(talk, now, request, "FAILED_WrongChargeParameter", "the voltages of vehicle and charger do not meet")
    fields: dict[str, Any] = {
        "EVSEMaximumChargePower": rational(limits.max_power_W),
        "EVSEMinimumChargePower": rational(limits.min_power_W),
        "EVSEMaximumChargeCurrent": rational(limits.max_current_A),
        "EVSEMinimumChargeCurrent": rational(limits.min_current_A),
        "EVSEMaximumVoltage": rational(limits.max_voltage_V),
        "EVSEMinimumVoltage": rational(limits.min_voltage_V),
        "EVSEPowerRampLimitation": ramp(limits.ramp_W_per_s, limits.max_power_W),
    }
    mode: dc.DC_CPDResEnergyTransferModeType
    if bpt:
        mode = dc.BPT_DC_CPDResEnergyTransferMode(
            **fields,
            EVSEMaximumDischargePower=rational(limits.max_discharge_W),
            EVSEMinimumDischargePower=rational(0),
            EVSEMaximumDischargeCurrent=rational(limits.max_discharge_A),
            EVSEMinimumDischargeCurrent=rational(0),
        )
    else:
        mode = dc.DC_CPDResEnergyTransferModeType(**fields)
    told = EvLimits(
        max_power_W=number(asked.EVMaximumChargePower),
        min_power_W=number(asked.EVMinimumChargePower),
        max_current_A=number(asked.EVMaximumChargeCurrent),
        min_current_A=number(asked.EVMinimumChargeCurrent),
        max_voltage_V=number(asked.EVMaximumVoltage),
        min_voltage_V=number(asked.EVMinimumVoltage),
        max_discharge_W=number(asked.EVMaximumDischargePower) if isinstance(asked, dc.BPT_DC_CPDReqEnergyTransferMode) else None,
        max_discharge_A=number(asked.EVMaximumDischargeCurrent) if isinstance(asked, dc.BPT_DC_CPDReqEnergyTransferMode) else None,
        target_soc=asked.TargetSOC,
    )
    return Result(ok(talk, now, dc.DC_ChargeParameterDiscoveryRes, DC_CPDResEnergyTransferMode=mode), (told,))


# ---- DC before the loop


def cable_check(talk: Talk, now: Now, request: dc.DC_CableCheckReq) -> Result:
    """Ongoing while the insulation is tested."""
    if talk.facts.fault:
        return failed(talk, now, request, "FAILED", talk.facts.fault)
    match insulated(talk, now):
        case True:
            return Result(ok(talk, now, dc.DC_CableCheckRes, EVSEProcessing="Finished"))
        case str(why):
            return failed(talk, now, request, "FAILED", why)
    talk.energy_on = True
    return Result(ok(talk, now, dc.DC_CableCheckRes, EVSEProcessing="Ongoing"), (CableCheckWanted(),), stay=True)


def precharge(talk: Talk, now: Now, request: dc.DC_PreChargeReq) -> Result:
    """The voltage that is there; the vehicle decides when it is near enough."""
    if talk.facts.fault:
        return failed(talk, now, request, "FAILED", talk.facts.fault)
    if why := no_precharge(talk, now):
        return failed(talk, now, request, "FAILED", why)
    talk.energy_on = True
    told = PrechargeWanted(number(request.EVTargetVoltage), number(request.EVPresentVoltage))
    return Result(ok(talk, now, dc.DC_PreChargeRes, EVSEPresentVoltage=rational(talk.facts.voltage_V)), (told,))


def welding_detection(talk: Talk, now: Now, request: dc.DC_WeldingDetectionReq) -> Result:
    """The voltage behind our open contactors, for the vehicle to see that nothing is welded."""
    if not talk.facts.voltage_known:
        return failed(talk, now, request, "FAILED", UNREAD)
    response = ok(talk, now, dc.DC_WeldingDetectionRes, EVSEPresentVoltage=rational(talk.facts.voltage_V))
    return Result(response, (WeldingCheckWanted(),), stay=True)


# ---- power delivery


def power_start(talk: Talk, now: Now, request: cm.PowerDeliveryReq, *, late: bool) -> Result:
    """Answered when energy can flow: the contactor is closed, or the stage delivers. A vehicle that is not ready yet is waited for, with energy on not long."""
    if talk.facts.fault:
        return failed(talk, now, request, "FAILED", talk.facts.fault)
    if request.EVProcessing != "Finished":
        if not talk.ongoing("start", now, BEFORE_S if talk.energy_on else SCHEDULE_S):
            return failed(talk, now, request, "FAILED", "the vehicle is not ready in time")
        return Result(ok(talk, now, cm.PowerDeliveryRes, EVSEStatus=status(talk.facts)), stay=True)
    if refused := schedules.refused(talk, request.EVPowerProfile):
        return failed(talk, now, request, *refused)
    match talk.facts.power:
        case Progress.FAILED:
            return failed(talk, now, request, "FAILED_ContactorError", "the contactor did not close")
        case Progress.DONE:
            talk.energy_on, talk.stands_by = True, False
            talk.done("precharge")
            talk.done("start")
            return Result(ok(talk, now, cm.PowerDeliveryRes, EVSEStatus=status(talk.facts)), (_power_wanted(talk, request),))
    talk.energy_on = True
    if late:
        return failed(talk, now, request, "FAILED_ContactorError", "the contactor did not close in time")
    return Result(None, (_power_wanted(talk, request),))


def _power_wanted(talk: Talk, request: cm.PowerDeliveryReq) -> PowerWanted:
    slots = profile_slots(request.EVPowerProfile) if request.EVPowerProfile else ()
    return PowerWanted(talk.schedule_id, slots, request.BPT_ChannelSelection == "Discharge")


def power_stop(talk: Talk, now: Now, request: cm.PowerDeliveryReq, *, late: bool) -> Result:
    """The energy goes off, and then this is answered: DC when hardly a current flows any more, since the vehicle opens its contactors after the answer."""
    told = off(talk, "PowerDelivery Stop")
    talk.since.clear()
    if flows(talk):
        return failed(talk, now, request, "FAILED", "the current does not go down") if late else Result(None, told)
    return Result(ok(talk, now, cm.PowerDeliveryRes, EVSEStatus=status(talk.facts)), told)


def power_standby(talk: Talk, now: Now, request: cm.PowerDeliveryReq, *, late: bool) -> Result:
    """No energy for a while; answered as a stop is. Where the host does not allow it, the loop goes on with energy.

    DC: the vehicle's contactors stay closed, and it may start again without a precharge. That the output has the battery's voltage until then is the
    host's work: `StandbyWanted` asks for it, and the station holds that voltage without current behind its closed contactor.
    """
    if not talk.facts.standby:
        response = ok(talk, now, cm.PowerDeliveryRes, ResponseCode="WARNING_StandbyNotAllowed", EVSEStatus=status(talk.facts))
        return Result(response, stay=True)
    told = (PowerOff("standby"), StandbyWanted())
    talk.energy_on, talk.stands_by = False, True
    talk.done(ASIDE)
    if flows(talk):
        return failed(talk, now, request, "FAILED", "the current does not go down") if late else Result(None, told)
    return Result(ok(talk, now, cm.PowerDeliveryRes, EVSEStatus=status(talk.facts)), told)
