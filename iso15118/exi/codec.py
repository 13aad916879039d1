"""A schema set's codec: the generated functions first, the walk along the grammar for the rest and for every error."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

from iso15118.exi.decoder import Decoder, Note
from iso15118.exi.encoder import Encoder
from iso15118.exi.errors import ExiError
from iso15118.exi.limits import MOST_OCTETS
from iso15118.exi.options import COOKIE
from iso15118.exi.schema import Schema, schema
from iso15118.exi.straight import NOTHING, WHOLE, Out, Straight, Unusual, Window
from iso15118.exi.walk import HEADER, Grammars
from iso15118.messages.declare import AnyElement, Message, prepare


class Codec:
    """Of one schema set; see `iso15118.exi` for what the calls mean."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.grammars = Grammars(schema)
        self.straight = Straight(schema, self._open_end)
        bits = len(schema.elements).bit_length()
        self._front = 8 + bits
        roots = [(code, each.value) for code, each in enumerate(schema.elements.values()) if isinstance(each.value, type)]
        self._decoders = {HEADER << bits | code: self.straight.decoder(kind) for code, kind in roots}
        """Header and event code of a document's root -> function."""
        self._encoders = {kind: ((1 << 8 | HEADER) << bits | code, self.straight.encoder(kind)) for code, kind in roots}
        """Class -> header and event code behind a leading one, and function."""

    def decode(self, octets: bytes) -> Message:
        long = len(octets) > WHOLE
        if long:
            _bounded(octets)
        plain = octets.removeprefix(COOKIE)
        try:
            if long:
                return self._decode_long(plain)
            s = 8 * len(plain) - self._front
            x = int.from_bytes(plain, "big")
            message: Message
            message, x, s, _ = self.straight.scope[self._decoders[x >> s]](_NO_WINDOW, x, s, False)
            if s >= 8 and not _one_zero(x, s):
                raise Unusual
        except NOTHING:
            return Decoder(self.grammars, octets).document()
        except Exception:
            self.straight.tell_sources()
            raise
        return message

    def _decode_long(self, octets: bytes) -> Message:
        window = Window(octets)
        x, s, q = window.fill(0, 0)
        s -= self._front
        message: Message
        message, x, s, q = self.straight.scope[self._decoders[x >> s]](window, x, s, q)
        if q:
            x, s, q = window.fill(x, s)
        if q or (s >= 8 and not _one_zero(x, s)):
            raise Unusual
        return message

    def encode(self, message: Message) -> bytes:
        out = Out()
        try:
            b, name = self._encoders[type(message)]
            return out.finish(self.straight.scope[name](out, message, b))
        except NOTHING:
            return Encoder(self.grammars).document(message)
        except Exception:
            self.straight.tell_sources()
            raise

    def decode_fragment(self, octets: bytes) -> tuple[str, Any]:
        _bounded(octets)
        plain, bits = octets.removeprefix(COOKIE), self._fragment_bits
        try:
            window = Window(plain)
            x, s, q = window.fill(0, 0)
            s -= 8 + bits
            name, function = self._fragment_decoders[x >> s]
            value, x, s, q = self.straight.scope[function](window, x, s, q)
            if q:
                x, s, q = window.fill(x, s)
            s -= bits
            if q or x >> s & ((1 << bits) - 1) != len(self.schema.declared) + 1 or (s >= 8 and not _one_zero(x, s)):
                raise Unusual
        except NOTHING:
            return Decoder(self.grammars, octets).fragment()
        except Exception:
            self.straight.tell_sources()
            raise
        return name, value

    def encode_fragment(self, name: str, value: Any) -> bytes:
        out = Out()
        try:
            start, function = self._fragments[name, type(value)]
            b = self.straight.scope[function](out, value, start)
            return out.finish(b << self._fragment_bits | len(self.schema.declared) + 1)
        except NOTHING:
            return Encoder(self.grammars).fragment(name, value)
        except Exception:
            self.straight.tell_sources()
            raise

    @cached_property
    def _fragment_bits(self) -> int:
        return (len(self.schema.declared) + 1).bit_length()

    @cached_property
    def _fragment_decoders(self) -> dict[int, tuple[str, str]]:
        """Header and event code of a fragment's element -> its name, and function."""
        return {
            HEADER << self._fragment_bits | code: (qname[1], self.straight.decoder(values[0]))
            for code, (qname, values) in enumerate(self.schema.declared.items())
            if len(values) == 1 and isinstance(values[0], type)
        }

    @cached_property
    def _fragments(self) -> dict[tuple[str, type], tuple[int, str]]:
        """Name and class of an element -> header and event code behind a leading one, and function. A name with two types is not straight."""
        first = (1 << 8 | HEADER) << self._fragment_bits
        found: dict[tuple[str, type], tuple[int, str]] = {}
        for code, (qname, values) in enumerate(self.schema.declared.items()):
            if len(values) == 1 and isinstance(values[0], type):
                found.setdefault((qname[1], values[0]), (first | code, self.straight.encoder(values[0])))
        return found

    def walk(self, octets: bytes, note: Note, *, fragment: bool = False) -> Any:
        """Decode step by step, however many events there are, and tell of each thing; `explain` says it in words."""
        _bounded(octets)
        decoder = Decoder(self.grammars, octets, note, most_events=8 * len(octets))
        return decoder.fragment() if fragment else decoder.document()

    def warm(self) -> None:
        """Make everything now that a session would make at first use: all functions, the numbers of fragments, the tables of names.

        What is left are the tables of the walk's grammar, of a type when the first stream needs them: with all of them, all sets take 3 MB and 60 ms
        more. Nothing is compiled for them. No message as peers write them needs one, whole or as a fragment: the walk is for string-table hits,
        second-level events and wildcards, and for errors.
        """
        self.straight.warm()
        for kind in self.schema.classes:
            prepare(kind)
        prepare(AnyElement)
        for owner in (self, self.schema):
            for name, each in vars(type(owner)).items():
                if isinstance(each, cached_property):
                    getattr(owner, name)

    def _open_end(self, kind: type[Message]) -> tuple[int, int] | None:
        """Code and width of the end of a type in which anything may stand, behind its attributes; None where something has to stand."""
        state = self.grammars.content(kind).state(-1)
        return next(((code, state.bits) for code, each in enumerate(state.productions) if each.event == "EE"), None)


_NO_WINDOW = Window(b"")


def _one_zero(x: int, s: int) -> bool:
    """What is left is the padding, and at most one octet of zeros (as `BitReader.check_end`)."""
    return s < 16 and not x & 255


def _bounded(octets: bytes) -> None:
    if len(octets) > MOST_OCTETS:
        raise ExiError(f"{len(octets)} octets, {MOST_OCTETS} are allowed")


@cache
def codec_of(namespace: str) -> Codec:
    """The codec of a schema set. Raises UnknownSet."""
    return Codec(schema(namespace))
