"""The sessions of every protocol that a charger speaks (`iso15118.protocols`): whoever hosts sessions need not know which there are."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from iso15118.secc.din import dialect as din
from iso15118.secc.iso2 import dialect as iso2
from iso15118.secc.iso20 import dialect as iso20
from iso15118.secc.iso20.talk import Talk
from iso15118.secc.paused import Paused
from iso15118.secc.session import Session
from iso15118.terms import Facts

Dialect: TypeAlias = iso20.Iso20 | iso2.Iso2 | din.Din
SavedDialect: TypeAlias = iso20.SavedIso20 | iso2.SavedIso2 | din.SavedDin


class Host(NamedTuple):
    """What a new session is given."""

    facts: Facts
    fresh_id: bytes
    challenge: bytes
    paused: Paused | None = None
    verified: bool = False
    """TLS, with a vehicle whose certificate was judged good."""
    secure: bool = False
    """Over TLS, of whatever kind."""


def begun(namespace: str, host: Host, loop_s: float = iso20.LOOP_S) -> Dialect:
    """A new session. `loop_s`: the patience of ISO 15118-20 in its loop."""
    if namespace == din.NAMESPACE:
        return din.Din.begun(host.fresh_id, host.challenge, host.facts, host.paused)
    if namespace == iso2.NAMESPACE:
        return iso2.Iso2.begun(host.fresh_id, host.challenge, host.facts, host.paused, secure=host.secure)
    talk = Talk(host.facts, iso20.NAMESPACES[namespace], host.fresh_id, host.challenge, host.paused, pnc=host.verified)
    return iso20.Iso20(talk, loop_s)


def restored(saved: SavedDialect, facts: Facts) -> Dialect:
    """Go on from what was saved."""
    if isinstance(saved, din.SavedDin):
        return din.Din.restored(saved, facts)
    if isinstance(saved, iso2.SavedIso2):
        return iso2.Iso2.restored(saved, facts)
    return iso20.Iso20.restored(saved, facts)


def of(session: Session) -> Dialect | None:
    """What it speaks; None until that is agreed, or where it is none of these."""
    return session.dialect if isinstance(session.dialect, (iso20.Iso20, iso2.Iso2, din.Din)) else None


def paused(session: Session) -> Paused | None:
    """How its vehicle may come back to it."""
    dialect = of(session)
    if dialect is None:
        return None
    talk = dialect.talk
    before = talk.paused.schedule_id if talk.paused is not None and talk.paused.session_id == talk.session_id else None
    return Paused(talk.session_id, talk.evcc_id, before if talk.schedule_id is None else talk.schedule_id)
