"""DIN 70121 as a dialect of `evcc.session`."""

from __future__ import annotations

from iso15118.evcc.din.spelling import MAJOR, MINOR, SPELLING
from iso15118.evcc.din.table import TABLE
from iso15118.evcc.session import Spoken
from iso15118.evcc.terms import Wants
from iso15118.evcc.v2gmsg.dialect import ASK, HEAR, V2gMsg
from iso15118.evcc.v2gmsg.talk import Talk
from iso15118.terms import Energy


def din(wants: Wants) -> V2gMsg:
    """One session."""
    return V2gMsg(Talk(wants, (Energy.DC,), SPELLING), TABLE, HEAR, ASK)


def spoken(wants: Wants) -> Spoken:
    """What is offered to a charger: DC."""
    return Spoken(SPELLING.namespace, MAJOR, MINOR, lambda _: din(wants))
