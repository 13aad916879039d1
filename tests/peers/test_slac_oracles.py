"""Management messages as other programs read them: tshark and scapy find the same fields in the same places, and nothing malformed."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from iso15118.slac import layout, mme, vendor
from iso15118.slac.layout import MOST, Mme
from iso15118.slac.mme import Frame, octets
from tests.peers.tshark import capture, tshark
from tests.unit.iso15118.slac_frames import EV, EVSE, GOLDEN, messages

pytestmark = pytest.mark.peer
IDS = [type(message).__name__ for message, _ in GOLDEN]


def places(message: Mme) -> Iterator[tuple[str, int, int]]:
    """Name, octet and size of what has a fixed place, and of where the tail begins."""
    at = message.LAYOUT.start
    for name, mark in layout.fields(type(message)):
        match mark:
            case layout.Octets(size) | layout.Number(size) | layout.Reserved(size):
                yield name, at, size
                at += size
            case layout.Same(fixed):
                yield name, at, len(fixed)
                at += len(fixed)


# ---- tshark

TSHARK = {
    "key_type": "key_type", "my_nonce": "my_nonce", "your_nonce": "your_nonce", "pid": "pid", "prn": "prn", "pmn": "pmn",
    "cco_capability": "cco_cap", "nid": "nid", "new_eks": "peks", "new_key": "nw_key", "result": "result", "APPLICATION_TYPE": "apptype",
    "SECURITY_TYPE": "sectype", "run_id": "runid", "msound_target": "sound_target", "time_out_100ms": "time_out", "resp_type": "resptype",
    "forwarding_sta": "forwarding_sta", "sender_id": "sender_id", "count": "countdown", "random": "rnd", "pev_mac": "pev_mac",
    "source_address": "source_mac", "source_id": "source_id", "resp_id": "resp_id", "SIGNAL_TYPE": "signaltype", "timer": "timer",
    "toggle_num": "togglenum", "MVFLENGTH": "length", "pev_id": "pev_id", "evse_id": "evse_id", "evse_mac": "evse_mac", "nmk": "nmk",
    "status": "status", "device_class": "dev_id", "nvm_type": "nvm_type", "page_octets": "nvm_page", "block_octets": "nvm_block",
    "size_octets": "nvm_size", "eks": "eks", "peks": "peks", "rda": "rda", "dak": "dak", "cookie": "cookie", "report_type": "rep_type",
    "REPORT_TYPE": "rep_type", "SIZE": "size", "hardware": "hw", "software": "sw", "major": "sw_major", "minor": "sw_minor",
    "pib": "sw_sub", "build": "sw_sub", "build_date": "sw_date", "release_type": "sw_rel", "sdram_type": "sw_sdram_type",
    "line_frequency": "sw_linefreq", "sdram_octets": "sw_sdram_size", "authorization_mode": "sw_auth_mode",
}  # fmt: skip
"""Our name -> how its name ends there. `num_sounds` has three names."""
UNREAD = (
    mme.AmpMapReq, mme.AmpMapCnf, vendor.VsPlLnkStatusCnf, vendor.VsAttenCharInd, vendor.VsNwInfoCnf, vendor.NscmGetVersionReq,
    vendor.NscmGetVersionCnf, vendor.NscmResetDeviceReq, vendor.NscmGetDLinkStatusReq, vendor.NscmGetDLinkStatusCnf,
)  # fmt: skip
"""Of these tshark 4.0 knows the name at most, or has its own order of them (the networks, below)."""


@pytest.fixture(scope="module")
def dissected(tmp_path_factory: pytest.TempPathFactory) -> list[ET.Element]:
    """What tshark makes of each of the golden messages."""
    path = capture(tmp_path_factory.mktemp("slac") / "golden.pcap", [octets(Frame(EVSE, EV, message)) for message, _ in GOLDEN])
    return ET.fromstring(tshark(path, "-T", "pdml")).findall("packet")


@pytest.mark.parametrize("number", range(len(GOLDEN)), ids=IDS)
def test_tshark_finds_every_field_where_we_put_it(dissected: list[ET.Element], number: int) -> None:
    message = GOLDEN[number][0]
    frame = octets(Frame(EVSE, EV, message))
    protocol = dissected[number].find("proto[@name='homeplug-av']")
    assert protocol is not None
    theirs = {(int(each.attrib["pos"]), int(each.attrib["size"]), each.attrib["name"]): each for each in protocol.iter("field")}
    types = {each.attrib["show"] for each in protocol.iter("field") if ".mmtype" in each.attrib["name"] and each.attrib["size"] == "2"}
    assert types in ({f"0x{message.MMTYPE:04x}"}, set()), "Lumissil's types have no name there"
    if isinstance(message, UNREAD):
        return
    for name, at, size in places(message):
        ending = {"num_sounds": "s_count" if not isinstance(message, mme.SlacParmCnf) else "sound_count"}.get(name, TSHARK.get(name))
        if ending is None:
            assert name.startswith("RSVD"), f"{name} has no name to look for"
            continue
        found = [each for (there, wide, title), each in theirs.items() if (there, wide) == (at, size) and title.endswith(ending)]
        assert found, f"{name}: nothing {ending!r} at {at}, {size} octets"
        value = found[0].attrib.get("unmaskedvalue", found[0].attrib["value"])
        assert bytes.fromhex(value) == frame[at : at + size], name


def test_tshark_reads_tails_as_we_wrote_them(dissected: list[ET.Element]) -> None:
    def values(kind: type[Mme], ending: str) -> list[str]:
        packet = dissected[[type(message) for message, _ in GOLDEN].index(kind)]
        return [each.attrib["show"] for each in packet.iter("field") if each.attrib["name"].endswith(ending)]

    for kind in (mme.AttenProfileInd, mme.AttenCharInd):
        assert values(kind, "groups_count") in (["58"], ["0x3a"])
        assert values(kind, ".aag") == [str(each) for each in range(5, 63)]
    assert values(mme.NwStatsCnf, "num_stas") == ["1"]
    assert values(mme.NwStatsCnf, "sta_info.da") == ["00:01:9a:1b:2c:3d"]
    assert values(mme.NwStatsCnf, "phy_dr_tx") + values(mme.NwStatsCnf, "phy_dr_rx") == ["9", "7"]
    assert values(vendor.VsSwVerCnf, "ver_str") == ["MAC-QCA7000-1.1"]
    networks = {
        "num_avlns": "1", "nw_info.nid": "b0:f2:e6:95:66:6b:03", ".snid": "0x04", "nw_info.tei": "1", "sta_role": "0x02",
        "cco_mac": "00:b0:52:4e:4d:01", "cco_tei": "1", "num_stas": "1", "sta_info.da": "00:01:9a:1b:2c:3d", "sta_indo.tei": "2",
        "sta_indo.bda": "98:ed:5c:0a:0b:0c", "phy_dr_tx": "9", "phy_dr_rx": "258",
    }  # fmt: skip
    assert {ending: values(vendor.VsNwInfoCnf, ending) for ending in networks} == {ending: [show] for ending, show in networks.items()}


def test_tshark_finds_nothing_malformed_in_what_we_send(tmp_path: Path) -> None:
    frames = [octets(Frame(EVSE, EV, message)) for message, _ in GOLDEN]

    @settings(max_examples=300, derandomize=True, database=None, deadline=None)
    @given(messages())
    def collect(message: Mme) -> None:
        try:
            frames.append(octets(Frame(EVSE, EV, message)))
        except ValueError:
            return

    collect()
    # Its reader of networks knows one network a frame, and every type as a text of at most 64 octets in a version.
    frames = [each for each in frames if each[15:17] not in (b"\x39\xa0", b"\x01\xa0") or each in frames[: len(GOLDEN)]]
    path = capture(tmp_path / "all.pcap", frames)
    assert len(tshark(path).splitlines()) == len(frames) > 250
    assert tshark(path, "-Y", "_ws.malformed || _ws.expert", "-T", "fields", "-e", "frame.number") == ""
    broken = capture(tmp_path / "broken.pcap", [each[:-20] for each in frames if len(each) > 80][:5])
    assert tshark(broken, "-Y", "_ws.malformed", "-T", "fields", "-e", "frame.number"), "and would find it"


# ---- scapy

SCAPY = {
    "key_type": "KeyType", "my_nonce": "MyNonce", "your_nonce": "YourNonce", "pid": "PID", "prn": "ProtoRunNumber", "pmn": "ProtoMessNumber",
    "cco_capability": "CCoCapability", "nid": "NetworkID", "new_eks": "NewEncKeySelect", "new_key": "NewKey", "result": "Result",
    "run_id": "RunID", "msound_target": "MSoundTargetMAC", "num_sounds": "NumberOfSounds", "time_out_100ms": "TimeOut",
    "resp_type": "ResponseType", "forwarding_sta": "ForwardingSTA", "sender_id": "SenderID", "count": "Countdown", "random": "RandomValue",
    "pev_mac": "EVMAC", "source_address": "SourceAdress", "source_id": "SourceID", "resp_id": "ResponseID", "aag": "Groups",
    "pev_id": "EVID", "evse_id": "EVSEID", "evse_mac": "EVSEMAC", "nmk": "NMK", "status": "Status", "nvm_type": "NVMType",
    "page_octets": "NVMPageSize", "block_octets": "NVMBlockSize", "size_octets": "NVMMemorySize", "eks": "EKS", "peks": "PayloadEncKeySelect",
    "rda": "DestinationMAC", "dak": "DAK",
}  # fmt: skip
OTHER_NAMES = {
    (mme.SlacParmCnf, "num_sounds"): "NumberMSounds",
    (mme.AttenProfileInd, "pev_mac"): "EVMACAddress",
    (vendor.VsAttenCharInd, "pev_mac"): "EVMACAddress",
}
KNOWN_TO_SCAPY = {
    mme.SetKeyReq: "CM_SET_KEY_REQ", mme.SetKeyCnf: "CM_SET_KEY_CNF", mme.SlacParmReq: "CM_SLAC_PARM_REQ", mme.SlacParmCnf: "CM_SLAC_PARM_CNF",
    mme.StartAttenCharInd: "CM_START_ATTEN_CHAR_IND", mme.MnbcSoundInd: "CM_MNBC_SOUND_IND",
    mme.AttenProfileInd: "CM_ATTENUATION_CHARACTERISTICS_MME", mme.AttenCharInd: "CM_ATTEN_CHAR_IND", mme.AttenCharRsp: "CM_ATTEN_CHAR_RSP",
    mme.SlacMatchReq: "CM_SLAC_MATCH_REQ", mme.SlacMatchCnf: "CM_SLAC_MATCH_CNF", vendor.VsGetNvmCnf: "GetNVMParametersConfirmation",
    vendor.VsRsDevCnf: "ResetDeviceConfirmation", vendor.VsSetKeyReq: "SetEncryptionKeyRequest",
    vendor.VsSetKeyCnf: "SetEncryptionKeyConfirmation", vendor.VsAttenCharInd: "VS_ATTENUATION_CHARACTERISTICS_MME",
}  # fmt: skip


def as_octets(value: Any, size: int, order: Any) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(size, order)
    if isinstance(value, str):
        return bytes.fromhex(value.replace(":", ""))
    if isinstance(value, list):
        return bytes(each.group for each in value)
    return bytes(value)


@settings(max_examples=300, deadline=None)
@given(message=messages().filter(lambda message: type(message) in KNOWN_TO_SCAPY))
def test_scapy_reads_every_field_and_builds_the_same_frame(message: Mme) -> None:
    from scapy.contrib import homepluggp  # noqa: F401 binds the layers
    from scapy.layers.l2 import Ether

    frame = octets(Frame(EVSE, EV, message))
    end = max(message.LAYOUT.least, len(frame) if message.LAYOUT.tail else 0)
    packet = Ether(frame[:end])
    layer = packet.getlayer(KNOWN_TO_SCAPY[type(message)])
    assert layer is not None, packet.show(dump=True)
    layer = getattr(layer, "VariableField", layer)
    for name, mark in layout.fields(type(message)):
        if name.isupper() or name.startswith("RSVD"):
            continue
        ours = getattr(message, name)
        theirs = getattr(layer, OTHER_NAMES.get((type(message), name), SCAPY[name]))
        size = mark.size if isinstance(mark, layout.Octets | layout.Number) else len(ours)
        # Of numbers of several octets scapy takes those of SET_KEY the other way round; its octets are the same.
        big = isinstance(message, mme.SetKeyReq | mme.SetKeyCnf)
        assert as_octets(theirs, size, "big" if big else "little") == as_octets(ours, size, "little"), name
    packet.clear_cache()
    assert bytes(packet) == frame[:end]


def test_what_scapy_does_not_read_is_known() -> None:
    assert len(KNOWN_TO_SCAPY) == 16
    assert len({type(message) for message, _ in GOLDEN}) - len(KNOWN_TO_SCAPY) == 21
    assert MOST == 1514
