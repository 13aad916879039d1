"""`chargepoint ev`: one simulated vehicle, one session against whatever SECC answers on the interface."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

from bench.exi import given
from bench.v2g import offer, pki_folder
from bench.v2g.line import Line
from bench.v2g.model import SPECS, Vehicle
from bench.v2g.others import spoken
from bench.v2g.slac import VehicleMatching
from chargepoint.runtime.clock import SystemClock
from chargepoint.runtime.ports.v2g import NoInterface, Where, find
from chargepoint.runtime.ports.v2g_line import Secure
from chargepoint.runtime.v2g_tls.secured import Secured
from chargepoint.runtime.v2g_tls.secured import vehicle as vehicle_tls
from iso15118 import exi, sdp
from iso15118.connection import Command, Connected, Heard, Note, Send
from iso15118.evcc.iso2.contracts import signs
from iso15118.evcc.session import Session
from iso15118.evcc.speak import DIN, ISO2, ISO20, PROTOCOLS
from iso15118.evcc.terms import DrawPower, Wants
from iso15118.messages import sap
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import PLAIN, Ending, Energy, Payment, SessionOver, Told

INTERFACE_S = 5.0
"""So long a missing link-local address is waited for."""
CONNECT_S = 5.0
PATIENT_S = 10.0
AGAIN_S = 1.0
"""From a session in which a contract was refused to the next one."""

D = TypeVar("D", bound="Drive")


class NoCharger(ConnectionError):
    """Nobody answered, or not with what is needed."""


@dataclass(frozen=True, slots=True)
class Options:
    """As given on the command line."""

    interface: str
    pki: Path | None = None
    protocol: str = "any"
    """Names as `evcc.speak` has them, best first, between commas. any: all that carry the service."""
    service: str = "DC"
    tls: str = "none"
    control: str = "any"
    loops: int = 10
    lax: bool = False
    """Take any voltage at the precharge: for chargers of benches that only pretend."""
    loop_s: float | None = None
    """Between two rounds of the loop; None: as the vehicle does it."""
    spec: str = "compact"
    show: bool = True
    slac: bool = False
    """Match over the power line first."""
    auth: str = "eim"
    """Ways to pay, as `pki_folder.WORDS` has them: by contract where that is among them."""
    patient: bool = False
    """Wait for responses of chargers that are slow programs."""
    install: bool = False
    """Ask for a contract though there is one."""
    update: bool = False
    """ISO 15118-2: ask for the contract anew."""


class Drive(Line):
    """The vehicle's end: its session, and its battery."""

    def __init__(self, vehicle: Vehicle, secure: Secure | None, say: Callable[[str], None]) -> None:
        super().__init__(Session(spoken(vehicle.wants)), SystemClock(), secure)
        self.vehicle, self._say = vehicle, say
        self.over: asyncio.Future[SessionOver] = asyncio.get_running_loop().create_future()

    def begin(self) -> None:
        """The vehicle speaks first: not before TLS is done."""
        if self.secure is None:
            self.handle(Connected())

    def told(self, told: Told) -> None:
        self.vehicle.told(self.clock.now(), told)
        if not isinstance(told, SessionOver):
            self._say(f"  {told}")
            return
        self._say(f"session over: {told.ending.value}, {told.why}")
        if not self.over.done():
            self.over.set_result(told)

    def shown(self, command: Command) -> None:
        match command:
            case Send(_, message):
                self._say(f"> {type(message).__name__}")
            case Heard(message):
                self._say(f"< {type(message).__name__} {getattr(message, 'ResponseCode', '')}")
            case Note(level, key, words):
                self._say(f"{level} {key}: {words}")

    def forgotten(self) -> None:
        if not self.over.done():
            self.over.set_result(SessionOver(Ending.ABORTED, "the connection was lost"))

    def deadline(self) -> float | None:
        return min((each for each in (super().deadline(), self.vehicle.deadline()) if each is not None), default=None)

    def due(self) -> None:
        self.vehicle.tick(self.clock.now())


def main(options: Options) -> int:
    """0 when the session came to its SessionStop after the loops, 1 too where nobody would pay. Raises InputError, NoCharger."""
    done = asyncio.run(drive(options, sys.stdout))
    return 0 if charged(done.vehicle) else 1


def charged(vehicle: Vehicle) -> bool:
    """Its session has come to its SessionStop, and before that to its loop."""
    over, drew = vehicle.over, any(isinstance(told, DrawPower) for _, told in vehicle.log)
    return drew and over is not None and over.ending is Ending.TERMINATED


async def drive(options: Options, out: TextIO) -> Drive:
    """From SDP to the end of its session, and again as long as the vehicle comes again by another way to pay; what has driven the last one. Raises InputError,
    NoCharger.
    """

    def say(line: str) -> None:
        if options.show:
            print(line, file=out, flush=True)

    vehicle = vehicle_for(options)
    matching = VehicleMatching(options.interface, say) if options.slac else None
    try:
        if matching is not None:
            await matched(matching)
        while True:
            where, found = await charger_of(options)
            driven = await session(options, where, found, say, Drive, vehicle)
            if not vehicle.comes_again:
                return driven
            say("the vehicle comes again, by another way to pay")
            await asyncio.sleep(AGAIN_S)
    finally:
        if matching is not None:
            await matching.stop()


async def matched(matching: VehicleMatching) -> None:
    """The link is up. Raises InputError, NoCharger."""
    try:
        await matching.match()
    except ConnectionError as error:
        raise NoCharger(str(error)) from None


