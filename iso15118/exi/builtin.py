"""The built-in element grammar (EXI 1.0 section 8.4.3), for elements that no schema declares: it learns from what it has seen."""

from __future__ import annotations

from iso15118.exi.bits import BitReader, BitWriter
from iso15118.exi.errors import ExiError
from iso15118.exi.schema import XSI
from iso15118.exi.strings import Strings
from iso15118.exi.types import QName

Event = tuple[str, QName | None]
"""AT and SE with their name; CH and EE."""
_IN_TAG, _INSIDE = ("EE", "AT(*)", "SE(*)", "CH"), ("SE(*)", "CH")
"""The second level: before the content has begun, and after."""
TYPE = (XSI, "type")


class Rules:
    """What one element name has learned: the newest rule has code 0. Begins in the tag; `inside` once the content has begun."""

    def __init__(self, learned: tuple[list[Event], list[Event]]) -> None:
        self._inside = learned[1]
        self.rules = learned[0]
        self.second: tuple[str, ...] = _IN_TAG

    def __str__(self) -> str:
        """What is expected, without the names that it has learned: they are the stream's."""
        return " or ".join(dict.fromkeys(("EE", *self.second)))

    def inside(self) -> None:
        self.rules, self.second = self._inside, _INSIDE


class BuiltIns:
    """The built-in grammars of one stream."""

    def __init__(self, strings: Strings) -> None:
        self.strings = strings
        self._learned: dict[QName, tuple[list[Event], list[Event]]] = {}

    def rules(self, qname: QName) -> Rules:
        """For an element of this name that begins."""
        return Rules(self._learned.setdefault(qname, ([], [("EE", None)])))

    def read(self, bits: BitReader, at: Rules) -> Event:
        """The next event; what is new is learned."""
        start, code = bits.pos, bits.read(len(at.rules).bit_length())
        if code < len(at.rules):
            return at.rules[-1 - code]
        if code > len(at.rules):
            raise ExiError(f"no event of code {code}", bit=start, expected=str(at))
        second = bits.read((len(at.second) - 1).bit_length())
        event: Event = (at.second[second], None)
        if event[0].endswith("(*)"):
            event = (event[0][:2], self.strings.read_qname(bits))
        if event[1] != TYPE or event not in at.rules:
            at.rules.append(event)
        return event

    def write(self, out: BitWriter, at: Rules, event: Event) -> None:
        """The other way."""
        width = len(at.rules).bit_length()
        if event in at.rules:
            out.write(len(at.rules) - 1 - at.rules.index(event), width)
            return
        kind = event[0] if event[1] is None else f"{event[0]}(*)"
        out.write(len(at.rules), width)
        out.write(at.second.index(kind), (len(at.second) - 1).bit_length())
        at.rules.append(event)
        if event[1] is not None:
            self.strings.write_qname(out, event[1])
