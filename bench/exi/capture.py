"""Packets out of capture files (pcap, pcapng), and what is in them as far as TCP, UDP and Ethernet's own types.

Ours and not a library's: dpkt has made no release since 2022 and takes the link type and clock of a pcapng's first interface for all of them
(its issue 681), and a broken file has to end in words here. It writes the captures of our tests.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

MOST_OCTETS = 1 << 20
"""Of a packet or block; tools write 256 KiB at most."""
MOST_LAYERS = 8
"""VLAN tags, or extension headers of IPv6, one in another."""


class CaptureError(ValueError):
    """The file is no capture, or not a whole one; the message says what is wrong."""


class Packet(NamedTuple):
    """One packet as it was captured."""

    number: int
    """From 1, as Wireshark counts."""
    time: float
    """Seconds since 1970, or since whatever the capturing clock has."""
    link: int
    """Link type (tcpdump.org/linktypes.html)."""
    octets: bytes


class Frame(NamedTuple):
    """What a link layer carries."""

    type: int
    """EtherType."""
    source: str
    destination: str
    """MAC addresses; "" where the link has none."""
    payload: bytes


class Segment(NamedTuple):
    """TCP in a packet."""

    source: tuple[str, int]
    destination: tuple[str, int]
    sequence: int
    acknowledged: int | None
    syn: bool
    payload: bytes


class Datagram(NamedTuple):
    """UDP in a packet."""

    source: tuple[str, int]
    destination: tuple[str, int]
    payload: bytes


# ---- files


def packets(path: Path) -> Iterator[Packet]:
    """In the order of the file. Raises CaptureError, perhaps after many."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            if magic in _PCAP:
                yield from _pcap(file, *_PCAP[magic])
            elif magic == _SECTION:
                yield from _pcapng(file)
            else:
                raise CaptureError(f"neither pcap nor pcapng: it begins with {magic.hex()}" if magic else "the file is empty")
    except OSError as error:
        raise CaptureError(str(error)) from None


_PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1e6),
    b"\xa1\xb2\xc3\xd4": (">", 1e6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e9),
    b"\xa1\xb2\x3c\x4d": (">", 1e9),
}
"""Magic number -> order of octets, parts of a second."""
_SECTION = b"\x0a\x0d\x0d\x0a"
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 1, 2, 3, 6


def _read(file: BinaryIO, count: int, what: str) -> bytes:
    if count > MOST_OCTETS:
        raise CaptureError(f"{what} of {count} octets at octet {file.tell()}; at most {MOST_OCTETS} are taken")
    found = file.read(count)
    if len(found) < count:
        raise CaptureError(f"the file ends inside of {what}: {len(found)} of {count} octets")
    return found


def _pcap(file: BinaryIO, order: str, parts: float) -> Iterator[Packet]:
    link = struct.unpack(f"{order}I", _read(file, 20, "the header")[16:])[0] & 0x0FFFFFFF
    number = 0
    while head := file.read(16):
        number += 1
        if len(head) < 16:
            raise CaptureError(f"the file ends inside of the header of packet {number}")
        seconds, part, length, _ = struct.unpack(f"{order}4I", head)
        yield Packet(number, seconds + part / parts, link, _read(file, length, f"packet {number}"))


class _Interface(NamedTuple):
    link: int
    parts: float = 1e6
    offset: int = 0


def _pcapng(file: BinaryIO) -> Iterator[Packet]:
    """Sections of blocks; each interface has its own link type and clock."""
    order, interfaces, number = "<", list[_Interface](), 0
    head = _SECTION + file.read(4)
    while head:
        if len(head) < 8:
            raise CaptureError(f"the file ends inside of a block's header, behind packet {number}")
        if head[:4] == _SECTION:
            start = _read(file, 4, "a section's header")
            if start not in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"):
                raise CaptureError(f"a section whose order of octets is {start.hex()}")
            order, interfaces = ("<" if start[0] == 0x4D else ">"), []
            _body(file, order, head, 4)
        else:
            (kind,) = struct.unpack(f"{order}I", head[:4])
            body = _body(file, order, head)
            if kind == _INTERFACE:
                interfaces.append(_interface(body, order))
            elif kind in (_PACKET, _OLD_PACKET, _SIMPLE_PACKET):
                number += 1
                yield _block_packet(kind, body, order, interfaces, number)
        head = file.read(8)


def _body(file: BinaryIO, order: str, head: bytes, read: int = 0) -> bytes:
    (length,) = struct.unpack(f"{order}I", head[4:])
    if length < 12 + read or length % 4:
        raise CaptureError(f"a block of {length} octets")
    body = _read(file, length - 12 - read, "a block")
    if _read(file, 4, "a block's end") != head[4:]:
        raise CaptureError("a block whose length at its end is another than at its start")
    return body


def _interface(body: bytes, order: str) -> _Interface:
    if len(body) < 8:
        raise CaptureError("an interface without a link type")
    (link,) = struct.unpack(f"{order}H", body[:2])
    parts, offset, at = 1e6, 0, 8
    while at + 4 <= len(body):
        code, length = struct.unpack(f"{order}HH", body[at : at + 4])
        value = body[at + 4 : at + 4 + length]
        if code == 9 and length == 1 and len(value) == 1:
            parts = float(2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** (value[0] & 0x7F))
        elif code == 14 and length == 8 and len(value) == 8:
            (offset,) = struct.unpack(f"{order}q", value)
        at += 4 + (length + 3) // 4 * 4
    return _Interface(link, parts, offset)


