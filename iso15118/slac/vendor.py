"""The management messages that makers of modems have added: Qualcomm (QCA7000, QCA7005, QCA7420) and Lumissil (CG5317).

Layouts: those of Qualcomm from open-plc-utils, those of Lumissil from EVerest's libslac [S]; both know fields only as far as they use them. Where a
firmware sends more than its layout says, the rest is not looked at (`open_end`).
"""

import struct
from typing import Annotated, ClassVar, NamedTuple

from iso15118.slac.layout import Head, Mme, MmeError, Number, Octets, Reserved, Same, Tail, mme, take

LOCAL = bytes.fromhex("00B052000001")
"""Whatever modem hangs on the interface answers to it, with its own address as source; it is Qualcomm's, and Lumissil's chips take it too [S]."""
QUALCOMM = Head(0, b"", bytes.fromhex("00B052"))
"""HomePlug AV 1.0: without what says fragments."""
QUALCOMM_AV_1_1 = Head(1, bytes(2), bytes.fromhex("00B052"))
LUMISSIL = Head(0, b"", bytes.fromhex("0016E8"))

_Octet = Annotated[int, Number(1)]
_Short = Annotated[int, Number(2)]
_Number = Annotated[int, Number(4)]
_Mac = Annotated[bytes, Octets(6)]


class _Text(Tail):
    """Number of octets, and so many of a text in ASCII, ended by a zero or by its length; then what is left of 64, and whether it can be replaced."""

    ROOM = 64

    def read(self, frame: bytes, at: int) -> tuple[str, int]:
        count = take(frame, at, 1, "the length of a text")[0]
        return _ascii(take(frame, at + 1, count, "a text")), at + 1 + count

    def octets(self, value: str) -> bytes:
        coded = value.encode("ascii", "replace")
        return bytes((len(coded),)) + coded.ljust(self.ROOM, b"\0") + b"\0"


class _Groups(Tail):
    """Number of groups, carriers in each, 7 reserved octets, and a mean attenuation for each group [S: scapy]."""

    def read(self, frame: bytes, at: int) -> tuple[bytes, int]:
        count = take(frame, at, 9, "the number of groups")[0]
        return take(frame, at + 9, count, "the groups"), at + 9 + count

    def octets(self, value: bytes) -> bytes:
        return bytes((len(value), 0)) + bytes(7) + value


def _ascii(octets: bytes) -> str:
    """What is printable of it; a firmware's texts go to logs and screens."""
    return "".join(chr(octet) if 32 <= octet < 127 else "?" for octet in octets.partition(b"\0")[0])


# ---- Qualcomm


@mme(0xA000, QUALCOMM)
class VsSwVerReq(Mme):
    """VS_SW_VER.REQ: which firmware? It takes every chip that answers to Qualcomm's messages, and finds the modem's address."""


@mme(0xA001, QUALCOMM, open_end=True)
class VsSwVerCnf(Mme):
    """VS_SW_VER.CNF."""

    status: _Octet = 0
    device_class: _Octet
    version: Annotated[str, _Text()]


@mme(0xA010, QUALCOMM)
class VsGetNvmReq(Mme):
    """VS_GET_NVM.REQ: which flash memory has it?"""


@mme(0xA011, QUALCOMM, open_end=True)
class VsGetNvmCnf(Mme):
    """VS_GET_NVM.CNF."""

    status: _Octet = 0
    nvm_type: _Number
    page_octets: _Number
    block_octets: _Number
    size_octets: _Number


@mme(0xA01C, QUALCOMM)
class VsRsDevReq(Mme):
    """VS_RS_DEV.REQ: begin anew. It takes seconds."""


@mme(0xA01D, QUALCOMM, open_end=True)
class VsRsDevCnf(Mme):
    """VS_RS_DEV.CNF: it will."""

    status: _Octet = 0


@mme(0xA050, QUALCOMM)
class VsSetKeyReq(Mme):
    """VS_SET_KEY.REQ: as CM_SET_KEY, without a NID: the modem computes it."""

    eks: _Octet = 1
    nmk: Annotated[bytes, Octets(16)]
    peks: _Octet = 0x0F
    """0F: on this modem itself; no RDA and DAK are needed."""
    rda: _Mac = bytes(6)
    dak: Annotated[bytes, Octets(16)] = bytes(16)


@mme(0xA051, QUALCOMM, open_end=True)
class VsSetKeyCnf(Mme):
    """VS_SET_KEY.CNF."""

    status: _Octet = 0


@mme(0xA0B8, QUALCOMM)
class VsPlLnkStatusReq(Mme):
    """VS_PL_LNK_STATUS.REQ: is there a link to another modem?"""


@mme(0xA0B9, QUALCOMM, open_end=True)
class VsPlLnkStatusCnf(Mme):
    """VS_PL_LNK_STATUS.CNF."""

    status: _Octet = 0
    link_status: _Octet
    """1: there is."""


class Station(NamedTuple):
    """Another modem of a network."""

    mac: bytes
    tei: int
    bridged_mac: bytes
    """The host behind it."""
    to_Mbps: int
    from_Mbps: int


class Network(NamedTuple):
    """A network that the modem is in."""

    nid: bytes
    snid: int
    tei: int
    role: int
    """0 station, 1 proxy coordinator, 2 coordinator."""
    cco_mac: bytes
    cco_tei: int
    stations: tuple[Station, ...]


