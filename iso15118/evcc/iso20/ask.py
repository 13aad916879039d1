"""ISO 15118-20, the requests of a vehicle outside of the charge loop."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.evcc.iso20.talk import Talk, header
from iso15118.iso20 import services
from iso15118.iso20.values import maybe_rational, rational
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_services as sv
from iso15118.terms import Control

LATER_S = 24 * 3600
"""Departure, where a message must have one and nobody has said when."""


def session_setup(talk: Talk, now: Now) -> cm.SessionSetupReq:
    """A new session, or the paused one."""
    return cm.SessionSetupReq(Header=header(talk, now), EVCCID=talk.wants.evcc_id)


def authorization_setup(talk: Talk, now: Now) -> cm.AuthorizationSetupReq:
    """How may the session be authorised?"""
    return cm.AuthorizationSetupReq(Header=header(talk, now))


def service_discovery(talk: Talk, now: Now) -> cm.ServiceDiscoveryReq:
    """What is there? Where `narrow`: of what is wanted only."""
    wants = talk.wants
    known = (*(services.SERVICE_IDS[each] for each in wants.energies if each in talk.energies), *wants.added_services)
    return cm.ServiceDiscoveryReq(
        Header=header(talk, now), SupportedServiceIDs=sv.ServiceIDListType(ServiceID=known[:16]) if wants.narrow and known else None
    )


def service_detail(talk: Talk, now: Now) -> cm.ServiceDetailReq:
    """First of the energies, until one suits; then of what is wanted beside it."""
    talk.detail_of = services.SERVICE_IDS[talk.candidates[0]] if talk.energy is None else talk.to_ask[0]
    return cm.ServiceDetailReq(Header=header(talk, now), ServiceID=talk.detail_of)


def service_selection(talk: Talk, now: Now) -> cm.ServiceSelectionReq:
    """What suits, with its parameter set, and what is taken beside it."""
    if talk.energy is None or talk.way is None:
        raise AssertionError("a service is selected before one suits")
    chosen = sv.SelectedServiceType(ServiceID=services.SERVICE_IDS[talk.energy], ParameterSetID=talk.way.id)
    added = tuple(sv.SelectedServiceType(ServiceID=service, ParameterSetID=ways) for service, ways in talk.added)
    return cm.ServiceSelectionReq(
        Header=header(talk, now),
        SelectedEnergyTransferService=chosen,
        SelectedVASList=sv.SelectedServiceListType(SelectedService=added) if added else None,
    )


def ac_parameters(talk: Talk, now: Now) -> ac.AC_ChargeParameterDiscoveryReq:
    """Limits of the vehicle, AC, as sums of the phases."""
    limits = talk.wants.limits
    fields: dict[str, Any] = {
        "EVMaximumChargePower": rational(limits.max_power_W or 0.0),
        "EVMinimumChargePower": rational(limits.min_power_W or 0.0),
    }
    mode: ac.AC_CPDReqEnergyTransferModeType
    if talk.energy is not None and talk.energy.is_bpt:
        mode = ac.BPT_AC_CPDReqEnergyTransferMode(
            **fields,
            EVMaximumDischargePower=rational(limits.max_discharge_W or 0.0),
            EVMinimumDischargePower=rational(limits.min_discharge_W or 0.0),
        )
    else:
        mode = ac.AC_CPDReqEnergyTransferModeType(**fields)
    return ac.AC_ChargeParameterDiscoveryReq(Header=header(talk, now), AC_CPDReqEnergyTransferMode=mode)


def dc_parameters(talk: Talk, now: Now) -> dc.DC_ChargeParameterDiscoveryReq:
    """Limits of the vehicle, DC."""
    limits = talk.wants.limits
    fields: dict[str, Any] = {
        "EVMaximumChargePower": rational(limits.max_power_W or 0.0),
        "EVMinimumChargePower": rational(limits.min_power_W or 0.0),
        "EVMaximumChargeCurrent": rational(limits.max_current_A or 0.0),
        "EVMinimumChargeCurrent": rational(limits.min_current_A or 0.0),
        "EVMaximumVoltage": rational(limits.max_voltage_V or 0.0),
        "EVMinimumVoltage": rational(limits.min_voltage_V or 0.0),
        "TargetSOC": limits.target_soc,
    }
    mode: dc.DC_CPDReqEnergyTransferModeType
    if talk.energy is not None and talk.energy.is_bpt:
        mode = dc.BPT_DC_CPDReqEnergyTransferMode(
            **fields,
            EVMaximumDischargePower=rational(limits.max_discharge_W or 0.0),
            EVMinimumDischargePower=rational(limits.min_discharge_W or 0.0),
            EVMaximumDischargeCurrent=rational(limits.max_discharge_A or 0.0),
            EVMinimumDischargeCurrent=rational(0.0),
        )
    else:
        mode = dc.DC_CPDReqEnergyTransferModeType(**fields)
    return dc.DC_ChargeParameterDiscoveryReq(Header=header(talk, now), DC_CPDReqEnergyTransferMode=mode)


def schedule_exchange(talk: Talk, now: Now) -> cm.ScheduleExchangeReq:
    """What the vehicle needs. In mode 2 of mobility needs the states of charge are the charger's to say."""
    needs, way = talk.wants.needs, talk.way
    points = min(max(talk.wants.most_points, 12), 1024)
    if way is not None and way.control is Control.DYNAMIC:
        by_us = not way.mobility_by_secc
        return cm.ScheduleExchangeReq(
            Header=header(talk, now),
            MaximumSupportingPoints=points,
            Dynamic_SEReqControlMode=cs.Dynamic_SEReqControlModeType(
                DepartureTime=LATER_S if needs.departure_s is None else needs.departure_s,
                MinimumSOC=needs.min_soc if by_us else None,
                TargetSOC=needs.target_soc if by_us else None,
                EVTargetEnergyRequest=rational(needs.target_Wh or 0.0),
                EVMaximumEnergyRequest=rational(needs.max_Wh or 0.0),
                EVMinimumEnergyRequest=rational(needs.min_Wh or 0.0),
                EVMaximumV2XEnergyRequest=maybe_rational(needs.max_v2x_Wh),
                EVMinimumV2XEnergyRequest=maybe_rational(needs.min_v2x_Wh),
            ),
        )
    return cm.ScheduleExchangeReq(
        Header=header(talk, now),
        MaximumSupportingPoints=points,
        Scheduled_SEReqControlMode=cs.Scheduled_SEReqControlModeType(
            DepartureTime=needs.departure_s,
            EVTargetEnergyRequest=maybe_rational(needs.target_Wh),
            EVMaximumEnergyRequest=maybe_rational(needs.max_Wh),
            EVMinimumEnergyRequest=maybe_rational(needs.min_Wh),
        ),
    )


