"""AC: what a vehicle is told that uses fewer phases than the charger has. The host's powers are those of all its phases together (`AcLimits.phases`); a vehicle
means by a power that of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from iso15118 import phases
from iso15118.terms import AcLimits, Facts, Schedule, Slot


class Talk(Protocol):
    """What a session of any protocol has of this."""

    @property
    def facts(self) -> Facts: ...

    @property
    def phases(self) -> int:
        """So many the vehicle has asked for. 0: it did not say, or there are none (DC)."""
        ...


def share(talk: Talk) -> float:
    """Of the charger's power, by the phases that are there now."""
    limits = talk.facts.ac
    return phases.share(talk.phases, limits.phases) if limits is not None else 1.0


def per_A_W(talk: Talk) -> float:
    """The power of one ampere in each phase that this vehicle uses now; 0 where there is no AC."""
    limits = talk.facts.ac
    return limits.nominal_V * phases.used(talk.phases, limits.phases) if limits is not None else 0.0


def limits_of(talk: Talk) -> AcLimits | None:
    """The charger's, for the phases of this vehicle. What it can do at least, it can on one."""
    limits, part = talk.facts.ac, share(talk)
    if limits is None or part == 1.0:
        return limits
    most_W, most_back_W = limits.max_power_W * part, limits.max_discharge_W * part
    return replace(
        limits,
        max_power_W=most_W,
        min_power_W=min(limits.min_power_W, most_W),
        max_discharge_W=most_back_W,
        min_discharge_W=min(limits.min_discharge_W, most_back_W),
        phases=talk.phases,
    )


def target_W(talk: Talk) -> float:
    """What this vehicle is to draw now at most; negative: to give."""
    return talk.facts.target_power_W * share(talk)


def schedule_of(talk: Talk, schedule: Schedule) -> Schedule:
    """What of it this vehicle may draw, and give."""
    part = share(talk)
    if part == 1.0:
        return schedule
    return replace(schedule, charging=_part(schedule.charging, part), discharging=_part(schedule.discharging, part))


def _part(slots: tuple[Slot, ...], part: float) -> tuple[Slot, ...]:
    return tuple(replace(each, power_W=each.power_W * part) for each in slots)
