"""ISO 15118-20, the charger's answers where energy comes over a coil in the ground (WPT)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from iso15118.approach import AlignmentWanted, PairingWanted, PositioningWanted, WptDeclared, WptDemand
from iso15118.connection import Now, Unexpected
from iso15118.iso20.values import maybe, number, rational
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.messages.iso20 import wpt
from iso15118.secc.iso20.approached import POSITIONING_S, approach_of, stopped, while_right
from iso15118.secc.iso20.dialect import event_of as event_of_cable
from iso15118.secc.iso20.rounds import battery, seen
from iso15118.secc.iso20.talk import Result, Talk, failed, off, ok
from iso15118.secc.iso20.wpt_table import V
from iso15118.terms import Progress, Told

PAIRING_S = 55.0
ALIGNMENT_S = 55.0
"""V2G_SECC timeout of what may be ongoing [K]."""
ALIGNED = "aligned"
"""What lasts from the alignment to the stop of the energy: from then on it has to."""
POSITIONING: tuple[wpt.WPT_FinePositioningMethodType, ...] = ("Manual", "LPE")
PAIRING: tuple[wpt.WPT_PairingMethodType, ...] = ("External confirmation", "LPE")
ALIGNMENT: tuple[wpt.WPT_AlignmentCheckMethodType, ...] = ("PowerCheck", "LPE")
"""What the charger can do of each; no driver stands behind it."""
EVENTS: dict[type[Message], V] = {
    wpt.WPT_FinePositioningSetupReq: V.POSITIONING_SETUP,
    wpt.WPT_FinePositioningReq: V.POSITIONING,
    wpt.WPT_PairingReq: V.PAIRING,
    wpt.WPT_ChargeParameterDiscoveryReq: V.PARAMETERS,
    wpt.WPT_AlignmentCheckReq: V.ALIGNMENT,
    wpt.WPT_ChargeLoopReq: V.LOOP,
}


def event_of(request: Message, payload_type: int) -> Any:
    """The table's event for a request. Raises Unexpected for one of a cable."""
    if isinstance(request, cm.ServiceSelectionReq):
        return V.SELECTION
    found = EVENTS.get(type(request))
    if found is not None:
        return found
    if not type(request).__module__.endswith("common_messages"):
        raise Unexpected(f"{type(request).__name__} where energy comes over a coil")
    return event_of_cable(request, payload_type)


def _off_place(talk: Talk) -> str:
    """What stands against anything over the coil."""
    return stopped(talk) or ("" if approach_of(talk).positioning is Progress.DONE else "the vehicle has left its place")


def _stranger(talk: Talk) -> str:
    return _off_place(talk) or ("" if approach_of(talk).pairing is Progress.DONE else "it is not known any more which vehicle stands here")


def _ill_aligned(talk: Talk) -> str:
    """What stands against power."""
    return _stranger(talk) or (
        "" if approach_of(talk).alignment is Progress.DONE else "the coils do not stand well to one another any more"
    )


def _lost(talk: Talk) -> str:
    """What is wrong where the coils have stood well; "" before that, and after the energy was stopped."""
    return _ill_aligned(talk) if ALIGNED in talk.since else ""


