"""Conversations to be captured: packets in any link layer, and the messages in them. dpkt writes them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import dpkt

from bench.exi.given import DIN, ISO2, SAP
from iso15118 import exi, v2gtp
from iso15118.messages import sap
from iso15118.messages.declare import Message
from iso15118.messages.din import msg_def as din_def
from iso15118.messages.din import msg_header as din_header
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_def as md
from iso15118.messages.iso2 import msg_header as mh

LINK_TYPES = {"ethernet": 1, "vlan": 1, "cooked": 113, "cooked 2": 276, "raw": 101}


@dataclass
class Tape:
    """Packets of a conversation, in any link layer."""

    link: str = "ethernet"
    packets: list[bytes] = field(default_factory=list)
    sequences: dict[tuple[str, int], int] = field(default_factory=dict)

    def frame(self, kind: int, payload: bytes) -> None:
        match self.link:
            case "ethernet":
                octets = bytes(dpkt.ethernet.Ethernet(src=b"\x02EV__1", dst=b"\x02SECC1", type=kind, data=payload))
            case "vlan":
                octets = b"\x02SECC1\x02EV__1" + struct.pack(">HHHHH", 0x88A8, 5, 0x8100, 7, kind) + payload
            case "cooked":
                octets = struct.pack(">HHH8sH", 0, 1, 6, b"\x02EV__1\0\0", kind) + payload
            case "cooked 2":
                octets = struct.pack(">HHIHBB8s", kind, 0, 3, 1, 0, 6, b"\x02EV__1\0\0") + payload
            case _:
                octets = payload
        self.packets.append(octets)

    def ip(self, source: str, destination: str, protocol: int, data: bytes) -> None:
        addresses = [ip_address(each).packed for each in (source, destination)]
        if ":" in source:
            self.frame(0x86DD, bytes(dpkt.ip6.IP6(src=addresses[0], dst=addresses[1], nxt=protocol, plen=len(data), hlim=64, data=data)))
        else:
            packet = dpkt.ip.IP(src=addresses[0], dst=addresses[1], p=protocol, ttl=64, data=data)
            packet.len = len(packet)
            self.frame(0x0800, bytes(packet))

    def udp(self, source: tuple[str, int], destination: tuple[str, int], data: bytes) -> None:
        datagram = dpkt.udp.UDP(sport=source[1], dport=destination[1], data=data)
        datagram.ulen = len(datagram)
        self.ip(source[0], destination[0], 17, bytes(datagram))

    def tcp(self, source: tuple[str, int], destination: tuple[str, int], data: bytes, flags: int = 0x18, *, at: int | None = None) -> None:
        sequence = self.sequences.setdefault(source, 1000) if at is None else at
        acknowledged = self.sequences.get(destination, 0) if at is None else 0
        segment = dpkt.tcp.TCP(
            sport=source[1], dport=destination[1], seq=sequence & 0xFFFFFFFF, ack=acknowledged & 0xFFFFFFFF, flags=flags, data=data
        )
        if at is None:
            self.sequences[source] = sequence + len(data) + (1 if flags & 3 else 0)
        self.ip(source[0], destination[0], 6, bytes(segment))

    def open(self, ev: tuple[str, int], secc: tuple[str, int]) -> None:
        self.tcp(ev, secc, b"", 0x02)
        self.tcp(secc, ev, b"", 0x12)

    def save(self, path: Path, *, ng: bool = False) -> Path:
        with path.open("wb") as file:
            kinds = dpkt.pcapng if ng else dpkt.pcap
            writer = (
                kinds.Writer(file, linktype=LINK_TYPES[self.link]) if not ng else kinds.Writer(file, idb=_interface(LINK_TYPES[self.link]))
            )
            for number, packet in enumerate(self.packets):
                writer.writepkt(packet, ts=1000.5 + number)
        return path


def _interface(link: int) -> object:
    return dpkt.pcapng.InterfaceDescriptionBlockLE(linktype=link)


def v2g(message: Message, namespace: str, payload_type: int = 0x8001) -> bytes:
    return v2gtp.Frame(payload_type, exi.encode(message, namespace)).octets()


def offer(*namespaces: str) -> bytes:
    protocols = [
        sap.AppProtocolType(ProtocolNamespace=each, VersionNumberMajor=2, VersionNumberMinor=0, SchemaID=number, Priority=number)
        for number, each in enumerate(namespaces, 1)
    ]
    return v2g(sap.supportedAppProtocolReq(AppProtocol=tuple(protocols)), SAP)


def chosen(number: int | None) -> bytes:
    return v2g(sap.supportedAppProtocolRes(ResponseCode="OK_SuccessfulNegotiation", SchemaID=number), SAP)


def iso2(body: mb.BodyBaseType) -> bytes:
    return v2g(md.V2G_Message(Header=mh.MessageHeaderType(SessionID=bytes(8)), Body=mb.BodyType(BodyElement=body)), ISO2)


def din(body: din_def.BodyBaseType) -> bytes:
    header = din_header.MessageHeaderType(SessionID=bytes(8))
    return v2g(din_def.V2G_Message(Header=header, Body=din_def.BodyType(BodyElement=body)), DIN)


SETUP = iso2(mb.SessionSetupReq(EVCCID=bytes(6)))
SETUP_RES = iso2(mb.SessionSetupRes(ResponseCode="OK_NewSessionEstablished", EVSEID="DE*ABC*E1"))
