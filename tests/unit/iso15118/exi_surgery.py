"""Streams cut open: bits put in or taken out at a place that is named by what stands there."""

from __future__ import annotations

from dataclasses import dataclass

from iso15118.exi.bits import BitWriter
from iso15118.exi.codec import Codec
from iso15118.exi.grammar import State
from iso15118.exi.strings import Strings, write_value
from iso15118.exi.types import QName, Simple


@dataclass(frozen=True)
class Place:
    """Something that was read: where, inside of what, what it is."""

    start: int
    end: int
    path: str
    what: str
    value: str
    simple: Simple | None


def places(codec: Codec, octets: bytes, *, fragment: bool = False) -> list[Place]:
    """Everything that stands in a document or fragment, in order."""
    found: list[Place] = []
    codec.walk(octets, lambda *each: found.append(Place(*each)), fragment=fragment)
    return found


def bits_of(octets: bytes) -> str:
    return f"{int.from_bytes(bytes([1]) + octets, 'big'):b}"[1:]


def octets_of(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""


def cut(octets: bytes, start: int, end: int, instead: str) -> bytes:
    """With other bits between two places. The padding behind the end stays: at most seven bits too many."""
    bits = bits_of(octets)
    return octets_of(bits[:start] + instead + bits[end:])


class Bits(BitWriter):
    """Writes what a second-level event looks like."""

    def text(self) -> str:
        """What was written, as 0 and 1."""
        return f"{self._acc:b}"[1:]

    def escape(self, state: State, event: str) -> Bits:
        """The code of a second-level event in a state."""
        self.write(len(state.productions), state.bits)
        self.write(state.second.index(event), (len(state.second) - 1).bit_length())
        return self

    def qname(self, codec: Codec, qname: QName) -> Bits:
        Strings(codec.schema).write_qname(self, qname)
        return self

    def value(self, text: str) -> Bits:
        write_value(self, text)
        return self
