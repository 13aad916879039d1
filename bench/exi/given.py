"""What a person gives to `chargepoint exi`: names of schema sets, octets in whatever spelling, whole V2GTP frames."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from iso15118.messages import SETS

SAP, DIN, ISO2 = "urn:iso:15118:2:2010:AppProtocol", "urn:din:70121:2012:MsgDef", "urn:iso:15118:2:2013:MsgDef"
_20 = "urn:iso:std:iso:15118:-20:"
COMMON, AC, DC, WPT, ACDP, DER_IEC, DER_SAE = (
    f"{_20}{each}" for each in ("CommonMessages", "AC", "DC", "WPT", "ACDP", "AC-DER-IEC", "AC-DER-SAE")
)
NAMES = {
    "sap": SAP,
    "din": DIN,
    "iso2": ISO2,
    "iso20-common": COMMON,
    "iso20-ac": AC,
    "iso20-dc": DC,
    "iso20-wpt": WPT,
    "iso20-acdp": ACDP,
    "iso20-ac-der-iec": DER_IEC,
    "iso20-ac-der-sae": DER_SAE,
    "xmldsig": "http://www.w3.org/2000/09/xmldsig#",
}
_SPELLINGS = (("iso-15118-20", "iso20"), ("iso-15118-2", "iso2"), ("din-spec-70121", "din"), ("din-70121", "din"))
"""As other programs name the protocols (`ISO_15118_20_DC`)."""

PAYLOADS = {
    0x8002: COMMON,
    0x8003: AC,
    0x8004: DC,
    0x8005: ACDP,
    0x8006: WPT,
    0x8010: DER_IEC,
    0x8011: DER_SAE,
    0x8101: COMMON,
    0x8102: COMMON,
    0x8103: ACDP,
    0x8104: COMMON,
}
"""V2GTP payload type -> schema set (ISO 15118-20:2022 [K]; AC-DER: the values of EVerest). 0x8001 says no more than "SAP, DIN or -2"."""
SAP_DIN_ISO2 = 0x8001
ROOTS = {76: ISO2, 77: DIN}
"""What tells these three apart: the event code of V2G_Message in 7 bits. Those of SAP begin with a zero."""
VERSION, HEADER_OCTETS = b"\x01\xfe", 8


class InputError(ValueError):
    """What was given is no input of this command; the message says why."""


def namespace(name: str) -> str:
    """A namespace, or a short name in any usual spelling. Raises InputError with a hint."""
    if name in SETS:
        return name
    plain = re.sub(r"[ _]+", "-", name.strip().lower())
    for theirs, ours in _SPELLINGS:
        if plain == theirs or plain.startswith(theirs + "-"):
            plain = ours + plain.removeprefix(theirs)
            break
    if plain in NAMES:
        return NAMES[plain]
    found = next((each for each in SETS if each.lower() == name.strip().lower()), "")
    if found:
        return found
    near = difflib.get_close_matches(plain, [*NAMES, *SETS], 1, 0.5)
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
    if given[:2] != VERSION:
        if not schema:
            raise InputError(f"--schema NAME is needed: only a V2GTP frame says by itself. NAME: {', '.join(NAMES)}, or a namespace")
        yield schema, given
        return
    at = 0
    while at < len(given):
        head = given[at : at + HEADER_OCTETS]
        if head[:2] != VERSION[: len(head)]:
            raise InputError(f"octet {at}: behind the frame comes {head[:2].hex().upper()}: no further V2GTP frame")
        length = int.from_bytes(head[4:8], "big")
        body = given[at + HEADER_OCTETS : at + HEADER_OCTETS + length]
        if len(head) < HEADER_OCTETS or len(body) < length:
            missing = HEADER_OCTETS - len(head) if len(head) < HEADER_OCTETS else length - len(body)
            raise InputError(f"octet {at}: the V2GTP frame ends {missing} octets early")
        yield schema or _of_payload(int.from_bytes(head[2:4], "big"), body), body
        at += HEADER_OCTETS + length


def _of_payload(payload: int, body: bytes) -> str:
    if payload == SAP_DIN_ISO2:
        return ROOTS.get(body[1] >> 1, SAP) if len(body) > 1 else SAP
    if payload not in PAYLOADS:
        raise InputError(f"V2GTP payload type {payload:04X} carries no EXI that is known here")
    return PAYLOADS[payload]
