"""The frame reader: any cutting of the stream gives the same frames, and no length makes it wait for more than its bound (S-1, S-22)."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iso15118.v2gtp import HEADER, MOST_OCTETS, NAMES, SCHEMA_SETS, Frame, FrameReader, V2gtpError

FRAMES = st.lists(st.builds(Frame, st.integers(0, 0xFFFF), st.binary(max_size=300)), max_size=6)


@pytest.mark.req("S-22")
@given(FRAMES, st.data())
def test_any_cutting_gives_the_same_frames(frames: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(each.octets() for each in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    reader, found = FrameReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[start:end])
    assert found == frames
    assert not reader.inside


@pytest.mark.req("S-22")
def test_one_octet_at_a_time() -> None:
    reader, stream = FrameReader(), Frame(0x8002, b"abc").octets() + Frame(0x8004, b"").octets()
    found = [frame for octet in stream for frame in reader.feed(bytes([octet]))]
    assert found == [Frame(0x8002, b"abc"), Frame(0x8004, b"")]


@pytest.mark.req("S-1")
@pytest.mark.parametrize("length", [MOST_OCTETS + 1, 1 << 31, *(2**32 - n for n in range(1, 9))])
def test_a_length_beyond_the_bound_ends_it_at_once_and_allocates_nothing(length: int) -> None:
    reader = FrameReader()
    tracemalloc.start()
    try:
        with pytest.raises(V2gtpError, match=f"{length} octets; at most {MOST_OCTETS}"):
            reader.feed(b"\x01\xfe\x80\x02" + length.to_bytes(4, "big"))
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    with pytest.raises(V2gtpError):
        reader.feed(Frame(0x8002, b"").octets())


@pytest.mark.req("S-1")
@pytest.mark.parametrize("length", [0, 1, MOST_OCTETS - 1, MOST_OCTETS])
def test_lengths_within_it_are_taken(length: int) -> None:
    assert FrameReader().feed(Frame(0x8002, bytes(length)).octets()) == [Frame(0x8002, bytes(length))]


@pytest.mark.parametrize("stream", [b"\x02", b"\x01\xff", b"GET / HTTP/1.1", b"\x16\x03\x01\x00"])
def test_what_is_no_v2gtp_is_seen_with_its_first_wrong_octet(stream: bytes) -> None:
    with pytest.raises(V2gtpError, match="no V2GTP"):
        FrameReader().feed(stream)


@given(st.binary(max_size=200))
def test_anything_gives_frames_or_v2gtp_error(stream: bytes) -> None:
    reader = FrameReader(64)
    try:
        frames = reader.feed(stream)
    except V2gtpError:
        return
    assert all(len(each.payload) <= 64 for each in frames)
    assert len(reader._waiting) < HEADER + 64


@pytest.mark.parametrize("frame", [Frame(-1, b""), Frame(0x10000, b"")])
def test_a_type_that_no_header_can_say(frame: Frame) -> None:
    with pytest.raises(ValueError, match="payload type"):
        frame.octets()


def test_every_type_with_a_schema_set_has_a_name() -> None:
    assert set(SCHEMA_SETS) <= set(NAMES)
