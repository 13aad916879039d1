"""What a vehicle makes of a charger's status (EVSEStatus), and of the rounds of the charge loop, in DIN 70121 and ISO 15118-2."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.evcc.loop import asked_anew
from iso15118.evcc.terms import EvseAsks, EvWish, MeterShown, WishTaken
from iso15118.evcc.v2gmsg.table import Said
from iso15118.evcc.v2gmsg.talk import Heard, Talk, leave, leaving, round_due_s
from iso15118.terms import Payment, Reading, Told, Wish
from iso15118.v2gmsg.values import number

WISHES = {"StopCharging": Wish.STOP, "ReNegotiation": Wish.RENEGOTIATE_SCHEDULE}
"""EVSENotification -> what the charger wants."""
TROUBLE = ("EVSE_UtilityInterruptEvent", "EVSE_EmergencyShutdown", "EVSE_Malfunction")
"""EVSEStatusCode: no energy any more. EVSE_Shutdown is a wish for the end, in order."""


def trouble(status: Any) -> str:
    """What is wrong with the charger, as its status says it; "" for nothing."""
    code = getattr(status, "EVSEStatusCode", "")
    if code in TROUBLE:
        return f"the charger says {code}"
    if getattr(status, "EVSEIsolationStatus", None) == "Fault":
        return "the insulation is Fault"
    return "a residual current device of the charger has tripped" if getattr(status, "RCD", False) else ""


def asked(status: Any) -> Wish | None:
    """What the charger wants of us."""
    wish = WISHES.get(status.EVSENotification)
    return Wish.STOP if wish is None and getattr(status, "EVSEStatusCode", "") == "EVSE_Shutdown" else wish


def heeding(talk: Talk, status: Any, *told: Told, off: bool) -> tuple[Heard | None, tuple[Told, ...]]:
    """Our own wish to leave, then what makes us leave in a status; else what the status says beside that."""
    if gone := leaving(talk, *told, off=off):
        return gone, ()
    if why := trouble(status):
        return leave(talk, why, *told, off=off), ()
    wish = asked(status)
    if wish is None:
        return None, ()
    said = EvseAsks(wish, status.NotificationMaxDelay)
    if wish is Wish.STOP and wish in talk.wants.heeds:
        talk.ending = "Terminate"
        return leave(talk, f"the charger asks: {wish.value}", *told, said, off=off), ()
    return None, (said,)


def looped(talk: Talk, now: Now, response: Any, status: Any, *shown: Told) -> Heard:
    """A receipt first, which is of what has flowed, whoever wants to leave; then our own wishes, the charger's, and the next round."""
    talk.loops += 1
    told = [*shown, *meter(response)]
    wants = talk.wants
    if _receipt(talk, response) and not trouble(status):
        talk.receipt, talk.parting = response, status
        return Heard(Said.RECEIPT, (*told, EvseAsks(Wish.CONFIRM_METERING)))
    gone, more = parting(talk, status, *told)
    if gone:
        return gone
    told += more
    if talk.spelling.pausing:
        anew = asked_anew(talk, now, asks=asked(status) is Wish.RENEGOTIATE_SCHEDULE)
        if wants.wish is EvWish.RENEGOTIATE_SCHEDULE:
            return Heard(Said.RESCHEDULE, (WishTaken(wants.wish), *told))
        if anew and Wish.RENEGOTIATE_SCHEDULE in wants.heeds:
            return Heard(Said.RESCHEDULE, tuple(told))
    return Heard(Said.AGAIN, tuple(told), round_due_s(talk, now))


def parting(talk: Talk, status: Any, *told: Told) -> tuple[Heard | None, tuple[Told, ...]]:
    """As `heeding`; also after as many rounds as were wanted."""
    gone, more = heeding(talk, status, *told, off=True)
    loops = talk.wants.loops
    if gone or loops is None or talk.loops < loops:
        return gone, more
    talk.ending = "Terminate"
    return leave(talk, "as many rounds as were wanted", *told, *more, off=True), ()


def _receipt(talk: Talk, response: Any) -> bool:
    info = getattr(response, "MeterInfo", None)
    return info is not None and bool(response.ReceiptRequired) and talk.payment is Payment.PNC and Wish.CONFIRM_METERING in talk.wants.heeds


def meter(response: Any) -> tuple[Told, ...]:
    """MeterInfo; DIN 70121 has none in DC."""
    info = getattr(response, "MeterInfo", None)
    if info is None or info.MeterReading is None:
        return ()
    reading = info.MeterReading if isinstance(info.MeterReading, int) else round(number(info.MeterReading))
    return (MeterShown(Reading(info.MeterID, reading, None, info.SigMeterReading or b"", info.TMeter)),)
