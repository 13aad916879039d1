"""IdTokenType and IdTokenInfoType between the wire and the station, and how tokens are kept in the store.

List and cache keep no token in clear: rows are found by the SHA-256 of type and value (OCPP 2.1 C10: personal data should be stored
hashed). A card's number is short, so that this hides it from a glance, not from somebody who tries all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from chargepoint.authorize_rules import plain
from chargepoint.events import IdToken, KnownToken
from chargepoint.ocpp.timestamps import TimestampError, parse_timestamp
from iso15118.frozen import dataclass

TYPES = (
    "Central",
    "DirectPayment",
    "EVCCID",
    "ISO14443",
    "ISO15693",
    "KeyCode",
    "Local",
    "MacAddress",
    "NoAuthorization",
    "VIN",
    "eMAID",
)
"""IdTokenEnumStringType (OCPP 2.1 appendix 7)."""
CSMS_KNOWS = ("Central", "DirectPayment", "NoAuthorization")
"""Types that the CSMS is not asked about, and that are not cached: it has made them itself, or they name nobody (C02, C05, C25)."""
MOST_ADDITIONAL = 10
"""AuthCtrlr.AdditionalInfoItemsPerMessage."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of list or cache. Times are POSIX seconds as the station tells them."""

    status: str
    group: str = ""
    evse_ids: tuple[int, ...] = ()
    until: float | None = None
    """cacheExpiryDateTime."""
    used: float = 0.0
    """When it was last told by the CSMS or used."""

    def known(self) -> KnownToken:
        """What it says, without its times."""
        return KnownToken(self.status, self.group, self.evse_ids)


def to_wire(token: IdToken) -> dict[str, Any]:
    """IdTokenType."""
    more = [{"additionalIdToken": value, "type": kind} for value, kind in token.additional]
    return {"idToken": token.id_token, "type": token.type, **({"additionalInfo": more} if more else {})}


def from_wire(value: Mapping[str, Any]) -> IdToken:
    """The other way."""
    more = tuple((each["additionalIdToken"], each["type"]) for each in value.get("additionalInfo", ()))
    return IdToken(value["idToken"], value["type"], more)


def key_of(token: IdToken) -> str:
    """Where the token stands in a table; upper and lower case are one (identifierString).

    >>> key_of(IdToken("04A2", "ISO14443")) == key_of(IdToken("04a2", "ISO14443")) != key_of(IdToken("04a2", "KeyCode"))
    True
    """
    return hashlib.sha256(f"{token.type}:{plain(token)}".encode(errors="surrogatepass")).hexdigest()


def entry_of(info: Mapping[str, Any], used: float) -> Entry:
    """What is kept of an IdTokenInfoType: neither its language nor its messages."""
    group = (info.get("groupIdToken") or {}).get("idToken", "")
    return Entry(str(info.get("status", "Unknown")), group, tuple(info.get("evseId", ())), _until(info), used)


def _until(info: Mapping[str, Any]) -> float | None:
    text = info.get("cacheExpiryDateTime")
    if text is None:
        return None
    try:
        return parse_timestamp(text, in_range=False)
    except TimestampError:
        return 0.0  # what cannot be read has passed
