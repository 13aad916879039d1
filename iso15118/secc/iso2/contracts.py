"""ISO 15118-2, Plug & Charge: contracts are not offered here, so whatever of them is asked for is refused."""

from __future__ import annotations

from typing import Any

from iso15118.connection import Now
from iso15118.secc.v2gmsg.refuse import failed
from iso15118.secc.v2gmsg.talk import Result, Talk


def payment_details(talk: Talk, now: Now, request: Any) -> Result:
    """A contract is shown."""
    return failed(talk, request, "FAILED", "no contract was chosen")


def certificate_installation(talk: Talk, now: Now, request: Any) -> Result:
    """The vehicle wants a contract."""
    return failed(talk, request, "FAILED_NoCertificateAvailable", "contracts are not installed here")


def certificate_update(talk: Talk, now: Now, request: Any) -> Result:
    """The vehicle wants its contract anew."""
    return failed(talk, request, "FAILED_NoCertificateAvailable", "contracts are not updated here")


def metering_receipt(talk: Talk, now: Now, request: Any) -> Result:
    """A reading is signed that nobody asked for."""
    return failed(talk, request, "FAILED_MeteringSignatureNotValid", "no receipt was asked for")
