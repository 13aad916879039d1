"""`python -m bench.perf.slac`: matching over real veth pairs: how soon a station answers, what a whole matching takes beyond the standard's waits, what the port costs.

Needs root: the cable is a pair of network namespaces. An answer's time is from the octets of a request given to the socket to those of the answer being
there, with both kernels' work and the station's wake-up; the vehicle and the station's modem are the stopwatch itself, which looks without a pause.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

from bench.perf.table import Row
from bench.v2g.cable import Cable, NoNamespaces, cable, ours, ours_from, power_line, running
from iso15118.slac import mme, times, vendor
from iso15118.slac.layout import ETHERTYPE, Mme
from iso15118.slac.mme import BROADCAST, LOCAL, Frame, MmeError

ANSWERS, SPACING_S = 150, 0.06
"""So many requests of a kind, so far apart: a share of the port's that no stranger exceeds."""
IDLE_S = 20.0
OURS, EVERYTHING = int.from_bytes(ETHERTYPE, "big"), 3
MATCHINGS = 5
MODEM = bytes.fromhex("00B052000EF2")
STANDS = "THE STATION STANDS"
WAITS_S = times.TT_MATCH_RESPONSE_S + (times.C_EV_START_ATTEN_CHAR_INDS + times.C_EV_MATCH_MNBC - 1) * times.TP_EV_BATCH_MSG_INTERVAL_S[0]
"""What the standard has a vehicle wait from CM_SLAC_PARM.REQ to its last sound."""
REACHES = {"answer": "p99 at most 5 ms", "matching": "at most 0.3 s", "idle": "0 %", "memory": "at most 2 MB"}
PATIENCE_S = 20.0


# ---- the station, in its namespace


