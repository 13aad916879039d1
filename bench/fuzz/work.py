"""How much work a stream makes, in figures that are the same on every machine: calls, characters and memory rather than time."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

from iso15118.exi import ExiError, codec_of, decode, decode_fragment
from iso15118.exi.decoder import Decoder
from iso15118.exi.types import Simple


@dataclass(frozen=True, slots=True)
class Work:
    """Of decoding one document or fragment."""

    calls: int
    """Of Python's functions and built-in ones; every loop of the codec has one in it."""
    characters: int
    """Of all values and names that the walk tells up to where decoding would stop: a hit of a few bits stands for a text of any length."""
    peak_octets: int
    """Memory over what was in use before."""


def work(octets: bytes, namespace: str, *, fragment: bool = False) -> Work:
    """Decodes it three times, to look at one thing each time. The codec has been warmed."""
    codec = codec_of(namespace)
    characters = 0

    def note(start: int, end: int, path: str, what: str, value: str, simple: Simple | None) -> None:
        nonlocal characters
        characters += len(value)

    # Not `Codec.walk`, which somebody asks for and reads on after so many events.
    decoder = Decoder(codec.grammars, octets, note)
    with suppress(ExiError):
        decoder.fragment() if fragment else decoder.document()
    read: Callable[[bytes, str], Any] = decode_fragment if fragment else decode
    return Work(_calls(lambda: read(octets, namespace)), characters, _peak(lambda: read(octets, namespace)))


def _calls(what: Callable[[], Any]) -> int:
    count = 0

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if event in {"call", "c_call"}:
            count += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        with suppress(ExiError):
            what()
    finally:
        sys.setprofile(before)
    return count


def _peak(what: Callable[[], Any]) -> int:
    gc.collect()
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        with suppress(ExiError):
            found = what()
            del found
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()
