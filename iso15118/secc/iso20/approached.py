"""ISO 15118-20, the charger's answers to vehicles that come without a cable: nothing is granted, and no energy stays on, but while they stand as they should."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from iso15118.approach import Approach
from iso15118.connection import Now
from iso15118.secc.iso20.talk import Result, Talk, failed, off

POSITIONING_S = 300.0
"""So long a vehicle may look for its place (ours): a driver parks."""
Wrong = Callable[[Talk], str]
"""What stands against an answer that grants, in words; "" for nothing."""


def approach_of(talk: Talk) -> Approach:
    """What the charger knows of it; nothing where nobody has said anything."""
    return talk.facts.approach or Approach()


def stopped(talk: Talk) -> str:
    """A fault or an emergency of the charger."""
    return talk.facts.fault or ("emergency" if approach_of(talk).emergency else "")


def while_right(handlers: Mapping[str, Callable[..., Result]], wrong: Mapping[str, Wrong]) -> dict[str, Callable[..., Result]]:
    """Answers of those names that are given only while nothing is wrong; else they fail, and with them the session."""
    return {name: _judged(handlers[name], why) for name, why in wrong.items()}


def _judged(handler: Callable[..., Result], wrong: Wrong) -> Callable[..., Result]:
    def answer(talk: Talk, now: Now, request: Any, **more: Any) -> Result:
        if why := wrong(talk):
            # Where energy is on, the session tells that it goes off. The voltage of a standby it does not know.
            return failed(talk, now, request, "FAILED", why)._replace(told=() if talk.energy_on else off(talk, why))
        return handler(talk, now, request, **more)

    return answer
