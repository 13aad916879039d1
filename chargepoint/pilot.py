"""The control pilot of IEC 61851-1 (mode 3): levels, the state table A to F, and duty <-> current.

The pilot's state is what the EV does (the level, A to E) and what we do (the suffix: 1 = steady +12 V, 2 = PWM, F = -12 V). The
level of the positive half is judged with hysteresis and debounced; the table then decides.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator
from itertools import pairwise

from iso15118.frozen import dataclass
from iso15118.machine import Table, Transition, on, refuse, stay

# ---- levels. IEC 61851-1 Annex A: nominal levels, +/- 1 V as the EVSE measures them.

LEVEL_TOLERANCE_V = 1.0
LOW_NOMINAL_V = -12.0
LOW_TOLERANCE_V = 1.0
"""The negative half of the PWM behind the EV's diode; less than this deep means that there is no diode (diode fault)."""


class Level(enum.Enum):
    """What the positive half of the pilot shows."""

    A = "A"
    """12 V: no EV."""
    B = "B"
    """9 V: an EV that does not draw."""
    C = "C"
    """6 V: an EV that wants energy."""
    D = "D"
    """3 V: as C, with ventilation."""
    E = "E"
    """0 V or any other voltage that is no level: short circuit, broken pilot, no power at the pilot."""
    N = "N"
    """-12 V: what state F looks like."""


NOMINAL_V = {Level.A: 12.0, Level.B: 9.0, Level.C: 6.0, Level.D: 3.0, Level.E: 0.0, Level.N: -12.0}
_FALLING = (Level.A, Level.B, Level.C, Level.D, Level.E)


def level_of(high_V: float, previous: Level | None = None) -> Level:
    """The level of this voltage. In the gap between two bands the previous level stays if it is one of the two; else the one
    that allows less. Anything that is no number, or far from every level, is E.

    >>> level_of(8.9).value, level_of(7.4, Level.C).value, level_of(7.4).value, level_of(-11.8).value
    ('B', 'C', 'B', 'N')
    """
    if not math.isfinite(high_V):
        return Level.E
    for level, nominal_V in NOMINAL_V.items():
        if abs(high_V - nominal_V) <= LEVEL_TOLERANCE_V:
            return level
    for upper, lower in pairwise(_FALLING):
        if NOMINAL_V[lower] < high_V < NOMINAL_V[upper]:
            if previous in (upper, lower):
                return previous
            return Level.E if lower is Level.E else upper
    return Level.E


def low_is_right(low_V: float | None) -> bool:
    """Whether the negative half shows the EV's diode (about -12 V). None (no reading) does not."""
    return low_V is not None and abs(low_V - LOW_NOMINAL_V) <= LOW_TOLERANCE_V


# ---- the table


class CpState(enum.Enum):
    """States of IEC 61851-1; U is ours: not measured since we began to put out +12 V."""

    U = "U"
    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"
    C1 = "C1"
    C2 = "C2"
    D1 = "D1"
    D2 = "D2"
    E1 = "E1"
    E2 = "E2"
    F = "F"


class CpEvent(enum.Enum):
    """A debounced level, or that our own output changed."""

    A = "level A"
    B = "level B"
    C = "level C"
    D = "level D"
    E = "level E"
    N = "level N"
    X1 = "put out X1"
    X2 = "put out X2"
    F = "put out F"


LEVEL_EVENT = {Level.A: CpEvent.A, Level.B: CpEvent.B, Level.C: CpEvent.C, Level.D: CpEvent.D, Level.E: CpEvent.E, Level.N: CpEvent.N}

PLUGGED, UNPLUGGED, OPEN, NO_PWM, ERROR, ERROR_OVER = "plugged", "unplugged", "open", "no PWM", "error", "error over"
"""What entries ask for: tell of the plug; open the contactor (within 100 ms); take the PWM away; pilot error begins or ends."""

_S, _E = CpState, CpEvent
_A, _B, _C, _D = (_S.A1, _S.A2), (_S.B1, _S.B2), (_S.C1, _S.C2), (_S.D1, _S.D2)
_ERR = (_S.E1, _S.E2)
_EV_LEVELS = (_E.B, _E.C, _E.D)
_OPEN_100MS = "IEC 61851-1 Table A.5/A.6 [K]: supply off within 100 ms"


def _levels(suffix: int) -> dict[CpEvent, CpState]:
    return {_E.A: _A[suffix], _E.B: _B[suffix], _E.C: _C[suffix], _E.D: _D[suffix], _E.E: _ERR[suffix], _E.N: _ERR[suffix]}