async def charger_of(options: Options) -> tuple[Where, sdp.Response]:
    """The interface, and what SDP has found on it. Raises InputError, NoCharger."""
    where = await interface_of(options.interface)
    spoken_ = spoken(vehicle_for(options).wants)
    for namespace in (sap.NAMESPACE, cm.NAMESPACE, *(each.namespace for each in spoken_)):
        exi.codec_of(namespace)
    return where, await discover(where, sdp.Security.NONE if options.tls == "none" else sdp.Security.TLS)


async def session(
    options: Options, where: Where, found: sdp.Response, say: Callable[[str], None], kind: type[D], vehicle: Vehicle | None = None
) -> D:
    """One session to its end, of this vehicle or of a new one; what has driven it. Raises InputError, NoCharger."""
    drive = kind(vehicle or vehicle_for(options), secure_for(options, found.security, say), say)
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
    await loop.create_connection(lambda: drive, sock=line)
    await drive.over
    await asyncio.sleep(0)
    return drive


def vehicle_for(options: Options) -> Vehicle:
    """As the command line wants it. Raises InputError, PkiError."""
    vehicle = Vehicle(SPECS[options.spec])
    wants = vehicle.wants
    wants.energies = offer.energies(options.service)
    wants.protocols = protocols(options)
    wants.controls = offer.controls(options.control)
    wants.loops = options.loops
    if options.loop_s is not None:
        wants.loop_s = options.loop_s
    if options.lax:
        wants.near_V = math.inf
    if options.patient:
        wants.patience_s = PATIENT_S
    payments = pki_folder.payments(options.auth)
    offer.check_ways(wants.protocols, wants.controls, payments)
    if Payment.PNC in payments:
        if options.pki is None or options.tls == "none":
            raise given.InputError("--auth pnc needs --tls and --pki DIR: a contract is shown over TLS only")
        pki_folder.fill(wants, options.pki, options.auth)
    _asking(options, wants)
    return vehicle


def _asking(options: Options, wants: Wants) -> None:
    """Raises InputError for what cannot be asked for."""
    words = [f"--{name}" for name, there in (("install", options.install), ("update", options.update)) if there]
    if words and wants.payment is not Payment.PNC:
        raise given.InputError(f"{words[0]} needs --auth pnc: a contract is what is asked for")
    if options.install and wants.provisioning is None and wants.provisioning_iso2 is None:
        raise given.InputError(f"--install: {options.pki} has no oemCertChain.pem to ask for a contract by")
    if options.update and not any(each in ISO2 for each in wants.protocols):
        raise given.InputError("--update needs --protocol iso2-dc or iso2-ac: no other protocol renews contracts")
    if options.update and not any(signs(each.chain) for each in wants.contracts):
        raise given.InputError(f"--update: {options.pki} has no contractCertChain.pem on P-256, which is what ISO 15118-2 renews")
    wants.install, wants.update = options.install, options.update


def protocols(options: Options) -> tuple[str, ...]:
    """Their names, in the order given. DIN 70121 knows no TLS: over that it is not among `any`. Raises InputError."""
    energies = offer.energies(options.service)
    if options.protocol.lower() in offer.ALL:
        iso20 = [name for each in energies if each in PLAIN for name, is_dc in ISO20.items() if is_dc == each.is_dc]
        iso2 = [name for each in energies for name, energy in ISO2.items() if energy is each]
        din = [DIN] if Energy.DC in energies and options.tls == "none" else []
        return tuple(dict.fromkeys([*iso20, *iso2, *din]))
    names = tuple(dict.fromkeys(_protocol(word, dc=energies[0].is_dc) for word in options.protocol.split(",")))
    for name in names:
        able = offer.carried(name)
        if not any(each in able for each in energies):
            words = ", ".join(each.value for each in able if each in PLAIN)
            raise given.InputError(f"--service {options.service}: not by --protocol {name}, which has {words}")
    return names


def _protocol(word: str, *, dc: bool) -> str:
    """In any usual spelling; "iso2" is the half of it that carries the service."""
    if word.strip().lower() in PROTOCOLS:
        return word.strip().lower()
    try:
        namespace = given.namespace(word)
    except given.InputError:
        namespace = ""
    names = {given.DIN: DIN, given.ISO2: "iso2-dc" if dc else "iso2-ac"} | {given.NAMES[each]: each for each in ISO20}
    if namespace not in names:
        raise given.InputError(f"--protocol {word}: no such protocol; there are {', '.join((*PROTOCOLS, *offer.SPELT))}")
    return names[namespace]


async def interface_of(interface: str) -> Where:
    """Wait for its link-local address. Raises InputError after 5 s."""
    deadline = asyncio.get_running_loop().time() + INTERFACE_S
    while True:
        try:
            return find(interface)
        except NoInterface as error:
            if asyncio.get_running_loop().time() > deadline:
                raise given.InputError(str(error)) from None
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
        raise given.InputError("TLS needs --pki DIR; `chargepoint certs testpki DIR` makes one")
    version = offer.version(options.tls)

    def agreed(secured: Secured) -> None:
        say(f"TLS {secured.engine.version}, charger {'verified' if secured.verified else 'not verified'}")

    secure, warnings = vehicle_tls(options.pki, version, lax=version == "any", key_log=offer.key_log(), agreed=agreed)
    for each in warnings:
        print(f"warning: {each}", file=sys.stderr)
    return secure
