"""V2G traffic out of captures. dpkt writes them (`exi_tape`): what is read is not what we think a capture looks like."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterable
from ipaddress import IPv6Address
from pathlib import Path

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.exi import capture, pcap
from bench.exi.capture import CaptureError
from bench.exi.given import DIN, ISO2, SAP
from iso15118 import exi, sdp, v2gtp
from iso15118.messages.din import msg_body as din_body
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from tests.unit.bench.exi_tape import LINK_TYPES, SETUP, SETUP_RES, Tape, chosen, din, offer, v2g

EV, SECC = "fe80::1", "fe80::2"


def read(path: Path) -> list[pcap.Line]:
    return list(pcap.session(path, exi.decode))


def names(lines: Iterable[pcap.Line]) -> list[str]:
    return [each.name for each in lines]


@pytest.mark.parametrize("ng", [False, True])
@pytest.mark.parametrize("link", LINK_TYPES)
@pytest.mark.parametrize(("ev", "secc"), [((EV, 50000), (SECC, 61000)), (("10.0.0.1", 50000), ("10.0.0.2", 61000))])
def test_a_session_from_slac_on(tmp_path: Path, link: str, ev: tuple[str, int], secc: tuple[str, int], ng: bool) -> None:
    tape = Tape(link)
    if link != "raw":
        tape.frame(0x88E1, bytes.fromhex("01 6460 0000") + bytes(20))
        tape.frame(0x88E1, bytes.fromhex("01 7660 0000") + bytes(20))
    tape.udp((EV, 40000), (sdp.GROUP, 15118), sdp.Request(sdp.Security.NONE).octets())
    tape.udp((SECC, 15118), (EV, 40000), sdp.Response(IPv6Address(SECC), 61000, sdp.Security.NONE).octets())
    tape.open(ev, secc)
    tape.tcp(ev, secc, offer(DIN, ISO2))
    tape.tcp(secc, ev, chosen(2))
    tape.tcp(ev, secc, SETUP)
    tape.tcp(secc, ev, SETUP_RES)
    lines = read(tape.save(tmp_path / "a.pcap", ng=ng))
    slac = [] if link == "raw" else ["CM_SLAC_PARM.REQ", "CM_MNBC_SOUND.IND"]
    sdps = ["SDP request: no TLS", f"SDP response: [{SECC}]:61000, no TLS"]
    assert names(lines) == [*slac, *sdps, "supportedAppProtocolReq", "supportedAppProtocolRes", "SessionSetupReq", "SessionSetupRes"]
    assert {each.namespace for each in lines[-2:]} == {ISO2}
    assert {each.note for each in lines} == {""}
    assert lines[-1].captured.time == pytest.approx(1000.5 + len(tape.packets) - 1)
    assert lines[-1].captured.source.endswith(":61000")
    assert lines[-1].captured.number == len(tape.packets)


def test_iso20_by_payload_type(tmp_path: Path) -> None:
    tape = Tape()
    ev, secc = (EV, 50000), (SECC, 61000)
    tape.open(ev, secc)
    header = ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=1)
    namespace = "urn:iso:std:iso:15118:-20:CommonMessages"
    tape.tcp(ev, secc, offer("urn:iso:std:iso:15118:-20:DC"))
    tape.tcp(secc, ev, chosen(None))
    tape.tcp(ev, secc, v2g(cm.SessionSetupReq(Header=header, EVCCID="X"), namespace, 0x8002))
    tape.tcp(ev, secc, v2gtp.Frame(0x8002, b"\x80\xff\xff").octets())
    tape.tcp(ev, secc, v2gtp.Frame(0xA000, b"\x80").octets())
    lines = read(tape.save(tmp_path / "a.pcap"))
    assert names(lines)[2:] == ["SessionSetupReq", "-20 main stream", "payload type A000"]
    assert lines[3].note.startswith(f"not decoded with {namespace}: ")
    assert lines[4].note == "this payload type carries no EXI that is known"


def test_a_capture_that_begins_in_the_middle_is_read_by_its_roots_and_says_so(tmp_path: Path) -> None:
    for octets, namespace in ((SETUP, ISO2), (din(din_body.SessionSetupReq(EVCCID=bytes(6))), DIN)):
        tape = Tape()
        tape.tcp((EV, 50000), (SECC, 61000), octets[-5:] + octets + octets)
        lines = read(tape.save(tmp_path / "a.pcap"))
        assert names(lines) == ["5 octets before the next frame belong to none", "SessionSetupReq", "SessionSetupReq"]
        assert {each.namespace for each in lines[1:]} == {namespace}
        assert lines[1].note == "the agreement on a protocol is not in the capture"


def test_a_protocol_without_schema_is_read_by_its_roots_and_says_so(tmp_path: Path) -> None:
    tape = Tape()
    ev, secc = (EV, 50000), (SECC, 61000)
    tape.open(ev, secc)
    tape.tcp(ev, secc, offer("urn:tesla:din:2018:MsgDef"))
    tape.tcp(secc, ev, chosen(1))
    tape.tcp(ev, secc, din(din_body.SessionSetupReq(EVCCID=bytes(6))))
    assert read(tape.save(tmp_path / "a.pcap"))[-1].note == "urn:tesla:din:2018:MsgDef was agreed on"


def test_two_sessions_of_the_same_ports(tmp_path: Path) -> None:
    tape = Tape()
    ev, secc = (EV, 50000), (SECC, 61000)
    for protocol, octets, start in ((ISO2, SETUP, 5), (DIN, din(din_body.SessionSetupReq(EVCCID=bytes(6))), 2**32 - 9)):
        tape.sequences = {ev: start, secc: 7}
        tape.open(ev, secc)
        tape.tcp(ev, secc, offer(protocol))
        tape.tcp(secc, ev, chosen(1))
        tape.tcp(ev, secc, octets)
        tape.tcp(ev, secc, b"", 0x11)
    assert [each.namespace for each in read(tape.save(tmp_path / "a.pcap"))] == [
        SAP,
        SAP,
        ISO2,
        SAP,
        SAP,
        DIN,
    ]


def test_tls_is_told_as_tls(tmp_path: Path) -> None:
    tape = Tape()
    tape.open((EV, 50000), (SECC, 61000))
    for _ in range(3):
        tape.tcp((EV, 50000), (SECC, 61000), bytes.fromhex("160301 0005 0100000100"))
    tape.tcp((SECC, 61001), (EV, 50001), bytes.fromhex("170303 0003 010203"))
    assert [each.captured.kind for each in read(tape.save(tmp_path / "a.pcap"))] == ["tls", "tls"]


def test_other_traffic_is_passed_over(tmp_path: Path) -> None:
    tape = Tape()
    tape.open((EV, 50000), (SECC, 80))
    tape.tcp((EV, 50000), (SECC, 80), b"GET / HTTP/1.1\r\n\r\n")
    tape.tcp((SECC, 8080), (EV, 50000), bytes(70_000)[:60_000])
    tape.udp((EV, 53), (SECC, 53), b"x" * 40)
    tape.frame(0x0806, bytes(28))
    assert read(tape.save(tmp_path / "a.pcap")) == []


def test_what_is_missing_is_told_and_the_next_frame_found(tmp_path: Path) -> None:
    tape = Tape()
    ev, secc = (EV, 50000), (SECC, 61000)
    tape.open(ev, secc)
    tape.tcp(ev, secc, offer(ISO2))
    tape.tcp(secc, ev, chosen(1))
    for cut in (SETUP[:5], SETUP[5:9], SETUP[9:] + SETUP):
        tape.tcp(ev, secc, cut)
    del tape.packets[-2]
    tape.tcp(secc, ev, SETUP_RES[:-1])
    lines = read(tape.save(tmp_path / "a.pcap"))
    assert names(lines)[2:] == [
        "4 octets of the stream are not in the capture, and 5 of the frame that they belong to",
        f"{len(SETUP) - 9} octets before the next frame belong to none",
        "SessionSetupReq",
        f"the stream ends inside of a frame, after {len(SETUP_RES) - 1} octets",
    ]


@pytest.mark.parametrize("wrong", ["01FD800100000001", "01FE800100010001", "0000000000000000"])
def test_what_is_no_frame_is_told_and_the_next_found(tmp_path: Path, wrong: str) -> None:
    tape = Tape()
    tape.open((EV, 50000), (SECC, 61000))
    tape.tcp((EV, 50000), (SECC, 61000), SETUP + bytes.fromhex(wrong) + SETUP)
    lines = read(tape.save(tmp_path / "a.pcap"))
    assert [each.captured.kind for each in lines] == ["v2gtp", "problem", "problem", "v2gtp"]
    assert wrong in lines[1].name
    assert lines[2].name == "8 octets before the next frame belong to none"


@given(dice=st.randoms(use_true_random=False), start=st.sampled_from([1, 2**31 - 20, 2**32 - 30]))
@settings(max_examples=60, deadline=None)
def test_segments_in_any_order_cut_anywhere_and_repeated(dice: random.Random, start: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    stream = offer(ISO2) + b"".join(v2gtp.Frame(0xB000 + each, bytes([each]) * (5 * each)).octets() for each in range(8))
    pieces, at = [], 0
    while at < len(stream):
        length = dice.randint(1, 40)
        pieces.append((at, stream[max(0, at - dice.choice((0, 0, 3))) : at + length]))
        pieces[-1] = (at + length - len(pieces[-1][1]) if at + length <= len(stream) else len(stream) - len(pieces[-1][1]), pieces[-1][1])
        at += length
    pieces += [dice.choice(pieces) for _ in range(dice.randint(0, 3))]
    order = sorted(range(len(pieces)), key=lambda each: each + dice.randint(0, 4))
    tape = Tape()
    tape.tcp((EV, 50000), (SECC, 61000), b"", 0x02, at=start)
    for each in order:
        tape.tcp((EV, 50000), (SECC, 61000), pieces[each][1], at=start + 1 + pieces[each][0])
    found = list(pcap.events(tape.save(tmp_path_factory.mktemp("pcap") / "a.pcap")))
    assert [each.kind for each in found] == ["v2gtp"] * 9
    assert [each.octets for each in found[1:]] == [bytes([each]) * (5 * each) for each in range(8)]


# ---- files


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack(f"{order}II", kind, len(body) + 12) + body + struct.pack(f"{order}I", len(body) + 12)


def test_every_interface_of_a_pcapng_has_its_own_link_and_clock(tmp_path: Path) -> None:
    """Both orders of octets, two sections, all kinds of packet blocks."""
    slac = bytes.fromhex("01 6460 0000")
    ethernet = bytes(12) + b"\x88\xe1" + slac
    cooked = struct.pack(">HHH8sH", 0, 1, 6, bytes(8), 0x88E1) + slac
    whole = b""
    for order in "<>":
        options = struct.pack(f"{order}HHB3xHHqHH", 9, 1, 9, 14, 8, 100, 0, 0)
        whole += block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)
        whole += block(1, struct.pack(f"{order}HHI", 1, 0, 0), order) + block(0xBAD, b"ignored", order)
        whole += block(1, struct.pack(f"{order}HHI", 113, 0, 0) + options, order)
        whole += block(6, struct.pack(f"{order}5I", 0, 0, 2_500_000, len(ethernet), len(ethernet)) + ethernet, order)
        whole += block(6, struct.pack(f"{order}5I", 1, 1, 0, len(cooked), len(cooked)) + cooked, order)
        whole += block(3, struct.pack(f"{order}I", len(ethernet)) + ethernet, order)
        whole += block(2, struct.pack(f"{order}HH4I", 0, 0, 0, 1_000_000, len(ethernet), len(ethernet)) + ethernet, order)
    path = tmp_path / "a.pcapng"
    path.write_bytes(whole)
    found = list(pcap.events(path))
    assert {each.name for each in found} == {"CM_SLAC_PARM.REQ"}
    assert [each.time for each in found] == pytest.approx([2.5, 100 + 2**32 / 1e9, 0.0, 1.0] * 2)


@pytest.mark.parametrize("magic", [b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"])
def test_every_kind_of_pcap(tmp_path: Path, magic: bytes) -> None:
    order = "<" if magic[0] in (0xD4, 0x4D) else ">"
    path = tmp_path / "a.pcap"
    packet = bytes(12) + b"\x88\xe1" + bytes.fromhex("01 00A0 0000")
    path.write_bytes(magic + struct.pack(f"{order}HHiIII", 2, 4, 0, 0, 65535, 1) + struct.pack(f"{order}4I", 9, 500, 19, 19) + packet)
    assert [each.name for each in pcap.events(path)] == ["vendor's A000.REQ"]
    assert next(capture.packets(path)).time == pytest.approx(9.0005 if b"\x3c" not in magic else 9.0000005)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04", "neither pcap nor pcapng: it begins with 504b0304"),
        (b"\xd4\xc3\xb2\xa1", "the file ends inside of the header"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0\0\0\0\0", "a section whose order of octets is 00000000"),
        (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(6, bytes(20)), "of an interface that is not described"),
        (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + struct.pack("<II", 6, 0xFFFFFFF0), "at most 1048576 are taken"),
        (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + struct.pack("<II", 6, 4), "a block of 4 octets"),
    ],
)
def test_what_is_no_capture_is_told_in_words(tmp_path: Path, octets: bytes, words: str) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(octets)
    with pytest.raises(CaptureError, match=words):
        read(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="No such file"):
        read(tmp_path / "nowhere")


def test_a_broken_file_is_read_to_where_it_breaks(tmp_path: Path) -> None:
    tape = Tape()
    tape.tcp((EV, 50000), (SECC, 61000), SETUP)
    tape.tcp((EV, 50000), (SECC, 61000), SETUP)
    path = tape.save(tmp_path / "a.pcap")
    path.write_bytes(path.read_bytes()[:-3])
    lines = pcap.session(path, exi.decode)
    assert next(lines).name == "SessionSetupReq"
    with pytest.raises(CaptureError, match="the file ends inside of packet 2"):
        next(lines)


def test_what_is_not_read_is_told_once(tmp_path: Path) -> None:
    tape = Tape("raw")
    for _ in range(3):
        tape.packets.append(b"\x45" + bytes(5) + b"\x20\x00" + bytes(40))
        tape.packets.append(b"\x60" + bytes(3) + b"\x00\x10\x2c\x40" + bytes(32) + b"\x11\x00\x00\x01" + bytes(12))
        tape.packets.append(b"\x45\x00")
    told = [each.name for each in read(tape.save(tmp_path / "a.pcap"))]
    assert told == [
        "a fragment of IPv4: these are not put together",
        "a fragment of IPv6: these are not put together",
        "IPv4 cut off after 2 octets",
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    tape = Tape()
    tape.frame(0x88E1, bytes.fromhex("01 6460 0000") + bytes(20))
    tape.udp((EV, 40000), (sdp.GROUP, 15118), sdp.Request(sdp.Security.NONE).octets())
    ev, secc = (EV, 50000), (SECC, 61000)
    tape.open(ev, secc)
    tape.tcp(ev, secc, offer(ISO2))
    tape.tcp(secc, ev, chosen(1))
    tape.tcp(ev, secc, SETUP[:10])
    tape.tcp(ev, secc, SETUP[10:])
    folder = tmp_path_factory.mktemp("whole")
    return tape.save(folder / "a.pcap").read_bytes(), tape.save(folder / "a.pcapng", ng=True).read_bytes()


@given(dice=st.randoms(use_true_random=False), ng=st.booleans())
@settings(max_examples=400, deadline=None)
def test_a_corrupted_capture_ends_in_words(
    dice: random.Random, ng: bool, whole: tuple[bytes, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    octets = bytearray(whole[ng])
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(octets))
        match dice.randrange(4):
            case 0:
                octets[at] = dice.randrange(256)
            case 1:
                octets[at] ^= 1 << dice.randrange(8)
            case 2:
                del octets[at : at + dice.randint(1, 9)]
            case _:
                octets[at:at] = bytes(dice.randrange(256) for _ in range(dice.randint(1, 9)))
    path = tmp_path_factory.getbasetemp() / "corrupted"
    path.write_bytes(octets)
    try:
        for each in pcap.session(path, exi.decode):
            assert each.name
    except CaptureError as error:
        assert str(error)  # noqa: PT017 either way is right


def test_dpkt_reads_the_same_packets(whole: tuple[bytes, bytes], tmp_path: Path) -> None:
    for octets in whole:
        path = tmp_path / "a"
        path.write_bytes(octets)
        theirs = [packet for _, packet in dpkt.pcap.UniversalReader(io.BytesIO(octets))]
        assert [each.octets for each in capture.packets(path)] == theirs
