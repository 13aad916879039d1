"""Matching over a simulated power line between real network interfaces, before whole sessions: `chargepoint secc --slac` and `chargepoint ev --slac`."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.v2g.cable import Cable, Running, join
from iso15118 import sdp
from iso15118.slac import mme
from iso15118.slac.mme import BROADCAST, Frame
from tests.house.rules import ROOT
from tests.peers.plc_cable import charger, holder, plc, vehicle
from tests.peers.test_v2g_sweep import CHARGER_IPV4, VEHICLE_IPV4, bound, inside, swept

pytestmark = [pytest.mark.xdist_group("plc"), pytest.mark.timeout(180)]
MATCHED = re.compile(r"slac: matched ([0-9a-f:]{17}), (\d+\.\d) dB\n")
PACKET_SOCKETS = "/proc/net/packet"
WHOLE = os.environ.get("SOAK") == "1"
"""Without it a slice of what takes long."""


def charges(link: Cable, folder: Path, *words: str, name: str = "car") -> str:
    """A whole session; what the vehicle printed."""
    with vehicle(link, folder, "--loops", "2", *words, name=name) as car:
        assert car.ended() == 0, car.text()[-3000:]
        return car.text()


@pytest.mark.parametrize(
    ("service", "line"),
    [
        ("DC", ("--dB", "5")),
        ("AC", ("--dB", "9", "--loss", "0.03", "--duplicates", "0.1", "--result", "0")),
        ("AC_BPT", ("--evse-kind", "lumissil", "--ev-kind", "key only", "--jitter-s", "0.01", "--key-s", "1.0")),
    ],
)
def test_a_vehicle_matches_and_charges_with_tls_to_session_stop(tmp_path: Path, pki: Path, service: str, line: tuple[str, ...]) -> None:
    tls = ("--pki", str(pki), "--tls", "1.3")
    with plc(tmp_path, *line) as (link, _), charger(link, tmp_path, *tls) as station:
        text = charges(link, tmp_path, *tls, "--service", service)
        found = MATCHED.search(text)
        assert found, text
        assert text.index("slac: link up") < text.index("charger at [fe80::")
        assert "TLS 1.3, charger verified" in text
        assert "session over: terminated" in text
        station.until("slac: link lost")
        said = MATCHED.search(station.text())
        assert said, station.text()
        assert said[2] == found[2]
        told = station.text()
        assert told.index("slac: link up") < told.index("TLS 1.3, vehicle verified") < told.index("session over: terminated")


@pytest.mark.soak(only=True)
def test_one_vehicle_after_the_other_each_with_a_key_of_its_own(tmp_path: Path) -> None:
    with plc(tmp_path) as (link, _), charger(link, tmp_path) as station:
        for number in (1, 2):
            charges(link, tmp_path, name=f"car{number}")
            station.until("slac: link lost", times=number)
        assert len(MATCHED.findall(station.text())) == 2


@pytest.mark.req("F-10")
def test_a_vehicle_that_begins_anew_while_it_has_the_link_ends_its_own_session(tmp_path: Path) -> None:
    """The first one has not left the network: it hangs, and its battery's electronics start again."""
    with plc(tmp_path) as (link, _), charger(link, tmp_path) as station:
        with vehicle(link, tmp_path, "--loops", "100000", name="first") as first:
            station.until("AuthorizationReq")
            os.killpg(first.process.pid, signal.SIGSTOP)
            charges(link, tmp_path)
        text = station.text()
        assert "session over: aborted, the link over the power line is lost: the vehicle matches anew" in text
        assert text.index("slac: link lost: the vehicle matches anew") < text.rindex("slac: matched")
        assert text.count("session over: terminated") == 1


@pytest.mark.req("F-10")
@pytest.mark.soak(only=True)
def test_a_modem_that_dies_in_the_loop_is_reset_looked_for_and_found_again(tmp_path: Path) -> None:
    with plc(tmp_path) as (link, line), charger(link, tmp_path) as station:
        with vehicle(link, tmp_path, "--loops", "100000", name="first"):
            station.until("ChargeLoopRes OK")
            line.say('{"evse": {"dead": true}}')
            station.until("session over: aborted, no request in time")
            station.until("slac: link lost: the modem 00:b0:52:00:0e:f2 does not answer")
        station.until("waiting: the modem does not answer")
        line.say('{"evse": {"dead": false}}')
        station.until("slac: modem 00:b0:52:00:0e:f2", times=2)
        charges(link, tmp_path)


FAR = [("60", "is 60.0 dB away"), (None, "nobody answers CM_SLAC_PARM.REQ")]


@pytest.mark.soak
@pytest.mark.parametrize(("dB", "why"), FAR if WHOLE else FAR[:1])
def test_a_charger_that_is_not_on_this_cable_is_not_matched_with(tmp_path: Path, dB: str | None, why: str) -> None:
    with plc(tmp_path, *(("--dB", dB) if dB else ())) as (link, line), charger(link, tmp_path) as station:
        if dB is None:
            line.say('{"dB": null}')
        with vehicle(link, tmp_path) as car:
            assert car.ended() == 1, car.text()
        assert "no charger has matched: " in car.text()
        assert why in car.text()
        assert "SessionSetup" not in station.text()
        assert not MATCHED.search(station.text())


def test_without_a_modem_the_vehicle_says_so(tmp_path: Path) -> None:
    with plc(tmp_path) as (link, line):
        line.say('{"ev": {"dead": true}}')
        with vehicle(link, tmp_path) as car:
            assert car.ended() == 1, car.text()
        assert "no charger has matched: the modem has no key after 10 s" in car.text()


