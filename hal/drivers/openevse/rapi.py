"""RAPI, the lines of an OpenEVSE controller: `$`, words, an optional sequence id, a checksum, CR (firmware 8.2.3, RAPI 5.2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce

MAX_LENGTH = 31
"""Characters before the CR; the controller drops a longer command without any answer."""
MAX_WORDS = 10
LONGEST_ANSWER = 120
"""A line that grows longer is noise."""

STATE_STUCK_RELAY = 0x08
STATE_NO_RELAY = 0x0E
STATE_SLEEPING, STATE_DISABLED = 0xFE, 0xFF
HARD_FAULT, RELAY_CLOSED, EV_CONNECTED, BOOT_LOCK = 0x0002, 0x0040, 0x0100, 0x4000
"""Of the vflags."""

_WORD = re.compile(r"[!-#%-)+-9;-\]_-~]+")  # what is printable, without space, $, *, : and ^
_ID = re.compile(r":([0-9A-F]{2})")
_HEX = re.compile(r"[0-9A-Fa-f]{1,4}")
_DEC = re.compile(r"-?[0-9]{1,10}")


class RapiError(ValueError):
    """No RAPI, or none that can be sent."""


@dataclass(frozen=True, slots=True)
class Message:
    """A line of the controller: `kind` OK or NK (answers), AT, AB, AN, WF (by themselves)."""

    kind: str
    values: tuple[str, ...] = ()
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """What `$GS` answers and `$AT` tells. `pilot` is the state of the EV (1 = A to 4 = D), whatever `state` the controller is in."""

    state: int
    pilot: int
    vflags: int

    @property
    def closed(self) -> bool:
        """Power is at the outlet: the relay is closed, or it is stuck."""
        return bool(self.vflags & RELAY_CLOSED) or self.state == STATE_STUCK_RELAY


def checksum(text: str) -> int:
    """XOR of every character, the `$` included.

    >>> f"{checksum('$SC 16 V'):02X}", f"{checksum('$GS'):02X}"
    ('65', '30')
    """
    return reduce(lambda value, char: value ^ ord(char), text, 0)


def frame(*words: object, sequence: int | None = None) -> bytes:
    r"""One line, commands and answers alike. Raises RapiError when the controller would not take it.

    >>> frame("SC", 16, "V", sequence=0x21)
    b'$SC 16 V :21^7C\r'
    >>> frame("SV", 230000)
    b'$SV 230000^00\r'
    """
    texts = [str(word) for word in words]
    if not texts or not all(_WORD.fullmatch(text) for text in texts):
        raise RapiError(f"no words of RAPI: {texts}")
    if sequence is not None:
        if not 1 <= sequence <= 0xFF:
            raise RapiError(f"sequence id {sequence}: from 1 to 255")
        texts.append(f":{sequence:02X}")
    body = "$" + " ".join(texts)
    line = f"{body}^{checksum(body):02X}"
    if len(line) > MAX_LENGTH or len(texts) > MAX_WORDS:
        raise RapiError(f"{line}: at most {MAX_LENGTH} characters and {MAX_WORDS} words")
    return line.encode("ascii") + b"\r"


def parse(line: bytes) -> Message:
    """A line without its CR; it has to have a checksum, and the right one. Raises RapiError.

    >>> parse(b"$OK 16 :21^1E")
    Message(kind='OK', values=('16',), sequence=33)
    >>> parse(b"$AT 02 02 16 0100^37").values
    ('02', '02', '16', '0100')
    >>> parse(b"$OK 17 :21^1E")
    Traceback (most recent call last):
    hal.drivers.openevse.rapi.RapiError: $OK 17 :21^1E: wrong checksum
    """
    text = line.decode("latin-1")
    body, mark, digits = text.rpartition("^")
    if not mark or not body.startswith("$"):
        raise RapiError(f"{text!r}: no line of RAPI")
    if f"{checksum(body) & 0xFF:02X}" != digits:
        raise RapiError(f"{text}: wrong checksum")
    kind, *values = body[1:].split(" ")
    sequence = None
    if values and (found := _ID.fullmatch(values[-1])):
        sequence = int(found[1], 16)
        values.pop()
    if not re.fullmatch("[A-Z]{2}", kind) or not all(_WORD.fullmatch(value) for value in values):
        raise RapiError(f"{text!r}: no words of RAPI")
    return Message(kind, tuple(values), sequence)


def status_of(message: Message) -> Status:
    """Of an `$AT`. Raises RapiError.

    >>> status_of(parse(b"$AT 03 03 16 0140^33"))
    Status(state=3, pilot=3, vflags=320)
    """
    if len(message.values) < 4:
        raise RapiError(f"$AT of {len(message.values)} values")
    state, pilot, _, vflags = message.values[:4]
    return Status(hexadecimal(state), hexadecimal(pilot), hexadecimal(vflags))


def status_of_answer(values: tuple[str, ...]) -> Status:
    """Of the answer to `$GS`: state, elapsed, pilot, vflags. Raises RapiError."""
    if len(values) < 4:
        raise RapiError(f"$GS answered {values}: the firmware is too old")
    return Status(hexadecimal(values[0]), hexadecimal(values[2]), hexadecimal(values[3]))


def numbers(values: tuple[str, ...], count: int) -> tuple[int, ...]:
    """The first `count` values as decimal numbers. Raises RapiError.

    >>> numbers(("16000", "230000"), 2)
    (16000, 230000)
    """
    if len(values) < count or not all(_DEC.fullmatch(value) for value in values[:count]):
        raise RapiError(f"{values}: not {count} decimal numbers")
    return tuple(int(value) for value in values[:count])


def hexadecimal(value: str) -> int:
    """A value in hexadecimal. Raises RapiError."""
    if not _HEX.fullmatch(value):
        raise RapiError(f"{value!r}: not hexadecimal")
    return int(value, 16)


class Framer:
    r"""Cuts what arrives into lines: `$` begins one at any time, CR ends it, and what is outside is noise.

    >>> Framer().feed(b"..$OK^30$OK 6^2" + b"6\r")
    [b'$OK 6^26']
    """

    def __init__(self) -> None:
        self._line = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in these octets."""
        lines = []
        for octet in data:
            if octet == 0x24:
                self._line[:] = b"$"
            elif octet == 0x0D:
                if self._line:
                    lines.append(bytes(self._line))
                self._line.clear()
            elif self._line:
                self._line.append(octet)
                if len(self._line) > LONGEST_ANSWER:
                    self._line.clear()
        return lines
