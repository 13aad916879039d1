"""VmRSS of the station's process while it charges; the simulated board is a process of its own and does not count."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import sys
import tempfile
from pathlib import Path

from bench.csms import EmbeddedCsms
from bench.perf.table import Row

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
    async with EmbeddedCsms() as csms:
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


def measure(minutes: float = MINUTES) -> Row:
    """Charging for so long."""
    with tempfile.TemporaryDirectory(prefix="chargepoint-memory-") as folder:
        used_MB, charging = asyncio.run(_measure(minutes, Path(folder)))
    if not charging:
        raise SystemExit("it did not charge")
    return Row(f"VmRSS of the station, {minutes:g} min into charging", f"{used_MB:.0f} MB", f"at most {REACH_MB} MB")


if __name__ == "__main__":
    print(measure(float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES))
