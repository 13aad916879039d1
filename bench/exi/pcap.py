"""V2G traffic out of captures: SLAC, SDP, and the V2GTP frames of TCP streams, put together; `session` decodes their EXI.

TLS is told as TLS and not read. Files and packets themselves are `bench.exi.capture`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from bench.exi import capture
from bench.exi.capture import CaptureError, Datagram, Frame, Packet, Segment
from bench.exi.given import DIN, ISO2, schema_set
from iso15118 import sdp, v2gtp
from iso15118.messages import sap
from iso15118.messages.declare import Message

SLAC = 0x88E1
MOST_HELD = 1 << 20
"""Octets of a stream that wait for ones that are missing before them."""
MOST_SEGMENTS = 256
"""Pieces of them."""
MOST_SEARCHED = 1 << 16
"""Octets of a stream that begins in the middle in which a frame has to begin, or it is not V2G."""

Kind = Literal["slac", "sdp", "v2gtp", "tls", "problem"]
Ends = tuple[tuple[str, int], tuple[str, int]]
"""From, to."""


class Captured(NamedTuple):
    """One thing that was in a capture."""

    number: int
    """Of the packet that completed it."""
    time: float
    kind: Kind
    source: str
    destination: str
    """Address and port, or MAC address."""
    type: int
    """V2GTP payload type, or MMTYPE; 0 elsewhere."""
    name: str
    """Of the type; of a problem, its words."""
    octets: bytes
    """The payload, without the V2GTP header; of SLAC the whole management message."""


def events(path: Path) -> Iterator[Captured]:
    """All of them in the order in which they were complete. Raises CaptureError where the file breaks, after what comes before."""
    streams = _Streams()
    told: set[str] = set()
    broken: CaptureError | None = None
    last = Packet(0, 0.0, 0, b"")
    source = capture.packets(path)
    while True:
        try:
            packet = next(source, None)
        except CaptureError as error:
            broken, packet = error, None
        if packet is None:
            break
        last = packet
        try:
            found = capture.frame(packet)
            layer = _slac(packet, found) if found.type == SLAC else capture.transport(found)
        except CaptureError as error:
            # Each kind of them once: a capture has packets of all sorts.
            if str(error) not in told:
                told.add(str(error))
                yield Captured(packet.number, packet.time, "problem", "", "", 0, str(error), packet.octets)
            continue
        match layer:
            case Captured():
                yield layer
            case Segment():
                yield from streams.feed(packet, layer)
            case Datagram() if sdp.PORT in (layer.source[1], layer.destination[1]):
                yield _sdp(packet, layer)
    yield from streams.end(last)
    if broken is not None:
        raise broken


# ---- SLAC and SDP

_SLAC_NAMES = {
    0x0014: "CC_DISCOVER_LIST",
    0x6000: "CM_UNASSOCIATED_STA",
    0x6004: "CM_ENCRYPTED_PAYLOAD",
    0x6008: "CM_SET_KEY",
    0x600C: "CM_GET_KEY",
    0x601C: "CM_AMP_MAP",
    0x6020: "CM_BRG_INFO",
    0x6034: "CM_STA_CAP",
    0x6038: "CM_NW_INFO",
    0x6048: "CM_NW_STATS",
    0x6064: "CM_SLAC_PARM",
    0x6068: "CM_START_ATTEN_CHAR",
    0x606C: "CM_ATTEN_CHAR",
    0x6070: "CM_PKCS_CERT",
    0x6074: "CM_MNBC_SOUND",
    0x6078: "CM_VALIDATE",
    0x607C: "CM_SLAC_MATCH",
    0x6080: "CM_SLAC_USER_DATA",
    0x6084: "CM_ATTEN_PROFILE",
}
"""HomePlug Green PHY's management messages, the two lowest bits of the type off [K]."""
_SLAC_STEPS = ("REQ", "CNF", "IND", "RSP")
_VENDOR = range(0xA000, 0xC000)


def slac_name(mmtype: int) -> str:
    """`CM_SLAC_PARM.REQ`."""
    stem = _SLAC_NAMES.get(mmtype & ~3) or (f"vendor's {mmtype & ~3:04X}" if mmtype in _VENDOR else f"MMTYPE {mmtype & ~3:04X}")
    return f"{stem}.{_SLAC_STEPS[mmtype & 3]}"


