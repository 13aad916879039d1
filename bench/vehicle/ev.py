"""`chargepoint ev`: one simulated vehicle, one session against whatever SECC answers on the interface."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from bench.vehicle import offer
from bench.vehicle.model import SPECS, Vehicle
from chargepoint.runtime.clock import SystemClock
from chargepoint.runtime.ports.v2g import NoInterface, Secure, Where, find
from chargepoint.runtime.v2g_tls.secured import Secured
from chargepoint.runtime.v2g_tls.secured import vehicle as vehicle_tls
from iso15118 import exi, sdp
from iso15118.connection import Close, Command, Connected, Event, Heard, Lost, Note, Received, Send, TimerExpired
from iso15118.evcc.iso20.dialect import spoken
from iso15118.evcc.session import Session
from iso15118.terms import Ending, SessionOver, Told

INTERFACE_S = 5.0
"""So long a missing link-local address is waited for."""
CONNECT_S = 5.0


class NoCharger(ConnectionError):
    """Nobody answered, or not with what is needed."""


@dataclass(frozen=True, slots=True)
class Options:
    """As given on the command line."""

    interface: str
    pki: Path | None = None
    protocol: str = "any"
    service: str = "DC"
    tls: str = "none"
    control: str = "any"
    loops: int = 10
    lax: bool = False
    """Take any voltage at the precharge: for chargers of benches that only pretend."""
    spec: str = "compact"
    show: bool = True


class Drive(asyncio.Protocol):
    """The vehicle's connection: its session, its battery, and one timer for both."""

    def __init__(self, vehicle: Vehicle, secure: Secure | None, say: Callable[[str], None]) -> None:
        self.vehicle, self.secure, self._say = vehicle, secure, say
        self.session = Session(spoken(vehicle.wants))
        self.clock = SystemClock()
        self.over: asyncio.Future[SessionOver] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._events: deque[Event] = deque()
        self._begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.secure is None:
            self.handle(Connected())
        else:
            self._send(self.secure.pending())

    def data_received(self, data: bytes) -> None:
        if self.secure is None:
            self.handle(Received(data))
            return
        try:
            inside = self.secure.received(data)
        except ConnectionError as error:
            self._send(self.secure.pending())
            self.handle(Lost(str(error)))
            return
        self._send(self.secure.pending())
        if self.secure.ready and not self._begun:
            self._begun = True
            self.handle(Connected(tls=True, verified=self.secure.verified))
        if inside:
            self.handle(Received(inside))

    def connection_lost(self, exc: Exception | None) -> None:
        self.handle(Lost(str(exc) if exc else "closed by the charger"))
        if not self.over.done():
            self.over.set_result(SessionOver(Ending.ABORTED, "the connection was lost"))

    def handle(self, event: Event) -> None:
        """One event, and what follows."""
        self._events.append(event)
        if len(self._events) > 1:
            return
        while self._events:
            for command in self.session.handle(self.clock.now(), self._events[0]):
                self._carry_out(command)
            self._events.popleft()
        self._set_timer()

    def _carry_out(self, command: Command) -> None:
        match command:
            case Send(octets, message):
                self._say(f"> {type(message).__name__}")
                self._send(self.secure.wrapped(octets) if self.secure else octets)
            case Heard(message):
                self._say(f"< {type(message).__name__} {getattr(message, 'ResponseCode', '')}")
            case Note(level, key, words):
                self._say(f"{level} {key}: {words}")
            case Close():
                if self.secure is not None:
                    self._send(self.secure.closing())
                if self._transport is not None:
                    self._transport.close()
            case SessionOver():
                self.vehicle.told(self.clock.now(), command)
                self._say(f"session over: {command.ending.value}, {command.why}")
                if not self.over.done():
                    self.over.set_result(command)
            case Told():
                self.vehicle.told(self.clock.now(), command)
                self._say(f"  {command}")

    def _send(self, octets: bytes) -> None:
        if octets and self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = min((each for each in (self.session.deadline(), self.vehicle.deadline()) if each is not None), default=None)
        if due is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, due - self.clock.now().mono), self._due)

    def _due(self) -> None:
        self._timer = None
        self.vehicle.tick(self.clock.now())
        self.handle(TimerExpired())


