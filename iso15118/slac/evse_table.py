"""One matching as the EVSE sees it: from CM_SLAC_PARM.REQ of a vehicle to the key that it gets (ISO 15118-3 A.9 [K]).

There may be several at once: each vehicle that hears us asks, and the one on our cable chooses us.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from iso15118.machine import Table, Transition, on, stay


class State(enum.Enum):
    """How far a matching has come."""

    ASKED = "asked"
    """CM_SLAC_PARM.REQ was answered."""
    SOUNDING = "sounding"
    """The own modem tells how it hears the sounds."""
    TOLD = "told"
    """CM_ATTEN_CHAR.IND is sent."""
    KNOWN = "known"
    """The vehicle has it, and decides."""
    COUNTING = "counting"
    """The vehicle toggles on the pilot."""
    MATCHED = "matched"
    """The vehicle has the key."""
    OVER = "over"


class Happening(enum.Enum):
    """What moves a matching. Of frames only those count whose vehicle and RunID are its own."""

    PARM = "CM_SLAC_PARM.REQ"
    START = "CM_START_ATTEN_CHAR.IND"
    LAST_PROFILE = "CM_ATTEN_PROFILE.IND of the last sound"
    SOUNDS_OVER = "time for sounds over"
    NOTHING_HEARD = "time for sounds over, none heard"
    HAS_IT = "CM_ATTEN_CHAR.RSP"
    REFUSES = "CM_ATTEN_CHAR.RSP, not success"
    AGAIN = "no answer in time"
    LATE = "no answer in time, often enough"
    MAY_VALIDATE = "CM_VALIDATE.REQ, ready?"
    VALIDATE = "CM_VALIDATE.REQ, toggles follow"
    BUSY = "CM_VALIDATE.REQ, another vehicle's toggles are counted"
    COUNTED = "toggles counted"
    MATCH = "CM_SLAC_MATCH.REQ"
    UNPROVEN = "CM_SLAC_MATCH.REQ, too far away or not validated"


ANSWER, MEASURE, TELL, WAIT, SAY_READY, SAY_NOT_READY, COUNT, SAY_COUNT, GIVE, NOTE_UNPROVEN, MISSED = (
    "send CM_SLAC_PARM.CNF",
    "begin to measure",
    "send CM_ATTEN_CHAR.IND",
    "wait for what it chooses",
    "send CM_VALIDATE.CNF, whether validation is wanted",
    "send CM_VALIDATE.CNF, not ready",
    "count toggles on the pilot",
    "send CM_VALIDATE.CNF with the count",
    "send CM_SLAC_MATCH.CNF",
    "say why it gets no key",
    "say what was missed",
)

_S, _H = State, Happening
_OPEN = (_S.ASKED, _S.SOUNDING, _S.TOLD, _S.KNOWN, _S.COUNTING)


def _rows() -> Iterator[Transition[State, Happening]]:
    yield from on(_OPEN, _H.PARM, to=_S.ASKED, do=(ANSWER,), source="V2G3-A09-16: the same RunID begins anew")
    yield from stay(_S.MATCHED, _H.PARM, source="what had matched is forgotten first: another key, another matching")
    # Sounds.
    yield from on(_S.ASKED, _H.START, to=_S.SOUNDING, do=(MEASURE,), source="V2G3-A09 [K]: three of them, one is enough")
    yield from stay((_S.SOUNDING, _S.TOLD, _S.KNOWN, _S.COUNTING, _S.MATCHED), _H.START)
    yield from on(_S.SOUNDING, _H.LAST_PROFILE, to=_S.TOLD, do=(TELL,), source="TP_EVSE_avg_atten_calc")
    yield from stay((_S.ASKED, _S.TOLD, _S.KNOWN, _S.COUNTING, _S.MATCHED), _H.LAST_PROFILE)
    yield from on(_S.SOUNDING, _H.SOUNDS_OVER, to=_S.TOLD, do=(TELL,), source="TT_EVSE_match_MNBC: fewer sounds are told as fewer")
    yield from on(_S.SOUNDING, _H.NOTHING_HEARD, to=_S.OVER, do=(MISSED,))
    yield from stay((_S.ASKED, _S.TOLD, _S.KNOWN, _S.COUNTING, _S.MATCHED), (_H.SOUNDS_OVER, _H.NOTHING_HEARD))
    # The vehicle has heard how well we hear it.
    yield from on(_S.TOLD, _H.HAS_IT, to=_S.KNOWN, do=(WAIT,), source="TT_EVSE_match_session")
    yield from on(_S.TOLD, _H.REFUSES, to=_S.OVER, do=(MISSED,), source="a key is for nobody who has refused")
    yield from stay((_S.ASKED, _S.SOUNDING, _S.KNOWN, _S.COUNTING, _S.MATCHED), _H.HAS_IT)
    yield from stay(_S.KNOWN, _H.REFUSES, source="it has said that it has it: somebody else may be saying this")
    yield from stay((_S.ASKED, _S.SOUNDING, _S.COUNTING, _S.MATCHED), _H.REFUSES)
    yield from stay(_S.TOLD, _H.AGAIN, do=(TELL,), source="TT_match_response, C_EV_match_retry")
    yield from stay((_S.ASKED, _S.SOUNDING, _S.KNOWN, _S.COUNTING, _S.MATCHED), _H.AGAIN)
    # Validation: the vehicle asks for it when more than one EVSE may be the right one.
    yield from stay(_S.KNOWN, _H.MAY_VALIDATE, do=(SAY_READY,))
    yield from on(_S.KNOWN, _H.VALIDATE, to=_S.COUNTING, do=(COUNT,), source="TT_EVSE_vald_toggle")
    yield from stay(_S.KNOWN, _H.BUSY, do=(SAY_NOT_READY,))
    yield from stay((_S.ASKED, _S.SOUNDING, _S.TOLD, _S.COUNTING, _S.MATCHED), (_H.MAY_VALIDATE, _H.VALIDATE, _H.BUSY))
    yield from on(_S.COUNTING, _H.COUNTED, to=_S.KNOWN, do=(SAY_COUNT,))
    yield from stay((_S.ASKED, _S.SOUNDING, _S.TOLD, _S.KNOWN, _S.MATCHED), _H.COUNTED)
    # The key.
    yield from on(_S.KNOWN, _H.MATCH, to=_S.MATCHED, do=(GIVE,))
    yield from stay(_S.MATCHED, _H.MATCH, do=(GIVE,), source="the answer was lost: the same again")
    yield from stay((_S.ASKED, _S.SOUNDING, _S.TOLD, _S.COUNTING), _H.MATCH, source="out of order: not answered")
    yield from stay(_S.KNOWN, _H.UNPROVEN, do=(NOTE_UNPROVEN,), source="C_EV_match_signalattn_direct, C_EV_match_signalattn_indirect")
    yield from stay((_S.ASKED, _S.SOUNDING, _S.TOLD, _S.COUNTING, _S.MATCHED), _H.UNPROVEN)
    # Silence.
    yield from on((_S.ASKED, _S.TOLD, _S.KNOWN, _S.MATCHED), _H.LATE, to=_S.OVER, do=(MISSED,))
    yield from stay((_S.SOUNDING, _S.COUNTING), _H.LATE)
    yield from stay(_S.OVER, tuple(_H))


TABLE: Table[State, Happening] = Table("Matching, EVSE (ISO 15118-3)", State, Happening, State.ASKED, _rows())
