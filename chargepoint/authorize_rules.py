"""What authorisation remembers, and its rules without a machine: which tokens are the same, which EVSE can be started, what a driver reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Literal

from certs.ids import IdError, emaid_of
from chargepoint.events import AuthorisationRules, Contract, IdToken
from chargepoint.facts import EvseFacts
from chargepoint.faults import Reaction, known
from iso15118.frozen import dataclass

EMAID = "eMAID"
"""The type of a contract's token."""
MAC = "MacAddress"
"""The type of the token that a vehicle's MAC address is."""
NO_TOKEN = IdToken("", "NoAuthorization")
"""The token of a charge that nobody had to be authorised for (OCPP 2.1 C02)."""
MOST_LOOKUPS = 8
"""Tokens whose verdict is awaited at the same time; more swipes than that are not taken."""
ACCEPTED = "Accepted"
LONGEST_TOKEN, LONGEST_TYPE = 255, 20
"""Characters of an idToken and of its type (IdTokenType); a reader that says more is not believed."""
How = Literal["online", "cache", "list", "offline_unknown", "remote", "none_needed"]
"""What authorised a token, as `Authorised` says it."""


@dataclass(slots=True)
class Grant:
    """An authorisation in force at one EVSE."""

    id_token: IdToken
    group: str = ""
    plug_by: float | None = None
    """Tick.mono until which an EV has to be plugged in; None while one is."""
    was_plugged: bool = False
    home: tuple[int, ...] = ()
    """EVSEs where it may go on instead, as long as nothing is plugged in here: those of the card's reader."""
    how: How = "online"
    owners: bool = False
    """A token of the configuration, which no CSMS judges."""
    remote_start_id: int | None = None
    leaf: str = ""
    """The contract's certificate that was accepted for it, by `certificate_key`; "": none has been."""


@dataclass(slots=True)
class Spot:
    """One EVSE as authorisation sees it."""

    grant: Grant | None = None
    plugged_at: float = 0.0
    started_Wh: float | None = None
    """The meter's register when the transaction began; None when there was none."""
    invalid: Literal["", "bounded", "stopped"] = ""
    """The CSMS refused the token in the middle: energy up to the bound, or none any more."""
    left: IdToken | None = None
    """Whose plug it was that was pulled at the EV last: where the socket keeps it, this token releases it."""
    stopped: IdToken | None = None
    """What a vehicle shows by itself again and again, a contract or its MAC address, and somebody has stopped: it counts no more before it has left."""
    shown: bool = False
    """The vehicle's MAC address has been asked about since it was plugged in."""


@dataclass(slots=True)
class Lookup:
    """A token whose verdict is awaited."""

    id_token: IdToken
    evse_ids: tuple[int, ...]
    """Where it may lead; shrinks when one of them is stopped or unplugged meanwhile (S-11)."""
    plugged: tuple[int, ...] = ()
    """Those that had an EV when the token came."""
    remote_start_id: int | None = None
    group: str = ""
    at: int = 0
    """The EVSE where the driver is told."""
    contract: Contract | None = None
    """It is the eMAID of this one, which the vehicle has shown."""
    of_vehicle: bool = False
    """The vehicle has shown it by itself, not a driver: it can begin a charge at its EVSE, and stop none."""


@dataclass(slots=True)
class AuthorizeState:
    """All that the authorize machine remembers. Nothing of it outlives a restart but what a transaction that goes on brings with it (`TransactionKept`)."""

    spots: dict[int, Spot] = field(default_factory=dict)
    lookups: dict[int, Lookup] = field(default_factory=dict)
    counter: int = 0
    rules: AuthorisationRules = field(default_factory=AuthorisationRules)

    def bar(self, evse_id: int, which: Callable[[Lookup], bool] = lambda _: True) -> None:
        """Take the EVSE out of what is being looked up; a token with nowhere left to go is refused when its verdict comes."""
        for lookup in filter(which, self.lookups.values()):
            lookup.evse_ids = tuple(e for e in lookup.evse_ids if e != evse_id)
            lookup.plugged = tuple(e for e in lookup.plugged if e != evse_id)


Obstacle = Literal["", "unavailable", "reserved", "occupied"]


def same_token(one: IdToken, other: IdToken) -> bool:
    """Whether two tokens are one: value without regard to case, and type; additionalInfo does not count (OCPP 2.1 C01.FR.25).
    An eMAID is the same with and without its separators and its check digit.

    >>> same_token(IdToken("04A2B3C4", "ISO14443"), IdToken("04a2b3c4", "ISO14443", (("x", "y"),)))
    True
    >>> same_token(IdToken("1234", "ISO14443"), IdToken("1234", "KeyCode"))
    False
    >>> same_token(IdToken("DE-STC-C00000001", EMAID), IdToken("DESTCC00000001U", EMAID))
    True
    """
    return one.type == other.type and plain(one) == plain(other)


def mac_token(mac: str) -> IdToken:
    """The token that a vehicle's MAC address is. The standard says nothing of how it is written [K].

    >>> mac_token("02:00:5e:10:ab:cd")
    IdToken(id_token='02005E10ABCD', type='MacAddress', additional=())
    """
    return IdToken(mac.replace(":", "").upper(), MAC)