def _slac(packet: Packet, found: Frame) -> Captured:
    if len(found.payload) < 3:
        raise CaptureError(f"a management message cut off after {len(found.payload)} octets")
    mmtype = int.from_bytes(found.payload[1:3], "little")
    return Captured(packet.number, packet.time, "slac", found.source, found.destination, mmtype, slac_name(mmtype), found.payload)


def _sdp(packet: Packet, datagram: Datagram) -> Captured:
    kind, payload, name = 0, datagram.payload, ""
    try:
        if v2gtp.head(payload)[0] == v2gtp.SDP_RESPONSE:
            answer = sdp.read_response(payload)
            kind, name = v2gtp.SDP_RESPONSE, f"SDP response: {_address((str(answer.address), answer.port))}, {_security(answer.security)}"
        else:
            kind, name = v2gtp.SDP_REQUEST, f"SDP request: {_security(sdp.read_request(payload).security)}"
    except sdp.SdpError as error:
        return Captured(
            packet.number, packet.time, "problem", _address(datagram.source), _address(datagram.destination), 0, f"SDP: {error}", payload
        )
    where = (_address(datagram.source), _address(datagram.destination))
    return Captured(packet.number, packet.time, "sdp", *where, kind, name, payload[v2gtp.HEADER :])


def _security(security: sdp.Security) -> str:
    return "TLS" if security == sdp.Security.TLS else "no TLS"


def _address(of: tuple[str, int]) -> str:
    host, port = of
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


# ---- TCP


class _Streams:
    """Both directions of every connection; a SYN begins a new one."""

    def __init__(self) -> None:
        self._directions: dict[Ends, _Direction] = {}

    def feed(self, packet: Packet, segment: Segment) -> Iterator[Captured]:
        ends = (segment.source, segment.destination)
        if segment.syn:
            if ends in self._directions and self._directions[ends].begins_at(segment.sequence):
                return
            # The first SYN of a connection acknowledges nothing: it ends whatever had the same ports, both ways.
            for old in (ends,) if segment.acknowledged is not None else (ends, (segment.destination, segment.source)):
                if old in self._directions:
                    yield from self._directions.pop(old).end(packet)
            self._directions[ends] = _Direction(ends, (segment.sequence + 1) & 0xFFFFFFFF)
        other = self._directions.get((segment.destination, segment.source))
        if other is not None and segment.acknowledged is not None:
            yield from other.acknowledged(packet, segment.acknowledged)
        if segment.payload and not segment.syn:
            yield from self._directions.setdefault(ends, _Direction(ends)).feed(packet, segment.sequence, segment.payload)

    def end(self, packet: Packet) -> Iterator[Captured]:
        for direction in self._directions.values():
            yield from direction.end(packet)


class _Direction:
    """One direction of a connection, put in order."""

    def __init__(self, ends: Ends, following: int | None = None) -> None:
        self._following = following
        """Sequence number of the next octet; None until there is one."""
        self._first = following
        self._held: dict[int, bytes] = {}
        self._cutter = _Cutter(ends, begun=following is not None)

    def begins_at(self, sequence: int) -> bool:
        """The SYN came before: it is repeated."""
        return self._first == (sequence + 1) & 0xFFFFFFFF

    def feed(self, packet: Packet, sequence: int, payload: bytes) -> Iterator[Captured]:
        if self._cutter.over:
            return
        if self._following is None:
            self._following = sequence
        self._held[sequence] = max(payload, self._held.get(sequence, b""), key=len)
        yield from self._deliver(packet)
        while len(self._held) > MOST_SEGMENTS or sum(map(len, self._held.values())) > MOST_HELD:
            yield from self._skip(packet)

    def acknowledged(self, packet: Packet, sequence: int) -> Iterator[Captured]:
        """The other side has everything before this: what is missing there is missing in the capture only."""
        while self._held and self._following is not None and _ahead(sequence, self._following) > 0:
            yield from self._skip(packet)

    def end(self, packet: Packet) -> Iterator[Captured]:
        while self._held:
            yield from self._skip(packet)
        yield from self._cutter.end(packet)

    def _deliver(self, packet: Packet) -> Iterator[Captured]:
        """Whatever joins on, what came before cut off it."""
        while self._held and self._following is not None:
            sequence = min(self._held, key=self._distance)
            ahead = self._distance(sequence)
            if ahead > 0:
                break
            payload = self._held.pop(sequence)[-ahead:]
            self._following = (self._following + len(payload)) & 0xFFFFFFFF
            yield from self._cutter.feed(packet, payload)

    def _skip(self, packet: Packet) -> Iterator[Captured]:
        sequence = min(self._held, key=self._distance)
        missing = self._distance(sequence)
        self._following = sequence
        yield from self._cutter.gap(packet, missing)
        yield from self._deliver(packet)

    def _distance(self, sequence: int) -> int:
        return _ahead(sequence, self._following or 0)