def cable_check(talk: Talk, now: Now) -> dc.DC_CableCheckReq:
    """Test the insulation."""
    return dc.DC_CableCheckReq(Header=header(talk, now))


def precharge(talk: Talk, now: Now) -> dc.DC_PreChargeReq:
    """Up to the battery's voltage."""
    return dc.DC_PreChargeReq(
        Header=header(talk, now),
        EVProcessing="Finished" if talk.close_told and talk.wants.contactors_closed else "Ongoing",
        EVPresentVoltage=rational(talk.wants.voltage_V),
        EVTargetVoltage=rational(talk.wants.voltage_V),
    )


def power_start(talk: Talk, now: Now) -> cm.PowerDeliveryReq:
    """Ready, or not yet; with the profile, and both ways with the direction."""
    wants = talk.wants
    talk.started = wants.ready
    bpt = talk.energy is not None and talk.energy.is_bpt
    return cm.PowerDeliveryReq(
        Header=header(talk, now),
        EVProcessing="Finished" if wants.ready else "Ongoing",
        ChargeProgress="Start",
        EVPowerProfile=talk.profile or _as_it_comes(talk, now),
        BPT_ChannelSelection=("Discharge" if wants.begin_by_giving else "Charge") if bpt else None,
    )


def _as_it_comes(talk: Talk, now: Now) -> cs.EVPowerProfileType | None:
    """A profile for dynamic control: whatever the vehicle can take, until it departs. There are chargers that want one."""
    most_W = talk.wants.limits.max_power_W
    if most_W is None or talk.way is None or talk.way.control is not Control.DYNAMIC:
        return None
    return _dynamic(talk, now, most_W)


def _dynamic(talk: Talk, now: Now, most_W: float) -> cs.EVPowerProfileType:
    entry = cs.PowerScheduleEntryType(Duration=talk.wants.needs.departure_s or LATER_S, Power=rational(most_W))
    return cs.EVPowerProfileType(
        TimeAnchor=int(now.utc),
        Dynamic_EVPPTControlMode=cs.Dynamic_EVPPTControlModeType(),
        EVPowerProfileEntries=cs.EVPowerProfileEntryListType(EVPowerProfileEntry=(entry,)),
    )


def power_stop(talk: Talk, now: Now) -> cm.PowerDeliveryReq:
    """No energy any more."""
    return cm.PowerDeliveryReq(Header=header(talk, now), EVProcessing="Finished", ChargeProgress="Stop")


def power_standby(talk: Talk, now: Now) -> cm.PowerDeliveryReq:
    """No energy for a while."""
    return cm.PowerDeliveryReq(Header=header(talk, now), EVProcessing="Finished", ChargeProgress="Standby")


def schedule_renegotiation(talk: Talk, now: Now) -> cm.PowerDeliveryReq:
    """Other schedules."""
    return cm.PowerDeliveryReq(Header=header(talk, now), EVProcessing="Finished", ChargeProgress="ScheduleRenegotiation")


def other_profile(talk: Talk, now: Now) -> cm.PowerDeliveryReq:
    """What we make of the schedules that came beside the loop."""
    return cm.PowerDeliveryReq(
        Header=header(talk, now),
        EVProcessing="Finished",
        ChargeProgress="ScheduleRenegotiation",
        EVPowerProfile=talk.profile or _dynamic(talk, now, talk.wants.limits.max_power_W or 0.0),
    )


def welding_detection(talk: Talk, now: Now) -> dc.DC_WeldingDetectionReq:
    """What voltage is there still?"""
    return dc.DC_WeldingDetectionReq(Header=header(talk, now), EVProcessing="Finished" if talk.welding_said_finished else "Ongoing")


def session_stop(talk: Talk, now: Now) -> cm.SessionStopReq:
    """The end, a pause, or back to the services."""
    wants = talk.wants
    return cm.SessionStopReq(
        Header=header(talk, now),
        ChargingSession=talk.ending,
        EVTerminationCode=wants.code[:80] or None,
        EVTerminationExplanation=wants.explanation[:160] or None,
    )
