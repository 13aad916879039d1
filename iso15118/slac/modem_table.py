"""The own modem's states as a table, its kinds, and how long is waited for it."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from iso15118.frozen import dataclass
from iso15118.machine import Table, Transition, on, stay


class Kind(enum.Enum):
    """Whose messages the modem understands beside the standard's."""

    QUALCOMM = "qualcomm"
    LUMISSIL = "lumissil"
    KEY_ONLY = "key only"
    """Nobody's: it takes a key. It cannot be reset, and says nothing of its link but what CM_NW_STATS gives, if that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModemOptions:
    """What is known of the modem beforehand, and how long it may take."""

    kind: Kind | None = None
    """None: found out by asking for its version in both ways."""
    mac: bytes | None = None
    """Only this one is listened to; None: whoever answers first to what only the own modem takes."""
    ask_s: float = 0.5
    asks: int = 3
    key_s: float = 1.5
    """Setting a key takes 0.5 to 1 s (QCA7000, CG5317); the modem is left alone for so long before it is asked again."""
    keys: int = 3
    reset_s: float = 3.0
    """After a reset the modem is left alone for so long; then it is asked every second."""
    reset_ask_s: float = 1.0
    reset_asks: int = 12
    resets: int = 1
    """How often a modem that does not do as it should is reset before it is taken as dead."""
    dead_s: float = 10.0
    """A dead one is tried again after this."""
    silent_s: float = 1.5
    """Questions for the link that go unanswered for so long: the modem is not there."""
    downs: int = 2
    """So many answers in a row that there is no link: it is lost."""


class State(enum.Enum):
    """What the modem is doing."""

    OFF = "off"
    """The interface is down, or nothing has begun."""
    ASKING = "asking for its version"
    KEYING = "setting a key"
    RESETTING = "resetting"
    IDLE = "idle"
    DEAD = "dead"


class Event(enum.Enum):
    """What decides about it."""

    STARTED = "interface is up"
    STOPPED = "interface is down"
    SEEN = "version is there"
    KEY_WANTED = "new key"
    KEY_SET = "key is set"
    KEY_OVERTAKEN = "an older key is set"
    KEY_REFUSED = "key is refused"
    SILENT = "no answer"
    NAMELESS = "no answer, as often as it may be; no kind is known"
    EXHAUSTED = "no answer, as often as it may be"
    HOPELESS = "the same, and no reset is left"
    MISSING = "questions for the link go unanswered"


ASK, SEND_KEY, RESET = "ask for the version", "send the key", "send a reset"
TELL, TAKE_AS_KEY_ONLY, CONFIRM, NOTE_REFUSAL = (
    "tell what it is",
    "take it as one that only takes keys",
    "confirm the key",
    "note the refusal",
)
GIVE_UP, FORGET, UNCONFIRM, GO_ON = "give up", "forget it", "the key counts no more", "set the key that is wanted"

_S, _E = State, Event
_BUSY = (_S.ASKING, _S.KEYING, _S.RESETTING)


def _rows() -> Iterator[Transition[State, Event]]:
    yield from on(_S.OFF, _E.STARTED, to=_S.ASKING, do=(ASK,))
    yield from stay((*_BUSY, _S.IDLE, _S.DEAD), _E.STARTED)
    yield from on((*_BUSY, _S.IDLE, _S.DEAD), _E.STOPPED, to=_S.OFF, do=(UNCONFIRM, FORGET), source="S-9")
    yield from stay(_S.OFF, _E.STOPPED)
    yield from on((_S.ASKING, _S.RESETTING), _E.SEEN, to=_S.IDLE, do=(TELL, GO_ON))
    yield from stay((_S.OFF, _S.KEYING, _S.IDLE, _S.DEAD), _E.SEEN)
    # The key.
    yield from on(_S.IDLE, _E.KEY_WANTED, to=_S.KEYING, do=(SEND_KEY,))
    yield from stay((_S.OFF, *_BUSY, _S.DEAD), _E.KEY_WANTED)
    yield from on(_S.KEYING, _E.KEY_SET, to=_S.IDLE, do=(CONFIRM,), source="result 00 is the standard's, 01 that of Qualcomm's chips")
    yield from on(_S.KEYING, _E.KEY_OVERTAKEN, to=_S.KEYING, do=(SEND_KEY,), source="one after the other: EVerest issue 1424")
    yield from stay(_S.KEYING, _E.KEY_REFUSED, do=(NOTE_REFUSAL,))
    yield from stay((_S.OFF, _S.ASKING, _S.RESETTING, _S.IDLE, _S.DEAD), (_E.KEY_SET, _E.KEY_OVERTAKEN, _E.KEY_REFUSED))
    # Silence.
    yield from stay(_S.ASKING, _E.SILENT, do=(ASK,))
    yield from stay(_S.RESETTING, _E.SILENT, do=(ASK,))
    yield from stay(_S.KEYING, _E.SILENT, do=(SEND_KEY,))
    yield from on(_S.DEAD, _E.SILENT, to=_S.ASKING, do=(FORGET, ASK))
    yield from stay((_S.OFF, _S.IDLE), _E.SILENT)
    yield from on(_S.ASKING, _E.NAMELESS, to=_S.IDLE, do=(TAKE_AS_KEY_ONLY, GO_ON))
    yield from stay((_S.OFF, _S.KEYING, _S.RESETTING, _S.IDLE, _S.DEAD), _E.NAMELESS)
    yield from on((_S.ASKING, _S.KEYING), _E.EXHAUSTED, to=_S.RESETTING, do=(UNCONFIRM, RESET))
    yield from stay((_S.OFF, _S.RESETTING, _S.IDLE, _S.DEAD), _E.EXHAUSTED)
    yield from on(_BUSY, _E.HOPELESS, to=_S.DEAD, do=(GIVE_UP,))
    yield from stay((_S.OFF, _S.IDLE, _S.DEAD), _E.HOPELESS)
    yield from on(_S.IDLE, _E.MISSING, to=_S.ASKING, do=(ASK,), source="F-10: gone, or only mute about its link")
    yield from stay((_S.OFF, *_BUSY, _S.DEAD), _E.MISSING)


TABLE: Table[State, Event] = Table("The own power line modem", State, Event, State.OFF, _rows())
