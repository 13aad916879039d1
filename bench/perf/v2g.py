"""`python -m bench.perf.v2g`: a charger of ISO 15118-20, ISO 15118-2 and DIN 70121 over real sockets, beside the PyPI distribution `iso15118` in the same run.

Needs root: the cable is a pair of network namespaces. The vehicle is ours both times; a time is from the octets of a request given to its socket to
the octets of the answer being there: both kernels' work and the charger's wake-up are in it, the vehicle's own wake-up is not (it looks without a
pause). It is another machine than the charger, so it has a core of its own: one that looks without a pause on the charger's core would be measured
instead of it. Where a hundred vehicles share a process, a time is until their loop comes to it.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.perf.table import Row
from bench.perf.tap import tapped
from bench.perf.v2g_share import loop_ms, setup_ms, shares_ms
from bench.v2g.cable import Cable, NoNamespaces, cable, foreign, fresh_pki, ours, running, theirs
from bench.v2g.ev import Drive, Options, charger_of, session
from iso15118.connection import Command, Send
from iso15118.terms import Ending

LOOPS = 500
THEIR_LOOPS = 30
LOOP_S = 0.01
AT_ONCE = 100
OLDER = (("din", "DC", "CurrentDemandReq"), ("iso2-dc", "DC", "CurrentDemandReq"), ("iso2-ac", "AC", "ChargingStatusReq"))
AFTERWARDS = 3
"""Exchanges at most that end TLS."""
WATCHED_S = 1.0
"""Then an answer is waited for as usual: it is not for the charge loop."""


@dataclass
class Times:
    """Of one session."""

    begun: float = 0.0
    ready: float = 0.0
    """The connection is made, with TLS where there is any."""
    answers: list[tuple[str, float]] = field(default_factory=list)
    """What was asked, and seconds to its answer."""
    first: float = 0.0
    """The first answer there."""


class Timed(Drive):
    """A vehicle with a stopwatch."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.times = Times(begun=time.perf_counter())
        self._asked: tuple[str, float] | None = None
        self._name = ""

    def shown(self, command: Command) -> None:
        if isinstance(command, Send):
            self.times.ready = self.times.ready or time.perf_counter()
            self._name = type(command.message).__name__

    def _send(self, octets: bytes) -> None:
        if octets and self._name:
            self._asked, self._name = (self._name, time.perf_counter()), ""
        super()._send(octets)

    def data_received(self, data: bytes) -> None:
        """An answer comes in one piece here."""
        self._answered()
        super().data_received(data)

    def _answered(self) -> None:
        if self._asked is not None:
            now = time.perf_counter()
            self.times.answers.append((self._asked[0], now - self._asked[1]))
            self.times.first = self.times.first or now
            self._asked = None


class Watching(Timed):
    """Does nothing else than to look for the answer, and so is not woken up late."""

    def _send(self, octets: bytes) -> None:
        super()._send(octets)
        line = self._transport.get_extra_info("socket") if self._transport is not None else None
        if self._asked is None or line is None:
            return
        look = select.poll()
        look.register(line.fileno(), select.POLLIN)
        while time.perf_counter() - self._asked[1] < WATCHED_S:
            if look.poll(0):
                self._answered()
                return


async def _client(options: Options, at_once: int) -> list[Times]:
    where, found = await charger_of(options)

    async def one() -> Times:
        timed = await session(options, where, found, lambda _: None, Timed if at_once > 1 else Watching)
        if (over := timed.over.result()).ending is not Ending.TERMINATED:
            raise RuntimeError(f"the session ended {over.ending.value}: {over.why}")
        return timed.times

    if at_once > 1:
        return await asyncio.gather(*(one() for _ in range(at_once)))
    return [await one() for _ in range(2)]


