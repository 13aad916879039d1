"""Both ends of a TLS connection in memory, and hellos made by hand."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

from certs import pki_files, testpki
from chargepoint.runtime.v2g_tls import Chains, Engine, Plan, Server, TlsFailed

End: TypeAlias = Engine | Server
NOW = dt.datetime.now(dt.UTC)


@cache
def folder(wrong: testpki.Wrong = "", seed: bytes = b"rig") -> Path:
    """A PKI folder, made once for the process."""
    made = Path(_FOLDERS.name) / f"{wrong or 'right'}-{seed.hex()}"
    testpki.write(made, seed=seed, now=NOW, wrong=wrong)
    return made


_FOLDERS = tempfile.TemporaryDirectory(prefix="v2g-tls-")


@cache
def pki(wrong: testpki.Wrong = "", seed: bytes = b"rig") -> pki_files.Pki:
    return pki_files.read(folder(wrong, seed))


def shake(server: End, client: End, *, pieces: int = 65536, change: Callable[[bytes], bytes] = bytes) -> None:
    """Until both are done or nothing moves; TlsFailed as it comes. `change` alters what the client sends."""
    for _ in range(20):
        client.step()
        moved = pass_on(client, server, pieces, change)
        moved |= pass_on(server, client, pieces)
        if (server.handshake_done and client.handshake_done) or not moved:
            return


def pass_on(source: End, target: End, pieces: int = 65536, change: Callable[[bytes], bytes] = bytes) -> bool:
    octets = change(source.take())
    for at in range(0, len(octets), pieces):
        target.feed(octets[at : at + pieces])
        target.step()
    return bool(octets)


def refused(server: End, client: End) -> tuple[TlsFailed, TlsFailed]:
    """What the one that refuses says, and what the other one hears of it."""
    try:
        shake(server, client)
    except TlsFailed as first:
        one = first
    else:
        raise AssertionError("nobody refused")
    of_server, of_client = server.take(), client.take()
    other = client if of_server else server
    other.feed(of_server or of_client)
    try:
        other.step()
        other.read()
    except TlsFailed as second:
        return one, second
    raise AssertionError("the other side heard nothing")


def connected(plan: Plan, chains: Chains) -> tuple[Server, Engine]:
    server, client = Server(chains), Engine(plan)
    shake(server, client)
    return server, client


def vector(width: int, octets: bytes) -> bytes:
    return len(octets).to_bytes(width, "big") + octets


def numbers(values: Sequence[int]) -> bytes:
    return b"".join(each.to_bytes(2, "big") for each in values)


def extension(kind: int, octets: bytes) -> bytes:
    return numbers([kind]) + vector(2, octets)


def hello(
    legacy: int = 0x0303,
    ciphers: Sequence[int] = (0x1302, 0xC023),
    *,
    versions: Sequence[int] = (),
    groups: Sequence[int] = (),
    signatures: Sequence[int] = (),
    more: bytes = b"",
    tail: bytes = b"",
) -> bytes:
    """The handshake message of a ClientHello."""
    extensions = more
    extensions += extension(43, vector(1, numbers(versions))) if versions else b""
    extensions += extension(10, vector(2, numbers(groups))) if groups else b""
    extensions += extension(13, vector(2, numbers(signatures))) if signatures else b""
    body = numbers([legacy]) + bytes(32) + vector(1, b"") + vector(2, numbers(ciphers)) + vector(1, b"\0")
    body += (vector(2, extensions) if extensions else b"") + tail
    return b"\x01" + vector(3, body)


def records(message: bytes, size: int = 16384, *, kind: int = 22) -> bytes:
    return b"".join(bytes([kind, 3, 1]) + vector(2, part) for part in cut(message, size))


def cut(octets: bytes, size: int) -> Iterator[bytes]:
    return (octets[at : at + size] for at in range(0, len(octets), size))
