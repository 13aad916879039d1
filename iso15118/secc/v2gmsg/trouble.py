"""DIN 70121 and ISO 15118-2: what a vehicle says is wrong with it, in whichever request. It is answered as ever: cars say so when they end a charge in order."""

from __future__ import annotations

from typing import Any

from iso15118.messages.declare import Message
from iso15118.secc.v2gmsg.talk import Talk
from iso15118.terms import Told, VehicleTrouble

NONE = "NO_ERROR"


def heard(talk: Talk, request: Message, *, in_loop: bool) -> tuple[Told, ...]:
    """Told when it is other than before. One that stands when the energy goes off is why it did, whatever is said after that. That a vehicle is not ready is
    something in its loop only.
    """
    said = _status(request)
    if said is None:
        return ()
    error = "" if said.EVErrorCode == NONE else str(said.EVErrorCode)
    ready = bool(said.EVReady) or not in_loop
    if not error and talk.trouble and not talk.energy_on:
        error = talk.trouble
    if (error, ready) == (talk.trouble, talk.ready):
        return ()
    talk.trouble, talk.ready = error, ready
    return (VehicleTrouble(error, ready=ready),)


def _status(request: Any) -> Any:
    """DC_EVStatus, where it is a part of the request or of its parameters."""
    for place in (request, getattr(request, "EVChargeParameter", None), getattr(request, "EVPowerDeliveryParameter", None)):
        if (found := getattr(place, "DC_EVStatus", None)) is not None:
            return found
    return None
