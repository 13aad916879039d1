"""The string tables of one stream (EXI 1.0 section 7.3): qualified names, and values that came before."""

from __future__ import annotations

from iso15118.exi.bits import BitReader, BitWriter
from iso15118.exi.characters import NoCharacter, NoMore, taken
from iso15118.exi.errors import Ended, ExiError
from iso15118.exi.limits import MOST_CHARACTERS, MOST_INTEGER_OCTETS, MOST_NAME, MOST_RECALLED
from iso15118.exi.schema import Schema
from iso15118.exi.types import QName


class Strings:
    """What a decoder or encoder of one stream remembers."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.kept = True
        """Values are remembered."""
        self._recalled = 0
        self._uris: list[str] | None = None
        self._names: dict[str, list[str]] = {}
        self._values: list[str] = []
        self._local_values: dict[QName, list[str]] = {}

    # ---- qualified names

    @property
    def uris(self) -> list[str]:
        if self._uris is None:
            self._uris = list(self.schema.uris)
        return self._uris

    def names(self, uri: str) -> list[str]:
        if uri not in self._names:
            self._names[uri] = list(self.schema.local_names.get(uri, ()))
        return self._names[uri]

    def read_qname(self, bits: BitReader) -> QName:
        """QName (7.1.7): namespace and local name by their partitions."""
        uri = self.read_uri(bits)
        names = self.names(uri)
        length = bits.unsigned(3)
        if length:
            at, name = bits.pos, read_characters(bits, length - 1, MOST_NAME)
            if not name:
                raise ExiError("an element or attribute without a name", bit=at)
            names.append(name)
            return uri, name
        at, code = bits.pos, bits.read((len(names) - 1).bit_length() if names else 0)
        if code >= len(names):
            raise ExiError(f"no local name of number {code} in {uri!r}", bit=at)
        return uri, names[code]

    def read_uri(self, bits: BitReader) -> str:
        at, code = bits.pos, bits.read(len(self.uris).bit_length())
        if code > len(self.uris):
            raise ExiError(f"no namespace of number {code - 1}", bit=at)
        if code:
            return self.uris[code - 1]
        uri = read_characters(bits, bits.unsigned(3), MOST_NAME)
        self.uris.append(uri)
        return uri

    def write_qname(self, out: BitWriter, qname: QName) -> None:
        """The other way; names that are known are written by number."""
        uri, name = qname
        width = len(self.uris).bit_length()
        if uri in self.uris:
            out.write(self.uris.index(uri) + 1, width)
        else:
            out.write(0, width)
            out.unsigned(len(uri))
            write_characters(out, uri)
            self.uris.append(uri)
        names = self.names(uri)
        if name in names:
            out.unsigned(0)
            out.write(names.index(name), (len(names) - 1).bit_length())
        else:
            out.unsigned(len(name) + 1)
            write_characters(out, name)
            names.append(name)

    # ---- values

    def read_value(self, bits: BitReader, qname: QName, longest: int) -> tuple[str, str]:
        """A string value (7.3.3): the text, and "" or how it was found."""
        at, length = bits.pos, bits.unsigned(MOST_INTEGER_OCTETS)
        if length > 1:
            text = read_characters(bits, length - 2, longest)
            if text and self.kept:
                self._values.append(text)
                self._local_values.setdefault(qname, []).append(text)
            return text, ""
        known = self._values if length else self._local_values.get(qname, [])
        where = "global" if length else "local"
        code = bits.read((len(known) - 1).bit_length() if known else 0)
        if code >= len(known):
            raise ExiError(f"no value of number {code} in the {where} string table, which has {len(known)}", bit=at)
        self._recalled += len(known[code])
        if self._recalled > MOST_RECALLED:
            raise ExiError(f"string-table hits that stand for more than {MOST_RECALLED} characters", bit=at)
        return known[code], f"{where} hit {code}"


def write_value(out: BitWriter, text: str) -> None:
    """A string value, always literally: every known peer reads that, and some read nothing else."""
    out.unsigned(len(text) + 2)
    write_characters(out, text)


def read_characters(bits: BitReader, count: int, longest: int = MOST_CHARACTERS) -> str:
    """String without its length (7.1.10). The count is held against its bound and the bits left before anything is made."""
    at = bits.pos
    if count > longest:
        raise ExiError(f"a text of {count} characters, {longest} are allowed", bit=at)
    if count * 8 > bits.end - at:
        raise Ended(f"a text of {count} characters, and {(bits.end - at) // 8} octets are left", bit=at)
    raw = bits.octets(count) if count else b""
    if raw.isascii():
        return raw.decode("ascii")
    bits.pos = at
    raw = bits.octets(min(3 * count, (bits.end - at) // 8))
    try:
        found, used = taken(raw, count)
    except NoMore as error:
        raise Ended(str(error), bit=at) from None
    except NoCharacter as error:
        raise ExiError(str(error), bit=at) from None
    bits.pos = at + 8 * used
    return found


def write_characters(out: BitWriter, text: str) -> None:
    """The other way."""
    if text.isascii():
        out.octets(text.encode("ascii"))
        return
    for each in text:
        out.unsigned(ord(each))
