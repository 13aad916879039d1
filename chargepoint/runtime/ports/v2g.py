"""The cable's network side: SDP on UDP 15118, and one TCP port for every dialect. What a connection is for is its host's matter: a station or a bench.

Strangers are at the other end. What they can reach is these two ports and nothing else (S-14); how many connections there are is bounded, and a
new vehicle gets in although old connections idle (S-3): the host says who gives way.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import random
import socket
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

from chargepoint.runtime.ports.v2g_line import Secure, Wire
from iso15118 import sdp
from iso15118.connection import Abort, Changed
from iso15118.frozen import dataclass

MOST_CONNECTIONS = 4
"""At once, for one charger."""
ANSWERS_PER_S = 20.0
"""SDP answers at most; a vehicle asks four times a second."""
PLAIN_S = 60.0
"""So long a vehicle that TLS has no chain for is told that there is no TLS..."""
MOST_PLAIN = 16
"""...and so many of them are remembered."""
DYNAMIC_PORTS = range(49152, 65536)
SDP_OCTETS = 64
"""More of a datagram is not taken: a request has ten."""


class NoInterface(Exception):
    """The interface is not there, or has no link-local address; the message says which (S-9)."""


W = TypeVar("W", bound=Wire)


class Host(Protocol[W]):
    """Whose connections they are."""

    def connection(self, server: V2gServer[W], secure: Secure | None) -> W:
        """For a vehicle that connects. When it begins, it asks `V2gServer.takes`; when it is forgotten, it says so (`V2gServer.forget`)."""

    def enter(self, server: V2gServer[W], new: W) -> bool:
        """Whether one more is taken, and who goes for it."""


@dataclass(frozen=True, slots=True)
class Where:
    """The interface, as the kernel has it."""

    name: str
    index: int
    address: ipaddress.IPv6Address


def find(interface: str) -> Where:
    """Its index and link-local address, by any of its names. Raises NoInterface."""
    try:
        index = socket.if_nametoindex(interface)
    except OSError:
        raise NoInterface(f"there is no network interface {interface!r}") from None
    with contextlib.suppress(OSError), Path("/proc/net/if_inet6").open(encoding="ascii") as table:
        for line in table:
            octets, number, _, scope, flags, _ = line.split()
            tentative = int(flags, 16) & 0x40
            if int(number, 16) == index and scope == "20" and not tentative:
                return Where(interface, index, ipaddress.IPv6Address(bytes.fromhex(octets)))
    raise NoInterface(f"the network interface {interface!r} has no IPv6 link-local address yet")


class V2gServer(Generic[W]):
    """SDP and TCP on one interface. `secure` None: no TLS; else it makes the TLS of a connection. While it is not `open`, it listens and answers nobody."""

    def __init__(
        self,
        where: Where,
        host: Host[W],
        *,
        policy: sdp.TlsPolicy = sdp.TlsPolicy.OFF,
        secure: Callable[[], Secure] | None = None,
        is_open: bool = True,
    ) -> None:
        self.where, self.host, self.policy, self.secure, self.open = where, host, policy, secure, is_open
        self.connections: list[W] = []
        self._servers: dict[sdp.Security, tuple[asyncio.Server, int]] = {}
        self._udp: asyncio.DatagramTransport | None = None
        self._answers = ANSWERS_PER_S
        self._answers_at = 0.0
        self._plain: dict[str, float] = {}
        """Address -> until when its vehicle is told less than it asks for."""

    async def start(self) -> None:
        """Listen. Raises NoInterface."""
        loop = asyncio.get_running_loop()
        try:
            for security in self._offered():
                listening = self._tcp_socket()
                server = await loop.create_server(partial(self._connection, security), sock=listening, backlog=16)
                self._servers[security] = (server, listening.getsockname()[1])
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Sdp(self), sock=self._sdp_socket())
        except OSError as error:
            await self.stop()
            raise NoInterface(f"{self.where.name}: {error.strerror or error}") from None

    def _offered(self) -> set[sdp.Security]:
        wanted = {offered for (policy, _), offered in sdp.POLICY.items() if policy is self.policy and offered is not None}
        return {each for each in wanted if each is sdp.Security.NONE or self.secure is not None}

    def _tcp_socket(self) -> socket.socket:
        """On a free port among the dynamic ones, as the standard wants it: a vehicle may refuse another (ISO 15118-2 7.7.3 [K])."""
        for port in random.sample(DYNAMIC_PORTS, 50):
            tcp = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            tcp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                tcp.bind((str(self.where.address), port, 0, self.where.index))
            except OSError as error:
                tcp.close()
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return tcp
        raise OSError(errno.EADDRINUSE, "no free port among the dynamic ones")

    def _sdp_socket(self) -> socket.socket:
        udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        udp.bind(("::", sdp.PORT))
        group = ipaddress.IPv6Address(sdp.GROUP).packed + struct.pack("@I", self.where.index)
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self.where.index)
        with contextlib.suppress(PermissionError, OSError):
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.where.name.encode() + b"\0")
        udp.setblocking(False)
        return udp

    async def stop(self, why: str = "the charger stops") -> None:
        """No new connections; those that are there end."""
        if self._udp is not None:
            self._udp.close()
        for server, _ in self._servers.values():
            server.close()
        self.abort(why)
        await asyncio.sleep(0)

    def abort(self, why: str) -> None:
        """The connections that are there end."""
        for each in list(self.connections):
            each.handle(Abort(why))

    def changed(self) -> None:
        """Facts are other than before."""
        for each in list(self.connections):
            each.handle(Changed())

    # ---- SDP

    def answer(self, datagram: bytes, peer: str = "") -> bytes | None:
        """The answer to a datagram from the cable, and from this address; None to everything that is no request (S-23), and to too many."""
        try:
            request = sdp.read_request(datagram)
        except sdp.SdpError:
            return None
        offered = self._offer(request.security, peer.partition("%")[0])
        if not self.open or offered not in self._servers or not self._may_answer():
            return None
        return sdp.Response(self.where.address, self._servers[offered][1], offered).octets()

    def _offer(self, asked: sdp.Security, peer: str) -> sdp.Security | None:
        plain = self._plain.get(peer, 0.0) > asyncio.get_running_loop().time()
        return sdp.POLICY[self.policy, sdp.Security.NONE if plain and self.policy is sdp.TlsPolicy.OPTIONAL else asked]

    def serve_plain(self, peer: str) -> None:
        """There is no TLS for the vehicle at this address: where it may come without, it is told so when it asks again."""
        self._plain.pop(peer, None)
        self._plain[peer] = asyncio.get_running_loop().time() + PLAIN_S
        while len(self._plain) > MOST_PLAIN:
            self._plain.pop(next(iter(self._plain)))

    def _may_answer(self) -> bool:
        now_s = asyncio.get_running_loop().time()
        self._answers = min(ANSWERS_PER_S, self._answers + (now_s - self._answers_at) * ANSWERS_PER_S)
        self._answers_at = now_s
        if self._answers < 1:
            return False
        self._answers -= 1
        return True

    # ---- connections

    def _connection(self, security: sdp.Security) -> W:
        made = self.host.connection(self, self.secure() if security is sdp.Security.TLS and self.secure else None)
        made.plain_too = self.policy is sdp.TlsPolicy.OPTIONAL
        return made

    def takes(self, new: W) -> bool:
        """Whether this connection may stay; it is among the `connections` from now on."""
        if not self.open or not self.host.enter(self, new):
            return False
        self.connections.append(new)
        return True

    def forget(self, gone: W) -> None:
        """It is over."""
        if gone in self.connections:
            self.connections.remove(gone)


class _Sdp(asyncio.DatagramProtocol):
    def __init__(self, server: V2gServer[Any]) -> None:
        self.server = server
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)  # which it is not by class before Python 3.12

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        scope = addr[3] if len(addr) > 3 else 0
        if len(data) > SDP_OCTETS or scope not in (0, self.server.where.index):
            return
        answer = self.server.answer(data, str(addr[0]))
        if answer is not None and self.transport is not None:
            self.transport.sendto(answer, addr)
