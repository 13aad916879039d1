"""Lines of RAPI: the worked frames, a round trip of anything that can be sent, and garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.drivers.openevse import rapi
from hal.drivers.openevse.meter import Register
from hal.drivers.openevse.rapi import Framer, Message, RapiError, Status, frame, parse, status_of, status_of_answer
from hal.errors import MeterFault

WORKED = [
    (("GS",), None, b"$GS^30\r"),
    (("GS",), 0x21, b"$GS :21^29\r"),
    (("SC", 16, "V"), None, b"$SC 16 V^65\r"),
    (("SC", 16, "V"), 0x21, b"$SC 16 V :21^7C\r"),
    (("OK", 16), None, b"$OK 16^07\r"),
    (("OK", 16), 0x21, b"$OK 16 :21^1E\r"),
    (("FE",), None, b"$FE^27\r"),
    (("FD",), None, b"$FD^26\r"),
    (("FS",), None, b"$FS^31\r"),
    (("SY",), None, b"$SY^2E\r"),
    (("SY", 165), None, b"$SY 165^3C\r"),
    (("SY", 10, 6), None, b"$SY 10 6^19\r"),
    (("SV", 230000), None, b"$SV 230000^00\r"),
    (("NK",), None, b"$NK^21\r"),
    (("AT", "02", "02", 16, "0100"), None, b"$AT 02 02 16 0100^37\r"),
    (("OK", "03", 125, "03", "0140"), None, b"$OK 03 125 03 0140^13\r"),
]


@pytest.mark.parametrize(("words", "sequence", "octets"), WORKED, ids=lambda each: each.decode().strip() if isinstance(each, bytes) else "")
def test_worked_frames(words: tuple[object, ...], sequence: int | None, octets: bytes) -> None:
    assert frame(*words, sequence=sequence) == octets
    kind, *values = words
    assert parse(octets[:-1]) == Message(str(kind), tuple(map(str, values)), sequence)


WORD = st.from_regex(r"[0-9A-Z+-]{1,4}", fullmatch=True)


@given(st.from_regex(r"[A-Z]{2}", fullmatch=True), st.lists(WORD, max_size=3), st.none() | st.integers(1, 255), st.binary(max_size=40))
def test_what_is_sent_is_what_comes(kind: str, values: list[str], sequence: int | None, noise: bytes) -> None:
    """Whatever came before it: `$` begins a line at any time."""
    octets = frame(kind, *values, sequence=sequence)
    assert len(octets) <= rapi.MAX_LENGTH + 1
    line = Framer().feed(noise + octets)[-1]
    assert parse(line) == Message(kind, tuple(values), sequence)


@given(st.lists(st.binary(max_size=60) | st.sampled_from([octets for _, _, octets in WORKED]), max_size=8))
@pytest.mark.req("S-12")
def test_garbage_raises_nothing_of_its_own(chunks: list[bytes]) -> None:
    framer = Framer()
    for chunk in chunks:
        for line in framer.feed(chunk):
            try:
                message = parse(line)
                for read in (status_of, lambda m: status_of_answer(m.values), lambda m: rapi.numbers(m.values, 2)):
                    try:
                        read(message)
                    except RapiError:
                        continue
            except RapiError:
                continue


@given(st.sampled_from([octets[:-1] for _, _, octets in WORKED]), st.integers(0, 30), st.integers(1, 255))
@pytest.mark.req("S-12")
def test_one_wrong_octet_is_no_message(line: bytes, at: int, flip: int) -> None:
    broken = bytearray(line)
    broken[at % len(line)] ^= flip
    with pytest.raises(RapiError):
        parse(bytes(broken))


@pytest.mark.parametrize(
    ("words", "sequence"),
    [
        ((), None),
        (("S C",), None),
        (("SC", "1$"), None),
        (("GS",), 0),
        (("GS",), 256),
        (("FP", 0, 0, "A" * 30), None),
        (tuple("1234567890A"), None),
    ],
)
def test_what_the_controller_would_not_take_is_not_sent(words: tuple[object, ...], sequence: int | None) -> None:
    with pytest.raises(RapiError):
        frame(*words, sequence=sequence)


def test_a_line_without_end_is_forgotten() -> None:
    framer = Framer()
    assert framer.feed(b"$" + b"A" * 10_000) == []
    assert framer.feed(b"$GS^30\r") == [b"$GS^30"]


def test_a_stuck_relay_counts_as_closed() -> None:
    assert Status(8, 2, 0).closed
    assert Status(3, 3, 0x40).closed
    assert not Status(0xFE, 2, 0x100).closed


# ---- the register


def began(session_Ws: int = 3600, total_Wh: int = 100, *, in_session: bool = True) -> Register:
    register = Register(16.0)
    register.begin(0.0, session_Ws, total_Wh, in_session=in_session)
    return register


@pytest.mark.parametrize(("in_session", "first_Wh"), [(True, 101.0), (False, 100.0)])
def test_the_total_has_a_session_at_its_end_only(in_session: bool, first_Wh: float) -> None:
    assert began(in_session=in_session).energy_Wh == first_Wh


@pytest.mark.req("S-12")
def test_a_counter_that_goes_back_is_no_reading() -> None:
    register = began()
    with pytest.raises(MeterFault, match="went back"):
        register.take(1.0, 1800)
    assert register.take(2.0, 7200) == 102.0


@pytest.mark.req("S-12")
def test_a_jump_that_cannot_be_is_no_reading() -> None:
    register = began()
    with pytest.raises(MeterFault, match="jumped"):
        register.take(1.0, 3600 * 1000)
    assert register.energy_Wh == 101.0
    assert register.take(1000.0, 3600 * 1000) == 1100.0


def test_a_new_session_counts_from_nothing() -> None:
    register = began()
    register.session_may_restart = True
    assert register.take(1.0, 360) == pytest.approx(101.1)
    with pytest.raises(MeterFault):
        register.take(2.0, 0)


def test_no_reading_before_the_first() -> None:
    with pytest.raises(MeterFault):
        Register(16.0).take(0.0, 1)
    with pytest.raises(MeterFault, match="negative"):
        Register(16.0).begin(0.0, -1, 0, in_session=False)
