"""V2GTP: the eight octets before every message between vehicle and charger (ISO 15118-2 7.8.3, ISO 15118-20 7.8.3 [K]).

    version 0x01 | inverse version 0xFE | payload type, 2 octets | length, 4 octets | payload

`FrameReader` takes a stream as it comes, in pieces of any size, and never keeps more than one frame: a length is held against its bound before
anything is waited for (S-1, S-22).
"""

from __future__ import annotations

from typing import NamedTuple

VERSION, INVERSE = 0x01, 0xFE
START = bytes((VERSION, INVERSE))
"""How a header begins."""
HEADER = 8
"""Octets before the payload."""

SAP_DIN_ISO2 = 0x8001
"""supportedAppProtocol of every dialect; all of DIN 70121 and ISO 15118-2."""
ISO20_MAIN, ISO20_AC, ISO20_DC, ISO20_ACDP, ISO20_WPT = 0x8002, 0x8003, 0x8004, 0x8005, 0x8006
ISO20_AC_DER_IEC, ISO20_AC_DER_SAE = 0x8010, 0x8011
"""Amendment 1; the values are EVerest's [K]."""
ISO20_SCHEDULE_RENEGOTIATION, ISO20_METERING_CONFIRMATION, ISO20_ACDP_STATUS, ISO20_PARKING = 0x8101, 0x8102, 0x8103, 0x8104
"""Streams beside the main one, in the same connection."""
SDP_REQUEST, SDP_RESPONSE, SDP_WIRELESS_REQUEST, SDP_WIRELESS_RESPONSE = 0x9000, 0x9001, 0x9002, 0x9003

NAMES = {
    SAP_DIN_ISO2: "SAP, DIN or -2",
    ISO20_MAIN: "-20 main stream",
    ISO20_AC: "-20 AC",
    ISO20_DC: "-20 DC",
    ISO20_ACDP: "-20 ACDP",
    ISO20_WPT: "-20 WPT",
    ISO20_AC_DER_IEC: "-20 AC DER (IEC)",
    ISO20_AC_DER_SAE: "-20 AC DER (SAE)",
    ISO20_SCHEDULE_RENEGOTIATION: "-20 schedule renegotiation",
    ISO20_METERING_CONFIRMATION: "-20 metering confirmation",
    ISO20_ACDP_STATUS: "-20 ACDP status",
    ISO20_PARKING: "-20 parking status",
    SDP_REQUEST: "SDP request",
    SDP_RESPONSE: "SDP response",
    SDP_WIRELESS_REQUEST: "SDP request (wireless)",
    SDP_WIRELESS_RESPONSE: "SDP response (wireless)",
}
"""Payload type -> what it carries."""

_ISO20 = "urn:iso:std:iso:15118:-20:"
SCHEMA_SETS = {
    ISO20_MAIN: f"{_ISO20}CommonMessages",
    ISO20_AC: f"{_ISO20}AC",
    ISO20_DC: f"{_ISO20}DC",
    ISO20_ACDP: f"{_ISO20}ACDP",
    ISO20_WPT: f"{_ISO20}WPT",
    ISO20_AC_DER_IEC: f"{_ISO20}AC-DER-IEC",
    ISO20_AC_DER_SAE: f"{_ISO20}AC-DER-SAE",
    ISO20_SCHEDULE_RENEGOTIATION: f"{_ISO20}CommonMessages",
    ISO20_METERING_CONFIRMATION: f"{_ISO20}CommonMessages",
    ISO20_ACDP_STATUS: f"{_ISO20}ACDP",
    ISO20_PARKING: f"{_ISO20}CommonMessages",
}
"""Payload type -> schema set of its EXI, where the type alone says it; SAP_DIN_ISO2 does not."""

MOST_OCTETS = 1 << 16
"""Of a payload: the longest real one, a -20 CertificateInstallationRes or a full schedule, has less."""


class V2gtpError(ValueError):
    """What came is no V2GTP, or more than is taken: the connection has to be closed."""


class Frame(NamedTuple):
    """One message as it travels."""

    payload_type: int
    payload: bytes

    def octets(self) -> bytes:
        """Header and payload. Raises ValueError for what no header can say."""
        if not 0 <= self.payload_type <= 0xFFFF or len(self.payload) >= 1 << 32:
            raise ValueError(f"payload type {self.payload_type}, {len(self.payload)} octets")
        return START + self.payload_type.to_bytes(2, "big") + len(self.payload).to_bytes(4, "big") + self.payload


def head(octets: bytes | bytearray) -> tuple[int, int]:
    """Payload type and length that a header says; its start is the caller's to look at."""
    return int.from_bytes(octets[2:4], "big"), int.from_bytes(octets[4:HEADER], "big")


class FrameReader:
    """Cuts a stream into frames. After V2gtpError it takes nothing more."""

    def __init__(self, most_octets: int = MOST_OCTETS) -> None:
        self.most_octets = most_octets
        self._waiting = bytearray()
        self._broken = ""

    def feed(self, octets: bytes) -> list[Frame]:
        """The frames that are complete now, in order. Raises V2gtpError; frames before the error are lost with it: the connection is over."""
        if self._broken:
            raise V2gtpError(self._broken)
        self._waiting += octets
        frames, at = [], 0
        while (header := self._header(at)) is not None and len(self._waiting) - at >= HEADER + header[1]:
            payload_type, length = header
            frames.append(Frame(payload_type, bytes(self._waiting[at + HEADER : at + HEADER + length])))
            at += HEADER + length
        del self._waiting[:at]
        return frames

    @property
    def rest(self) -> bytes:
        """What has come of a frame that is not complete."""
        return bytes(self._waiting)

    @property
    def inside(self) -> bool:
        """The stream stands inside of a frame."""
        return bool(self._waiting)

    def _header(self, at: int) -> tuple[int, int] | None:
        """`head` of the frame that begins here; None until it is complete. What is wrong in it is seen with its first wrong octet."""
        found = self._waiting[at : at + HEADER]
        if not START.startswith(found[:2]):
            raise self._over(f"no V2GTP: it begins with {found[:2].hex().upper()}, expected {START.hex().upper()}")
        if len(found) < HEADER:
            return None
        payload_type, length = head(found)
        if length > self.most_octets:
            raise self._over(f"a V2GTP payload of {length} octets; at most {self.most_octets} are taken")
        return payload_type, length

    def _over(self, problem: str) -> V2gtpError:
        self._broken = problem
        self._waiting.clear()
        return V2gtpError(problem)
