"""Matching as a vehicle goes through it: who answers, how well each hears us, which of them it is, and its key (ISO 15118-3 A.9 [K])."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterator

from iso15118.machine import Table, Transition, on, stay


class State(enum.Enum):
    """How far it is."""

    IDLE = "idle"
    WAITING = "waiting for its modem"
    ASKING = "asking"
    """CM_SLAC_PARM.REQ is out; EVSEs answer."""
    SOUNDING = "sounding"
    LISTENING = "listening"
    """EVSEs tell how they have heard the sounds."""
    CHOOSING = "choosing"
    """For a moment."""
    VALIDATING = "validating"
    """CM_VALIDATE.REQ is out: is it wanted?"""
    TOGGLING = "toggling"
    """The second one is out, and the pilot goes from B to C and back."""
    MATCHING = "matching"
    """CM_SLAC_MATCH.REQ is out."""
    JOINING = "joining"
    """The modem gets the key, and finds the other one."""
    LINKED = "linked"
    RESTING = "resting"
    """It has failed, and begins again soon."""
    FAILED = "failed"


class Happening(enum.Enum):
    """What moves it. Of frames only those count that answer this run, and come from whom they have to come from."""

    BEGIN = "begin"
    LEAVE = "leave"
    READY = "the modem is ready"
    UNREADY = "the modem is lost"
    AGAIN = "no answer in time"
    LATE = "no answer in time, often enough"
    ASKED = "time for answers over, there are some"
    NEXT = "time for the next sound"
    LAST = "the last sound is sent"
    HEARD = "all have told, and one is near enough"
    OVER = "time for results over"
    NEAR = "one is near enough"
    PERHAPS = "one may be it"
    NOBODY = "nobody is left"
    WANTED = "CM_VALIDATE.CNF, ready"
    UNNEEDED = "CM_VALIDATE.CNF, not required"
    RIGHT = "CM_VALIDATE.CNF, our count"
    REFUSED = "CM_VALIDATE.CNF, anything else"
    KEY = "CM_SLAC_MATCH.CNF"
    UP = "link is up"
    DOWN = "link is lost"
    REST_OVER = "time to begin again"
    ENOUGH = "begun again for long enough"


NEW_RUN, ASK, SOUND, LISTEN, CHOOSE, VALIDATE, TOGGLE, MATCH, JOIN, TELL_UP, TELL_DOWN, REST, FORGET, GIVE_UP, WAIT, EXCUSE = (
    "draw a RunID",
    "send CM_SLAC_PARM.REQ",
    "send CM_START_ATTEN_CHAR.IND or CM_MNBC_SOUND.IND",
    "listen",
    "choose the nearest that is left",
    "send CM_VALIDATE.REQ",
    "send CM_VALIDATE.REQ and toggle",
    "send CM_SLAC_MATCH.REQ",
    "give the key to the modem",
    "tell the link",
    "tell that it is lost",
    "rest",
    "leave the network",
    "tell that nobody has matched",
    "wait for the modem",
    "say why not",
)

_S, _H = State, Happening
_UNDER_WAY = (_S.ASKING, _S.SOUNDING, _S.LISTENING, _S.VALIDATING, _S.TOGGLING, _S.MATCHING, _S.JOINING)


def _rows() -> Iterator[Transition[State, Happening]]:
    every: tuple[State, ...] = tuple(each for each in State if each is not _S.CHOOSING)
    yield from on(every, _H.BEGIN, to=_S.WAITING, do=(FORGET, WAIT), source="TP_EV_SLAC_init")
    yield from on(every[1:], _H.LEAVE, to=_S.IDLE, do=(FORGET,), source="TP_match_leave")
    yield from on(_S.WAITING, _H.READY, to=_S.ASKING, do=(NEW_RUN, ASK))
    yield from on(_S.WAITING, _H.LATE, to=_S.FAILED, do=(GIVE_UP,), source="TP_EV_SLAC_init: the modem has no key by then")
    # Who is there?
    yield from stay(_S.ASKING, _H.AGAIN, do=(ASK,), source="TT_match_response, C_EV_match_retry")
    yield from on(_S.ASKING, _H.LATE, to=_S.RESTING, do=(REST,))
    yield from on(_S.ASKING, _H.ASKED, to=_S.SOUNDING, do=(SOUND,), source="TP_match_sequence")
    # Sounds.
    yield from stay(_S.SOUNDING, _H.NEXT, do=(SOUND,), source="TP_EV_batch_msg_interval, C_EV_start_atten_char_inds, C_EV_match_MNBC")
    yield from on(_S.SOUNDING, _H.LAST, to=_S.LISTENING, do=(SOUND, LISTEN))
    yield from on(_S.LISTENING, _H.HEARD, to=_S.CHOOSING, do=(CHOOSE,))
    yield from on(_S.LISTENING, _H.OVER, to=_S.CHOOSING, do=(CHOOSE,), source="TT_EV_atten_results")
    # Which one is it?
    yield from on(_S.CHOOSING, _H.NEAR, to=_S.MATCHING, do=(MATCH,), source="C_EV_match_signalattn_direct")
    yield from on(_S.CHOOSING, _H.PERHAPS, to=_S.VALIDATING, do=(VALIDATE,), source="C_EV_match_signalattn_indirect")
    yield from on(_S.CHOOSING, _H.NOBODY, to=_S.RESTING, do=(REST,))
    yield from stay(_S.VALIDATING, _H.AGAIN, do=(VALIDATE,), source="TT_match_response, C_EV_match_retry")
    yield from on(_S.VALIDATING, _H.WANTED, to=_S.TOGGLING, do=(TOGGLE,), source="C_EV_vald_nb_toggles")
    yield from on(_S.VALIDATING, _H.UNNEEDED, to=_S.MATCHING, do=(MATCH,))
    yield from on(_S.TOGGLING, _H.RIGHT, to=_S.MATCHING, do=(MATCH,))
    yield from on((_S.VALIDATING, _S.TOGGLING), (_H.REFUSED, _H.LATE), to=_S.CHOOSING, do=(EXCUSE, CHOOSE))
    # Its key.
    yield from stay(_S.MATCHING, _H.AGAIN, do=(MATCH,), source="TT_match_response, C_EV_match_retry")
    yield from on(_S.MATCHING, _H.LATE, to=_S.RESTING, do=(REST,))
    yield from on(_S.MATCHING, _H.KEY, to=_S.JOINING, do=(JOIN,))
    yield from on(_S.JOINING, _H.UP, to=_S.LINKED, do=(TELL_UP,))
    yield from on(_S.JOINING, (_H.LATE, _H.UNREADY), to=_S.RESTING, do=(REST,), source="TT_match_join")
    yield from stay(_S.LINKED, _H.UP, do=(TELL_UP,))
    yield from stay(_S.LINKED, _H.DOWN, do=(TELL_DOWN,), source="F-10: the host decides what comes of it")
    # Again?
    yield from on(_S.RESTING, _H.REST_OVER, to=_S.WAITING, do=(WAIT,), source="TT_matching_rate")
    yield from on(_S.RESTING, _H.ENOUGH, to=_S.FAILED, do=(GIVE_UP,), source="TT_matching_repetition")


def _whole() -> Iterator[Transition[State, Happening]]:
    """And what changes nothing."""
    decided = set()
    for entry in _rows():
        decided.add((entry.state, entry.event))
        yield entry
    for state, happening in itertools.product(State, Happening):
        if (state, happening) not in decided:
            yield from stay(state, happening)


TABLE: Table[State, Happening] = Table("Matching, vehicle (ISO 15118-3)", State, Happening, State.IDLE, _whole())
