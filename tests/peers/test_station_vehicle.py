"""`chargepoint run`'s station at a real cable: whole sessions over TLS 1.3, what a stranger reaches (S-14), and a link that is lost (S-9, F-10)."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import cli
from bench.v2g.cable import Cable, Running, foreign_pki, ours, ours_from, running, theirs
from iso15118 import sdp
from tests.house.rules import ROOT
from tests.peers.talking_site import LOOP, READY, RESULT
from tests.peers.test_v2g_sweep import CHARGER_IPV4, CONNECT_S, VEHICLE_IPV4, asked, bound, inside, swept

pytestmark = [pytest.mark.xdist_group("station"), pytest.mark.timeout(180)]
MODES = pytest.mark.parametrize("mode", ["ac", "dc"])
ENDS = [("ac", "charger's"), ("dc", "vehicle's")]
if os.environ.get("SOAK") == "1":
    ENDS += [("ac", "vehicle's"), ("dc", "charger's")]
NO_ENERGY_A = 5.0
HONEST_S = 5.0
"""So soon after a flood a vehicle is served; its program has to start, too."""


@contextmanager
def station(link: Cable, pki: Path, folder: Path, mode: str, **more: Any) -> Iterator[Running]:
    """A station with its board and car, in the charger's namespace."""
    given = {
        "mode": mode,
        "interface": link.evse_interface,
        "folder": str(folder / "state"),
        "pki": str(pki),
        "ev_namespace": link.ev,
        "ev_interface": link.ev_interface,
        **more,
    }
    with running(link.evse, folder / "station.log", [*ours_from("tests.peers.talking_site"), json.dumps(given)]) as process:
        process.until(READY)
        yield process


def result(process: Running) -> dict[str, Any]:
    """What has come of it, once it has ended by itself."""
    assert process.ended() == 0, process.text()[-3000:]
    text = process.text()
    assert "Traceback" not in text, text[-3000:]
    found: dict[str, Any] = json.loads(text.rpartition(RESULT)[2])
    assert found["contactor"] == "open"
    assert found["opened_under_A"] < NO_ENERGY_A
    assert found["inrush_V"] == 0.0
    return found


@MODES
def test_a_vehicle_charges_from_the_plug_to_session_stop(link: Cable, pki: Path, tmp_path: Path, mode: str) -> None:
    with station(link, pki, tmp_path, mode) as process:
        found = result(process)
        text = process.text()
    assert "v2g.connected evse=1 tls=TLSv1.3 verified=True" in text
    assert (found["ending"], found["loops"]) == ("terminated", 20)
    assert found["messages"][-1] == "SessionStopRes"
    assert ("DC_WeldingDetectionRes" in found["messages"]) is (mode == "dc")
    assert found["Wh"] > 5.0
    ended = re.search(r"transaction.ended .* Wh=([\d.]+)", text)
    assert ended
    assert float(ended[1]) == pytest.approx(found["Wh"], abs=0.1)
    assert cli.main(["replay", "--quiet", str(tmp_path / "state/journal")]) == 0
    assert found["transaction"][:2] == ["Started Authorized EVConnected", "Updated ChargingStateChanged Charging"]
    assert found["transaction"][-1] == "Ended StopAuthorized EVConnected StoppedByEV"


@pytest.mark.req("S-14")
def test_of_a_station_a_stranger_reaches_sdp_and_the_port_that_it_tells(own_link: Cable, pki: Path, tmp_path: Path) -> None:
    with station(own_link, pki, tmp_path, "ac", car="sleeps") as process:
        process.until("pilot.duty evse=1 percent=5.0")
        inside(own_link.ev, "ip", "addr", "add", f"{VEHICLE_IPV4}/24", "dev", own_link.ev_interface)
        inside(own_link.evse, "ip", "addr", "add", f"{CHARGER_IPV4}/24", "dev", own_link.evse_interface)
        found = swept(own_link)
        sockets = bound(own_link.evse)
        text = process.text()
    told = found["told"]
    assert isinstance(told, dict)
    assert {name: security for name, (_, security) in told.items()} == {"TLS": "TLS"}
    (port,) = {port for port, _ in told.values()}
    assert (found["tcp"], found["tcp4"], found["udp"]) == ([port], [], [sdp.PORT])
    # The simulated CSMS of this run listens on loopback, on the charger's own side.
    assert {each for each in sockets if each[0] != "tcp"} == {("udp6", sdp.PORT), ("tcp6", port)}
    assert "Traceback" not in text


def flood(interface: str) -> None:
    """What runs at the vehicle's end: 5000 requests of SDP, and 500 connections that say nothing, or half a word."""
    index = socket.if_nametoindex(interface)
    found = asked(index, sdp.Security.TLS)
    assert found is not None
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as line:
        for _ in range(5000):
            line.sendto(sdp.Request(sdp.Security.TLS).octets(), (sdp.GROUP, sdp.PORT, 0, index))
    kept = []
    for number in range(500):
        line = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        line.settimeout(CONNECT_S)
        with contextlib.suppress(OSError):
            line.connect((str(found.address), found.port, 0, index))
            if number % 2:
                line.send(b"\x16\x03\x01\x02")
        kept.append(line)


def footprint(process: Running) -> tuple[int, int]:
    """Open files and kB of memory."""
    of_it = Path(f"/proc/{process.process.pid}")
    memory = re.search(r"VmRSS:\s+(\d+)", (of_it / "status").read_text())
    assert memory
    return len(list((of_it / "fd").iterdir())), int(memory[1])