def _rows() -> Iterator[Transition[CpState, CpEvent]]:
    for x in (0, 1):
        to = _levels(x)
        ev = (_B[x], _C[x], _D[x])
        without_pwm = (NO_PWM,) if x else ()
        # No EV yet.
        yield from stay(_A[x], _E.A)
        for level in _EV_LEVELS:
            yield from on(_A[x], level, to=to[level], do=(PLUGGED,), source="IEC 61851-1 A.5: A to B, C, D")
        # An EV: it moves between B, C and D; leaving C or D ends the supply.
        for level in (_E.C, _E.D):
            yield from on(ev, level, to=to[level])
        yield from stay(_B[x], _E.B)
        yield from on((_C[x], _D[x]), _E.B, to=_B[x], do=(OPEN,), source=f"{_OPEN_100MS} after S2 opens")
        yield from on(ev, _E.A, to=_A[x], do=(OPEN, *without_pwm, UNPLUGGED), source=f"{_OPEN_100MS} after loss of the pilot")
        # Pilot in error: a short, or -12 V that we did not ask for.
        yield from on((_A[x], *ev), (_E.E, _E.N), to=_ERR[x], do=(OPEN, ERROR, *without_pwm), source=_OPEN_100MS)
        yield from stay(_ERR[x], (_E.E, _E.N))
        for level in _EV_LEVELS:
            yield from on(_ERR[x], level, to=to[level], do=(ERROR_OVER, PLUGGED))
        yield from on(_ERR[x], _E.A, to=_A[x], do=(ERROR_OVER, UNPLUGGED))
    yield from _output_rows()


def _output_rows() -> Iterator[Transition[CpState, CpEvent]]:
    """What we put out."""
    for pair in (_A, _B, _C, _D, _ERR):
        yield from on(pair, _E.X1, to=pair[0])
    for pair in (_B, _C, _D):
        yield from on(pair, _E.X2, to=pair[1])
    yield from refuse((*_A, *_ERR, _S.U, _S.F), _E.X2, why="PWM is for a connected EV on a pilot without error")
    yield from on(tuple(_S), _E.F, to=_S.F, do=(OPEN,), source="IEC 61851-1: F is not available")
    # F hides the EV; what is there shows after F.
    yield from stay(_S.F, (_E.A, *_EV_LEVELS, _E.E, _E.N))
    yield from on(_S.F, _E.X1, to=_S.U)
    yield from stay(_S.U, (_E.X1, _E.N))
    yield from on(_S.U, _E.A, to=_S.A1, do=(UNPLUGGED,))
    for level in _EV_LEVELS:
        yield from on(_S.U, level, to=_levels(0)[level], do=(PLUGGED,))
    yield from on(_S.U, _E.E, to=_S.E1, do=(OPEN, ERROR))


TABLE: Table[CpState, CpEvent] = Table("IEC 61851-1 control pilot", CpState, CpEvent, CpState.U, _rows())


# ---- duty and current. IEC 61851-1 Table A.8 (as in the Fluke FEV300 manual).


@dataclass(frozen=True, slots=True)
class DutyMeaning:
    """What an EV reads in a duty: a current in A, or that it has to talk (digital), or that it must not charge (0 A)."""

    current_A: float
    digital: bool = False


DUTY_DIGITAL_PERCENT = 5.0
"""The vehicle is to talk (IEC 61851-1 A.6, ISO 15118-3)."""
DUTY_MIN_PERCENT, DUTY_MAX_PERCENT = 10.0, 97.0
"""Bounds of a duty that states a current (8-10 % means 6 A to an EV; we never put that out)."""
KNEE_A, KNEE_A_PER_PERCENT = 51.0, 0.6
HIGH_A_PER_PERCENT, HIGH_OFFSET_PERCENT = 2.5, 64.0
MIN_CURRENT_A, MAX_CURRENT_A = 6.0, 80.0


def duty_for(current_A: float) -> float:
    """The duty in percent that offers this current. Raises ValueError outside 6 to 80 A: less than 6 A cannot be offered.

    >>> duty_for(6), round(duty_for(16), 1), round(duty_for(32), 1), duty_for(63), duty_for(80)
    (10.0, 26.7, 53.3, 89.2, 96.0)
    """
    if not MIN_CURRENT_A <= current_A <= MAX_CURRENT_A:
        raise ValueError(f"a duty offers {MIN_CURRENT_A:g} to {MAX_CURRENT_A:g} A, not {current_A:g} A")
    if current_A <= KNEE_A:
        return current_A / KNEE_A_PER_PERCENT
    return current_A / HIGH_A_PER_PERCENT + HIGH_OFFSET_PERCENT


def duty_means(duty_percent: float) -> DutyMeaning:
    """How an EV reads this duty.

    >>> duty_means(5).digital, duty_means(9).current_A, duty_means(50).current_A, duty_means(90).current_A, duty_means(7.5).current_A
    (True, 6.0, 30.0, 65.0, 0.0)
    """
    if 3 <= duty_percent <= 7:
        return DutyMeaning(0.0, digital=True)
    if 8 <= duty_percent < 10:
        return DutyMeaning(MIN_CURRENT_A)
    if 10 <= duty_percent <= 85:
        return DutyMeaning(duty_percent * KNEE_A_PER_PERCENT)
    if 85 < duty_percent <= 96:
        return DutyMeaning((duty_percent - HIGH_OFFSET_PERCENT) * HIGH_A_PER_PERCENT)
    return DutyMeaning(MAX_CURRENT_A if 96 < duty_percent <= 97 else 0.0)
