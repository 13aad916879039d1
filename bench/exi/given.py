"""What a person gives to `chargepoint exi`: names of schema sets, octets in whatever spelling, whole V2GTP frames."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from iso15118.exi import ExiError
from iso15118.exi.bits import BitReader
from iso15118.exi.options import read_header
from iso15118.messages import SETS
from iso15118.v2gtp import NAMES as PAYLOADS
from iso15118.v2gtp import SAP_DIN_ISO2, SCHEMA_SETS, START, FrameReader, V2gtpError

SAP, DIN, ISO2 = "urn:iso:15118:2:2010:AppProtocol", "urn:din:70121:2012:MsgDef", "urn:iso:15118:2:2013:MsgDef"
_20 = "urn:iso:std:iso:15118:-20:"
NAMES = {
    "sap": SAP,
    "din": DIN,
    "iso2": ISO2,
    "iso20-common": f"{_20}CommonMessages",
    "iso20-ac": f"{_20}AC",
    "iso20-dc": f"{_20}DC",
    "iso20-wpt": f"{_20}WPT",
    "iso20-acdp": f"{_20}ACDP",
    "iso20-ac-der-iec": f"{_20}AC-DER-IEC",
    "iso20-ac-der-sae": f"{_20}AC-DER-SAE",
    "xmldsig": "http://www.w3.org/2000/09/xmldsig#",
}
_SPELLINGS = (("iso-15118-20", "iso20"), ("iso-15118-2", "iso2"), ("din-spec-70121", "din"), ("din-70121", "din"))
"""As other programs name the protocols (`ISO_15118_20_DC`)."""

ROOTS = {76: ISO2, 77: DIN}
"""What tells apart what shares a payload type: the event code of V2G_Message in 7 bits. Those of SAP begin with a zero."""


class InputError(ValueError):
    """What was given is no input of this command; the message says why."""


def plain(name: str) -> str:
    """A name as we spell it.

    >>> plain("ISO_15118_20_DC"), plain(" ISO_15118_2")
    ('iso20-dc', 'iso2')
    """
    spelt = re.sub(r"[ _]+", "-", name.strip().lower())
    for theirs, ours in _SPELLINGS:
        if spelt == theirs or spelt.startswith(theirs + "-"):
            return ours + spelt.removeprefix(theirs)
    return spelt


def namespace(name: str) -> str:
    """A namespace, or a short name in any usual spelling. Raises InputError with a hint."""
    if name in SETS:
        return name
    spelt = plain(name)
    if spelt in NAMES:
        return NAMES[spelt]
    found = next((each for each in SETS if each.lower() == name.strip().lower()), "")
    if found:
        return found
    near = difflib.get_close_matches(spelt, [*NAMES, *SETS], 1, 0.5)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(NAMES)}, and their namespaces"
    raise InputError(f"no schema {name!r}{hint}")


def octets(text: str) -> bytes:
    """Hexadecimal digits, with whatever usually stands between octets. Raises InputError."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        digits = re.sub(r"0[xX]|\\x|[\s,:;_-]+", "", text)
    wrong = re.search(r"[^0-9a-fA-F]", digits)
    if wrong:
        raise InputError(f"{wrong.group()!r} is no hexadecimal digit")
    if len(digits) % 2:
        raise InputError(f"{len(digits)} hexadecimal digits: half an octet is missing")
    return bytes.fromhex(digits)


def from_input(data: bytes) -> bytes:
    """The octets in a file: hexadecimal, or as they are, since no EXI stream and no frame is ASCII."""
    return octets(data.decode("ascii")) if data.isascii() else data


def streams(given: bytes, schema: str | None) -> Iterator[tuple[str, bytes]]:
    """Schema set and EXI stream of each message. `schema` is what the caller says, and wins. Raises InputError."""
    if not given:
        raise InputError("nothing was given")
    if given[:2] != START:
        if not schema:
            raise InputError(f"--schema NAME is needed: only a V2GTP frame says by itself. NAME: {', '.join(NAMES)}, or a namespace")
        yield schema, given
        return
    reader = FrameReader()
    try:
        frames = reader.feed(given)
    except V2gtpError as error:
        raise InputError(str(error)) from None
    for frame in frames:
        found = schema or schema_set(frame.payload_type, frame.payload)
        if not found:
            known = PAYLOADS.get(frame.payload_type, "")
            raise InputError(f"V2GTP payload type {frame.payload_type:04X}{known and f' ({known})'}: no EXI that is known here")
        yield found, frame.payload
    if reader.inside:
        raise InputError("the V2GTP frame ends too early")


def schema_set(payload_type: int, payload: bytes) -> str:
    """Of the EXI in a V2GTP frame; "" where there is none that is known."""
    return _of_the_root(payload) if payload_type == SAP_DIN_ISO2 else SCHEMA_SETS.get(payload_type, "")


def _of_the_root(payload: bytes) -> str:
    bits = BitReader(payload)
    try:
        read_header(bits)
        return ROOTS.get(bits.read(7), SAP)
    except ExiError:
        return SAP