def apart(side: int) -> None:
    """Stopwatch and station each on a core of its own: one that looks without a pause would keep the other waiting for its turn."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[side % len(cores)]})


async def _station(interface: str, folder: Path) -> None:
    from bench.ev.talking import TalkingEv
    from bench.v2g.model import COMPACT, Vehicle
    from chargepoint.config import EvseConfig, SlacConfig, StationConfig, Timings, V2gConfig
    from chargepoint.runtime.main import Handle, Options, run_station
    from hal.sim.ports import SimBoard
    from hal.types import EvseInfo

    v2g = V2gConfig(interface=interface, tls="none", unverified_vehicles=True, slac=SlacConfig(modem="auto"))
    config = StationConfig(evses=(EvseConfig(v2g=v2g),), timings=Timings(boot_jitter_s=0.0, close_after_boot_s=0.0, link_s=120.0))
    board = SimBoard.of([EvseInfo(1)])

    def ready(_: Handle) -> None:
        board.plug(1, TalkingEv(Vehicle(COMPACT), asyncio.get_running_loop().time(), modem=False))
        print(STANDS, flush=True)

    await run_station(config, board, folder, ready=ready, options=Options(start_reason="PowerUp"))


# ---- the stopwatch, at the vehicle's end


class Stopwatch:
    """A vehicle and the station's modem, both on one socket."""

    def __init__(self, interface: str) -> None:
        self.line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(OURS))
        self.line.bind((interface, OURS))
        self.line.setblocking(False)
        self.ev: bytes = self.line.getsockname()[4]
        self.evse = b""
        self.run_id = os.urandom(8)

    def say(self, message: Mme, to: bytes = BROADCAST, source: bytes = b"") -> float:
        octets, begun = mme.octets(Frame(to, source or self.ev, message)), time.perf_counter()
        self.line.send(octets)
        return begun

    def heard(self, within_s: float) -> Frame | None:
        """The next one for the vehicle; the modem answers its own meanwhile."""
        until = time.perf_counter() + within_s
        while time.perf_counter() < until:
            try:
                frame = mme.read(self.line.recv(2000))
            except (BlockingIOError, MmeError):
                continue
            if frame.destination == LOCAL:
                self._modem(frame)
            elif frame.destination == self.ev:
                return frame
        return None

    def _modem(self, frame: Frame) -> None:
        self.evse = frame.source
        match frame.mme:
            case vendor.VsSwVerReq():
                self.say(vendor.VsSwVerCnf(device_class=0x22, version="MAC-QCA7000-1.1.3"), frame.source, MODEM)
            case mme.SetKeyReq(my_nonce=nonce):
                self.say(mme.SetKeyCnf(result=1, your_nonce=nonce), frame.source, MODEM)
            case vendor.VsPlLnkStatusReq():
                self.say(vendor.VsPlLnkStatusCnf(link_status=0), frame.source, MODEM)

    def answer(self, message: Mme, to: bytes, kind: type[Mme], within_s: float = 0.5) -> float | None:
        """Seconds to it."""
        begun = self.say(message, to)
        while (left_s := within_s - (time.perf_counter() - begun)) > 0:
            frame = self.heard(left_s)
            if frame is not None and isinstance(frame.mme, kind):
                return time.perf_counter() - begun
        return None

    def rest(self, seconds: float) -> None:
        """The modem goes on answering."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            self.heard(until - time.perf_counter())

    def measure(self) -> dict[str, list[float]]:
        """Of both requests."""
        asks = mme.SlacParmReq(run_id=self.run_id)
        until = time.perf_counter() + PATIENCE_S
        while self.answer(asks, BROADCAST, mme.SlacParmCnf) is None:
            if time.perf_counter() > until:
                raise TimeoutError("the station does not answer CM_SLAC_PARM.REQ")
        asked = self._many(asks, BROADCAST, mme.SlacParmCnf)
        self.say(mme.StartAttenCharInd(forwarding_sta=self.ev, run_id=self.run_id))
        for _ in range(times.C_EV_MATCH_MNBC):
            self.say(mme.AttenProfileInd(pev_mac=self.ev, aag=bytes(mme.GROUPS)), self.evse, MODEM)
        self.rest(0.05)
        self.say(mme.AttenCharRsp(source_address=self.ev, run_id=self.run_id), self.evse)
        self.rest(0.05)
        matches = mme.SlacMatchReq(pev_mac=self.ev, evse_mac=self.evse, run_id=self.run_id)
        return {"CM_SLAC_PARM.REQ": asked, "CM_SLAC_MATCH.REQ": self._many(matches, self.evse, mme.SlacMatchCnf)}

    def _many(self, message: Mme, to: bytes, kind: type[Mme]) -> list[float]:
        found = []
        for _ in range(ANSWERS):
            took_s = self.answer(message, to, kind)
            if took_s is None:
                raise TimeoutError(f"no {kind.__name__}")
            found.append(took_s)
            self.rest(SPACING_S)
        return found


def _matched(interface: str) -> dict[str, list[float]]:
    """One matching of our vehicle, seen on its interface: seconds from CM_SLAC_PARM.REQ to CM_SLAC_MATCH.CNF, and to the link."""
    from bench.v2g.slac import VehicleMatching

    async def match() -> dict[str, list[float]]:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERYTHING)) as line:
            line.bind((interface, EVERYTHING))
            line.setblocking(False)
            seen: dict[str, float] = {}

            def read() -> None:
                """What goes out, too, which a socket of one protocol does not get."""
                with contextlib.suppress(MmeError):
                    seen.setdefault(type(mme.read(line.recv(2000)).mme).__name__, time.perf_counter())

            asyncio.get_running_loop().add_reader(line, read)
            said: list[str] = []
            matching = VehicleMatching(interface, said.append)
            await matching.match()
            linked = time.perf_counter()
            await asyncio.sleep(1.0)  # a link that lives shorter is not seen by the station
            await matching.stop()
            asyncio.get_running_loop().remove_reader(line)
        return {"matched": [seen["SlacMatchCnf"] - seen["SlacParmReq"]], "linked": [linked - seen["SlacMatchCnf"]]}

    return asyncio.run(match())


# ---- what it costs

_PORT = """
import asyncio, resource, sys, time
from dataclasses import replace
from chargepoint.config import EvseConfig, SlacConfig, StationConfig, V2gConfig
from chargepoint.runtime.ports.plc import PlcPort
async def main():
    v2g = V2gConfig(interface=sys.argv[1], slac=SlacConfig(modem="auto"))
    port = PlcPort(StationConfig(evses=(EvseConfig(v2g=v2g),)), lambda event: None)
    await port.start()
    port.release()
    await asyncio.sleep(2.0)
    begun, used = time.perf_counter(), time.process_time()
    await asyncio.sleep(float(sys.argv[2]))
    print(100.0 * (time.process_time() - used) / (time.perf_counter() - begun))
    await port.stop()