class _Networks(Tail):
    """Length of all, a reserved octet, number of networks; each with its stations."""

    NETWORK = struct.Struct("<7s2xBB4xB6sB3xB5x")
    STATION = struct.Struct("<6sB3x6sH2xH2x")

    def read(self, frame: bytes, at: int) -> tuple[tuple[Network, ...], int]:
        length = int.from_bytes(take(frame, at, 2, "DATA_LEN"), "little")
        at += 2
        end = at + len(take(frame, at, length, "DATA"))
        count, at = take(frame, at + 1, 1, "NUMAVLNS")[0], at + 2
        found = []
        for _ in range(count):
            *head, stations = self.NETWORK.unpack(take(frame, at, self.NETWORK.size, "a network"))
            at += self.NETWORK.size
            octets = take(frame, at, stations * self.STATION.size, "the stations of a network")
            at += len(octets)
            found.append(Network._make((*head, tuple(map(Station._make, self.STATION.iter_unpack(octets))))))
        if at > end:
            raise MmeError(end, f"DATA ends here; its networks go on to {at}")
        return tuple(found), end

    def octets(self, value: tuple[Network, ...]) -> bytes:
        data = bytes((0, len(value)))
        for each in value:
            data += self.NETWORK.pack(*each[:6], len(each.stations)) + b"".join(self.STATION.pack(*station) for station in each.stations)
        return len(data).to_bytes(2, "little") + data


@mme(0xA038, QUALCOMM_AV_1_1)
class VsNwInfoReq(Mme):
    """VS_NW_INFO.REQ: which network, and who is in it?"""


@mme(0xA039, QUALCOMM_AV_1_1, open_end=True)
class VsNwInfoCnf(Mme):
    """VS_NW_INFO.CNF. `sub_version` may mean another layout of the stations; that of open-plc-utils is read."""

    sub_version: _Octet = 0
    RSVD: ClassVar[Annotated[bytes, Reserved(1)]]
    networks: Annotated[tuple[Network, ...], _Networks()]


@mme(0xA068, QUALCOMM)
class VsOpAttributesReq(Mme):
    """VS_OP_ATTRIBUTES.REQ: what exactly is it?"""

    cookie: _Number = 0
    report_type: _Octet = 0
    """0: in binary."""


@mme(0xA069, QUALCOMM, open_end=True)
class VsOpAttributesCnf(Mme):
    """VS_OP_ATTRIBUTES.CNF. Its texts are padded with zeros."""

    status: Annotated[int, Number(2)] = 0
    cookie: _Number = 0
    REPORT_TYPE: ClassVar[Annotated[int, Same(bytes(1))]]
    SIZE: ClassVar[Annotated[int, Same((118).to_bytes(2, "little"))]]
    """Of what follows: with another one it is something else. 80 octets of them are known."""
    hardware: Annotated[bytes, Octets(16)]
    software: Annotated[bytes, Octets(16)]
    major: _Number
    minor: _Number
    pib: _Number
    build: _Number
    RSVD: ClassVar[Annotated[bytes, Reserved(4)]]
    build_date: Annotated[bytes, Octets(8)]
    release_type: Annotated[bytes, Octets(12)]
    sdram_type: _Octet = 0
    RSVD2: ClassVar[Annotated[bytes, Reserved(1)]]
    line_frequency: _Octet = 0
    """Lowest two bits: 1 is 50 Hz, 2 is 60 Hz; the next two: zero crossing 1 detected, 2 missing."""
    sdram_octets: _Number = 0
    authorization_mode: _Octet = 0


@mme(0xA14E, QUALCOMM, open_end=True)
class VsAttenCharInd(Mme):
    """VS_ATTEN_CHAR.IND: what some firmware sends of itself for each sound, beside CM_ATTEN_PROFILE.IND."""

    pev_mac: _Mac
    aag: Annotated[bytes, _Groups()]
    """dB, one octet a group of carriers."""


# ---- Lumissil

_Lms = Annotated[bytes, Reserved(19)]
"""Version 2, reserved 4, request 1, reserved 12: EVerest sets none of them, and looks at none [S]."""


@mme(0xAC6C, LUMISSIL)
class NscmGetVersionReq(Mme):
    """NSCM_GET_VERSION.REQ: which firmware?"""

    LMS: ClassVar[_Lms]


@mme(0xAC6D, LUMISSIL, open_end=True)
class NscmGetVersionCnf(Mme):
    """NSCM_GET_VERSION.CNF."""

    LMS: ClassVar[_Lms]
    major: _Short
    minor: _Short
    patch: _Short
    build: _Short


@mme(0xAC70, LUMISSIL)
class NscmResetDeviceReq(Mme):
    """NSCM_RESET_DEVICE.REQ: begin anew. There is no answer [S]."""

    LMS: ClassVar[_Lms]
    mode: _Octet = 0
    """0: a normal one."""


@mme(0xAC9C, LUMISSIL)
class NscmGetDLinkStatusReq(Mme):
    """NSCM_GET_D_LINK_STATUS.REQ: is there a link to another modem?"""

    LMS: ClassVar[_Lms]


@mme(0xAC9D, LUMISSIL, open_end=True)
class NscmGetDLinkStatusCnf(Mme):
    """NSCM_GET_D_LINK_STATUS.CNF."""

    LMS: ClassVar[_Lms]
    link_status: _Octet
    """1: there is."""
