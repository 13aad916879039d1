"""A TCP connection to a host by name or address.

Names are looked up in a daemon thread of their own: the C library's resolver can hang for half a minute where the network is gone, and a
thread of asyncio's pool would hold up the end of the process for as long (F-18: 5 s). Addresses and localhost need nobody to ask.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from typing import Any

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
    found = await _in_thread(host, port) if threaded else _look_up(host, port)
    if isinstance(found, OSError):
        raise found
    return found


def _look_up(host: str, port: int) -> list[Address] | OSError:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return NameNotFound(f"{host}: {getattr(error, 'strerror', None) or error}")
    addresses: list[Address] = [(family, address) for family, _, _, _, address in found]
    return list(dict.fromkeys(addresses))[:MOST_ADDRESSES]


async def _in_thread(host: str, port: int) -> list[Address] | OSError:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address] | OSError] = loop.create_future()

    def settle(found: list[Address] | OSError) -> None:
        if not answer.done():
            answer.set_result(found)

    def work() -> None:
        found = _look_up(host, port)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=work, name="resolver", daemon=True).start()
    return await answer