def positioning_setup(talk: Talk, now: Now, request: wpt.WPT_FinePositioningSetupReq) -> Result:
    """What both sides can do has to meet at each step."""
    limits = talk.facts.wpt
    if limits is None:
        return failed(talk, now, request, "FAILED", "this charger has no coil")
    meets = (
        set(POSITIONING) & set(request.EVDeviceFinePositioningMethodList.WPT_FinePositioningMethod)
        and set(PAIRING) & set(request.EVDevicePairingMethodList.WPT_PairingMethod)
        and set(ALIGNMENT) & set(request.EVDeviceAlignmentCheckMethodList.WPT_AlignmentCheckMethod)
    )
    if not meets:
        return failed(talk, now, request, "FAILED", "vehicle and charger have no way in common to find the place, to pair, or to check")
    ready = request.EVProcessing == "Finished"
    if not ready and not talk.ongoing("positioning", now, POSITIONING_S):
        return failed(talk, now, request, "FAILED", "the vehicle is not ready to look for its place in time")
    response = ok(
        talk, now, wpt.WPT_FinePositioningSetupRes,
        PrimaryDeviceFinePositioningMethodList=wpt.WPT_FinePositioningMethodListType(WPT_FinePositioningMethod=POSITIONING),
        PrimaryDevicePairingMethodList=wpt.WPT_PairingMethodListType(WPT_PairingMethod=PAIRING),
        PrimaryDeviceAlignmentCheckMethodList=wpt.WPT_AlignmentCheckMethodListType(WPT_AlignmentCheckMethod=ALIGNMENT),
        NaturalOffset=limits.natural_offset_mm,
    )  # fmt: skip
    return Result(response, stay=not ready)


def _step(talk: Talk, now: Now, request: Any, progress: Progress, what: str, most_s: float) -> tuple[bool, Result | None]:
    """A step that both sides have to finish: whether they have, or why it fails."""
    if why := stopped(talk):
        return False, failed(talk, now, request, "FAILED", why)
    if progress is Progress.FAILED or request.EVResultCode == "EVResultFailed":
        whose = "charger" if progress is Progress.FAILED else "vehicle"
        code = "FAILED_AssociationError" if what == "pairing" else "FAILED"
        return False, failed(talk, now, request, code, f"{what} has failed, as the {whose} says")
    done = progress is Progress.DONE and request.EVProcessing == "Finished" and not _undecided(request)
    if not done and not talk.ongoing(what, now, most_s):
        return False, failed(talk, now, request, "FAILED", f"no end of {what} in time")
    if done:
        talk.done(what)
    return done, None


def _undecided(request: Any) -> bool:
    """Finished, and without a result: it is asked on."""
    return bool(request.EVProcessing == "Finished" and request.EVResultCode != "EVResultSuccess")


def _said(progress: Progress, request: Any) -> ct.processingType:
    return "Finished" if progress is Progress.DONE and not _undecided(request) else "Ongoing"


def positioning(talk: Talk, now: Now, request: wpt.WPT_FinePositioningReq) -> Result:
    """Ongoing until the vehicle stands where it can be charged, as both see it."""
    progress = approach_of(talk).positioning
    done, wrong = _step(talk, now, request, progress, "positioning", POSITIONING_S)
    if wrong:
        return wrong
    response = ok(talk, now, wpt.WPT_FinePositioningRes, EVSEProcessing=_said(progress, request))
    return Result(response, (PositioningWanted(),), stay=not done)


def pairing(talk: Talk, now: Now, request: wpt.WPT_PairingReq) -> Result:
    """Ongoing until it is known that this vehicle stands here."""
    approach = approach_of(talk)
    done, wrong = _step(talk, now, request, approach.pairing, "pairing", PAIRING_S)
    if wrong:
        return wrong
    said = _said(approach.pairing, request)
    response = ok(talk, now, wpt.WPT_PairingRes, EVSEProcessing=said, ObservedIDCode=approach.pairing_code)
    return Result(response, (PairingWanted(request.ObservedIDCode),), stay=not done)