def _ahead(sequence: int, of: int) -> int:
    return (sequence - of + (1 << 31)) % (1 << 32) - (1 << 31)


class _Cutter:
    """Frames out of a stream. After what is no frame, after a gap, and where the capture begins in the middle, the next header is looked for."""

    def __init__(self, ends: Ends, *, begun: bool) -> None:
        self._source, self._destination = (_address(each) for each in ends)
        self._state: Literal["start", "search", "frames", "over"] = "start" if begun else "search"
        self._waiting = bytearray()
        self._passed = 0
        """Octets in which no header was found."""
        self._seen = False
        """There was a frame."""

    @property
    def over(self) -> bool:
        """TLS, or nothing of ours: the rest is not looked at."""
        return self._state == "over"

    def feed(self, packet: Packet, octets: bytes) -> Iterator[Captured]:
        self._waiting += octets
        before = None
        while self._state != "over" and before != (self._state, len(self._waiting)):
            before = (self._state, len(self._waiting))
            if self._state == "frames":
                yield from self._cut(packet)
            elif self._state == "search":
                yield from self._search(packet)
            else:
                yield from self._start(packet)

    def gap(self, packet: Packet, missing: int) -> Iterator[Captured]:
        if self._seen:
            lost = f", and {len(self._waiting)} of the frame that they belong to" if self._waiting else ""
            yield self._problem(packet, f"{missing} octets of the stream are not in the capture{lost}", bytes(self._waiting))
        self._waiting.clear()
        if self._state != "over":
            self._state = "search"

    def end(self, packet: Packet) -> Iterator[Captured]:
        if self._state == "frames" and self._waiting:
            yield self._problem(packet, f"the stream ends inside of a frame, after {len(self._waiting)} octets", bytes(self._waiting))
        self._state = "over"

    def _start(self, packet: Packet) -> Iterator[Captured]:
        if len(self._waiting) >= 3:
            if _is_tls(self._waiting):
                yield self._tls(packet)
            else:
                self._state = "frames" if self._waiting[:2] == v2gtp.START else "over"

    def _search(self, packet: Packet) -> Iterator[Captured]:
        if not self._seen and _is_tls(self._waiting):
            yield self._tls(packet)
            return
        at = _header_in(self._waiting)
        passed = max(0, len(self._waiting) - v2gtp.HEADER + 1) if at is None else at
        self._passed += passed
        del self._waiting[:passed]
        if at is not None:
            if self._passed:
                yield self._problem(packet, f"{self._passed} octets before the next frame belong to none", b"")
            self._state, self._passed = "frames", 0
        elif self._passed > MOST_SEARCHED and not self._seen:
            self._state = "over"

    def _cut(self, packet: Packet) -> Iterator[Captured]:
        while len(self._waiting) >= v2gtp.HEADER:
            head = bytes(self._waiting[: v2gtp.HEADER])
            kind, length = v2gtp.head(head)
            if head[:2] != v2gtp.START or length > v2gtp.MOST_OCTETS:
                why = "no header" if head[:2] != v2gtp.START else f"a frame of {length} octets"
                yield self._problem(packet, f"{why} where a frame should begin: {head.hex().upper()}", head)
                del self._waiting[:1]
                self._state, self._passed = "search", 1
                return
            if len(self._waiting) < v2gtp.HEADER + length:
                return
            payload = bytes(self._waiting[v2gtp.HEADER : v2gtp.HEADER + length])
            del self._waiting[: v2gtp.HEADER + length]
            self._seen = True
            name = v2gtp.NAMES.get(kind, f"payload type {kind:04X}")
            yield Captured(packet.number, packet.time, "v2gtp", self._source, self._destination, kind, name, payload)

    def _tls(self, packet: Packet) -> Captured:
        self._state = "over"
        self._waiting.clear()
        return Captured(packet.number, packet.time, "tls", self._source, self._destination, 0, "TLS: encrypted; no key log support", b"")

    def _problem(self, packet: Packet, words: str, octets: bytes) -> Captured:
        return Captured(packet.number, packet.time, "problem", self._source, self._destination, 0, words, octets)


