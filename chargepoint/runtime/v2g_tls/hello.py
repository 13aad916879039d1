"""Reads a ClientHello before any TLS library does: what a vehicle offers decides the version, the chain and whom we ask.

Names of numbers: IANA, "Transport Layer Security (TLS) Parameters" and "TLS ExtensionType Values".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from iso15118.frozen import dataclass

HANDSHAKE, CLIENT_HELLO, ALERT = 22, 1, 21
V2GTP = b"\x01\xfe"
MOST_OCTETS = 16384
"""Of a hello (ours): a car's has 200 to 2000."""
MOST_RECORDS = 32
"""That a hello may be cut into (ours)."""
MOST_EXTENSIONS = 64
MOST_NAMED = 64
"""Roots that a vehicle may name (ours); the rest is not looked at."""

STATUS_REQUEST, SUPPORTED_GROUPS, TRUSTED_CA_KEYS, SIGNATURE_ALGORITHMS, STATUS_REQUEST_V2 = 5, 10, 3, 13, 17
SERVER_NAME, SUPPORTED_VERSIONS, CERTIFICATE_AUTHORITIES = 0, 43, 47
TLS_1_2, TLS_1_3 = 0x0303, 0x0304

HOST_NAME = re.compile(rb"[A-Za-z0-9._-]+")


class BadHello(Exception):
    """These octets do not begin with a ClientHello; `alert` is what the other side is told."""

    def __init__(self, words: str, alert: int = 50) -> None:
        super().__init__(words)
        self.alert = alert


@dataclass(frozen=True, slots=True)
class TrustedCa:
    """A root that the vehicle has (RFC 6066, section 6). Kinds: 0 any, 1 SHA-1 of the key, 2 name, 3 SHA-1 of the certificate."""

    kind: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Hello:
    """What a ClientHello offers, in its order. `versions` has one entry where the vehicle knows no TLS 1.3.

    `odd_name`: it calls us by what is no name of a host, such as `fe80::1%eth0`.
    """

    versions: tuple[int, ...]
    ciphers: tuple[int, ...]
    groups: tuple[int, ...] = ()
    signatures: tuple[int, ...] = ()
    trusted_ca_keys: tuple[TrustedCa, ...] = ()
    authorities: tuple[bytes, ...] = ()
    status_request: bool = False
    status_request_v2: bool = False
    odd_name: bool = False


def peek(octets: bytes) -> Hello | None:
    """The hello at the beginning; None as long as it is not complete. Raises BadHello as soon as it cannot become one."""
    body = _body(octets)
    return None if body is None else _parse(body)


def _body(octets: bytes) -> bytes | None:
    """The handshake message out of its records."""
    if octets and octets[0] != HANDSHAKE:
        raise BadHello("V2GTP without TLS, where TLS was agreed" if octets[:2] == V2GTP else "no TLS handshake")
    parts: list[bytes] = []
    have = at = 0
    wanted = MOST_OCTETS  # until its length is known
    for _ in range(MOST_RECORDS):
        head = octets[at : at + 5]
        if head[:1] not in {b"", b"\x16"} or head[1:2] not in {b"", b"\x03"}:
            raise BadHello("a record that is no handshake within the hello")
        if len(head) < 5:
            return None
        length = int.from_bytes(head[3:], "big")
        if not 0 < length <= MOST_OCTETS:
            raise BadHello(f"a record of {length} octets", alert=22 if length else 50)
        parts.append(octets[at + 5 : at + 5 + length])
        have += len(parts[-1])
        at += 5 + length
        if have >= 4:
            start = parts[0] if len(parts[0]) >= 4 else b"".join(parts)[:4]
            if start[0] != CLIENT_HELLO:
                raise BadHello(f"handshake message {start[0]} instead of a hello", alert=10)
            wanted = 4 + int.from_bytes(start[1:4], "big")
            if not 4 < wanted <= MOST_OCTETS:
                raise BadHello(f"a hello of {wanted} octets")
        if have >= wanted:
            return b"".join(parts)[4:wanted]
        if at > len(octets):
            return None
    raise BadHello(f"a hello in more than {MOST_RECORDS} records")