@pytest.mark.req("S-3")
@pytest.mark.parametrize(("speech", "tls"), [("iso20-ac", "1.3"), ("iso2-ac", "1.2")])
def test_a_flood_from_the_cable_keeps_nobody_out(own_link: Cable, pki: Path, tmp_path: Path, speech: str, tls: str) -> None:
    with station(own_link, pki, tmp_path, "ac", car="sleeps", setup_s=60.0) as process:
        process.until("pilot.duty evse=1 percent=5.0")
        before = footprint(process)
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.peers.test_station_vehicle import flood; flood({own_link.ev_interface!r})"
        with running(own_link.ev, tmp_path / "flood.log", [sys.executable, "-c", code]) as stranger:
            assert stranger.ended() == 0, stranger.text()
        after = footprint(process)
        assert after[0] - before[0] <= 20
        assert after[1] - before[1] <= 20_000
        words = ("ev", "--iface", own_link.ev_interface, "--tls", tls, "--pki", str(pki), "--service", "AC", "--protocol", speech)
        with running(own_link.ev, tmp_path / "car.log", ours(*words)):
            process.until("hlc evse=1 is=talking", within_s=HONEST_S)
        assert "Traceback" not in process.text()


@pytest.mark.req("F-10", "S-9")
@pytest.mark.soak
@pytest.mark.parametrize(("mode", "end"), ENDS)
def test_a_link_that_is_lost_in_the_loop_takes_the_energy_off(own_link: Cable, pki: Path, tmp_path: Path, mode: str, end: str) -> None:
    where = (own_link.ev, own_link.ev_interface) if end == "vehicle's" else (own_link.evse, own_link.evse_interface)
    with station(own_link, pki, tmp_path, mode, loops=1_000_000) as process:
        process.until(LOOP)
        before = process.text()
        inside(where[0], "ip", "link", "set", where[1], "down")
        process.until("contactor evse=1 is=open", times=before.count("contactor evse=1 is=open") + 1, within_s=10.0)
        if end == "charger's":
            inside(where[0], "ip", "link", "set", where[1], "up")
            process.until(READY, times=2)
        found = result(process)
        text = process.text().partition(LOOP)[2]
    assert 'after="link lost"' in text
    assert found["messages"][-1] != "SessionStopRes"
    assert ("code=NoVehicleLink" in text) is (end == "charger's")
    told = found["transaction"]
    assert told[1:3] == ["Updated ChargingStateChanged Charging", "Updated EVCommunicationLost"]
    assert "Updated ChargingStateChanged Charging" not in told[3:]
    assert told[-1] == "Ended EVCommunicationLost Idle EVDisconnected"


@pytest.mark.peer
@pytest.mark.parametrize("priced", [False, True], ids=["no tariff", "a tariff"])
def test_a_vehicle_that_is_not_ours_charges_at_the_station(python: Path, link: Cable, pki: Path, tmp_path: Path, *, priced: bool) -> None:
    """It knows only P-256, and shows the OEM's certificate: a bench's station takes that. Of the parameter sets it takes the first, with amounts."""
    car = {
        "supportedEnergyServices": ["AC"],
        "useTls": True,
        "enforceTls": True,
        "supportedProtocols": ["ISO_15118_20_AC"],
        "chargeLoopCycle": 4,
        "sdpRetryCycles": 1,
    }
    (tmp_path / "car.json").write_text(json.dumps(car))
    environ = theirs(python, link.ev_interface, PKI_PATH=str(foreign_pki(pki, tmp_path / "theirs")), ENABLE_TLS_1_3="True")
    with station(link, pki, tmp_path, "ac", car="theirs", unverified=True, priced=priced) as process:
        process.until("pilot.duty evse=1 percent=5.0")
        with running(link.ev, tmp_path / "car.log", [python, "-m", "iso15118.evcc.main", "car.json"], **environ):
            found = result(process)
        text = process.text()
    assert "v2g.connected evse=1 tls=TLSv1.3 verified=True" in text
    assert 'hlc evse=1 is=done after="session terminated"' in text, text[-3000:]
    assert found["Wh"] > 0.0


@pytest.mark.peer
def test_a_vehicle_that_is_not_ours_charges_dc_at_the_station(python: Path, link: Cable, pki: Path, tmp_path: Path) -> None:
    """It asks for a precharge to 20 kV, and goes on after five answers whatever they say: the station bounds it by what it may give."""
    car = {
        "supportedEnergyServices": ["DC"],
        "useTls": True,
        "enforceTls": True,
        "supportedProtocols": ["ISO_15118_20_DC"],
        "chargeLoopCycle": 20,
        "sdpRetryCycles": 1,
    }
    (tmp_path / "car.json").write_text(json.dumps(car))
    environ = theirs(python, link.ev_interface, PKI_PATH=str(foreign_pki(pki, tmp_path / "theirs")), ENABLE_TLS_1_3="True")
    with station(link, pki, tmp_path, "dc", car="theirs", unverified=True) as process:
        process.until("pilot.duty evse=1 percent=5.0")
        with running(link.ev, tmp_path / "car.log", [python, "-m", "iso15118.evcc.main", "car.json"], **environ):
            found = result(process)
        text = process.text()
    assert "v2g.connected evse=1 tls=TLSv1.3 verified=True" in text
    assert "message=DC_WeldingDetectionReq" in text
    assert 'hlc evse=1 is=done after="session terminated"' in text, text[-3000:]
    assert found["Wh"] > 0.0
    assert "fault." not in text