asyncio.run(main())
"""
_MEMORY = """
import asyncio, sys, chargepoint.runtime.run
from chargepoint.config import EvseConfig, SlacConfig, StationConfig, V2gConfig
from chargepoint.events import PoweredUp, PowerLineChanged, TimerExpired
from chargepoint.runtime import main as composed
from chargepoint.station import Station
from chargepoint.tick import Tick
from hal.types import BoardInfo, EvseInfo, Opens, Shape
v2g = V2gConfig(interface="plc0", tls="none", unverified_vehicles=True, slac=SlacConfig(modem=sys.argv[1]))
config = StationConfig(evses=(EvseConfig(1, 32.0, v2g=v2g),))
station = Station(config, BoardInfo("sim", Shape.RAW, Opens(0.5), (EvseInfo(1, 32.0),)))
station.handle(Tick(1.0, 1e9), PoweredUp("PowerUp", "00" * 32, {}, "", None))
async def main():
    port = composed._vehicles(config, lambda: None, lambda event: None)
    await port.start()
    if sys.argv[1] != "none":
        station.handle(Tick(2.0, 1e9), PowerLineChanged(1, True, bytes(6)))
    for second in range(3, 60):
        station.handle(Tick(float(second), 1e9), TimerExpired())
asyncio.run(main())
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")][0])
"""
"""A station with its vehicles' port, with a modem or without; with one its machine has looked for it."""


def _idle_percent(link: Cable) -> float:
    command = ["ip", "netns", "exec", link.evse, sys.executable, "-c", _PORT, link.evse_interface, str(IDLE_S)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _memory_MB(modem: str) -> float:
    done = subprocess.run([sys.executable, "-c", _MEMORY, modem], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


# ---- rows


def _inside(namespace: str, *words: str) -> dict[str, list[float]]:
    command = ["ip", "netns", "exec", namespace, *map(str, ours_from("bench.perf.slac")), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _answers(folder: Path) -> Iterator[Row]:
    with cable(90) as link:
        command = [*ours_from("bench.perf.slac"), "station", link.evse_interface, str(folder / "state")]
        with running(link.evse, folder / "station.log", command) as station:
            station.until(STANDS)
            found = _inside(link.ev, "stopwatch", link.ev_interface)
        idle = _idle_percent(link)
    for name, took_s in found.items():
        p99 = quantiles(took_s, n=100)[98]
        ours_ms = f"p50 {1e3 * median(took_s):.2f} ms, p99 {1e3 * p99:.2f} ms"
        yield Row(f"{name} to its answer, a station with its journal, over veth", ours_ms, REACHES["answer"])
    yield Row("CPU of the power line's port, nobody there", f"{idle:.3f} %", REACHES["idle"])


def _matchings(folder: Path) -> Iterator[Row]:
    key_s, join_s = 0.5, 0.5
    words = ("--key-s", str(key_s), "--join-s", str(join_s))
    matched, linked = [], []
    with power_line(91, folder / "line.log", *words) as (link, _):
        secc = ours("secc", "--iface", link.evse_interface, "--slac")
        with running(link.evse, folder / "secc.log", secc) as station:
            station.until("ready\n")
            for number in range(1, MATCHINGS + 1):
                found = _inside(link.ev, "match", link.ev_interface)
                matched += found["matched"]
                linked += found["linked"]
                station.until("slac: link lost", times=number)
                station.until("finds a key", times=number + 1)
    beyond = [each - WAITS_S for each in matched]
    what = f"CM_SLAC_PARM.REQ to CM_SLAC_MATCH.CNF, {MATCHINGS} matchings over veth and simulated modems, beyond the standard's {WAITS_S:.2f} s"
    yield Row(what, f"median {median(beyond):.3f} s, most {max(beyond):.3f} s", REACHES["matching"])
    after = [each - key_s - join_s for each in linked]
    what = f"from there to the link, beyond the modem's {key_s + join_s:g} s for key and joining"
    yield Row(what, f"median {median(after):.3f} s, most {max(after):.3f} s", REACHES["matching"])


def measure() -> Iterator[Row]:
    """All of it; where there are no namespaces, the memory only."""
    with tempfile.TemporaryDirectory(prefix="chargepoint-slac-") as name:
        try:
            yield from _answers(Path(name))
            yield from _matchings(Path(name))
        except NoNamespaces as error:
            print(f"SLAC over veth is not measured: {error}", file=sys.stderr)
    without, with_modem = (median(_memory_MB(modem) for _ in range(5)) for modem in ("none", "auto"))
    yield Row("RSS that SLAC adds to a station that talks", f"{with_modem - without:.1f} MB", REACHES["memory"])


def main(arguments: list[str]) -> int:
    """Without arguments the rows; with them what runs in a namespace."""
    match arguments:
        case ["station", interface, folder]:
            apart(1)
            asyncio.run(_station(interface, Path(folder)))
        case ["stopwatch", interface]:
            apart(0)
            print(json.dumps(Stopwatch(interface).measure()))
        case ["match", interface]:
            print(json.dumps(_matched(interface)))
        case _:
            for row in measure():
                print(f"{row.what}: {row.ours} | {row.reach}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
