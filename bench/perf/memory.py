"""VmRSS of the station's process while it charges; the simulated board is a process of its own and does not count."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.csms import EmbeddedCsms
from bench.perf.table import Row
from bench.v2g.cable import fresh_pki

MINUTES = 10.0
REACH_MB = 64


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def vm_rss_MB(pid: int) -> float:
    """Of one process."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"no VmRSS of {pid}")


def _ask(port: int, method: str, path: str, body: str = "") -> bytes:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        link.request(method, path, body)
        return link.getresponse().read()
    finally:
        link.close()


def _post(port: int, verb: str, body: dict[str, object]) -> None:
    _ask(port, "POST", f"/{verb}", json.dumps(body))


def _charging(port: int) -> bool:
    return bool(json.loads(_ask(port, "GET", "/state"))["evses"][0]["contactor"] == "closed")


async def _measure(minutes: float, folder: Path) -> tuple[float, bool]:
    port = _free_port()
    async with EmbeddedCsms(validate=False) as csms:
        config = folder / "bench.json"
        document = {"charge_point_id": "CP1", "csms_url": f"{csms.url}/CP1", "evses": [{"id": 1}], "state_dir": str(folder / "state"), "control": {"host": "127.0.0.1", "port": port}}  # fmt: skip
        config.write_text(json.dumps(document), "utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.cli", "bench-station", str(config), stdout=asyncio.subprocess.DEVNULL
        )
        try:
            await csms.wait_for("StatusNotification", timeout_s=30.0)
            left_s, charging = minutes * 60.0, False
            while left_s > 0:
                # The car of the control port leaves after 200 s: a new one comes.
                await asyncio.to_thread(_post, port, "plug_out", {"connector_id": 1})
                await asyncio.sleep(2.0)
                await asyncio.to_thread(_post, port, "plug_in", {"connector_id": 1})
                await asyncio.to_thread(_post, port, "swipe", {"token": "04A1B2C3D4E5F6"})
                await asyncio.sleep(min(max(left_s, 10.0), 180.0))
                left_s -= 182.0
            charging = await asyncio.to_thread(_charging, port)
            return vm_rss_MB(process.pid), charging
        finally:
            process.terminate()
            await process.wait()


_STATION = """
import sys, asyncio, chargepoint.runtime.run
from chargepoint.config import EvseConfig, StationConfig, V2gConfig
from chargepoint.station import Station
from hal.types import BoardInfo, EvseInfo, Opens, Shape
pki, mode, *protocols = sys.argv[1:]
v2g = V2gConfig(interface="plc0", pki_dir=pki, tls="optional", protocols=tuple(protocols)) if pki else V2gConfig()
config = StationConfig(evses=(EvseConfig(1, 32.0, mode=mode, connector="cCCS2" if mode == "dc" else "cType2", v2g=v2g),))
station = Station(config, BoardInfo("sim", Shape.RAW, Opens(0.5), (EvseInfo(1, 32.0),)))
if pki:
    from chargepoint.runtime.ports.vehicle import VehiclePort
    asyncio.run(VehiclePort(config, lambda event: None).start())
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")][0])
"""
"""A station and, with a PKI, all that its SECC has ready: the messages' codecs warm, TLS with its certificates."""
SECC_REACH_MB, OLDER_REACH_MB = 20, 6
RUNS = 5


def _station_MB(pki: str, mode: str, *protocols: str) -> float:
    """Without any named it speaks all that charge."""
    command = [sys.executable, "-c", _STATION, pki, mode, *protocols]
    return median(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024 for _ in range(RUNS))


def secc() -> Row:
    """What talking with vehicles adds to a station, in fresh processes."""
    with tempfile.TemporaryDirectory(prefix="chargepoint-memory-") as folder:
        fresh_pki(Path(folder) / "pki")
        alone_MB = _station_MB("", "ac")
        talking_MB = _station_MB(str(Path(folder) / "pki"), "ac", "iso20-ac")
    return Row(
        "RSS that the SECC adds to the station, ready for its vehicle", f"{talking_MB - alone_MB:.1f} MB", f"at most {SECC_REACH_MB} MB"
    )


def older() -> Iterator[Row]:
    """What DIN 70121 and ISO 15118-2 add to a station that speaks ISO 15118-20, idle and ready, in fresh processes."""
    with tempfile.TemporaryDirectory(prefix="chargepoint-memory-") as folder:
        pki = str(Path(folder) / "pki")
        fresh_pki(Path(pki))
        for mode in ("ac", "dc"):
            added_MB = _station_MB(pki, mode) - _station_MB(pki, mode, f"iso20-{mode}")
            what = f"RSS of a station with all protocols of {mode.upper()}, idle, against one with ISO 15118-20 alone"
            yield Row(what, f"{added_MB:.1f} MB more", f"at most {OLDER_REACH_MB} MB")


def measure(minutes: float = MINUTES) -> Row:
    """Charging for so long."""
    with tempfile.TemporaryDirectory(prefix="chargepoint-memory-") as folder:
        used_MB, charging = asyncio.run(_measure(minutes, Path(folder)))
    if not charging:
        raise SystemExit("it did not charge")
    return Row(f"VmRSS of the station, {minutes:g} min into charging", f"{used_MB:.0f} MB", f"at most {REACH_MB} MB")


if __name__ == "__main__":
    print(measure(float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES))
