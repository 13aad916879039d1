"""ISO 15118-20, the vehicle where energy comes over a coil in the ground (WPT): what it asks, and what it makes of the responses."""

from __future__ import annotations

from iso15118.approach import Aligned, Paired, Placed, WptLimitsTold
from iso15118.connection import Now
from iso15118.evcc.iso20.hear_energy import parked
from iso15118.evcc.iso20.hear_loop import next_round
from iso15118.evcc.iso20.rounds import shown
from iso15118.evcc.iso20.table import Said
from iso15118.evcc.iso20.talk import ONGOING_S, Heard, Talk, again, failed, header, leave, leaving
from iso15118.evcc.terms import EvseLimits, PowerTarget
from iso15118.iso20.values import maybe, number, rational
from iso15118.messages.iso20 import wpt
from iso15118.terms import Told

POSITIONING_S = 300.0
"""So long the charger may take to find us at our place (ours)."""
POSITIONING: tuple[wpt.WPT_FinePositioningMethodType, ...] = ("LPE", "Manual")
PAIRING: tuple[wpt.WPT_PairingMethodType, ...] = ("LPE", "External confirmation")
ALIGNMENT: tuple[wpt.WPT_AlignmentCheckMethodType, ...] = ("PowerCheck",)
NATURAL_HZ = 85_000.0
"""Of MF-WPT (IEC 61980 [K])."""


# ---- asks


def positioning_setup(talk: Talk, now: Now) -> wpt.WPT_FinePositioningSetupReq:
    """What we can do to find the place, to pair and to check."""
    return wpt.WPT_FinePositioningSetupReq(
        Header=header(talk, now),
        EVProcessing="Finished",
        EVDeviceFinePositioningMethodList=wpt.WPT_FinePositioningMethodListType(WPT_FinePositioningMethod=POSITIONING),
        EVDevicePairingMethodList=wpt.WPT_PairingMethodListType(WPT_PairingMethod=PAIRING),
        EVDeviceAlignmentCheckMethodList=wpt.WPT_AlignmentCheckMethodListType(WPT_AlignmentCheckMethod=ALIGNMENT),
        NaturalOffset=0,
    )


def positioning(talk: Talk, now: Now) -> wpt.WPT_FinePositioningReq:
    """Whether we stand where we see our place."""
    placed = talk.started = talk.wants.placed
    return wpt.WPT_FinePositioningReq(
        Header=header(talk, now),
        EVProcessing="Finished" if placed else "Ongoing",
        EVResultCode="EVResultSuccess" if placed else "EVResultUnknown",
    )


def pairing(talk: Talk, now: Now) -> wpt.WPT_PairingReq:
    """The code that we have observed."""
    return wpt.WPT_PairingReq(
        Header=header(talk, now), EVProcessing="Finished", ObservedIDCode=talk.wants.pairing_code, EVResultCode="EVResultSuccess"
    )


def wpt_parameters(talk: Talk, now: Now) -> wpt.WPT_ChargeParameterDiscoveryReq:
    """Limits of our coil."""
    least, most = talk.wants.clearance_mm
    return wpt.WPT_ChargeParameterDiscoveryReq(
        Header=header(talk, now),
        EVPCMaxReceivablePower=rational(talk.wants.limits.max_power_W or 0.0),
        SDMaxGroundClearence=most,
        SDMinGroundClearence=least,
        EVPCNaturalFrequency=rational(NATURAL_HZ),
        EVPCDeviceLocalControl=False,
    )


def alignment(talk: Talk, now: Now) -> wpt.WPT_AlignmentCheckReq:
    """Try the coils. A vehicle that has left its place says so."""
    result: wpt.WPT_EVResultType = "EVResultSuccess" if talk.wants.placed else "EVResultFailed"
    return wpt.WPT_AlignmentCheckReq(Header=header(talk, now), EVProcessing="Finished", EVResultCode=result)


