"""An answer that refuses: what has to be in it at its least, and its code; what the charger says of itself is as it is.

The output is told as it was read last: 0 V would say that nothing is welded.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from iso15118.messages.declare import Message, field_names
from iso15118.minimal import minimal
from iso15118.secc.v2gmsg.talk import NOT_READY, Result, Talk, ac_status, dc_status, status


def failed(talk: Talk, request: Message, code: str, why: str) -> Result:
    """The session ends with it."""
    spelling = talk.spelling
    kind = spelling.responses[type(request)]
    given: dict[str, Any] = {"ResponseCode": code}
    for name in _needed(kind):
        match name:
            case "DC_EVSEStatus":
                given[name] = dc_status(talk, NOT_READY)
            case "AC_EVSEStatus":
                given[name] = ac_status(talk)
            case "EVSEStatus":
                given[name] = status(talk, NOT_READY)
            case "EVSEChargeParameter":
                given[name] = _parameters(talk, request)
            case "SASchedules":
                given[name] = spelling.no_schedules
            case "EVSEPresentVoltage":
                given[name] = spelling.volts(talk.facts.voltage_V if talk.facts.dc is not None else 0.0)
            case "EVSEPresentCurrent":
                given[name] = spelling.amperes(talk.facts.current_A if talk.facts.dc is not None else 0.0)
    return Result(minimal(kind, **given), failed=why)


_FILLED = frozenset(
    {"DC_EVSEStatus", "AC_EVSEStatus", "EVSEStatus", "EVSEChargeParameter", "SASchedules", "EVSEPresentVoltage", "EVSEPresentCurrent"}
)


@cache
def _needed(kind: type[Message]) -> tuple[str, ...]:
    return tuple(name for name in field_names(kind) if name in _FILLED)


def _parameters(talk: Talk, request: Any) -> Message:
    """As a vehicle has asked for them."""
    if type(request.EVChargeParameter).__name__.startswith("AC_"):
        return minimal(talk.spelling.ac_parameters, AC_EVSEStatus=ac_status(talk))
    return minimal(talk.spelling.dc_parameters, DC_EVSEStatus=dc_status(talk, NOT_READY))
