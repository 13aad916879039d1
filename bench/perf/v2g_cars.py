"""`python -m bench.perf.v2g_cars`: what real vehicles have sent, against a charger over real sockets, beside the PyPI distribution `iso15118` under the same replay.

Needs root (`bench.perf.v2g` says why), and $CHARGEPOINT_COLLECTED, the folder of other projects' data. A vehicle's pauses are those of its recording, cut
short; it has a core of its own and looks for the answer without a pause.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.perf.table import Row
from bench.perf.v2g import apart, spread, vehicles_cores, with_peer
from bench.v2g.cable import Cable, NoNamespaces, cable, foreign, ours, ours_from, running, theirs
from bench.v2g.recorded import Player, Recorded, recorded
from iso15118 import exi, sdp
from iso15118.v2gtp import FrameReader

LOOPS = ("CurrentDemandReq", "ChargingStatusReq")
NAMES = {"urn:din:70121:2012:MsgDef": "din", "urn:iso:15118:2:2013:MsgDef": "iso2"}
MOST_PAUSE_S = 0.02
PATIENCE_S = 20.0
REACH = "median at most 0.5 ms, p99 at most 3 ms"


class Took(NamedTuple):
    """Of one request."""

    asked: str
    ms: float


# ---- the vehicles' process


def main(arguments: list[str]) -> int:
    """Without arguments the rows; with them the vehicles' process, whose times are JSON on its output."""
    if not arguments:
        for row in measure():
            print(f"{row.what}: {row.ours} | {row.peer} | {row.ratio} | {row.reach}", flush=True)
        return 0
    interface, folder, names, cores = json.loads(arguments[0])
    os.sched_setaffinity(0, cores)
    cars = [each for each in recorded(Path(folder)) if each.name in names]
    for namespace in {each.namespace for each in cars}:
        exi.codec_of(namespace).warm()
    where = discovered(interface)
    print(json.dumps([ridden(where, each) for each in cars]))
    return 0


def discovered(interface: str) -> tuple[str, int, int, int]:
    """The charger's TCP address."""
    index = socket.if_nametoindex(interface)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as line:
        line.settimeout(sdp.REQUEST_EVERY_S)
        for _ in range(sdp.MOST_REQUESTS):
            line.sendto(sdp.Request(sdp.Security.NONE).octets(), (sdp.GROUP, sdp.PORT, 0, index))
            try:
                found = sdp.read_response(line.recv(64))
            except TimeoutError:
                continue
            return str(found.address), found.port, 0, index
    raise RuntimeError("nobody answers SDP")


def ridden(where: tuple[str, int, int, int], car: Recorded) -> list[Took]:
    """One session, to its last response or to where the charger gives up."""
    player, frames, found = Player(car), FrameReader(), []
    with connected(where) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        look = select.poll()
        look.register(line.fileno(), select.POLLIN)
        while (asked := player.asked) is not None:
            time.sleep(min(asked.after_s, MOST_PAUSE_S))
            octets, come = player.ask() or b"", False
            begun = time.perf_counter()
            line.sendall(octets)
            while not (come := bool(look.poll(0))) and time.perf_counter() - begun < PATIENCE_S:
                pass
            found.append(Took(asked.name, 1000 * (time.perf_counter() - begun)))
            answers = frames.feed(line.recv(65536)) if come else []
            if not answers:
                break
            player.hear(answers[0].payload)
    return found


def connected(where: tuple[str, int, int, int]) -> socket.socket:
    """To the charger."""
    line = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    line.settimeout(PATIENCE_S)
    line.connect(where)
    return line


# ---- the rows


def measure(*, quick: bool = False) -> Iterator[Row]:
    """Rows as they are measured; one that says why there are none."""
    folder = os.environ.get("CHARGEPOINT_COLLECTED", "")
    if not folder:
        yield Row("recorded vehicles over real sockets", "not measured: CHARGEPOINT_COLLECTED names no folder", "-")
        return
    cars = [each for each in recorded(Path(folder)) if each.row["kind"] == "car" and each.row["state"] in {"complete", "cut-in-loop"}]
    try:
        with apart(), cable(20_100) as link, tempfile.TemporaryDirectory() as kept:
            yield from _rows(link, Path(kept), cars, beside_it=not quick)
    except NoNamespaces as error:
        yield Row("recorded vehicles over real sockets", f"not measured: {error}", "-")


def _rows(link: Cable, kept: Path, cars: list[Recorded], *, beside_it: bool) -> Iterator[Row]:
    python = foreign(kept / "venv") if beside_it else None
    for namespace, name in NAMES.items():
        for is_ac in (False, True):
            some = [each for each in cars if (each.namespace, each.is_ac) == (namespace, is_ac)]
            if some:
                yield from _of(link, kept, f"{name}{'-' + ('ac' if is_ac else 'dc') if name != 'din' else ''}", some, python)


def _of(link: Cable, kept: Path, name: str, cars: list[Recorded], python: Path | None) -> Iterator[Row]:
    command = ours("secc", "--iface", link.evse_interface, "--quiet", "--protocols", name)
    with running(link.evse, kept / f"{name}.log", command) as charger:
        charger.until("ready\n")
        own = _drive(link, cars)
    peer = _peer(link, kept, name, cars, python) if python is not None else []
    asked = LOOPS[name.endswith("ac")]
    loop, their_loop = ([took.ms for each in found for took in each if took.asked == asked] for found in (own, peer))
    what = f"{name} {asked} of {len(cars)} recorded vehicles, request to response, no TLS"
    yield with_peer(what, loop, their_loop, REACH) if len(their_loop) > 1 else Row(what, spread(loop), REACH)
    what = f"{name}, the charger's share from connection to PowerDelivery, {len(cars)} recorded vehicles, no TLS: the most of all"
    yield Row(what, f"{max(map(setup_ms, own)):.1f} ms", "at most 60 ms", f"iso15118 {max(map(setup_ms, peer)):.0f} ms" if peer else "")


def setup_ms(session: list[Took]) -> float:
    """The charger's answers up to PowerDelivery, which waits for power; what is asked again and again counts once, by its slowest answer: how often is up to
    the vehicle.
    """
    slowest: dict[str, float] = {}
    for each in session:
        if each.asked == "PowerDeliveryReq":
            break
        slowest[each.asked] = max(each.ms, slowest.get(each.asked, 0.0))
    return sum(slowest.values())


def _drive(link: Cable, cars: list[Recorded]) -> list[list[Took]]:
    given = json.dumps([link.ev_interface, os.environ["CHARGEPOINT_COLLECTED"], [each.name for each in cars], vehicles_cores(1)])
    command = ["ip", "netns", "exec", link.ev, *map(str, ours_from("bench.perf.v2g_cars")), given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return [[Took(*each) for each in session] for session in json.loads(done.stdout)]


def _peer(link: Cable, kept: Path, name: str, cars: list[Recorded], python: Path) -> list[list[Took]]:
    """One vehicle, once: how far it comes there is up to that charger."""
    protocols = "DIN_SPEC_70121" if name == "din" else "ISO_15118_2"
    settings = {"PROTOCOLS": protocols, "AUTH_MODES": "EIM", "SECC_ENFORCE_TLS": "False", "PKI_PATH": str(kept)}
    environ = theirs(python, link.evse_interface, **settings)
    with running(link.evse, kept / f"peer-{name}.log", [python, "-m", "iso15118.secc.main"], **environ) as peer:
        peer.until("UDP server started")
        return _drive(link, cars[:1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
