"""`chargepoint secc`: the SECC alone, on simulated power."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO, TypeAlias

from bench.exi import given
from bench.v2g import offer, others, pki_folder
from bench.v2g.charger import AC_22_KW, DC_150_KW, Charger
from bench.v2g.line import Line
from bench.v2g.pki_folder import Services
from bench.v2g.slac import ChargerMatching
from chargepoint.runtime.clock import Clock, SystemClock
from chargepoint.runtime.ports.v2g import MOST_CONNECTIONS, NoInterface, V2gServer, find
from chargepoint.runtime.ports.v2g_line import Secure
from chargepoint.runtime.v2g_tls.secured import Secured, station
from iso15118 import exi, protocols
from iso15118.approach import Approach, WptLimits
from iso15118.connection import Abort, Command, Connected, Heard, Note, Send
from iso15118.grid import GridCode
from iso15118.messages import sap, xmldsig
from iso15118.messages.iso20 import common_messages as cm
from iso15118.sdp import TlsPolicy
from iso15118.secc import speak
from iso15118.secc.iso20.dialect import LOOP_S
from iso15118.secc.paused import Paused
from iso15118.secc.session import Protocol_, Session, Stage
from iso15118.slac.signals import PilotSeen
from iso15118.terms import Ending, Facts, Payment, SessionBegun, SessionOver, Told
from iso15118.trust import Trust

WAIT_FOR_INTERFACE_S = 0.2
LOOK_AT_INTERFACE_S = 0.5
"""So often, while serving: it may go, and come back with another index or address."""
PATIENT_S = 10.0
ENDED_BY = (signal.SIGTERM, signal.SIGINT)
GIVE_WAY = (Stage.NEW, Stage.AGREEING, Stage.ENDING, Stage.OVER)


@dataclass(frozen=True, slots=True)
class Options:
    """As given on the command line."""

    interface: str
    pki: Path | None = None
    protocols: str = "any"
    services: str = "any"
    tls: str = "none"
    control: str = "any"
    show: bool = True
    patient: bool = False
    """Wait longer for requests of the loop than the standard says: for vehicles that are slow programs."""
    most_sessions: int = 0
    """More than one charger could serve: for benches of EV makers. 0: as a station has it."""
    slac: bool = False
    """Match over the power line first."""
    auth: str = "eim"
    """Ways to pay, as `pki_folder.WORDS` has them."""


class Bench:
    """Hosts sessions; each has a charger of its own, so that a bench may serve many."""

    def __init__(self, options: Options, clock: Clock, out: TextIO) -> None:
        self.clock, self.out, self.options = clock, out, options
        names = offer.protocols(options.protocols)
        energies = offer.served(offer.energies(options.services), names)
        self.spoken = (*map(others.protocol, others.namespaces(energies)), *protocols.spoken(names))
        modes = offer.controls(options.control)
        self.energies = tuple(offer.offered(each, modes) for each in energies)
        self.payments = pki_folder.payments(options.auth)
        offer.check_ways(names, modes, self.payments)
        self.trust, self.service = Trust(), None
        if Payment.PNC in self.payments:
            self.trust, self.service = self._contracts()
        self.chargers: dict[int, Charger] = {}
        self.paused: Paused | None = None
        self.sessions = 0
        self._timers: dict[int, tuple[float, asyncio.TimerHandle]] = {}
        """When the charger of a session is due."""
        self.changed: Callable[[], None] = lambda: None
        self.matching: ChargerMatching | None = None

    # ---- who gets in

    def connection(self, server: Server, secure: Secure | None) -> Connection:
        """One with a session of its own."""
        return Connection(self, server, self.session(secure), secure)

    def enter(self, server: Server, new: Connection) -> bool:
        """Where there is one vehicle, its session without energy ends when it connects anew; one that has not agreed on anything yet, or is done, gives way
        when there are too many.
        """
        many = self.options.most_sessions
        for each in [each for each in server.connections if not many and each.peer == new.peer]:
            if each.session.dialect is not None and each.session.stage is Stage.TALKING and not each.session.dialect.energy_on:
                each.handle(Abort("the vehicle connected anew"))
        if len(server.connections) >= (many or MOST_CONNECTIONS):
            idle = next((each for each in server.connections if each.session.stage in GIVE_WAY), None)
            if idle is None:
                return False
            idle.handle(Abort("others want to connect"))
        return True

    # ---- sessions

    def _contracts(self) -> tuple[Trust, Services | None]:
        """Whom contracts are taken of, and who makes them. Raises InputError, PkiError."""
        if self.options.pki is None or self.options.tls == "none":
            raise given.InputError("--auth pnc needs --tls and --pki DIR: contracts are shown over TLS, by vehicles that are known")
        trust = pki_folder.trust(self.options.pki, peer_profile=pki_folder.peer(self.options.auth))
        return trust, pki_folder.service(self.options.pki, os.urandom(16), dt.datetime.fromtimestamp(self.clock.now().utc, dt.UTC))

    def session(self, secure: Secure | None = None) -> Session:
        """One with a fresh id, a fresh charger, and whatever session is paused."""
        facts = Facts(
            energies=self.energies, ac=AC_22_KW, dc=DC_150_KW, grid=GridCode(), wpt=WptLimits(), approach=Approach(), payments=self.payments, trust=self.trust,
            certificate_installation=self.service is not None,
        )  # fmt: skip
        charger = Charger(facts)
        if self.service is not None:
            charger.provides = self.service.answer
        session = Session(
            [
                Protocol_(
                    each.namespace,
                    each.major,
                    each.minor,
                    lambda namespace: self._dialect(charger, namespace, secure),
                    unverified=each.unverified or self.options.tls != "1.3",
                )
                for each in self.spoken
            ]
        )
        self.chargers[id(session)] = charger
        return session

    def _dialect(self, charger: Charger, namespace: str, secure: Secure | None) -> speak.Dialect:
        verified = secure is not None and secure.verified
        host = speak.Host(
            charger.facts, os.urandom(8), os.urandom(16), self.paused, verified=verified, secure=secure is not None and secure.ready
        )
        return others.begun(namespace, host, loop_s=PATIENT_S if self.options.patient else LOOP_S)

    def told(self, session: Session, told: Told) -> None:
        """Into the charger, and onto the screen."""
        charger = self.chargers.get(id(session))
        if charger is None:
            return
        charger.told(self.clock.now(), told)
        if self.matching is not None:
            self.matching.handle(PilotSeen("B" if isinstance(told, SessionOver) else charger.pilot))
        if isinstance(told, SessionBegun):
            self.sessions += 1
            if not told.resumed:
                self.paused = None
        if isinstance(told, SessionOver):
            self._over(session, told)
            return
        if self.options.show:
            self.say(f"  {told}")
        self._arm(session)

    def _over(self, session: Session, told: SessionOver) -> None:
        if told.ending is Ending.PAUSED:
            self.paused = speak.paused(session)
        charger = self.chargers.pop(id(session))
        if (armed := self._timers.pop(id(session), None)) is not None:
            armed[1].cancel()
        self.say(f"session over: {told.ending.value}, {told.why}; {charger.energy_Wh:.1f} Wh")

    def shown(self, session: Session, command: Command) -> None:
        """One line a message."""
        if not self.options.show:
            return
        match command:
            case Heard(message):
                self.say(f"> {type(message).__name__}")
            case Send(_, message):
                code = getattr(message, "ResponseCode", "")
                self.say(f"< {type(message).__name__} {code}")
            case Note(level, key, words):
                self.say(f"{level} {key}: {words}")

    def agreed(self, secured: Secured) -> None:
        """A TLS handshake is done."""
        self.say(f"TLS {secured.engine.version}, vehicle {'verified' if secured.verified else 'not verified'}")

    def say(self, line: str) -> None:
        if self.options.show:
            print(line, file=self.out, flush=True)

    def _arm(self, session: Session) -> None:
        charger = self.chargers.get(id(session))
        if charger is None:
            return
        due, (armed, timer) = charger.deadline(), self._timers.get(id(session), (None, None))
        if due == armed:
            return
        if timer is not None:
            timer.cancel()
            del self._timers[id(session)]
        if due is not None:
            wait_s = max(0.0, due - self.clock.now().mono)
            self._timers[id(session)] = due, asyncio.get_running_loop().call_later(wait_s, self._tick, session)

    def _tick(self, session: Session) -> None:
        self._timers.pop(id(session), None)
        charger = self.chargers.get(id(session))
        if charger is not None and charger.tick(self.clock.now()):
            self.changed()
        self._arm(session)


class Door(Protocol):
    """What a connection wants of its server."""

    def takes(self, new: Connection) -> bool: ...

    def forget(self, gone: Connection) -> None: ...


class Connection(Line):
    """One vehicle's connection, with its session."""

    def __init__(self, bench: Bench, server: Door, session: Session, secure: Secure | None) -> None:
        super().__init__(session, bench.clock, secure)
        self.bench, self.server, self.session = bench, server, session

    def begin(self) -> None:
        if not self.server.takes(self):
            self.drop()
            return
        self.handle(Connected())

    def told(self, told: Told) -> None:
        self.bench.told(self.session, told)

    def shown(self, command: Command) -> None:
        self.bench.shown(self.session, command)

    def forgotten(self) -> None:
        self.server.forget(self)


