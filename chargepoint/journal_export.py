"""A journal for somebody else's eyes: idTokens, passwords and seeds become pseudonyms, the same one for the same value throughout.

What is exported is for reading: with another seed message ids and random waits are not those of the record, so a replay of it differs
there. The journal on the device stays whole.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from chargepoint.secret_names import is_secret
from iso15118 import exi
from iso15118.messages import sap
from iso15118.messages.iso20 import ac, common_messages, dc
from iso15118.v2gtp import SAP_DIN_ISO2, SCHEMA_SETS, FrameReader

SECRET_FIELDS: dict[str, str] = {
    "id_token": "token",
    "idToken": "token",
    "additionalIdToken": "token",
    "group": "token",
    "token": "token",
    "master_pass_group": "token",
    "evcc_id": "token",
    "paused_evcc": "token",
    "password_before": "password",
    "proven_password": "password",
    "other_password": "password",
    "basic_auth_password": "password",
    "entropy_hex": "seed",
    "seed_hex": "seed",
    "nmk": "key",
    "nmk_wanted": "key",
    "nmk_sent": "key",
    "ev_mac": "address",
    "emaid": "token",
    "pcid": "token",
}
"""Field -> what kind of thing its text is. A field that holds an object is walked through, not replaced."""
SECRET_VARIABLES = {"masterpassgroupid": "token", "vehicleid": "token"}
"""Device-model variables, in lower case, whose value counts like a field, beside those of `secret_names`."""
OWNERS = "local_tokens"
"""Of the configuration: a list of `type:token`."""
_HASH = re.compile(r"[0-9a-f]{64}")
"""Keys of lists and caches: a hash of a token says which token it is to whoever tries them all."""
_MAC = re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b")
"""A modem's address on the power line: a vehicle is known again by it."""
PEER, LINK_LOCAL = "peer", "fe80:"
"""A vehicle's address on the cable has the number of its modem in it."""
OCTETS = "octets"
"""Of a vehicle's connection, in hexadecimal: they stay where each of their messages is known to name nobody."""
DOCUMENTS = ("chain_pem", "leaf", "installation_res", "exiRequest", "exiResponse", "certificate")
"""Certificates of contracts and vehicles, and what they are asked for and sent with: whatever the encoding, a name stands in it. They are left out."""
SERIALS, BESIDE = ("serialNumber", "serial_number"), ("issuerKeyHash", "issuer_key_hash")
"""Of a certificate, where it is named by its hashes: who has its maker's list knows whose it is."""
ROOT = "certificateType"
"""Beside a certificate: it is a root, and names nobody."""
NAMES_NOBODY: frozenset[type] = frozenset(
    each
    for module in (sap, common_messages, ac, dc)
    for name, each in vars(module).items()
    if name.endswith(("Req", "Res")) and not name.startswith(("SessionSetupReq", "AuthorizationReq", "Certificate", "Metering", "Vehicle"))
)
"""Messages without an EVCCID, a certificate, a signature or a number plate."""
_LONG = 8
"""Shorter ones are replaced as whole words only: a PIN of three letters stands in the middle of many words."""


def redacted(lines: Iterable[str], salt: bytes) -> Iterator[str]:
    """The lines with pseudonyms. Two exports with the same salt name the same token alike. Lines that are no JSON are left out."""
    kept = []
    secrets: dict[str, str] = {}
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        kept.append(value)
        for kind, text in _secrets(value):
            if text:
                secrets.setdefault(text, pseudonym(kind, text, salt))
    by_length = sorted(secrets, key=len, reverse=True)
    pattern = re.compile("|".join(map(_pattern, by_length))) if by_length else None
    for value in kept:
        yield json.dumps(_replaced(value, pattern, secrets), separators=(",", ":"))


def _pattern(secret: str) -> str:
    return re.escape(secret) if len(secret) >= _LONG else rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])"


def pseudonym(kind: str, text: str, salt: bytes) -> str:
    """`token-` and ten hex digits.

    >>> pseudonym("token", "04A1B2C3", b"salt") == pseudonym("token", "04A1B2C3", b"salt") != pseudonym("token", "04A1B2C4", b"salt")
    True
    """
    return f"{kind}-{hmac.new(salt, text.encode('utf-8', 'surrogatepass'), hashlib.sha256).hexdigest()[:10]}"