def wpt_loop(talk: Talk, now: Now) -> wpt.WPT_ChargeLoopReq:
    """What we want, and what comes out of our coil."""
    wants = talk.wants
    return wpt.WPT_ChargeLoopReq(
        Header=header(talk, now),
        DisplayParameters=shown(wants.shown),
        MeterInfoRequested=wants.meter,
        EVPCPowerRequest=rational((wants.limits.max_power_W or 0.0) if talk.drawing else 0.0),
        EVPCPowerOutput=rational(wants.power_W if talk.drawing else 0.0),
        EVPCChargeDiagnostics="EVPCNoIssue",
    )


# ---- hears


def hear_positioning_setup(talk: Talk, now: Now, response: wpt.WPT_FinePositioningSetupRes) -> Heard:
    """The charger has to know one of our methods for each step."""
    if gone := leaving(talk, off=False):
        return gone
    meets = (
        set(POSITIONING) & set(response.PrimaryDeviceFinePositioningMethodList.WPT_FinePositioningMethod)
        and set(PAIRING) & set(response.PrimaryDevicePairingMethodList.WPT_PairingMethod)
        and set(ALIGNMENT) & set(response.PrimaryDeviceAlignmentCheckMethodList.WPT_AlignmentCheckMethod)
    )
    return Heard(Said.GO) if meets else leave(talk, "no way in common to find the place, to pair, or to check", off=False)


def _waits(talk: Talk, now: Now, what: str, most_s: float, *told: Told) -> Heard:
    return again(talk, *told) if talk.ongoing(what, now, most_s) else failed(f"no end of {what} in time")


def hear_positioning(talk: Talk, now: Now, response: wpt.WPT_FinePositioningRes) -> Heard:
    """Both see us at our place."""
    if gone := leaving(talk, off=False):
        return gone
    there = talk.started and response.EVSEProcessing == "Finished"
    if not there:
        return _waits(talk, now, "positioning", POSITIONING_S)
    talk.started = False
    return Heard(Said.GO, (Placed((0, 0), there=True),))


def hear_pairing(talk: Talk, now: Now, response: wpt.WPT_PairingRes) -> Heard:
    """The charger knows that it is us who stand there."""
    if gone := leaving(talk, off=False):
        return gone
    if response.EVSEProcessing != "Finished":
        return _waits(talk, now, "pairing", ONGOING_S)
    return Heard(Said.GO, (Paired(response.ObservedIDCode),))


def hear_parameters(talk: Talk, now: Now, response: wpt.WPT_ChargeParameterDiscoveryRes) -> Heard:
    """Limits of the coil in the ground. One that lies too deep for us is left here."""
    most_W, least_W = number(response.SDMaxOutputPower), number(response.SDMinOutputPower)
    told = (EvseLimits(max_power_W=most_W, min_power_W=least_W), WptLimitsTold(most_W, least_W))
    if gone := leaving(talk, *told, off=False):
        return gone
    least_mm, most_mm = talk.wants.clearance_mm
    if response.SDMaxGroundClearanceSupport < least_mm or response.SDMinGroundClearanceSupport > most_mm:
        return leave(talk, "the ground clearances do not meet", *told, off=False)
    return parked(talk, *told)


def hear_alignment(talk: Talk, now: Now, response: wpt.WPT_AlignmentCheckRes) -> Heard:
    """The coils stand well."""
    if gone := leaving(talk, off=True):
        return gone
    if response.EVSEProcessing != "Finished":
        return _waits(talk, now, "alignment", ONGOING_S)
    return Heard(Said.GO, (Aligned(maybe(response.PowerTransmitted)),))


def hear_loop(talk: Talk, now: Now, response: wpt.WPT_ChargeLoopRes) -> Heard:
    """What the charger may give."""
    most_W = number(response.SPCMaxOutputPowerLimit)
    diagnosis = response.SPCChargeDiagnostics.removeprefix("SPC").removesuffix("NoIssue")
    limits = WptLimitsTold(most_W, number(response.SPCMinOutputPowerLimit), number(response.EVPCPowerRequest), diagnosis)
    return next_round(talk, now, response, PowerTarget(most_W), limits)
