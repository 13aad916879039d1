"""SDP: how a vehicle finds the charger's address on the link (ISO 15118-2 7.10.1, ISO 15118-20 7.10.1 [K]; DIN SPEC 70121 the same, without TLS).

The vehicle asks by UDP to ff02::1, port 15118: security and transport protocol. The charger answers from that port with the address, port and
security of its TCP server. What a charger offers when is the table `POLICY`.
"""

from __future__ import annotations

import enum
import ipaddress
from typing import NamedTuple

from iso15118.v2gtp import HEADER, SDP_REQUEST, SDP_RESPONSE, Frame

PORT = 15118
GROUP = "ff02::1"
"""All nodes on the link."""
REQUEST_EVERY_S = 0.25
"""A vehicle without an answer asks again after this."""
MOST_REQUESTS = 50
TCP = 0x00
"""The only transport protocol."""


class SdpError(ValueError):
    """A datagram that is no SDP message; it is left without answer."""


class Security(enum.IntEnum):
    """Whether TLS is wanted, or offered."""

    TLS = 0x00
    NONE = 0x10


class TlsPolicy(enum.Enum):
    """What the charger's configuration wants."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    OFF = "off"


POLICY: dict[tuple[TlsPolicy, Security], Security | None] = {
    (TlsPolicy.REQUIRED, Security.TLS): Security.TLS,
    (TlsPolicy.REQUIRED, Security.NONE): None,
    (TlsPolicy.OPTIONAL, Security.TLS): Security.TLS,
    (TlsPolicy.OPTIONAL, Security.NONE): Security.NONE,
    (TlsPolicy.OFF, Security.TLS): Security.NONE,
    (TlsPolicy.OFF, Security.NONE): Security.NONE,
}
"""(what the charger wants, what the vehicle asks for) -> what is offered; None: no answer. A vehicle may take less than it asked for: those on
the road that ask for TLS do (facts from recorded sessions), and go away otherwise."""


class Request(NamedTuple):
    """What the vehicle asks for."""

    security: Security

    def octets(self) -> bytes:
        return Frame(SDP_REQUEST, bytes((self.security, TCP))).octets()


class Response(NamedTuple):
    """Where the charger's TCP server is."""

    address: ipaddress.IPv6Address
    port: int
    security: Security

    def octets(self) -> bytes:
        return Frame(SDP_RESPONSE, self.address.packed + self.port.to_bytes(2, "big") + bytes((self.security, TCP))).octets()


def read_request(datagram: bytes) -> Request:
    """A vehicle's request. Raises SdpError: wireless requests (0x9002) are none, and so is everything that is not exactly as long as it says."""
    payload = _payload(datagram, SDP_REQUEST, 2)
    return Request(_security(payload[0], payload[1]))


def read_response(datagram: bytes) -> Response:
    """A charger's response. Raises SdpError."""
    payload = _payload(datagram, SDP_RESPONSE, 20)
    port = int.from_bytes(payload[16:18], "big")
    if not port:
        raise SdpError("port 0")
    return Response(ipaddress.IPv6Address(payload[:16]), port, _security(payload[18], payload[19]))


def _payload(datagram: bytes, payload_type: int, length: int) -> bytes:
    head = Frame(payload_type, bytes(length)).octets()[:HEADER]
    if len(datagram) != HEADER + length or datagram[:HEADER] != head:
        raise SdpError(f"{datagram[: HEADER + 2].hex().upper()}, {len(datagram)} octets: expected {head.hex().upper()} and {length} octets")
    return datagram[HEADER:]


def _security(security: int, transport: int) -> Security:
    if transport != TCP:
        raise SdpError(f"transport protocol {transport:02X}: only TCP (00) is there")
    try:
        return Security(security)
    except ValueError:
        raise SdpError(f"security {security:02X}: 00 is TLS, 10 is none") from None
