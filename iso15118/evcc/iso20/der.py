"""ISO 15118-20, the vehicle by grid rules (AC_DER of Amendment 1, IEC and SAE): what its inverter is, and what it makes of the rules."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.evcc.iso20.hear_energy import parked
from iso15118.evcc.iso20.hear_loop import next_round
from iso15118.evcc.iso20.rounds import controlled_dynamic, needs, shown, v2x
from iso15118.evcc.iso20.table import TABLE, S, Said
from iso15118.evcc.iso20.talk import ONGOING_S, Heard, Talk, again, failed, header, leaving, our_W
from iso15118.evcc.terms import EvseLimits, GridRules, PowerTarget
from iso15118.grid import Inverter, Nameplate, Quadrants
from iso15118.iso20 import der_iec, der_sae
from iso15118.iso20.grid_words import Base
from iso15118.iso20.values import maybe_rational, number, rational
from iso15118.machine import stay
from iso15118.messages.iso20 import ac
from iso15118.messages.iso20 import ac_der_iec as iec
from iso15118.messages.iso20 import ac_der_sae as sae
from iso15118.terms import Control, Energy, Told

DER_TABLE = TABLE.replaced(*stay(S.AC_PARAMETERS, Said.AGAIN, do=("ac_parameters",), source="the grid rules are being taken over"))
"""As by cable, but that the parameters may be exchanged again and again."""


# ---- asks


def ac_parameters(talk: Talk, now: Now) -> ac.AC_ChargeParameterDiscoveryReq:
    """Limits of the vehicle, and its inverter."""
    wants = talk.wants
    fields: dict[str, Any] = {
        "EVMaximumChargePower": rational(wants.limits.max_power_W or 0.0),
        "EVMinimumChargePower": rational(wants.limits.min_power_W or 0.0),
        "EVMaximumDischargePower": rational(wants.limits.max_discharge_W or 0.0),
        "EVMinimumDischargePower": rational(wants.limits.min_discharge_W or 0.0),
        "EVSessionTotalDischargeEnergyAvailable": maybe_rational(wants.inverter.available_Wh),
        "EVProcessing": "Finished" if wants.inverter_ready else "Ongoing",
    }
    talk.started = wants.inverter_ready
    mode: ac.AC_CPDReqEnergyTransferModeType
    if talk.energy is Energy.AC_DER_IEC:
        mode = iec.DER_AC_CPDReqEnergyTransferMode(**fields, EVReactivePowerLimits=_iec_var(wants.inverter.var))
    else:
        mode = sae.DER_AC_CPDReqEnergyTransferMode(**fields, **_sae(wants.inverter, int(now.utc)))
    return ac.AC_ChargeParameterDiscoveryReq(Header=header(talk, now), AC_CPDReqEnergyTransferMode=mode)


def _iec_var(var: Quadrants | None) -> iec.EVReactivePowerLimitsType | None:
    if var is None:
        return None
    return iec.EVReactivePowerLimitsType(
        EVMaximumChargeReactivePower=rational(min(var.charge_absorb, var.charge_inject)),
        EVMaximumDischargeReactivePower=rational(min(var.discharge_absorb, var.discharge_inject)),
    )


def _quadrants(limits: Quadrants, name: str) -> dict[str, Any]:
    return {
        name.format(kind=kind, way=way): rational(getattr(limits, f"{ways}_{kinds}"))
        for way, ways in (("Charging", "charge"), ("Discharging", "discharge"))
        for kind, kinds in (("Absorption", "absorb"), ("Injection", "inject"))
    }


def _sae(inverter: Inverter, utc: int) -> dict[str, Any]:
    """What is not declared is said as nothing."""
    details, over, under = inverter.nameplate or Nameplate(), inverter.over_excited or (1.0, 0.0), inverter.under_excited or (1.0, 0.0)
    return {
        "EVApparentPowerLimits": sae.EVApparentPowerLimitsType(
            **_quadrants(inverter.apparent_VA or Quadrants(), "EVMaximumApparentPowerDuring{way}AndVar{kind}")
        ),
        "EVReactivePowerLimits": sae.EVReactivePowerLimitsType(
            **_quadrants(inverter.var or Quadrants(), "EVMaximumVar{kind}During{way}"),
            EVReactiveSusceptance=rational(inverter.susceptance_S or 0.0),
        ),
        "EVExcitationLimits": sae.EVExcitationLimitsType(
            EVSpecifiedOverExcitedPowerFactor=rational(over[0]),
            EVSpecifiedOverExcitedDischargePower=rational(over[1]),
            EVSpecifiedUnderExcitedPowerFactor=rational(under[0]),
            EVSpecifiedUnderExcitedDischargePower=rational(under[1]),
        ),
        "EVInverterDetails": sae.EVInverterDetailsType(
            EVInverterSwVersion=details.software[:32],
            EVInverterHwVersion=details.hardware[:32] if details.hardware is not None else None,
            EVInverterManufacturer=details.maker[:32],
            EVInverterModel=details.model[:32],
            EVInverterSerialNumber=details.serial[:32],
        ),
        "IEEE1547NormalCategory": f"Category{inverter.normal_category or 'A'}",
        "IEEE1547AbnormalCategory": f"Category{inverter.abnormal_category or 'I'}",
        "EVNominalVoltage": rational(inverter.nominal_V or 0.0),
        "EVMaximumVoltage": rational(inverter.most_V or 0.0),
        "EVMinimumVoltage": rational(inverter.least_V or 0.0),
        "EVNominalVoltageOffset": rational(0),
        "J3072Certified": inverter.certified_utc is not None,
        "J3072CertificationDate": inverter.certified_utc or 0,
        "EVUseableWattHours": round(inverter.usable_Wh or 0.0),
        "EVUpdateTime": max(0, utc),
        "SupportedModes": inverter.supported,
        "EnabledModes": inverter.enabled,
    }


def ac_loop(talk: Talk, now: Now) -> ac.AC_ChargeLoopReq:
    """What is drawn now, the limits, and what the inverter sees."""
    wants, dynamic = talk.wants, controlled_dynamic(talk)
    limits, state = wants.limits, wants.inverter_state
    fields: dict[str, Any] = {
        "EVMaximumChargePower": rational(limits.max_power_W or 0.0),
        "EVMinimumChargePower": rational(limits.min_power_W or 0.0),
        "EVMaximumDischargePower": rational(limits.max_discharge_W or 0.0),
        "EVMinimumDischargePower": rational(limits.min_discharge_W or 0.0),
        "EVPresentActivePower": rational(wants.power_W if talk.drawing else 0.0),
    } | needs(talk, dynamic=dynamic)
    if dynamic:
        fields |= {
            "EVPresentReactivePower": rational(0.0),
            "EVSessionTotalDischargeEnergyAvailable": maybe_rational(state.available_Wh),
        } | v2x(talk)
    if talk.energy is Energy.AC_DER_IEC:
        fields |= {
            "GridEventCondition": state.event,
            "EVMaximumChargeReactivePower": maybe_rational(state.most_charge_var),
            "EVMaximumDischargeReactivePower": maybe_rational(state.most_discharge_var),
        }
        kind: Any = iec.DER_Dynamic_AC_CLReqControlMode if dynamic else iec.DER_Scheduled_AC_CLReqControlMode
    else:
        fields |= {
            "EVPresentVoltage": rational(state.present_V or 0.0),
            "EVPresentFrequency": rational(state.present_Hz or 0.0),
            "DEROperationalState": "Off" if state.running is False else "On",
            "DERConnectionStatus": "Disconnected" if state.connected is False else "Connected",
            "EVUpdateTime": max(0, int(now.utc)),
            "DERAlarmStatus": state.alarms,
            "EnabledModes": state.enabled,
        }
        if dynamic:
            fields |= dict.fromkeys(("EVMinimumChargingDuration", "EVDurationMaximumChargeRate", "EVDurationMaximumDischargeRate"), 0)
        kind = sae.DER_Dynamic_AC_CLReqControlMode if dynamic else sae.DER_Scheduled_AC_CLReqControlMode
    return ac.AC_ChargeLoopReq(
        Header=header(talk, now), DisplayParameters=shown(wants.shown), MeterInfoRequested=wants.meter, CLReqControlMode=kind(**fields)
    )


# ---- hears


def hear_parameters(talk: Talk, now: Now, response: ac.AC_ChargeParameterDiscoveryRes) -> Heard:
    """Limits of the charger, and the rules. While we take them over, or the charger is at work, we ask again."""
    mode: Any = response.AC_CPDResEnergyTransferMode
    by_iec = talk.energy is Energy.AC_DER_IEC
    kind: Any = iec.DER_AC_CPDResEnergyTransferMode if by_iec else sae.DER_AC_CPDResEnergyTransferMode
    if not isinstance(mode, kind):
        return failed("the charger's parameters are not those of the chosen service")
    code = der_iec.code_of(mode) if by_iec else der_sae.code_of(mode)
    told = (
        EvseLimits(
            max_power_W=our_W(talk, mode, "EVSEMaximumChargePower"),
            min_power_W=our_W(talk, mode, "EVSEMinimumChargePower"),
            max_discharge_W=our_W(talk, mode, "EVSEMaximumDischargePower"),
            min_discharge_W=None,
            nominal_Hz=number(mode.EVSENominalFrequency),
        ),
        *((GridRules(code),) if code != talk.grid else ()),
    )
    talk.grid = code
    if gone := leaving(talk, *told, off=False):
        return gone
    if talk.started and (by_iec or mode.EVSEProcessing == "Finished"):
        talk.done("grid rules")
        talk.started = False
        return parked(talk, *told)
    return again(talk, *told) if talk.ongoing("grid rules", now, ONGOING_S) else failed("the grid rules are not taken over in time")


def hear_loop(talk: Talk, now: Now, response: ac.AC_ChargeLoopRes) -> Heard:
    """What the charger wants us to draw, or to give, and what has changed of the rules."""
    mode: Any = response.CLResControlMode
    by_iec, dynamic = talk.energy is Energy.AC_DER_IEC, talk.way is not None and talk.way.control is Control.DYNAMIC
    kinds: Any = (
        (iec.DER_Scheduled_AC_CLResControlMode, iec.DER_Dynamic_AC_CLResControlMode)
        if by_iec
        else (sae.DER_Scheduled_AC_CLResControlMode, sae.DER_Dynamic_AC_CLResControlMode)
    )
    if not isinstance(mode, kinds[dynamic]) or talk.grid is None:
        return failed(f"{type(mode).__name__} in the loop by grid rules")
    base = Base(max(0.0, talk.wants.limits.max_discharge_W or 0.0))
    code = der_iec.changed(talk.grid, mode, base) if by_iec else der_sae.changed(talk.grid, mode)
    told: list[Told] = [PowerTarget(our_W(talk, mode, "EVSETargetActivePower"))]
    limits = EvseLimits(
        max_power_W=our_W(talk, mode, "EVSEMaximumChargePower"), max_discharge_W=our_W(talk, mode, "EVSEMaximumDischargePower")
    )
    if limits != EvseLimits():
        told.append(limits)
    if code != talk.grid:
        told.append(GridRules(code))
    talk.grid = code
    return next_round(talk, now, response, *told)
