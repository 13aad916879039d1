"""What a vehicle of any protocol makes of what a charger says in its loop: more than the vehicle can take, and the same wish again and again."""

from __future__ import annotations

from iso15118.connection import Now
from iso15118.evcc.terms import Delivered
from iso15118.terms import EvLimits
from iso15118.waiting import Waiting

SHARE = 0.1
"""More than our own limits by this is too much: what is above it is no ripple, no overshoot and no error of a meter (IEC 61851-23 [K])."""
LEAST_V, LEAST_A = 10.0, 5.0
"""By less than this it is never too much."""
AGAIN_S = 60.0
"""A charger that does not cease to ask for other schedules gets them once in this time."""
ASKED = "the charger asks for other schedules"


def too_much(limits: EvLimits, delivered: Delivered) -> str:
    """What a charger shows that we cannot take; "": nothing."""
    for shown, most, least, unit in (
        (delivered.voltage_V, limits.max_voltage_V, LEAST_V, "V"),
        (delivered.current_A, limits.max_current_A, LEAST_A, "A"),
        (-delivered.current_A, limits.max_discharge_A, LEAST_A, "A"),
    ):
        if most is not None and shown > most + max(least, SHARE * most):
            return f"the charger shows {shown:g} {unit}, and our most is {most:g} {unit}"
    return ""


def asked_anew(talk: Waiting, now: Now, *, asks: bool) -> bool:
    """Of each round of the loop: a wish for other schedules that the last round did not have, or has had for long."""
    if not asks:
        talk.done(ASKED)
        return False
    known = ASKED in talk.since
    if known and talk.ongoing(ASKED, now, AGAIN_S):
        return False
    talk.since[ASKED] = now.mono
    return True
