"""The management messages of HomePlug Green PHY that matching takes, and `read` and `octets` for frames of them and of `vendor`.

Layouts: HomePlug Green PHY 1.1 and ISO 15118-3 annex A [K], as open-plc-utils, libslac and the test suites of ISO 15118-5 have them in public [S].
MMV is 01, and no message comes in fragments.
"""

from typing import Annotated, ClassVar, NamedTuple

from iso15118.slac import vendor
from iso15118.slac.layout import BODY, ETHERTYPE, KNOWN, LEAST, MOST, Mme, Number, Octets, Reserved, Same, Tail, mme, take
from iso15118.slac.layout import MmeError as MmeError  # noqa: PLC0414 what `read` raises is imported with it
from iso15118.slac.layout import NotOurs as NotOurs  # noqa: PLC0414

BROADCAST = bytes.fromhex("FFFFFFFFFFFF")
LOCAL = vendor.LOCAL
"""Whatever modem hangs on the interface; no other takes it."""
GROUPS = 58
"""Of carriers: each has a mean attenuation."""
NOBODY = bytes(17)
"""A station's identifier in all messages of ISO 15118-3."""

Mac = Annotated[bytes, Octets(6)]
RunId = Annotated[bytes, Octets(8)]
StationId = Annotated[bytes, Octets(17)]
Nid = Annotated[bytes, Octets(7)]
Nmk = Annotated[bytes, Octets(16)]
Nonce = Annotated[bytes, Octets(4)]
Octet = Annotated[int, Number(1)]
Word = Annotated[int, Number(2)]
Zero = Annotated[int, Same(bytes(1))]
"""APPLICATION_TYPE 00: matching of vehicle and EVSE. SECURITY_TYPE 00: none. SignalType 00: the vehicle toggles S2."""


class _Groups(Tail):
    """NumGroups, which is 58, and a mean attenuation in dB for each. The structures of open-plc-utils have room for 255, and it sends
    all of them [S].
    """

    ROOM = 255

    def __init__(self, *, reserved: int) -> None:
        self.reserved = reserved

    def read(self, frame: bytes, at: int) -> tuple[bytes, int]:
        groups = take(frame, at, 1, "NumGroups")[0]
        if groups != GROUPS:
            raise MmeError(at, f"NumGroups is {groups}, expected {GROUPS}")
        at += 1 + self.reserved
        aag = take(frame, at, GROUPS, "the groups")
        filled = len(frame) == at + self.ROOM and not any(frame[at + GROUPS :])
        return aag, at + (self.ROOM if filled else GROUPS)

    def octets(self, value: bytes) -> bytes:
        if len(value) != GROUPS:
            raise ValueError(f"{len(value)} groups, have to be {GROUPS}")
        return bytes((GROUPS,)) + bytes(self.reserved) + value


