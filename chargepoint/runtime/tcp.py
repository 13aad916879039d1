"""A TCP connection to a host by name or address.

Names are looked up in a thread of their own: the C library's resolver can hang for half a minute where the network is gone. Addresses and
localhost need nobody to ask.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from typing import Any

from chargepoint.runtime.aside import aside

MOST_ADDRESSES = 4
"""Of one name (ours)."""
EACH_S = 6.0
"""For one address; then the next one has its turn (ours)."""

Address = tuple[socket.AddressFamily, Any]


class NameNotFound(OSError):
    """The name has no address, or nobody could be asked."""


async def connect(host: str, port: int, *, threaded: bool) -> socket.socket:
    """A connected non-blocking socket. `threaded` False looks names up in place: on virtual time nothing waits.

    Raises NameNotFound, TimeoutError, or the OSError of the last address.
    """
    failed: OSError = NameNotFound(f"{host} has no address")
    for family, address in await _addresses(host, port, threaded=threaded):
        try:
            async with asyncio.timeout(EACH_S):
                return await _connect(family, address)
        except OSError as error:  # TimeoutError is one
            failed = error
    raise failed


async def _connect(family: socket.AddressFamily, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio does not switch Nagle's delay off
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _addresses(host: str, port: int, *, threaded: bool) -> list[Address]:
    if host == "localhost":
        return [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port))]
    with contextlib.suppress(ValueError):
        version = ipaddress.ip_address(host).version
        return [(socket.AF_INET if version == 4 else socket.AF_INET6, (host, port))]
    return await aside(lambda: _look_up(host, port), "resolver", threaded=threaded)


def _look_up(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameNotFound(f"{host}: {getattr(error, 'strerror', None) or error}") from None
    addresses: list[Address] = [(family, address) for family, _, _, _, address in found]
    return list(dict.fromkeys(addresses))[:MOST_ADDRESSES]