# ---- S-9


KEYED = "slac: the next vehicle finds a key\n"


def down_and_up(link: Cable, station: Running) -> None:
    inside(link.evse, "ip", "link", "set", link.evse_interface, "down")
    station.until("waiting: ")
    inside(link.evse, "ip", "link", "set", link.evse_interface, "up")


def made_anew(link: Cable, station: Running) -> None:
    inside(link.evse, "ip", "link", "del", link.evse_interface)
    station.until(f"waiting: there is no network interface {link.evse_interface!r}")
    join(link.evse, link.evse_interface, link.line, link.inner[1])


@pytest.mark.req("S-9")
@pytest.mark.soak
@pytest.mark.parametrize("lost", [made_anew, down_and_up] if WHOLE else [made_anew])
def test_a_charger_outlives_the_interface_of_its_modem(tmp_path: Path, lost: object) -> None:
    assert callable(lost)
    with plc(tmp_path) as (link, _), charger(link, tmp_path) as station:
        with vehicle(link, tmp_path, "--loops", "100000", name="first"):
            station.until("ChargeLoopRes OK")
            keys = station.text().count(KEYED)
            lost(link, station)
            station.until("session over: aborted")
        station.until(KEYED, times=keys + 1)
        charges(link, tmp_path)


# ---- strangers


def strange(link: Cable, *words: object) -> str:
    """A function of this module, called in the vehicle's namespace."""
    name, *values = words
    given = ", ".join(map(repr, (link.ev_interface, *values)))
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.peers.test_slac_veth import {name}; print({name}({given}))"
    return inside(link.ev, sys.executable, "-c", code).strip()


def flood(interface: str, count: int) -> int:
    """Of everything that a stranger can say, with the addresses of many; how many went out."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as line:
        line.bind((interface, 0))
        for number in range(count):
            source = b"\x02\x00" + (number % 97).to_bytes(4, "big")
            run_id = number.to_bytes(8, "big")
            said = (
                mme.SlacParmReq(run_id=run_id),
                mme.StartAttenCharInd(forwarding_sta=source, run_id=run_id),
                mme.MnbcSoundInd(count=number % 10, run_id=run_id, random=bytes(16)),
                mme.SlacMatchReq(pev_mac=source, evse_mac=bytes(6), run_id=run_id),
            )[number % 4]
            line.send(mme.octets(Frame(BROADCAST, source, said)))
    return count


def answered(interface: str, seconds: float) -> int:
    """Answers to a CM_SLAC_PARM.REQ that is sent again and again."""
    heard = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88E1)) as line:
        line.bind((interface, 0x88E1))
        own = line.getsockname()[4]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            line.send(mme.octets(Frame(BROADCAST, own, mme.SlacParmReq(run_id=bytes(8)))))
            line.settimeout(0.1)
            try:
                heard += line.recv(2000)[:6] == own
            except TimeoutError:
                continue
    return heard


@pytest.mark.req("S-8")
def test_after_a_flood_of_20000_frames_a_vehicle_matches_within_a_second(tmp_path: Path) -> None:
    with plc(tmp_path, "--key-s", "0.5") as (link, _), charger(link, tmp_path) as station:
        strange(link, "flood", 20_000)
        with vehicle(link, tmp_path, "--loops", "1") as car:
            car.until("slac: modem")
            began = time.monotonic()
            car.until("slac: matched")
            took_s = time.monotonic() - began
            assert car.ended() == 0, car.text()[-3000:]
        # 0.5 s of it is the vehicle's own modem, being given its first key.
        assert took_s < 0.5 + 1.0 + 0.2, station.text()[-2000:]


@pytest.mark.req("S-14")
@pytest.mark.soak(only=True)
@pytest.mark.timeout(300)
def test_with_slac_too_only_sdp_and_the_port_that_it_tells_are_reachable(tmp_path: Path, pki: Path) -> None:
    """Through the power line, by a vehicle that has matched."""
    with plc(tmp_path) as (link, _), charger(link, tmp_path, "--pki", str(pki), "--tls", "1.3"), holder(link, tmp_path):
        inside(link.ev, "ip", "addr", "add", f"{VEHICLE_IPV4}/24", "dev", link.ev_interface)
        inside(link.evse, "ip", "addr", "add", f"{CHARGER_IPV4}/24", "dev", link.evse_interface)
        found, sockets = swept(link), bound(link.evse)
        raw = inside(link.evse, "cat", PACKET_SOCKETS).splitlines()[1:]
    told = found["told"]
    assert isinstance(told, dict)
    (port,) = {port for port, _ in told.values()}
    assert (found["tcp"], found["tcp4"], found["udp"]) == ([port], [], [sdp.PORT])
    assert sockets == {("udp6", sdp.PORT), ("tcp6", port)}
    assert [line.split()[3] for line in raw] == ["88e1"], "one raw socket, of this protocol only"


def test_bench_line_says_what_it_does_not_understand(tmp_path: Path) -> None:
    with plc(tmp_path) as (link, line):
        for words in ("nonsense", '{"evse": {"colour": 1}}', '{"nobody": {"dead": true}}'):
            line.say(words)
        line.until("not understood: ", times=3)
        line.say('{"noise": {"loss": 1.0}, "dB": 3}')
        assert line.process.poll() is None
        subprocess.run(["kill", str(line.process.pid)], check=True)
        assert line.ended() == 0
        assert link.line