def main(options: Options) -> int:
    """0 when the session came to its SessionStop after the loops. Raises InputError, NoCharger."""
    over = asyncio.run(drive(options, sys.stdout))
    return 0 if over.ending is Ending.TERMINATED else 1


async def drive(options: Options, out: TextIO) -> SessionOver:
    """One session, from SDP to its end. Raises InputError, NoCharger."""
    where = await interface_of(options.interface)
    for namespace in offer.protocols(options.protocol):
        exi.codec_of(namespace)
    wanted = sdp.Security.NONE if options.tls == "none" else sdp.Security.TLS
    found = await discover(where, wanted)

    def say(line: str) -> None:
        if options.show:
            print(line, file=out, flush=True)

    secure = secure_for(options, found.security, say)
    vehicle = vehicle_for(options)
    say(f"charger at [{found.address}]:{found.port}, {'TLS' if found.security is sdp.Security.TLS else 'no TLS'}")
    line = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    line.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_S):
            await loop.sock_connect(line, (str(found.address), found.port, 0, where.index))
    except (OSError, TimeoutError) as error:
        line.close()
        raise NoCharger(f"the charger does not take the connection: {str(error) or 'no answer'}") from None
    _, drive_ = await loop.create_connection(lambda: Drive(vehicle, secure, say), sock=line)
    over = await drive_.over
    await asyncio.sleep(0)
    return over


def vehicle_for(options: Options) -> Vehicle:
    """As the command line wants it."""
    vehicle = Vehicle(SPECS[options.spec])
    wants = vehicle.wants
    wants.energies = offer.energies(options.service)
    wants.controls = offer.controls(options.control)
    wants.loops = options.loops
    if options.lax:
        wants.near_V = math.inf
    return vehicle


async def interface_of(interface: str) -> Where:
    """Wait for its link-local address. Raises InputError after 5 s."""
    deadline = asyncio.get_running_loop().time() + INTERFACE_S
    while True:
        try:
            return find(interface)
        except NoInterface as error:
            if asyncio.get_running_loop().time() > deadline:
                raise offer.InputError(str(error)) from None
        await asyncio.sleep(0.1)


async def discover(where: Where, security: sdp.Security) -> sdp.Response:
    """SDP: ask four times a second. Raises NoCharger after the standard's 50 times."""
    loop = asyncio.get_running_loop()
    line = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, where.index)
    line.setblocking(False)
    line.bind(("::", 0, 0, 0))
    with contextlib.closing(line):
        for _ in range(sdp.MOST_REQUESTS):
            with contextlib.suppress(OSError):
                line.sendto(sdp.Request(security).octets(), (sdp.GROUP, sdp.PORT, 0, where.index))
            try:
                async with asyncio.timeout(sdp.REQUEST_EVERY_S):
                    while True:
                        answer: tuple[bytes, Any] = await loop.sock_recvfrom(line, 64)
                        with contextlib.suppress(sdp.SdpError):
                            return sdp.read_response(answer[0])
            except TimeoutError:
                continue
    raise NoCharger(f"nobody answered {sdp.MOST_REQUESTS} SDP requests on {where.name}")


def secure_for(options: Options, security: sdp.Security, say: Callable[[str], None]) -> Secure | None:
    """TLS as the options and what the charger offers want it; None for none. Raises InputError, NoCharger."""
    if security is sdp.Security.NONE:
        if options.tls in ("1.2", "1.3"):
            raise NoCharger(f"the charger offers no TLS, and --tls {options.tls} wants it")
        return None
    if options.pki is None:
        raise offer.InputError("TLS needs --pki DIR; `chargepoint certs testpki DIR` makes one")
    version = offer.version(options.tls)

    def agreed(secured: Secured) -> None:
        say(f"TLS {secured.engine.version}, charger {'verified' if secured.verified else 'not verified'}")

    secure, warnings = vehicle_tls(options.pki, version, lax=version == "any", key_log=offer.key_log(), agreed=agreed)
    for each in warnings:
        print(f"warning: {each}", file=sys.stderr)
    return secure