class _Nibbles(Tail):
    """Their number, which is not 0, and so many half octets, the lower one first."""

    MOST = 2 * (MOST - BODY - 2 - 2)

    def read(self, frame: bytes, at: int) -> tuple[bytes, int]:
        count = int.from_bytes(take(frame, at, 2, "AMLEN"), "little")
        if not count:
            raise MmeError(at, "AMLEN is 0")
        packed = take(frame, at + 2, (count + 1) // 2, "AMDATA")
        return bytes(half for octet in packed for half in (octet & 15, octet >> 4))[:count], at + 2 + len(packed)

    def octets(self, value: bytes) -> bytes:
        if not 1 <= len(value) <= self.MOST or max(value) > 15:
            raise ValueError(f"an amplitude map of 1 to {self.MOST} values from 0 to 15; this one has {len(value)}")
        even = value + bytes(len(value) % 2)
        return len(value).to_bytes(2, "little") + bytes(low | high << 4 for low, high in zip(even[::2], even[1::2], strict=True))


class Rate(NamedTuple):
    """How fast another station of the network is heard, and hears."""

    mac: bytes
    to_Mbps: int
    from_Mbps: int


class _Rates(Tail):
    """Number of stations, and for each its address and two rates."""

    def read(self, frame: bytes, at: int) -> tuple[tuple[Rate, ...], int]:
        count = take(frame, at, 1, "NumSTAs")[0]
        octets = take(frame, at + 1, 8 * count, "the stations")
        return tuple(Rate(octets[i : i + 6], octets[i + 6], octets[i + 7]) for i in range(0, len(octets), 8)), at + 1 + len(octets)

    def octets(self, value: tuple[Rate, ...]) -> bytes:
        if any(len(rate.mac) != 6 for rate in value):
            raise ValueError("a station's address has 6 octets")
        return bytes((len(value),)) + b"".join(rate.mac + bytes(rate[1:]) for rate in value)


# ---- the modem's key and network


@mme(0x6008)
class SetKeyReq(Mme):
    """CM_SET_KEY.REQ, host to its own modem: join the network of this key. The defaults are those of matching."""

    key_type: Octet = 1
    """1: NMK, AES-128."""
    my_nonce: Nonce = bytes(4)
    your_nonce: Nonce = bytes(4)
    pid: Octet = 4
    """4: protocol of the layers above."""
    prn: Word = 0
    pmn: Octet = 0
    cco_capability: Octet = 0
    nid: Nid
    new_eks: Octet = 1
    """1: the key is an NMK."""
    new_key: Nmk


@mme(0x6009)
class SetKeyCnf(Mme):
    """CM_SET_KEY.CNF, from the modem. Chips of Qualcomm answer 01 when it is set, the standard says 00: both mean it is [S]."""

    result: Octet
    my_nonce: Nonce = bytes(4)
    your_nonce: Nonce = bytes(4)
    pid: Octet = 4
    prn: Word = 0
    pmn: Octet = 0
    cco_capability: Octet = 0


@mme(0x601C)
class AmpMapReq(Mme):
    """CM_AMP_MAP.REQ: send with less power on these carriers."""

    amplitudes: Annotated[bytes, _Nibbles()]
    """One octet a carrier, 0 to 15."""


@mme(0x601D)
class AmpMapCnf(Mme):
    """CM_AMP_MAP.CNF."""

    result: Octet
    """0: done."""


@mme(0x6048)
class NwStatsReq(Mme):
    """CM_NW_STATS.REQ, to the own modem: who else is in the network?"""


@mme(0x6049)
class NwStatsCnf(Mme):
    """CM_NW_STATS.CNF."""

    stations: Annotated[tuple[Rate, ...], _Rates()]


# ---- attenuation


@mme(0x6064)
class SlacParmReq(Mme):
    """CM_SLAC_PARM.REQ, broadcast by a vehicle: who takes part?"""

    APPLICATION_TYPE: ClassVar[Zero]
    SECURITY_TYPE: ClassVar[Zero]
    run_id: RunId


@mme(0x6065)
class SlacParmCnf(Mme):
    """CM_SLAC_PARM.CNF: this EVSE does, and wants so many sounds."""

    msound_target: Mac = BROADCAST
    num_sounds: Octet = 10
    time_out_100ms: Octet = 6
    """TT_EVSE_match_MNBC."""
    resp_type: Octet = 1
    """1: the sounds are answered to another station, `forwarding_sta`."""
    forwarding_sta: Mac
    APPLICATION_TYPE: ClassVar[Zero]
    SECURITY_TYPE: ClassVar[Zero]
    run_id: RunId


@mme(0x606A)
class StartAttenCharInd(Mme):
    """CM_START_ATTEN_CHAR.IND, broadcast three times: the sounds begin."""

    APPLICATION_TYPE: ClassVar[Zero]
    SECURITY_TYPE: ClassVar[Zero]
    num_sounds: Octet = 10
    time_out_100ms: Octet = 6
    resp_type: Octet = 1
    forwarding_sta: Mac
    run_id: RunId


@mme(0x6076)
class MnbcSoundInd(Mme):
    """CM_MNBC_SOUND.IND, broadcast ten times: what is measured."""

    APPLICATION_TYPE: ClassVar[Zero]
    SECURITY_TYPE: ClassVar[Zero]
    sender_id: StationId = NOBODY
    count: Octet
    """How many come after it."""
    run_id: RunId
    RSVD: ClassVar[Annotated[bytes, Reserved(8)]]
    random: Annotated[bytes, Octets(16)]


@mme(0x6086)
class AttenProfileInd(Mme):
    """CM_ATTEN_PROFILE.IND, from the own modem: how it heard one sound. Anybody on the line can forge one: its source decides."""

    pev_mac: Mac
    aag: Annotated[bytes, _Groups(reserved=1)]
    """dB, one octet a group of carriers."""


@mme(0x606E)
class AttenCharInd(Mme):
    """CM_ATTEN_CHAR.IND, EVSE to vehicle: the means of all sounds."""

    APPLICATION_TYPE: ClassVar[Zero]
    SECURITY_TYPE: ClassVar[Zero]
    source_address: Mac
    run_id: RunId
    source_id: StationId = NOBODY
    resp_id: StationId = NOBODY
    num_sounds: Octet
    """How many were heard."""
    aag: Annotated[bytes, _Groups(reserved=0)]


@mme(0x606F)
class AttenCharRsp(Mme):
    """CM_ATTEN_CHAR.RSP: the vehicle has them."""

    APPLICATION_TYPE: ClassVar[Zero]
    SECURITY_TYPE: ClassVar[Zero]
    source_address: Mac
    run_id: RunId
    source_id: StationId = NOBODY
    resp_id: StationId = NOBODY
    result: Octet = 0
    """0: success; nothing else is one."""


# ---- the right one


@mme(0x6078)
class ValidateReq(Mme):
    """CM_VALIDATE.REQ: the vehicle will toggle between B and C on the pilot."""

    SIGNAL_TYPE: ClassVar[Zero]
    timer: Octet = 0
    """Of the second one: for (timer + 1) x 100 ms."""
    result: Octet = 1
    """1: ready."""


@mme(0x6079)
class ValidateCnf(Mme):
    """CM_VALIDATE.CNF."""

    SIGNAL_TYPE: ClassVar[Zero]
    toggle_num: Octet = 0
    """How many toggles the EVSE has seen."""
    result: Octet
    """0 not ready, 1 ready, 2 success, 3 failure, 4 not required."""


@mme(0x607C)
class SlacMatchReq(Mme):
    """CM_SLAC_MATCH.REQ: the vehicle has chosen this EVSE."""

    APPLICATION_TYPE: ClassVar[Zero]
    SECURITY_TYPE: ClassVar[Zero]
    MVFLENGTH: ClassVar[Annotated[int, Same((62).to_bytes(2, "little"))]]
    pev_id: StationId = NOBODY
    pev_mac: Mac
    evse_id: StationId = NOBODY
    evse_mac: Mac
    run_id: RunId
    RSVD: ClassVar[Annotated[bytes, Reserved(8)]]


@mme(0x607D)
class SlacMatchCnf(Mme):
    """CM_SLAC_MATCH.CNF: and this is the key of its network."""

    APPLICATION_TYPE: ClassVar[Zero]
    SECURITY_TYPE: ClassVar[Zero]
    MVFLENGTH: ClassVar[Annotated[int, Same((86).to_bytes(2, "little"))]]
    pev_id: StationId = NOBODY
    pev_mac: Mac
    evse_id: StationId = NOBODY
    evse_mac: Mac
    run_id: RunId
    RSVD1: ClassVar[Annotated[bytes, Reserved(8)]]
    nid: Nid
    RSVD2: ClassVar[Annotated[bytes, Reserved(1)]]
    nmk: Nmk


# ---- frames


class Frame(NamedTuple):
    """A message on its way."""

    destination: bytes
    source: bytes
    mme: Mme
    """One of the classes of this module or of `vendor`."""


def read(frame: bytes) -> Frame:
    """What a frame says. Raises MmeError and nothing else; NotOurs for what may well be right, but is for others."""
    if not BODY <= len(frame) <= MOST:
        raise MmeError(min(len(frame), MOST), f"a frame of {len(frame)} octets; a management message has {BODY} to {MOST}")
    if frame[12:14] != ETHERTYPE:
        raise NotOurs(12, f"EtherType {frame[12:14].hex().upper()}, expected {ETHERTYPE.hex().upper()}")
    if frame[6] & 1:
        raise MmeError(6, f"the source {frame[6:12].hex(':')} is no station's address")
    mmtype = int.from_bytes(frame[15:17], "little")
    layout = KNOWN.get(mmtype)
    if layout is None:
        raise NotOurs(15, f"MMTYPE {mmtype:04X} is not known here")
    return Frame(frame[:6], frame[6:12], layout.read(frame))


def octets(frame: Frame) -> bytes:
    """The frame as it is sent, padded. Raises ValueError for what does not fit."""
    if len(frame.destination) != 6 or len(frame.source) != 6:
        raise ValueError(f"addresses of {len(frame.destination)} and {len(frame.source)} octets, have to be 6")
    made = frame.destination + frame.source + ETHERTYPE + frame.mme.LAYOUT.octets(frame.mme)
    if len(made) > MOST:
        raise ValueError(f"a frame of {len(made)} octets; at most {MOST}")
    return made + bytes(max(0, LEAST - len(made)))
