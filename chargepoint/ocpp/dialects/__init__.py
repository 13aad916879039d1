"""The versions of OCPP that this station speaks: what it offers to a CSMS, and what to make of the CSMS's choice.

A version is offered when its dialect is here, whole; asking for one that is not leaves it out (`missing` says so).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chargepoint.ocpp.dialect import Dialect
from chargepoint.ocpp.dialects.v21 import V21
from iso15118.frozen import dataclass

_DIALECTS: tuple[Dialect, ...] = (V21(),)

IMPLEMENTED: dict[str, Dialect] = {dialect.subprotocol: dialect for dialect in _DIALECTS}
"""Subprotocol -> dialect, best first."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The connection is of no use and has to be closed: `cause` is LinkDown's word, `why` for a person and the close frame."""

    why: str
    cause: str = "protocol"


def offer(configured: Iterable[str] = ()) -> tuple[str, ...]:
    """What goes into Sec-WebSocket-Protocol, in the configured order of preference; nothing configured offers all that there is.

    May be empty, when all that is configured is missing: then there is nothing to connect with.

    >>> offer(["ocpp2.1", "no such"])
    ('ocpp2.1',)
    """
    wanted = tuple(dict.fromkeys(configured))
    return tuple(name for name in wanted if name in IMPLEMENTED) if wanted else tuple(IMPLEMENTED)


def missing(configured: Iterable[str]) -> tuple[str, ...]:
    """The configured subprotocols that this station does not speak."""
    return tuple(name for name in dict.fromkeys(configured) if name not in IMPLEMENTED)


def choose(selected: str, offered: Sequence[str] = ()) -> Dialect | Refusal:
    """The dialect for what the CSMS selected ("" when its answer had no Sec-WebSocket-Protocol).

    No choice is a refusal, never a silent guess of a version: a CSMS that agrees to nothing completes the handshake without
    the header (OCPP 2.1 part 4, 3.1.2 and 3.3), and some then stay silent on an open socket. A version in the URL means nothing.
    """
    offered = offered or tuple(IMPLEMENTED)
    if not selected:
        return Refusal(f"the CSMS selected none of the offered subprotocols ({', '.join(offered)})")
    if selected not in offered or selected not in IMPLEMENTED:
        return Refusal(f"the CSMS selected the subprotocol {selected[:40]!r}, which was not offered ({', '.join(offered)})")
    return IMPLEMENTED[selected]