Server: TypeAlias = V2gServer[Connection]


def main(options: Options) -> int:
    """Until SIGINT or SIGTERM. Raises InputError."""
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(serve(options, sys.stdout))
    return 0


async def serve(options: Options, out: TextIO, ready: Callable[[Bench, Server], None] | None = None) -> None:
    """Serve until cancelled or told to end by a signal. An interface that is not ready, or not any more, is waited for (S-9)."""
    loop = asyncio.get_running_loop()
    bench = Bench(options, SystemClock(), out)
    for each in (*(spoken.namespace for spoken in bench.spoken), sap.NAMESPACE, cm.NAMESPACE, xmldsig.NAMESPACE):
        exi.codec_of(each).warm()
    policy, secure = _tls(options, bench)
    bench.matching = ChargerMatching(options.interface, bench.say) if options.slac else None
    if bench.matching is not None:
        bench.matching.begin()
    serving = asyncio.ensure_future(_serve(options, bench, policy, secure, out, ready))
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in ENDED_BY:
            loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
    finally:
        if bench.matching is not None:
            await bench.matching.stop()
        with contextlib.suppress(ValueError):
            for number in ENDED_BY:
                signal.signal(
                    number, signal.SIG_IGN
                )  # the loop closes the pipe that a second one would be written to, and only then restores these