def plain(token: IdToken) -> str:
    """The value by which a token is known, in whatever way it is written."""
    if token.type != EMAID:
        return token.id_token.casefold()
    try:
        return emaid_of(token.id_token).whole.casefold()
    except IdError:
        return token.id_token.replace("-", "").casefold()


def same_group(one: str, other: str) -> bool:
    """Whether both have a group, and the same one."""
    return bool(one) and one.casefold() == other.casefold()


def parsed(tokens: Iterable[str]) -> tuple[IdToken, ...]:
    """The configuration's "type:value" tokens; without a type they are ISO14443 cards.

    >>> parsed(["ISO14443:04A2B3C4", "DEADBEEF"])[1].type
    'ISO14443'
    """
    pairs = (text.partition(":") for text in tokens)
    return tuple(IdToken(value, kind) if colon else IdToken(kind, "ISO14443") for kind, colon, value in pairs)


def usable(facts: EvseFacts) -> bool:
    """Operative and without a fault that stops charging."""
    return facts.operative and not any(known(code).reaction is not Reaction.GO_ON for code in facts.faults)


def obstacle(facts: EvseFacts, id_token: IdToken) -> Obstacle:
    """Why this token cannot be authorised at this EVSE now; "" when it can.

    An EVSE is occupied by an authorisation, and by a transaction that was somebody else's, even when that one has been stopped: until
    the transaction ends, going on would put two drivers on one bill (F01.FR.24, F02.FR.26).
    """
    if not usable(facts):
        return "unavailable"
    left = facts.locked and not facts.plugged  # a plug that the socket keeps for its driver
    if left or facts.id_token is not None or (facts.owner is not None and not same_token(facts.owner, id_token)):
        return "occupied"
    return "reserved" if facts.reserved else ""


def kept(evses: Mapping[int, EvseFacts], spots: Mapping[int, Spot], among: Iterable[int], id_token: IdToken) -> list[int]:
    """The EVSEs whose socket keeps a plug for this token, without a vehicle (E09.FR.03)."""
    return [e for e in among if evses[e].locked and not evses[e].plugged and (left := spots[e].left) and same_token(left, id_token)]


def chosen(evses: Mapping[int, EvseFacts], spots: Mapping[int, Spot], among: Iterable[int], id_token: IdToken) -> int:
    """The EVSE that this token starts; 0 for none.

    The one where an EV was plugged in last, since its driver stands at the reader; without an EV, the first that is free.
    """
    free = [evse_id for evse_id in among if not obstacle(evses[evse_id], id_token)]
    return max(free, key=lambda e: (evses[e].plugged, spots[e].plugged_at if evses[e].plugged else 0.0, -e), default=0)


def guessed(evses: Mapping[int, EvseFacts], spots: Mapping[int, Spot], evse_id: int) -> int:
    """The EVSE that a card at a reader of several was taken to be for, and whose EV has been plugged in at this one; 0 for none."""
    for other, spot in spots.items():
        grant = spot.grant
        if grant and evse_id in grant.home and not grant.was_plugged and not evses[other].transaction_id:
            return 0 if obstacle(evses[evse_id], grant.id_token) else other
    return 0


def groups_of(evses: Mapping[int, EvseFacts], spots: Mapping[int, Spot], lookup: Lookup) -> tuple[str, ...]:
    """Of the authorisations that this token would end if it were of the same one: none where it begins something at a vehicle that waits."""
    at = lookup.evse_ids
    begins = any(evses[e].plugged and not obstacle(evses[e], lookup.id_token) for e in at)
    if begins or lookup.of_vehicle or lookup.remote_start_id is not None:
        return ()
    return tuple(grant.group for e in at if (grant := spots[e].grant) is not None and grant.group)


def said(status: str) -> str:
    """What the driver reads when a token is refused: key of the texts for drivers."""
    if not status:
        return "auth.offline"
    return "auth.unknown" if status in ("Unknown", "Invalid") else "auth.blocked"


STOP_TRIGGERS = {
    "Other": "StopAuthorized",
    "Local": "StopAuthorized",
    "MasterPass": "StopAuthorized",
    "Remote": "RemoteStop",
    "DeAuthorized": "Deauthorized",
    "EVDisconnected": "EVCommunicationLost",
    "Timeout": "EVConnectTimeout",
    "ImmediateReset": "ResetCommand",
    "Reboot": "ResetCommand",
    "EnergyLimitReached": "EnergyLimitReached",
    "TimeLimitReached": "TimeLimitReached",
    "SOCLimitReached": "SoCLimitReached",
    "StoppedByEV": "StopAuthorized",
}
"""ReasonEnumType -> TriggerReasonEnumType of what was stopped for it; every other reason is an AbnormalCondition."""


def stop_trigger(reason: str) -> str:
    """What the TransactionEvent says triggered a stop for this reason."""
    return STOP_TRIGGERS.get(reason, "AbnormalCondition")