def wpt_parameters(talk: Talk, now: Now, request: wpt.WPT_ChargeParameterDiscoveryReq) -> Result:
    """Limits of both coils. Clearances that do not meet are refused here."""
    limits = talk.facts.wpt
    if limits is None:
        return failed(talk, now, request, "FAILED_WrongChargeParameter", "this charger has no coil")
    if request.SDMaxGroundClearence < limits.min_clearance_mm or request.SDMinGroundClearence > limits.max_clearance_mm:
        return failed(talk, now, request, "FAILED_WrongChargeParameter", "the ground clearances of vehicle and charger do not meet")
    response = ok(
        talk, now, wpt.WPT_ChargeParameterDiscoveryRes,
        PDInputPowerClass=f"MF-WPT{min(max(limits.power_class, 1), 4)}",
        SDMinOutputPower=rational(limits.min_power_W),
        SDMaxOutputPower=rational(limits.max_power_W),
        SDMaxGroundClearanceSupport=limits.max_clearance_mm,
        SDMinGroundClearanceSupport=limits.min_clearance_mm,
        PDMinCoilCurrent=rational(limits.min_coil_A),
        PDMaxCoilCurrent=rational(limits.max_coil_A),
    )  # fmt: skip
    told = WptDeclared(
        number(request.EVPCMaxReceivablePower),
        request.SDMaxGroundClearence,
        request.SDMinGroundClearence,
        number(request.EVPCNaturalFrequency),
        request.EVPCDeviceLocalControl,
    )
    return Result(response, (told,))


def alignment(talk: Talk, now: Now, request: wpt.WPT_AlignmentCheckReq) -> Result:
    """Ongoing while the coils are tried, with a small power. That goes off at the end: the vehicle has its time to start."""
    progress = approach_of(talk).alignment
    done, wrong = _step(talk, now, request, progress, "alignment", ALIGNMENT_S)
    if wrong:
        return wrong
    told: tuple[Told, ...]
    if done:
        talk.since.setdefault(ALIGNED, now.mono)
        told = off(talk, "alignment")
    else:
        talk.energy_on = True
        told = (AlignmentWanted(maybe(request.TargetCoilCurrent)),)
    current = rational(talk.facts.current_A)
    response = ok(talk, now, wpt.WPT_AlignmentCheckRes, EVSEProcessing=_said(progress, request), SupplyDeviceCurrent=current)
    return Result(response, told, stay=not done)


def wpt_loop(talk: Talk, now: Now, request: wpt.WPT_ChargeLoopReq) -> Result:
    """What the coil may give now."""
    facts, limits = talk.facts, talk.facts.wpt
    if facts.fault or limits is None:
        return failed(talk, now, request, "FAILED", facts.fault or "this charger has no coil any more")
    diagnosis = request.EVPCChargeDiagnostics.removeprefix("EVPC").removesuffix("NoIssue")
    told: tuple[Told, ...] = battery(request)
    if talk.energy_on:  # in standby nothing is demanded
        told = (*told, WptDemand(number(request.EVPCPowerRequest), number(request.EVPCPowerOutput), diagnosis))
    most_W = min(limits.max_power_W, max(0.0, facts.target_power_W)) if talk.energy_on else 0.0
    response = ok(
        talk, now, wpt.WPT_ChargeLoopRes,
        EVPCPowerRequest=request.EVPCPowerRequest,
        SDPowerInput=rational(facts.voltage_V * facts.current_A),
        SPCMaxOutputPowerLimit=rational(most_W),
        SPCMinOutputPowerLimit=rational(min(limits.min_power_W, most_W)),
        SPCChargeDiagnostics="SPCNoIssue",
        **seen(talk, request),
    )  # fmt: skip
    return Result(response, told)


_BESIDE = (
    "schedule_exchange_aside",
    "schedule_renegotiation",
    "other_profile",
    "metering_confirmation",
    "power_standby",
    "check_in",
    "check_out",
)
"""Answers that may come while energy flows."""


def over_the_coil(handlers: Mapping[str, Callable[..., Result]]) -> dict[str, Callable[..., Result]]:
    """Answers that grant nothing, and leave nothing on, where the vehicle does not stand as it did."""
    wrong = {
        "pairing": _off_place,
        "wpt_parameters": _stranger,
        "schedule_exchange": lambda talk: _stranger(talk) or _lost(talk),
        "alignment": _stranger,
        "power_start": _ill_aligned,
        "wpt_loop": _ill_aligned,
    }
    own = {each.__name__: each for each in (positioning_setup, positioning, pairing, wpt_parameters, alignment, wpt_loop)}
    return own | while_right({**handlers, **own}, wrong | dict.fromkeys(_BESIDE, _lost))