class _Reader:
    """Of length-prefixed fields."""

    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    def __bool__(self) -> bool:
        return self._at < len(self._octets)

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._octets):
            raise BadHello("a field that is longer than the hello")
        taken, self._at = self._octets[self._at : end], end
        return taken

    def number(self, octets: int) -> int:
        return int.from_bytes(self.take(octets), "big")

    def vector(self, octets: int) -> bytes:
        return self.take(self.number(octets))


def _parse(body: bytes) -> Hello:
    reader = _Reader(body)
    legacy = reader.number(2)
    reader.take(32)
    if len(reader.vector(1)) > 32:
        raise BadHello("a session id of more than 32 octets")
    ciphers = _numbers(reader.vector(2))
    reader.vector(1)
    extensions = _extensions(reader.vector(2)) if reader else {}
    if reader:
        raise BadHello("octets behind the hello's extensions")
    versions = _numbers(_inner(extensions[SUPPORTED_VERSIONS], 1)) if SUPPORTED_VERSIONS in extensions else (min(legacy, TLS_1_2),)
    return Hello(
        versions=versions,
        ciphers=ciphers,
        groups=_listed(extensions, SUPPORTED_GROUPS),
        signatures=_listed(extensions, SIGNATURE_ALGORITHMS),
        trusted_ca_keys=tuple(_trusted(extensions.get(TRUSTED_CA_KEYS, b""))),
        authorities=tuple(_names(extensions.get(CERTIFICATE_AUTHORITIES, b""))),
        status_request=STATUS_REQUEST in extensions,
        status_request_v2=STATUS_REQUEST_V2 in extensions,
        odd_name=_is_odd(extensions.get(SERVER_NAME, b"")),
    )


def _extensions(octets: bytes) -> dict[int, bytes]:
    reader, found = _Reader(octets), dict[int, bytes]()
    while reader:
        kind = reader.number(2)
        if kind in found:
            raise BadHello(f"extension {kind} twice")
        if len(found) >= MOST_EXTENSIONS:
            raise BadHello(f"more than {MOST_EXTENSIONS} extensions")
        found[kind] = reader.vector(2)
    return found


def _numbers(octets: bytes) -> tuple[int, ...]:
    if not octets or len(octets) % 2:
        raise BadHello(f"{len(octets)} octets for a list of 16-bit numbers")
    return tuple(int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2))


def _inner(octets: bytes, width: int) -> bytes:
    """Of an extension that is nothing but one vector."""
    reader = _Reader(octets)
    inner = reader.vector(width)
    if reader:
        raise BadHello("octets behind an extension's list")
    return inner


def _listed(extensions: dict[int, bytes], kind: int) -> tuple[int, ...]:
    return _numbers(_inner(extensions[kind], 2)) if kind in extensions else ()


def _is_odd(octets: bytes) -> bool:
    reader = _Reader(_inner(octets, 2)) if octets else _Reader(b"")
    while reader:
        kind, name = reader.number(1), reader.vector(2)
        if kind == 0 and not HOST_NAME.fullmatch(name):
            return True
    return False


def _trusted(octets: bytes) -> Iterator[TrustedCa]:
    """Up to the first kind that is not known: its length is not known either."""
    reader = _Reader(_inner(octets, 2)) if octets else _Reader(b"")
    for _ in range(MOST_NAMED):
        if not reader:
            return
        kind = reader.number(1)
        match kind:
            case 0:
                yield TrustedCa(kind, b"")
            case 1 | 3:
                yield TrustedCa(kind, reader.take(20))
            case 2:
                yield TrustedCa(kind, reader.vector(2))
            case _:
                return


def trusted_ca_keys(hashes: tuple[bytes, ...]) -> bytes:
    """The extension's octets for roots by the SHA-1 of their certificates."""
    listed = b"".join(b"\x03" + each for each in hashes)
    return len(listed).to_bytes(2, "big") + listed


def certificate_authorities(names: tuple[bytes, ...]) -> bytes:
    """The extension's octets for roots by their names."""
    listed = b"".join(len(each).to_bytes(2, "big") + each for each in names)
    return len(listed).to_bytes(2, "big") + listed


def _names(octets: bytes) -> Iterator[bytes]:
    reader = _Reader(_inner(octets, 2)) if octets else _Reader(b"")
    for _ in range(MOST_NAMED):
        if not reader:
            return
        yield reader.vector(2)
