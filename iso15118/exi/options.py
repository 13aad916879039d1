"""The EXI header, with the options document that it may carry (EXI 1.0 sections 5.1 to 5.4 and Appendix C).

V2G streams carry none: the standards fix the options. One that carries them and says no more than what is fixed is read all the same; everything
else would be another coding, and is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from iso15118.exi.bits import BitReader
from iso15118.exi.errors import ExiError
from iso15118.exi.strings import read_characters

COOKIE = b"$EXI"
"""May stand before the header (EXI section 5.1)."""


class Options(NamedTuple):
    """What a header said: whether it is a fragment (None: not said), and whether values are remembered at all."""

    fragment: bool | None = None
    values_kept: bool = True
    cookie: bool = False
    document: bool = False
    """They are there."""


def read_header(bits: BitReader) -> Options:
    """Everything before the body. Raises ExiError for a stream that is coded in another way than V2G streams are."""
    start = bits.pos
    cookie = bits.end >= 8 * len(COOKIE) and bits.octets(len(COOKIE)) == COOKIE
    if not cookie:
        bits.pos = start
    start = bits.pos
    if bits.end - start < 8 or bits.read(2) != 2:
        bits.pos = start
        raise ExiError("no EXI stream: it does not begin with the bits 10", bit=start, expected="80")
    present = bits.read(1)
    if bits.read(5):
        raise ExiError("a version of EXI that is not final version 1", bit=start, expected="80")
    found = _Document(bits).header() if present else Options()
    return found._replace(cookie=cookie, document=bool(present))


class _Document:
    """The options document: schema-informed, strict, so that the only production of a state takes no bits."""

    def __init__(self, bits: BitReader) -> None:
        self.bits = bits
        self.fragment: bool | None = None
        self.values_kept = True

    def header(self) -> Options:
        self.bits.read(1)  # the root: SE(header) or SE(*)
        self._sequence(
            {
                "lesscommon": lambda: self._sequence(
                    {"uncommon": self._uncommon, "preserve": self._refused("preserve"), "blockSize": self._number}
                ),
                "common": lambda: self._sequence(
                    {"compression": self._refused("compression"), "fragment": self._fragment, "schemaId": self._schema_id}
                ),
                "strict": self._refused("strict"),
            }
        )
        return Options(bool(self.fragment), self.values_kept)

    def _sequence(self, parts: dict[str, Callable[[], None]], more: int = 0) -> None:
        """Parts that may be there, in order, then the end; `more` productions between that we do not take."""
        left = list(parts)
        while True:
            productions = len(left) + more + 1
            start, code = self.bits.pos, self.bits.read((productions - 1).bit_length())
            if code == productions - 1:
                return
            if code >= len(left):
                raise ExiError("options of somebody else's", bit=start)
            parts[left[code]]()
            left = left[code + 1 :]

    def _uncommon(self) -> None:
        parts = {
            "alignment": self._refused("alignment"),
            "selfContained": self._refused("selfContained"),
            "valueMaxLength": self._refused("valueMaxLength"),
            "valuePartitionCapacity": self._capacity,
            "datatypeRepresentationMap": self._refused("datatypeRepresentationMap"),
        }
        self._sequence(parts, more=1)

    def _refused(self, name: str) -> Callable[[], None]:
        def refuse() -> None:
            raise ExiError(f"the header asks for the option {name}: V2G streams have the default options", bit=self.bits.pos)

        return refuse

    def _number(self) -> None:
        self.bits.unsigned(5)

    def _capacity(self) -> None:
        if self.bits.unsigned(5):
            raise ExiError("the header asks for a bounded valuePartitionCapacity", bit=self.bits.pos, expected="0 or none")
        self.values_kept = False

    def _fragment(self) -> None:
        self.fragment = True

    def _schema_id(self) -> None:
        """Which schema is meant is said from outside; the name here is read and not looked at."""
        if self.bits.read(1):
            self.bits.read(1)  # xsi:nil
            return
        length = self.bits.unsigned(3)
        read_characters(self.bits, max(length - 2, 0), 1024)