def _block_packet(kind: int, body: bytes, order: str, interfaces: list[_Interface], number: int) -> Packet:
    start = 4 if kind == _SIMPLE_PACKET else 20
    if len(body) < start:
        raise CaptureError(f"packet {number}: a block that is too short")
    at, high, low, length = 0, 0, 0, len(body) - start
    if kind == _PACKET:
        at, high, low, length = struct.unpack(f"{order}4I", body[:16])
    elif kind == _OLD_PACKET:
        at, _, high, low, length = struct.unpack(f"{order}HH3I", body[:16])
    else:
        length = min(length, struct.unpack(f"{order}I", body[:4])[0])
    if at >= len(interfaces):
        raise CaptureError(f"packet {number} of an interface that is not described")
    if length > len(body) - start:
        raise CaptureError(f"packet {number} has {length} octets, its block {len(body) - start}")
    interface = interfaces[at]
    return Packet(number, interface.offset + ((high << 32) | low) / interface.parts, interface.link, body[start : start + length])


# ---- packets

IPV4, IPV6, VLANS = 0x0800, 0x86DD, (0x8100, 0x88A8, 0x9100)
ETHERNET, COOKED, COOKED_2 = 1, 113, 276
RAW = {12: 0, 14: 0, 101: 0, 228: 0, 229: 0, 0: 4, 108: 4}
"""Links that carry IP alone -> octets before it."""
TCP, UDP = 6, 17
SYN, ACK = 0x02, 0x10


def frame(packet: Packet) -> Frame:
    """Link layer off, VLAN tags as well. Raises CaptureError."""
    octets = packet.octets
    if packet.link == ETHERNET:
        _at_least(octets, 14, "Ethernet")
        found = Frame(_u16(octets, 12), octets[6:12].hex(":"), octets[:6].hex(":"), octets[14:])
    elif packet.link == COOKED:
        _at_least(octets, 16, "Linux cooked")
        found = Frame(_u16(octets, 14), octets[6 : 6 + min(8, _u16(octets, 4))].hex(":"), "", octets[16:])
    elif packet.link == COOKED_2:
        _at_least(octets, 20, "Linux cooked 2")
        found = Frame(_u16(octets, 0), octets[12 : 12 + min(8, octets[11])].hex(":"), "", octets[20:])
    elif packet.link in RAW:
        octets = octets[RAW[packet.link] :]
        _at_least(octets, 1, "IP")
        found = Frame({4: IPV4, 6: IPV6}.get(octets[0] >> 4, 0), "", "", octets)
    else:
        raise CaptureError(f"packets of link type {packet.link} are not read")
    for _ in range(MOST_LAYERS):
        if found.type not in VLANS:
            break
        _at_least(found.payload, 4, "VLAN")
        found = found._replace(type=_u16(found.payload, 2), payload=found.payload[4:])
    return found


def transport(found: Frame) -> Segment | Datagram | None:
    """TCP or UDP of a frame; None where there is neither. Raises CaptureError."""
    if found.type == IPV4:
        protocol, source, destination, octets = _ipv4(found.payload)
    elif found.type == IPV6:
        protocol, source, destination, octets = _ipv6(found.payload)
    else:
        return None
    if protocol == TCP:
        return _tcp(source, destination, octets)
    if protocol == UDP:
        _at_least(octets, 8, "UDP")
        return Datagram((source, _u16(octets, 0)), (destination, _u16(octets, 2)), octets[8 : max(8, _u16(octets, 4))])
    return None


def _tcp(source: str, destination: str, octets: bytes) -> Segment:
    _at_least(octets, 20, "TCP")
    sequence, acknowledged = struct.unpack(">II", octets[4:12])
    header, flags = (octets[12] >> 4) * 4, octets[13]
    if header < 20:
        raise CaptureError(f"TCP with a header of {header} octets")
    return Segment(
        (source, _u16(octets, 0)),
        (destination, _u16(octets, 2)),
        sequence,
        acknowledged if flags & ACK else None,
        bool(flags & SYN),
        octets[header:],
    )


def _ipv4(octets: bytes) -> tuple[int, str, str, bytes]:
    _at_least(octets, 20, "IPv4")
    header, total = (octets[0] & 15) * 4, _u16(octets, 2)
    if octets[0] >> 4 != 4 or header < 20:
        raise CaptureError("IPv4 with a broken header")
    if _u16(octets, 6) & 0x3FFF:
        raise CaptureError("a fragment of IPv4: these are not put together")
    # Offloading network cards leave the length 0.
    return octets[9], str(ipaddress.IPv4Address(octets[12:16])), str(ipaddress.IPv4Address(octets[16:20])), octets[header : total or None]


def _ipv6(octets: bytes) -> tuple[int, str, str, bytes]:
    _at_least(octets, 40, "IPv6")
    following, length = octets[6], _u16(octets, 4)
    source, destination = (str(ipaddress.IPv6Address(octets[at : at + 16])) for at in (8, 24))
    rest = octets[40 : 40 + length] if length else octets[40:]
    for _ in range(MOST_LAYERS):
        if following in (0, 43, 60):
            size = 8 * (rest[1] + 1) if len(rest) > 1 else 8
        elif following == 44:
            size = 8
            if len(rest) >= 4 and _u16(rest, 2) & 0xFFF9:
                raise CaptureError("a fragment of IPv6: these are not put together")
        else:
            break
        _at_least(rest, size, "an extension header of IPv6")
        following, rest = rest[0], rest[size:]
    return following, source, destination, rest


def _u16(octets: bytes, at: int) -> int:
    return octets[at] << 8 | octets[at + 1]


def _at_least(octets: bytes, count: int, what: str) -> None:
    if len(octets) < count:
        raise CaptureError(f"{what} cut off after {len(octets)} octets")