async def _serve(
    options: Options,
    bench: Bench,
    policy: TlsPolicy,
    secure: Callable[[], Secure] | None,
    out: TextIO,
    ready: Callable[[Bench, Server], None] | None,
) -> None:
    while True:
        server = await _listening(options, bench, policy, secure, out)
        bench.changed = server.changed
        if bench.matching is not None:
            bench.matching.unlinked = server.abort
            await bench.matching.keyed.wait()
        print("ready", file=out, flush=True)
        if ready is not None:
            ready(bench, server)
        why = "the charger stops"
        try:
            why = await _gone(server)
        finally:
            await server.stop(why)


async def _gone(server: Server) -> str:
    """When the interface is not any more what the server listens on: why."""
    while True:
        await asyncio.sleep(LOOK_AT_INTERFACE_S)
        try:
            if find(server.where.name) != server.where:
                return f"{server.where.name} has another index or address"
        except NoInterface as error:
            return str(error)


async def _listening(options: Options, bench: Bench, policy: TlsPolicy, secure: Callable[[], Secure] | None, out: TextIO) -> Server:
    said = ""
    while True:
        try:
            where = find(options.interface)
            server = V2gServer(where, bench, policy=policy, secure=secure)
            await server.start()
        except NoInterface as error:
            if str(error) != said:
                said = str(error)
                print(f"waiting: {said}", file=out, flush=True)
            await asyncio.sleep(WAIT_FOR_INTERFACE_S)
        else:
            return server


def _tls(options: Options, bench: Bench) -> tuple[TlsPolicy, Callable[[], Secure] | None]:
    if options.tls == "none":
        return TlsPolicy.OFF, None
    if options.pki is None:
        raise given.InputError(f"--tls {options.tls} needs --pki DIR; `chargepoint certs testpki DIR` makes one")
    version = offer.version(options.tls)
    secure, warnings = station(options.pki, version, lax=version == "any", key_log=offer.key_log(), agreed=bench.agreed)
    for each in warnings:
        print(f"warning: {each}", file=sys.stderr)
    return (TlsPolicy.OPTIONAL if version == "any" else TlsPolicy.REQUIRED), secure