def main(arguments: list[str]) -> int:
    """Without arguments the rows; with them the vehicle's process, whose times are JSON on its output."""
    if not arguments:
        for row in measure():
            print(f"{row.what}: {row.ours} | {row.peer} | {row.ratio} | {row.reach}", flush=True)
        return 0
    given = json.loads(arguments[0])
    if cores := given.pop("cores", None):
        os.sched_setaffinity(0, cores)
    at_once = given.pop("at_once", 1)
    pki = given.pop("pki", None)
    options = Options(**given, pki=Path(pki) if pki else None, show=False)
    print(json.dumps([vars(each) for each in asyncio.run(_client(options, at_once))]))
    return 0


@contextmanager
def apart() -> Iterator[None]:
    """While it lasts, what is started runs beside the vehicle's core."""
    cores = os.sched_getaffinity(0)
    if len(cores) > 1:
        os.sched_setaffinity(0, cores - {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def vehicles_cores(at_once: int) -> list[int]:
    """Many at once take what there is."""
    cores = range(os.cpu_count() or 1)
    return list(cores) if at_once > 1 or len(cores) < 2 else [cores[-1]]


def _drive(link: Cable, **given: Any) -> list[Times]:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); from bench.perf.v2g import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [
        "ip",
        "netns",
        "exec",
        link.ev,
        sys.executable,
        "-c",
        code,
        json.dumps({"interface": link.ev_interface, "cores": vehicles_cores(given.get("at_once", 1)), **given}),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return [Times(**each) for each in json.loads(done.stdout)]


def _of(times: list[Times], name: str) -> list[float]:
    return [1000 * took for each in times for what, took in each.answers if what == name]


def spread(ms: list[float]) -> str:
    """In words."""
    return f"p50 {median(ms):.2f} ms, p99 {quantiles(ms, n=100)[98]:.2f} ms"


def _last(times: list[Times], took_s: list[float]) -> list[tuple[tuple[str, float], float]]:
    """What the vehicle asked in its last session, and what the wire has seen of it. A handshake comes before and TLS's own end after it, so they are laid
    side by side where they fit best.
    """
    asked = times[-1].answers
    places = range(max(0, len(took_s) - len(asked) - AFTERWARDS), len(took_s) - len(asked) + 1)
    at = min(places, key=lambda place: sum(abs(each - took) for (_, each), took in zip(asked, took_s[place:], strict=False)))
    return list(zip(asked, took_s[at:], strict=False))


def _setup_ms(times: Times) -> float:
    """The charger's answers up to PowerDelivery, which waits for power."""
    until = next(number for number, (what, _) in enumerate(times.answers) if what == "PowerDeliveryReq")
    return 1000 * sum(took for _, took in times.answers[:until])


def measure(*, quick: bool = False) -> Iterator[Row]:
    """Rows as they are measured; one that says why there are none, where there may be no namespaces."""
    try:
        with apart(), cable(20_000) as link, tempfile.TemporaryDirectory() as folder:
            yield from _rows(link, Path(folder), quick=quick)
    except NoNamespaces as error:
        yield Row("ISO 15118-20 over real sockets", f"not measured: {error}", "-")


def _rows(link: Cable, folder: Path, *, quick: bool) -> Iterator[Row]:
    loops = LOOPS // 10 if quick else LOOPS
    pki = folder / "pki"
    fresh_pki(pki)
    secc = ("secc", "--iface", link.evse_interface, "--quiet")
    with running(link.evse, folder / "tls.log", ours(*secc, "--pki", str(pki), "--tls", "1.3")) as charger:
        charger.until("ready\n")
        with tapped(link.evse, link.evse_interface) as wire:
            secured = _drive(link, pki=str(pki), tls="1.3", loops=loops, loop_s=LOOP_S, control="dynamic")
    with running(link.evse, folder / "plain.log", ours(*secc)) as charger:
        charger.until("ready\n")
        plain = _drive(link, loops=loops, loop_s=LOOP_S, control="dynamic")
    peer = [] if quick else _peer(link, folder)
    loop = "DC_ChargeLoopReq"
    reach = "median at most 0.5 ms, p99 at most 3 ms"
    shares = shares_ms(pki, loops)
    yield Row("-20 charge loop, the charger's own share, octets in to octets out, TLS 1.3", spread(loop_ms(shares)), reach)
    at_charger = [1000 * took for (what, _), took in _last(secured, wire.answers_s) if what == loop]
    yield Row("-20 charge loop, request in to response out at the charger's interface, TLS 1.3", spread(at_charger), reach)
    yield Row("-20 charge loop, request to response at the vehicle, TLS 1.3 with both certificates", spread(_of(secured, loop)), reach)
    yield with_peer("-20 charge loop, request to response, no TLS", _of(plain, loop), _of(peer, loop), reach)
    handshake_ms = 1000 * (secured[0].ready - secured[0].begun)
    setup = "-20, the charger's share from connection to PowerDelivery"
    yield Row(f"{setup}, without sockets and vehicle, TLS 1.3 with its handshake", f"{setup_ms(shares):.1f} ms", "at most 100 ms in all")
    yield Row(f"{setup}, TLS 1.3", f"{_setup_ms(secured[0]):.1f} ms, and handshake {handshake_ms:.1f} ms", "at most 100 ms in all")
    beside = (f"iso15118 {_setup_ms(peer[0]):.0f} ms", f"{_setup_ms(peer[0]) / _setup_ms(plain[0]):.0f} x") if peer else ("", "")
    yield Row(f"{setup}, no TLS", f"{_setup_ms(plain[0]):.1f} ms", "at most 100 ms in all", *beside)
    again_ms = 1000 * (secured[1].first - secured[1].begun)
    yield Row("-20, the next session after one: connection to first answer, TLS 1.3", f"{again_ms:.1f} ms", "at most 100 ms")
    yield from _older(link, folder, secc, loops)
    with running(link.evse, folder / "many.log", ours(*secc, "--sessions", str(AT_ONCE))) as charger:
        charger.until("ready\n")
        many = _drive(link, loops=20, loop_s=0.25, at_once=AT_ONCE, control="dynamic")
    slowest = max(took for each in many for what, took in each.answers if what != "PowerDeliveryReq")
    yield Row(
        f"-20, {AT_ONCE} sessions at once in one process",
        f"all ended well; slowest answer {1000 * slowest:.0f} ms",
        "all inside their timeouts",
    )


def _older(link: Cable, folder: Path, secc: tuple[str, ...], loops: int) -> Iterator[Row]:
    """The protocols of most vehicles on the road, without TLS."""
    for protocol, service, asked in OLDER:
        with running(link.evse, folder / f"{protocol}.log", ours(*secc)) as charger:
            charger.until("ready\n")
            with tapped(link.evse, link.evse_interface) as wire:
                times = _drive(link, loops=loops, loop_s=LOOP_S, protocol=protocol, service=service)
        at_charger = [1000 * took for (what, _), took in _last(times, wire.answers_s) if what == asked]
        reach = "median at most 0.5 ms, p99 at most 3 ms"
        yield Row(f"{protocol} {asked}, request in to response out at the charger's interface, no TLS", spread(at_charger), reach)
        setup = f"{protocol}, the charger's share from connection to PowerDelivery, no TLS"
        yield Row(setup, f"{_setup_ms(times[0]):.1f} ms", "at most 60 ms in all")


def with_peer(what: str, ms: list[float], theirs_ms: list[float], reach: str) -> Row:
    """A row of ours, and of the other one where there is any."""
    if not theirs_ms:
        return Row(what, spread(ms), reach)
    return Row(what, spread(ms), reach, f"iso15118 {spread(theirs_ms)}", f"{median(theirs_ms) / median(ms):.0f} x")


def _peer(link: Cable, folder: Path) -> list[Times]:
    python = foreign(folder / "venv")
    settings = {"PROTOCOLS": "ISO_15118_20_DC", "AUTH_MODES": "EIM", "SECC_ENFORCE_TLS": "False", "PKI_PATH": str(folder)}
    with running(
        link.evse, folder / "peer.log", [python, "-m", "iso15118.secc.main"], **theirs(python, link.evse_interface, **settings)
    ) as peer:
        peer.until("UDP server started")
        return _drive(link, loops=THEIR_LOOPS, loop_s=LOOP_S, lax=True, protocol="iso20-dc")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