def _is_tls(octets: bytearray) -> bool:
    """A TLS record begins here: its type (20 to 23) and version (3.x)."""
    return len(octets) >= 3 and octets[0] in range(20, 24) and octets[1] == 3 and octets[2] <= 4


def _header_in(octets: bytearray) -> int | None:
    """Where a header is that can be right."""
    at = -1
    while (at := octets.find(v2gtp.START, at + 1)) >= 0:
        head = octets[at : at + v2gtp.HEADER]
        if len(head) < v2gtp.HEADER:
            return None
        kind, length = v2gtp.head(head)
        if kind in v2gtp.NAMES and length <= v2gtp.MOST_OCTETS:
            return at
    return None


# ---- messages

Decode = Callable[[bytes, str], Message]


class Line(NamedTuple):
    """What was captured, with its message where it has one."""

    captured: Captured
    message: Message | None = None
    namespace: str = ""
    """Schema set that the message was read with."""
    note: str = ""
    """What is to be said beside: that something else was agreed on, or why there is no message."""

    @property
    def name(self) -> str:
        """Of the message; else of what was captured."""
        return self.captured.name if self.message is None else _inner(self.message)


def session(path: Path, decode: Decode) -> Iterator[Line]:
    """Everything of a capture; `decode` is that of `iso15118.exi`. Raises CaptureError as `events`."""
    return lines(events(path), decode)


def lines(captured: Iterable[Captured], decode: Decode) -> Iterator[Line]:
    """The same of what was captured already."""
    dialogs: dict[frozenset[str], _Dialog] = {}
    for each in captured:
        if each.kind == "v2gtp":
            yield dialogs.setdefault(frozenset((each.source, each.destination)), _Dialog(decode)).read(each)
        else:
            yield Line(each)


class _Dialog:
    """One connection, and what vehicle and charger have agreed on in it."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._offered: dict[int, str] = {}
        self._chosen = ""

    def read(self, captured: Captured) -> Line:
        namespace = schema_set(captured.type, captured.octets)
        if not namespace:
            return Line(captured, note="this payload type carries no EXI that is known")
        try:
            message = self._decode(captured.octets, namespace)
        except (ValueError, LookupError) as error:
            return Line(captured, note=f"not decoded with {namespace}: {error}")
        match message:
            case sap.supportedAppProtocolReq():
                self._offered, self._chosen = {each.SchemaID: each.ProtocolNamespace for each in message.AppProtocol}, ""
            case sap.supportedAppProtocolRes():
                only = next(iter(self._offered.values())) if len(self._offered) == 1 else ""
                number = message.SchemaID
                self._chosen = only if number is None else self._offered.get(number, "")
        return Line(captured, message, namespace, self._beside(namespace))

    def _beside(self, namespace: str) -> str:
        """The root element says what a message of DIN or -2 is; what is to be said where the agreement does not say the same."""
        if namespace not in (DIN, ISO2) or namespace == self._chosen:
            return ""
        return f"{self._chosen} was agreed on" if self._chosen else "the agreement on a protocol is not in the capture"


def _inner(message: Message) -> str:
    """The name that says most: DIN and -2 have V2G_Message around all."""
    body = getattr(getattr(message, "Body", None), "BodyElement", None)
    return (message if body is None else body)._element_