def _secrets(value: Any, parent: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for each in value:
            yield from _secrets(each, parent)
    elif isinstance(value, dict):
        yield from _of_object(value, parent)
    elif isinstance(value, str):
        yield from (("address", each) for each in _MAC.findall(value))
        if _HASH.fullmatch(value):
            yield "key", value
        elif value[:1] in ("[", "{"):
            yield from _inside(value)


def _of_object(value: dict[str, Any], parent: str) -> Iterator[tuple[str, str]]:
    for key, each in value.items():
        if key == OWNERS and isinstance(each, list):
            yield from (("token", str(token).partition(":")[2] or str(token)) for token in each)
        elif isinstance(each, (dict, list)) and is_secret(key, parent):
            yield from (("password", text) for text in _leaves(each))
        elif kind := _of_field(key, each, parent):
            yield kind, str(each)
        else:
            yield from _secrets(each, key)
        if _HASH.fullmatch(key):
            yield "key", key
    for each in SERIALS:
        if not value.keys().isdisjoint(BESIDE) and isinstance(value.get(each), str) and len(value[each]) >= _LONG:
            yield "key", value[each]
    name = value.get("variable")
    if isinstance(name, dict):
        name = name.get("name")
    if isinstance(name, str) and (word := _of_variable(name)):
        for field in ("attributeValue", "value"):
            if isinstance(value.get(field), str):
                yield word, value[field]


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _of_field(key: str, value: Any, parent: str) -> str:
    """What kind of secret it is; "" for none."""
    if isinstance(value, (str, int)) and not isinstance(value, bool) and is_secret(key, parent):
        return "password"
    if not isinstance(value, str):
        return ""
    if key == PEER:
        return "address" if value.startswith(LINK_LOCAL) else ""
    return SECRET_FIELDS.get(key) or _of_variable(key)


def _of_variable(key: str) -> str:
    name = key.rpartition(".")[2]
    return "password" if is_secret(name) else SECRET_VARIABLES.get(name.lower(), "")


def _inside(text: str) -> Iterator[tuple[str, str]]:
    """A frame, or a message of the outbox, as text."""
    try:
        yield from _secrets(json.loads(text))
    except (ValueError, RecursionError):
        return


def _replaced(value: Any, pattern: re.Pattern[str] | None, secrets: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_replaced(each, pattern, secrets) for each in value]
    if isinstance(value, dict):
        if isinstance(value.get(OCTETS), str) and not _names_nobody(value[OCTETS]):
            value = {**value, OCTETS: ""}
        if ROOT not in value and not value.keys().isdisjoint(DOCUMENTS):
            value = {key: "" if _is_document(key, each) else each for key, each in value.items()}
        return {_text(key, pattern, secrets): _replaced(each, pattern, secrets) for key, each in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        return secrets.get(str(value), value)
    return _text(_without_documents(value), pattern, secrets) if isinstance(value, str) else value


def _is_document(key: str, value: Any) -> bool:
    """`certificate` is also what somebody has said of one."""
    return key in DOCUMENTS and isinstance(value, str) and (key != "certificate" or value.startswith("-----BEGIN"))


def _without_documents(text: str) -> str:
    """A frame, or a message of the outbox, that has one."""
    if text[:1] not in ("[", "{") or not any(f'"{each}"' in text for each in DOCUMENTS):
        return text
    try:
        return json.dumps(_replaced(json.loads(text), None, {}), separators=(",", ":"))
    except (ValueError, RecursionError):
        return ""


def _names_nobody(octets: str) -> bool:
    """Whole messages, and all of them harmless. Half a message could be anything."""
    reader = FrameReader()
    try:
        frames = reader.feed(bytes.fromhex(octets))
        spaces = [sap.NAMESPACE if each.payload_type == SAP_DIN_ISO2 else SCHEMA_SETS[each.payload_type] for each in frames]
        messages = [exi.decode(each.payload, space) for each, space in zip(frames, spaces, strict=True)]
    except (ValueError, KeyError, exi.ExiError):
        return False
    unsigned = all(getattr(getattr(each, "Header", None), "Signature", None) is None for each in messages)
    return not reader.inside and unsigned and all(type(each) in NAMES_NOBODY for each in messages)


def _text(text: str, pattern: re.Pattern[str] | None, secrets: dict[str, str]) -> str:
    return pattern.sub(lambda found: secrets[found[0]], text) if pattern else text
