"""A schema set's codec: the generated functions first, the walk along the grammar for the rest and for every error."""

from __future__ import annotations

from functools import cache
from typing import Any

from iso15118.exi.decoder import Decoder, Note
from iso15118.exi.encoder import Encoder
from iso15118.exi.errors import ExiError
from iso15118.exi.limits import MOST_OCTETS
from iso15118.exi.schema import Schema, schema
from iso15118.exi.straight import NOTHING, WHOLE, Out, Straight, Unusual, Window
from iso15118.exi.types import Simple
from iso15118.exi.walk import HEADER, Grammars
from iso15118.messages.declare import Message, prepare


class Codec:
    """Of one schema set; see `iso15118.exi` for what the calls mean."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.grammars = Grammars(schema)
        self.straight = Straight(schema, self._open_end)
        self._roots = tuple(schema.elements.values())
        self._codes = {each.value: code for code, each in enumerate(self._roots)}
        self._bits = len(self._roots).bit_length()

    def decode(self, octets: bytes) -> Message:
        length = len(octets)
        window = Window(octets)
        try:
            if length > WHOLE:
                _bounded(octets)
                x, s, q = window.fill(0, 0)
            else:
                x, s, q = int.from_bytes(octets, "big"), 8 * length, False
                window.at = length
            s -= 8 + self._bits
            code = (x >> s) - (HEADER << self._bits) if s >= 0 and not q else (x >> s & (1 << 8 + self._bits) - 1) - (HEADER << self._bits)
            if not 0 <= code < len(self._roots):
                raise Unusual
            message, x, s, q = self._decoder(code)(window, x, s, q)
            if (s >= 8 or q) and not _one_zero(window, x, s, q):
                raise Unusual
        except NOTHING:
            return Decoder(self.grammars, octets).document()
        except Exception:
            self.straight.tell_sources()
            raise
        return message  # type: ignore[no-any-return]

    def encode(self, message: Message) -> bytes:
        out = Out()
        try:
            b = self.straight.encoder(type(message))(out, message, (1 << 8 | HEADER) << self._bits | self._codes[type(message)])
            return out.finish(b)
        except NOTHING:
            return Encoder(self.grammars).document(message)
        except Exception:
            self.straight.tell_sources()
            raise

    def decode_fragment(self, octets: bytes) -> tuple[str, Any]:
        _bounded(octets)
        return Decoder(self.grammars, octets).fragment()

    def encode_fragment(self, name: str, value: Any) -> bytes:
        return Encoder(self.grammars).fragment(name, value)

    def walk(self, octets: bytes, note: Note, *, fragment: bool = False) -> Any:
        """Decode step by step, and tell of each; see `explain`."""
        _bounded(octets)
        decoder = Decoder(self.grammars, octets, note)
        return decoder.fragment() if fragment else decoder.document()

    def warm(self) -> None:
        """Make everything now that would be made at first use."""
        self.straight.warm()
        for kind in self.schema.classes:
            prepare(kind)

    def _decoder(self, code: int) -> Any:
        value = self._roots[code].value
        if isinstance(value, Simple):
            raise Unusual
        return self.straight.decoder(value)

    def _open_end(self, kind: type[Message]) -> tuple[int, int] | None:
        """Code and width of the end of a type in which anything may stand, behind its attributes; None where something has to stand."""
        state = self.grammars.content(kind).state(-1)
        return next(((code, state.bits) for code, each in enumerate(state.productions) if each.event == "EE"), None)


def _one_zero(window: Window, x: int, s: int, q: bool) -> bool:
    """What is left is the padding, and at most one octet of zeros (as `BitReader.check_end`)."""
    if q:
        x, s, q = window.fill(x, s)
    return not q and s < 16 and not x & ((1 << s) - 1) & 255


def _bounded(octets: bytes) -> None:
    if len(octets) > MOST_OCTETS:
        raise ExiError(f"{len(octets)} octets, {MOST_OCTETS} are allowed")


@cache
def codec_of(namespace: str) -> Codec:
    """The codec of a schema set. Raises UnknownSet."""
    return Codec(schema(namespace))
