"""What a stranger on the charge cable reaches of a charger: SDP and the TCP ports that SDP tells, those again after the interface was gone (S-9, S-14)."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench.v2g.cable import Cable, Running, ours, running
from iso15118 import sdp
from tests.house.rules import ROOT

WHOLE = os.environ.get("SOAK") == "1"

CHARGER_IPV4, VEHICLE_IPV4 = "192.0.2.1", "192.0.2.2"
TABLES = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6")
LISTENS = "0A"
"""A state in /proc/net/tcp."""
CONNECT_S = 1.0
ANSWERS_S = 1.0


# ---- what runs in the vehicle's namespace


def stranger(interface: str) -> None:
    """Prints, as JSON: what SDP says for each kind of request; TCP ports that connect, on IPv6 and on IPv4; UDP ports that answer."""
    index = socket.if_nametoindex(interface)
    told = {each.name: asked(index, each) for each in sdp.Security}
    address = next((str(each.address) for each in told.values() if each), "")
    found = {
        "told": {name: [answer.port, answer.security.name] for name, answer in told.items() if answer},
        "tcp": connecting(socket.AF_INET6, (address, 0, 0, index)),
        "tcp4": connecting(socket.AF_INET, (CHARGER_IPV4, 0)),
        "udp": answering(address, index),
    }
    print(json.dumps(found))


def asked(index: int, security: sdp.Security) -> sdp.Response | None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as line:
        line.settimeout(ANSWERS_S)
        line.sendto(sdp.Request(security).octets(), (sdp.GROUP, sdp.PORT, 0, index))
        try:
            return sdp.read_response(line.recv(64))
        except TimeoutError:
            return None


def connecting(family: socket.AddressFamily, where: tuple[object, ...]) -> list[int]:
    """Ports that take a connection. Raises OSError where one is neither open nor refused: then the sweep says nothing about it."""
    found = []
    for port in range(1, 1 << 16):
        with socket.socket(family, socket.SOCK_STREAM) as line:
            line.settimeout(CONNECT_S)
            code = line.connect_ex((where[0], port, *where[2:]))
        if code == 0:
            found.append(port)
        elif code != errno.ECONNREFUSED:
            raise OSError(code, f"port {port}")
    return found


def answering(address: str, index: int) -> list[int]:
    """Ports from which something comes back for an SDP request. Twice round: of so many datagrams a busy machine drops some."""
    octets = sdp.Request(sdp.Security.TLS).octets() if address else b""
    found = set()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as line:
        line.setblocking(False)
        for port in (*range(1, 1 << 16), *range(1, 1 << 16)):
            line.sendto(octets, (address, port, 0, index))
            found |= come(line)
        deadline = time.monotonic() + ANSWERS_S
        while time.monotonic() < deadline:
            time.sleep(0.05)
            found |= come(line)
    return sorted(found)


def come(line: socket.socket) -> set[int]:
    try:
        return {line.recvfrom(64)[1][1]}
    except BlockingIOError:
        return set()


# ---- what runs outside


def inside(namespace: str, *words: str) -> str:
    done = subprocess.run(["ip", "netns", "exec", namespace, *words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def swept(link: Cable) -> dict[str, object]:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.peers.test_v2g_sweep import stranger; stranger({link.ev_interface!r})"
    )
    found: dict[str, object] = json.loads(inside(link.ev, sys.executable, "-c", code))
    return found


def bound(namespace: str) -> set[tuple[str, int]]:
    """Sockets that somebody may send to: (kind, port); kept connections are none."""
    return {each for table in TABLES for each in _bound(table, inside(namespace, "cat", f"/proc/net/{table}").splitlines()[1:])}


def _bound(table: str, lines: Iterable[str]) -> Iterable[tuple[str, int]]:
    for line in lines:
        _, local, _, state, *_ = line.split()
        if state == LISTENS or not table.startswith("tcp"):
            yield table, int(local.rpartition(":")[2], 16)


@pytest.fixture
def ipv4(own_link: Cable) -> Cable:
    """A cable on which IPv4 would work, too."""
    inside(own_link.ev, "ip", "addr", "add", f"{VEHICLE_IPV4}/24", "dev", own_link.ev_interface)
    inside(own_link.evse, "ip", "addr", "add", f"{CHARGER_IPV4}/24", "dev", own_link.evse_interface)
    return own_link


@pytest.mark.req("S-14")
@pytest.mark.xdist_group("v2g")
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("protocols", "tls", "offers"),
    [
        ("any", "none", {"TLS": "NONE", "NONE": "NONE"}),
        ("iso20-dc,iso20-ac", "1.3", {"TLS": "TLS"}),
        ("iso2-dc,iso2-ac", "1.2", {"TLS": "TLS"}),
        ("any", "any", {"TLS": "TLS", "NONE": "NONE"}),
    ],
)
def test_only_sdp_and_the_ports_that_it_tells_are_reachable(
    ipv4: Cable, pki: Path, tmp_path: Path, protocols: str, tls: str, offers: dict[str, str]
) -> None:
    words = ("--protocols", protocols, *(() if tls == "none" else ("--pki", str(pki))))
    with running(ipv4.evse, tmp_path / "charger.log", ours("secc", "--iface", ipv4.evse_interface, "--tls", tls, *words)) as charger:
        charger.until("ready\n")
        found = swept(ipv4)
        sockets = bound(ipv4.evse)
        assert charger.process.poll() is None
    told = found["told"]
    assert isinstance(told, dict)
    assert {name: security for name, (_, security) in told.items()} == offers
    ports = {port for port, _ in told.values()}
    assert len(ports) == len(set(offers.values()))
    assert set(found["tcp"]) == ports  # type: ignore[call-overload]
    assert found["udp"] == [sdp.PORT]
    assert found["tcp4"] == []
    assert sockets == {("udp6", sdp.PORT), *(("tcp6", port) for port in ports)}


def charges(link: Cable, folder: Path, speech: str = "iso20-dc") -> None:
    with running(link.ev, folder / "car.log", ours("ev", "--iface", link.ev_interface, "--loops", "2", "--protocol", speech)) as car:
        assert car.ended() == 0, car.text()[-3000:]


def down_and_up(link: Cable, charger: Running) -> None:
    waited = charger.text().count("waiting: ")
    inside(link.evse, "ip", "link", "set", link.evse_interface, "down")
    charger.until("waiting: ", times=waited + 1)
    inside(link.evse, "ip", "link", "set", link.evse_interface, "up")


def address_gone_and_another(link: Cable, charger: Running) -> None:
    waited = charger.text().count("waiting: ")
    inside(link.evse, "ip", "-6", "addr", "flush", "dev", link.evse_interface, "scope", "link")
    charger.until("waiting: ", times=waited + 1)
    inside(link.evse, "ip", "addr", "add", "fe80::15:118/64", "dev", link.evse_interface)


def made_anew(link: Cable, charger: Running) -> None:
    """With another index, as a modem on USB that starts again."""
    inside(link.evse, "ip", "link", "del", link.evse_interface)
    charger.until("waiting: there is no network interface")
    inside(link.evse, "ip", "link", "add", link.evse_interface, "type", "veth", "peer", "name", link.ev_interface, "netns", link.ev)
    for name, interface in ((link.ev, link.ev_interface), (link.evse, link.evse_interface)):
        inside(name, "ip", "link", "set", interface, "up")


@pytest.mark.req("S-9")
@pytest.mark.soak
@pytest.mark.xdist_group("v2g")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("lost", [down_and_up, address_gone_and_another, made_anew] if WHOLE else [made_anew])
@pytest.mark.parametrize(("speech", "loop"), [*([("iso20-dc", "ChargeLoopRes OK")] if WHOLE else []), ("din", "CurrentDemandRes OK")])
def test_a_charger_outlives_its_interface(own_link: Cable, tmp_path: Path, speech: str, loop: str, lost: object) -> None:
    assert callable(lost)
    with running(own_link.evse, tmp_path / "charger.log", ours("secc", "--iface", own_link.evse_interface)) as charger:
        charger.until("ready\n")
        charges(own_link, tmp_path)
        words = ("ev", "--iface", own_link.ev_interface, "--loops", "100000", "--protocol", speech)
        with running(own_link.ev, tmp_path / "first.log", ours(*words)) as car:
            car.until(loop)
            lost(own_link, charger)
            charger.until("session over: aborted")
        charger.until("ready\n", times=2)
        charges(own_link, tmp_path, "iso2-dc")
        assert bound(own_link.evse) >= {("udp6", sdp.PORT)}
        assert charger.process.poll() is None
        text = charger.text()
    assert text.count("ready\n") == 2
    assert text.count("session over: terminated") == 2
    assert "Traceback" not in text


@pytest.mark.req("S-9")
@pytest.mark.xdist_group("v2g")
def test_a_charger_waits_for_an_interface_that_is_not_there_yet(own_link: Cable, tmp_path: Path) -> None:
    inside(own_link.evse, "ip", "link", "set", own_link.evse_interface, "name", "later")
    with running(own_link.evse, tmp_path / "charger.log", ours("secc", "--iface", own_link.evse_interface)) as charger:
        charger.until("waiting: there is no network interface")
        inside(own_link.evse, "ip", "link", "set", "later", "down")
        inside(own_link.evse, "ip", "link", "set", "later", "name", own_link.evse_interface)
        charger.until("has no IPv6 link-local address yet")
        inside(own_link.evse, "ip", "link", "set", own_link.evse_interface, "up")
        charger.until("ready\n")
        charges(own_link, tmp_path)
