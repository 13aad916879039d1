"""EXI 1.0 for V2G messages: schema-informed, bit-packed, in plain Python.

    octets = encode(message, "urn:iso:std:iso:15118:-20:DC")
    message = decode(octets, "urn:iso:std:iso:15118:-20:DC")

A schema set is named by the namespace of its document's root (`iso15118.messages.SETS`). Only `ExiError` comes out for bad octets and for
messages that their declaration does not allow.
"""

from __future__ import annotations

from typing import Any

from iso15118.exi.codec import Codec, codec_of
from iso15118.exi.errors import ExiError
from iso15118.exi.json import Reader
from iso15118.exi.json import fragment_to_json as fragment_to_json
from iso15118.exi.json import to_json as to_json
from iso15118.exi.schema import UnknownSet, schema
from iso15118.messages.declare import Message


def decode(octets: bytes, namespace: str) -> Message:
    """An EXI document to its message. Raises ExiError, UnknownSet."""
    return codec_of(namespace).decode(octets)


def encode(message: Message, namespace: str) -> bytes:
    """The other way; without string-table hits, as every known peer reads it. Raises ExiError, UnknownSet."""
    return codec_of(namespace).encode(message)


def decode_fragment(octets: bytes, namespace: str) -> tuple[str, Any]:
    """A fragment of one element: its name, and what it holds (a message, or a simple value)."""
    return codec_of(namespace).decode_fragment(octets)


def encode_fragment(name: str, value: Any, namespace: str) -> bytes:
    """The octets that a signature's reference digests: the one element `name`. SignedInfo wants the namespace of xmldsig."""
    return codec_of(namespace).encode_fragment(name, value)


def from_json(document: Any, namespace: str) -> Message:
    """The JSON form of a document to its message. Raises ExiError with the path of what is wrong, UnknownSet."""
    return Reader(schema(namespace)).document(document)


__all__ = [
    "Codec",
    "ExiError",
    "UnknownSet",
    "codec_of",
    "decode",
    "decode_fragment",
    "encode",
    "encode_fragment",
    "fragment_to_json",
    "from_json",
    "to_json",
]
