"""`chargepoint run`'s station with a power-line modem, over a simulated line between real interfaces: matched charges, a line that dies, what strangers get."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench import cli
from bench.v2g.cable import ours, running
from iso15118 import sdp
from tests.peers.plc_cable import holder, plc
from tests.peers.test_slac_veth import PACKET_SOCKETS, strange
from tests.peers.test_station_vehicle import result, station
from tests.peers.test_v2g_sweep import CHARGER_IPV4, VEHICLE_IPV4, bound, inside, swept

pytestmark = [pytest.mark.xdist_group("station"), pytest.mark.timeout(180)]
FIVE_PERCENT = "pilot.duty evse=1 percent=5.0"


@pytest.mark.parametrize("line", [("--dB", "6"), ("--dB", "6", "--evse-kind", "lumissil", "--loss", "0.02")], ids=["Qualcomm", "Lumissil"])
def test_a_vehicle_is_matched_and_charges(pki: Path, tmp_path: Path, line: tuple[str, ...]) -> None:
    with plc(tmp_path, *line) as (link, _), station(link, pki, tmp_path, "ac", car="theirs", slac=True) as process:
        process.until(FIVE_PERCENT)
        words = (
            "--iface",
            link.ev_interface,
            "--slac",
            "--pki",
            str(pki),
            "--tls",
            "1.3",
            "--service",
            "AC",
            "--loops",
            "8",
        )
        with running(link.ev, tmp_path / "car.log", ours("ev", *words)) as car:
            assert car.ended() == 0, car.text()[-3000:]
            found = result(process)
        text = process.text()
    order = [
        "slac.modem evse=1 mac=00:b0:52:00:0e:f2",
        FIVE_PERCENT,
        "slac.matched evse=1 attenuation_dB=6.0",
        "slac.link evse=1 up=True",
        "is=linked",
        "v2g.connected evse=1 tls=TLSv1.3 verified=True",
        "is=talking",
        'is=done after="session terminated"',
    ]
    at = [text.index(each) for each in order]
    assert at == sorted(at), text
    assert found["Wh"] > 0.0
    assert "fault." not in text
    assert cli.main(["replay", "--quiet", str(tmp_path / "state/journal")]) == 0


@pytest.mark.req("F-10", "S-9")
def test_a_line_that_dies_in_the_loop_takes_the_energy_off(pki: Path, tmp_path: Path) -> None:
    with plc(tmp_path) as (link, line), station(link, pki, tmp_path, "ac", car="theirs", slac=True) as process:
        process.until(FIVE_PERCENT)
        words = ("--iface", link.ev_interface, "--slac", "--pki", str(pki), "--tls", "1.3", "--service", "AC", "--loops", "100000")
        with running(link.ev, tmp_path / "car.log", ours("ev", *words)):
            process.until('contactor evse=1 is="closed')
            line.say('{"dB": null}')
            process.until("contactor evse=1 is=open", times=process.text().count("contactor evse=1 is=open") + 1, within_s=10.0)
            process.until("slac.link evse=1 up=False")
            process.until("is=again")
            assert "Traceback" not in process.text()


@pytest.mark.req("S-13")
def test_a_stranger_is_answered_only_while_a_vehicle_is_on_the_pilot(pki: Path, tmp_path: Path) -> None:
    for car, answers in (("none", False), ("sleeps", True)):
        folder = tmp_path / car
        folder.mkdir()
        with plc(folder) as (link, _), station(link, pki, folder, "ac", car=car, slac=True) as process:
            process.until(FIVE_PERCENT if answers else "slac.modem evse=1")
            inside(link.ev, "sleep", "1.5")  # the key is set
            assert (int(strange(link, "answered", 1.5)) > 0) is answers, process.text()
            assert "Traceback" not in process.text()


@pytest.mark.req("S-14")
@pytest.mark.timeout(300)
def test_of_a_station_with_a_modem_a_stranger_reaches_sdp_and_the_port_that_it_tells(pki: Path, tmp_path: Path) -> None:
    with plc(tmp_path) as (link, _), station(link, pki, tmp_path, "ac", car="sleeps", slac=True, setup_s=60.0) as process:
        process.until(FIVE_PERCENT)
        with holder(link, tmp_path):
            inside(link.ev, "ip", "addr", "add", f"{VEHICLE_IPV4}/24", "dev", link.ev_interface)
            inside(link.evse, "ip", "addr", "add", f"{CHARGER_IPV4}/24", "dev", link.evse_interface)
            found, sockets = swept(link), bound(link.evse)
            raw = inside(link.evse, "cat", PACKET_SOCKETS).splitlines()[1:]
        text = process.text()
    told = found["told"]
    assert isinstance(told, dict)
    (port,) = {port for port, _ in told.values()}
    assert (found["tcp"], found["tcp4"], found["udp"]) == ([port], [], [sdp.PORT])
    assert {each for each in sockets if each[0] != "tcp"} == {("udp6", sdp.PORT), ("tcp6", port)}
    assert [line.split()[3] for line in raw] == ["88e1"]
    assert re.search(r"slac\.matched", text)
    assert "Traceback" not in text
