"""Management messages: octets by hand, both ways; what is refused and why; and no frame of any length that does anything else (S-8)."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iso15118.slac import mme, vendor
from iso15118.slac.layout import KNOWN, LEAST, MOST, Mme
from iso15118.slac.mme import Frame, MmeError, NotOurs, octets, read
from tests.unit.iso15118.slac_frames import AAG, EV, EVSE, GOLDEN, MODEM, NMK, RANDOM, RUN, messages, padded, whole

by_type = pytest.mark.parametrize(("message", "body"), GOLDEN, ids=[type(message).__name__ for message, _ in GOLDEN])


@by_type
def test_the_message_on_the_wire(message: Mme, body: str) -> None:
    frame = Frame(EVSE, EV, message)
    assert octets(frame) == padded(body)
    assert read(padded(body)) == frame
    assert read(whole(body)) == frame, "a driver need not pad"


def test_every_message_that_is_known_has_its_octets_written_by_hand() -> None:
    assert {message.MMTYPE for message, _ in GOLDEN} == set(KNOWN)
    assert all(KNOWN[message.MMTYPE].made is type(message) for message, _ in GOLDEN)


def test_sizes_are_those_of_the_facts() -> None:
    sizes: dict[type[Mme], int] = {
        mme.SetKeyReq: 38, mme.SetKeyCnf: 14, mme.SlacParmReq: 10, mme.SlacParmCnf: 25, mme.StartAttenCharInd: 19, mme.MnbcSoundInd: 52,
        mme.AttenCharRsp: 51, mme.ValidateReq: 3, mme.ValidateCnf: 3, mme.SlacMatchReq: 4 + 62, mme.SlacMatchCnf: 4 + 86,
    }  # fmt: skip
    assert {each: each.LAYOUT.least - each.LAYOUT.start for each in sizes} == sizes


@given(message=messages(), destination=st.binary(min_size=6, max_size=6), source=st.binary(min_size=5, max_size=5))
def test_whatever_can_be_said_is_read_as_it_was_said(message: Mme, destination: bytes, source: bytes) -> None:
    frame = Frame(destination, b"\x02" + source, message)
    try:
        said = octets(frame)
    except ValueError:
        assert len(message.LAYOUT.octets(message)) + 14 > MOST or isinstance(message, mme.AmpMapReq)
        return
    assert LEAST <= len(said) <= MOST
    assert read(said) == frame


# ---- what is refused


def _with(body: str, at: int, value: str) -> bytes:
    frame = bytearray(whole(body))
    new = bytes.fromhex(value)
    frame[at : at + len(new)] = new
    return bytes(frame)


_BODY = dict(zip((type(message).__name__ for message, _ in GOLDEN), (body for _, body in GOLDEN), strict=True))

REFUSED = [
    ("no octet", b"", 0, "0 octets"),
    ("cut off in the type", whole("01 64"), 16, "a frame of 16 octets"),
    ("only a type", whole("01 6460"), 17, "the head"),
    ("longer than Ethernet", padded(_BODY["SlacParmReq"]).ljust(MOST + 1, b"\0"), MOST, "a frame of 1515 octets"),
    ("from a group", EVSE + b"\x01" + padded(_BODY["SlacParmReq"])[7:], 6, "source 01:01:9a"),
    ("APPLICATION_TYPE", _with(_BODY["SlacParmReq"], 19, "01"), 19, "APPLICATION_TYPE is 01"),
    ("SECURITY_TYPE", _with(_BODY["SlacParmReq"], 20, "01"), 20, "SECURITY_TYPE is 01"),
    ("APPLICATION_TYPE inside", _with(_BODY["SlacParmCnf"], 34, "FF"), 34, "APPLICATION_TYPE is FF"),
    ("SECURITY_TYPE inside", _with(_BODY["SlacParmCnf"], 35, "FF"), 35, "SECURITY_TYPE is FF"),
    ("SignalType", _with(_BODY["ValidateReq"], 19, "01"), 19, "SIGNAL_TYPE is 01"),
    ("MMV 00", _with(_BODY["SlacParmReq"], 14, "00"), 14, "MMV is 00"),
    ("MMV 02", _with(_BODY["SlacParmReq"], 14, "02"), 14, "MMV is 02"),
    ("a vendor's MMV", _with(_BODY["VsSwVerReq"], 14, "01"), 14, "MMV is 01"),
    ("a fragment of two", _with(_BODY["SlacParmReq"], 17, "10"), 17, "in fragments"),
    ("a numbered fragment", _with(_BODY["SlacParmReq"], 18, "01"), 17, "in fragments"),
    ("MVFLength one less", _with(_BODY["SlacMatchReq"], 21, "3D"), 21, "MVFLENGTH is 3D00"),
    ("MVFLength the other way round", _with(_BODY["SlacMatchReq"], 21, "003E"), 21, "MVFLENGTH is 003E"),
    ("MVFLength of the answer", _with(_BODY["SlacMatchCnf"], 21, "3E"), 21, "MVFLENGTH is 3E00"),
    ("57 groups", _with(_BODY["AttenCharInd"], 70, "39"), 70, "NumGroups is 57"),
    ("255 groups", _with(_BODY["AttenProfileInd"], 25, "FF"), 25, "NumGroups is 255"),
    ("one octet short", whole(_BODY["SlacMatchReq"])[:-1], 84, "SlacMatchReq ends here; it has 85"),
    ("a group short", whole(_BODY["AttenCharInd"])[:-1], 128, "inside of the groups"),
    ("one octet more", whole(_BODY["SlacMatchReq"]) + b"\0", 85, "1 octets more"),
    ("more than padding", padded(_BODY["SlacParmReq"]) + b"\0", 29, "32 octets more"),
    ("padding that says something", padded(_BODY["SlacParmReq"])[:-1] + b"\1", 29, "no padding"),
    ("room for 255 groups, filled", whole(_BODY["AttenCharInd"]) + bytes(196) + b"\1", 129, "197 octets more"),
    ("room for 254 groups", whole(_BODY["AttenCharInd"]) + bytes(196), 129, "196 octets more"),
    ("an empty amplitude map", whole("01 1C60 0000 0000"), 19, "AMLEN is 0"),
    ("an amplitude map of 65535", whole("01 1C60 0000 FFFF"), 21, "inside of AMDATA"),
    ("an amplitude map, the length's octets swapped", padded("01 1C60 0000 0003 0C0B"), 60, "inside of AMDATA"),
    ("255 stations, none there", whole("01 4960 0000 FF"), 20, "inside of the stations"),
    ("a version of 255 octets", padded("00 01A0 00B052 00 20 FF"), 60, "inside of a text"),
    ("255 networks", padded("01 39A0 0000 00B052 00 00 0200 00 FF"), 60, "inside of a network"),
    ("255 stations of a network", _with(_BODY["VsNwInfoCnf"], 54, "FF"), 84, "the stations of a network"),
    ("networks beyond their length", _with(_BODY["VsNwInfoCnf"], 24, "2000"), 58, "its networks go on"),
    ("attributes of another size", _with(_BODY["VsOpAttributesCnf"], 27, "77"), 27, "SIZE is 7700"),
]  # fmt: skip


@pytest.mark.req("S-8", "S-13")
@pytest.mark.parametrize(("frame", "at", "words"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
def test_what_is_not_exactly_a_message_is_refused(frame: bytes, at: int, words: str) -> None:
    with pytest.raises(MmeError) as error:
        read(frame)
    assert not isinstance(error.value, NotOurs)
    assert error.value.at == at, error.value
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (padded(_BODY["SlacParmReq"]).replace(b"\x88\xe1", b"\x86\xdd"), "EtherType 86DD"),
        (padded("01 1400 0000"), "MMTYPE 0014"),
        (padded("01 6760 0000"), "MMTYPE 6067"),
        (padded("00 00A0 0080E1"), "vendor 0080E1"),
        (padded("00 6DAC 00B052"), "vendor 00B052"),
    ],
)
def test_what_is_for_others_says_so(frame: bytes, words: str) -> None:
    with pytest.raises(NotOurs, match=words):
        read(frame)


def test_reserved_octets_and_what_else_means_nothing_are_not_looked_at() -> None:
    for name, at, count in (("MnbcSoundInd", 47, 8), ("SlacMatchReq", 77, 8), ("SlacMatchCnf", 92, 1), ("AttenProfileInd", 26, 1)):
        assert read(_with(_BODY[name], at, "A5" * count)) == read(whole(_BODY[name])), name


def test_the_room_for_255_groups_that_open_plc_utils_sends_is_taken() -> None:
    for name in ("AttenCharInd", "AttenProfileInd"):
        assert read(whole(_BODY[name]) + bytes(255 - 58)) == read(whole(_BODY[name]))


def test_the_odd_half_octet_of_a_map_is_not_looked_at() -> None:
    assert read(whole("01 1C60 0000  0300 0C FB")).mme == mme.AmpMapReq(amplitudes=b"\x0c\x00\x0b")


def test_a_firmware_s_words_are_printable() -> None:
    assert read(whole("00 01A0 00B052  00 20 06 410A1B42FF43")).mme == vendor.VsSwVerCnf(device_class=0x20, version="A??B?C")
    assert read(whole("00 01A0 00B052  00 20 04 41420043")).mme == vendor.VsSwVerCnf(device_class=0x20, version="AB")


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (Frame(EVSE[:5], EV, mme.NwStatsReq()), "addresses of 5"),
        (Frame(EVSE, EV, mme.SlacParmReq(run_id=RUN[:7])), "run_id: 7 octets"),
        (Frame(EVSE, EV, mme.MnbcSoundInd(count=256, run_id=RUN, random=RANDOM)), "MnbcSoundInd"),
        (Frame(EVSE, EV, mme.MnbcSoundInd(count=-1, run_id=RUN, random=RANDOM)), "MnbcSoundInd"),
        (Frame(EVSE, EV, mme.AttenProfileInd(pev_mac=EV, aag=AAG[:57])), "57 groups"),
        (Frame(EVSE, EV, mme.AmpMapReq(amplitudes=b"")), "this one has 0"),
        (Frame(EVSE, EV, mme.AmpMapReq(amplitudes=b"\x10")), "0 to 15"),
        (Frame(EVSE, EV, mme.AmpMapReq(amplitudes=bytes(2987))), "2987"),
        (Frame(EVSE, EV, mme.NwStatsCnf(stations=(mme.Rate(EV, 0, 0),) * 200)), "1620 octets"),
        (Frame(EVSE, EV, mme.NwStatsCnf(stations=(mme.Rate(EV[:5], 0, 0),))), "6 octets"),
        (Frame(EVSE, EV, vendor.VsSetKeyReq(nmk=NMK[:15])), "nmk: 15"),
    ],
)
def test_what_does_not_fit_is_not_sent(frame: Frame, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        octets(frame)


def test_the_longest_amplitude_map_fills_a_frame() -> None:
    frame = Frame(EVSE, EV, mme.AmpMapReq(amplitudes=b"\x09" * 2986))
    assert len(octets(frame)) == MOST
    assert read(octets(frame)) == frame


def test_messages_are_values() -> None:
    assert replace(mme.SlacParmReq(run_id=RUN), run_id=bytes(8)).run_id == bytes(8)
    with pytest.raises(AttributeError):
        mme.SlacParmReq(run_id=RUN).run_id = b""  # type: ignore[misc]


# ---- every length


@pytest.mark.req("S-8")
@by_type
def test_a_frame_of_every_length_is_a_message_or_refused(message: Mme, body: str) -> None:
    whole_, dice = whole(body), random.Random(message.MMTYPE)
    # What comes after the version's text may be missing.
    end = 38 if isinstance(message, vendor.VsSwVerCnf) else len(whole_)
    room = 255 - 58 if isinstance(message, mme.AttenCharInd | mme.AttenProfileInd) else 0
    for length in range(MOST + 1):
        taken = end <= length <= max(end, LEAST) or length == end + room or (length >= end and _open(message))
        assert _read(whole_[:length].ljust(length, b"\0")) is taken, length
        for filled in (whole_[:length].ljust(length, b"\xff"), whole_[:22] + dice.randbytes(length - 22) if length > 22 else b""):
            _read(filled)


def _open(message: Mme) -> bool:
    return message.LAYOUT.open_end


def _read(frame: bytes) -> bool:
    """Whether it is a message; anything but that or MmeError is an error of the test."""
    try:
        read(frame)
    except MmeError:
        return False
    return True


@pytest.mark.req("S-8")
@by_type
def test_any_octet_changed_gives_a_message_or_a_refusal(message: Mme, body: str) -> None:
    good = padded(body)
    for at in range(len(good)):
        for value in {0, 1, 0x7F, 0x80, 0xFF, good[at] ^ 1, (good[at] + 1) & 0xFF}:
            _read(good[:at] + bytes((value,)) + good[at + 1 :])


@pytest.mark.req("S-8")
@given(mmtype=st.sampled_from(sorted(KNOWN)), rest=st.binary(max_size=1497), begin=st.booleans())
def test_any_octets_give_a_message_or_a_refusal(mmtype: int, rest: bytes, begin: bool) -> None:
    head = KNOWN[mmtype].begin if begin else b"\x01" + mmtype.to_bytes(2, "little")
    frame = (MODEM + EV + b"\x88\xe1" + head + rest)[:MOST]
    try:
        found = read(frame)
    except MmeError:
        return
    assert read(octets(found)) == found
