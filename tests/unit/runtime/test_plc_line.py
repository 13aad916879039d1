"""The interface of a power-line modem on real sockets: what the kernel lets through, and an interface that comes and goes (S-8, S-9, S-13)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from chargepoint.runtime.ports import plc_line as module
from chargepoint.runtime.ports import v2g, vehicle
from chargepoint.runtime.ports.plc_line import PowerLine, find, open_socket
from chargepoint.runtime.ports.v2g import NoInterface
from iso15118.slac import mme
from iso15118.slac.layout import BODY, MOST
from tests.unit.runtime.plc_rig import PARM_REQ, RUN_ID, STRANGER, Pair, eventually, frame, ip, pair

OWN = bytes.fromhex("020000000001")
MEMBERSHIP, SOL_PACKET = 1, 263
pytestmark = [pytest.mark.timeout(60)]


# ---- the kernel


def drained(line: socket.socket) -> list[bytes]:
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(line.recv(1 << 16))
    return found


@pytest.mark.req("S-8", "S-14")
def test_the_kernel_passes_management_messages_for_this_host_and_nothing_else() -> None:
    with pair() as there, there.other_end() as far:
        for each in (there.near, there.far):
            ip("link", "set", each, "mtu", "2000")
        to_us, to_all = frame(PARM_REQ, to=there.mac), frame(PARM_REQ)
        longest = to_us + bytes(MOST - len(to_us))
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88E1)) as nosy:
            nosy.bind((there.near, 0x88E1))
            promiscuous = struct.pack("iHH8s", socket.if_nametoindex(there.near), 1, 0, b"")
            nosy.setsockopt(SOL_PACKET, MEMBERSHIP, promiscuous)
            far.send(to_all)  # before it listens
            line = open_socket(there.near)
            wrong = {
                "another host's": frame(PARM_REQ, to=STRANGER),
                "a group's": frame(PARM_REQ, to=bytes.fromhex("0100000000FF")),
                "another protocol": to_us[:12] + b"\x86\xdd" + to_us[14:],
                "too short": to_us[: BODY - 1],
                "too long": longest + b"\0",
            }
            for octets in wrong.values():
                far.send(octets)
            line.send(to_all)  # our own
            right = [to_us, to_all, to_us[:BODY], longest]
            for octets in right:
                far.send(octets)
            nosy.setblocking(False)
            assert drained(line) == right
            assert len(drained(nosy)) >= len(right) + 4, "the wrong ones did come in"
            line.close()


# ---- the interface


class Site:
    """A line, what it tells, and what it heard."""

    def __init__(self, interface: str) -> None:
        self.told: list[tuple[bool, bytes, str]] = []
        self.heard: list[bytes] = []
        self.lifted = 0
        self.line = PowerLine(interface, lambda *told: self.told.append(told), self.heard.append)
        self.line.lifts = self.lift

    def lift(self) -> str:
        self.lifted += 1
        return "something is done"

    async def until(self, why: str) -> None:
        """It is not ready for this reason; "": it is ready."""
        await eventually(lambda: bool(self.told) and self.told[-1][2] == why and self.told[-1][0] is not bool(why))


@asynccontextmanager
async def site(interface: str) -> AsyncIterator[Site]:
    made = Site(interface)
    made.line.begin()
    try:
        yield made
    finally:
        await made.line.stop()


def test_frames_go_both_ways() -> None:
    async def story(there: Pair) -> None:
        with there.other_end() as far:
            async with site(there.near) as at:
                await at.until("")
                assert at.told == [(True, there.mac, "")]
                at.line.serves = True
                sent = frame(PARM_REQ, source=there.mac)
                at.line.send(sent)
                assert far.recv(2000) == sent
                far.send(frame(PARM_REQ))
                await eventually(lambda: at.heard == [frame(PARM_REQ)])
                assert (at.line.dropped, at.line.unsent, at.line.modem) == (0, 0, None)

    with pair() as there:
        asyncio.run(story(there))


@pytest.mark.req("S-9")
def test_what_happens_to_an_interface_is_told_at_once() -> None:
    async def story(there: Pair) -> None:
        down = f"the network interface {there.near!r} is down"
        async with site(there.near) as at:
            await at.until("")
            began = time.monotonic()
            there.up(on=False)
            await at.until(down)
            at.line.send(frame(PARM_REQ))
            assert at.line.unsent == 1
            await asyncio.sleep(0.1)
            assert at.told == [(True, there.mac, ""), (False, b"", down)], "and only once"
            assert at.lifted == 0, "somebody took it down on purpose"
            there.up(on=True)
            await at.until("")
            there.up(on=False, which=there.far)
            await at.until(f"the network interface {there.near!r} has no carrier: the modem is off, or not connected")
            there.up(on=True, which=there.far)
            await at.until("")
            assert time.monotonic() - began < module.LOOK_S
            at.line.serves = True
            with there.other_end() as far:
                far.send(frame(PARM_REQ))
                await eventually(lambda: at.heard == [frame(PARM_REQ)])

    with pair() as there:
        asyncio.run(story(there))


@pytest.mark.req("S-9")
def test_an_interface_is_looked_at_although_the_kernel_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> socket.socket:
        return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)

    async def story(there: Pair) -> None:
        monkeypatch.setattr(module, "LOOK_S", 0.05)
        monkeypatch.setattr(module, "open_news", silent)
        there.up(on=False)
        async with site(there.near) as at:
            await eventually(lambda: bool(at.told))
            there.up(on=True)
            await at.until("")

    with pair() as there:
        asyncio.run(story(there))


@pytest.mark.req("S-9")
def test_that_it_has_gone_down_is_heard_of_the_interface_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> socket.socket:
        return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)

    async def story(there: Pair) -> None:
        monkeypatch.setattr(module, "open_news", silent)
        async with site(there.near) as at:
            await at.until("")
            there.up(on=False)
            async with asyncio.timeout(0.5 * module.LOOK_S):
                await at.until(f"the network interface {there.near!r} is down")

    with pair() as there:
        asyncio.run(story(there))


def has_address(interface: str) -> bool:
    """The kernel gives it a moment later."""
    with contextlib.suppress(NoInterface):
        return bool(v2g.find(interface))
    return False


@pytest.mark.req("S-9")
def test_an_interface_is_found_by_another_of_its_names_by_all_that_use_it() -> None:
    async def story(there: Pair, other: str) -> None:
        assert find(other) == find(there.near)
        await eventually(lambda: has_address(other))
        assert v2g.find(other) == replace(v2g.find(there.near), name=other)
        assert vehicle.carrier(other)
        there.up(on=False)
        async with site(other) as at:
            await at.until(f"the network interface {other!r} is down; something is done")
            there.up(on=True)
            await at.until("")
            with there.other_end() as far:
                at.line.send(frame(PARM_REQ))
                assert far.recv(2000) == frame(PARM_REQ)

    with pair() as there:
        ip("link", "property", "add", "dev", there.near, "altname", f"{there.near}-alt")
        Path(f"/proc/sys/net/ipv6/conf/{there.near}/accept_dad").write_text("0")
        Path(f"/proc/sys/net/ipv6/conf/{there.near}/disable_ipv6").write_text("0")
        asyncio.run(story(there, f"{there.near}-alt"))


def test_what_is_no_ethernet_is_no_line() -> None:
    with pytest.raises(NoInterface, match="'lo' is no Ethernet"):
        find("lo")


@pytest.mark.req("S-9")
def test_an_interface_that_is_removed_and_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(there: Pair) -> None:
        monkeypatch.setattr(module, "LOOK_S", 0.02)
        missing = f"there is no network interface {there.near!r}"
        there.remove()
        async with site(there.near) as at:
            await at.until(missing)
            there.make()
            await at.until("")
            first = at.line.at
            there.remove()
            await eventually(lambda: not at.told[-1][0])
            there.make()
            await at.until("")
            assert at.line.at != first
            with there.other_end() as far:
                at.line.send(frame(PARM_REQ))
                assert far.recv(2000) == frame(PARM_REQ)

    with pair() as there:
        asyncio.run(story(there))


@pytest.mark.req("S-9")
def test_one_that_changes_its_address_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(there: Pair) -> None:
        monkeypatch.setattr(module, "LOOK_S", 0.02)
        async with site(there.near) as at:
            await at.until("")
            ip("link", "set", there.near, "address", "02:00:00:00:00:42")
            await eventually(lambda: len(at.told) == 3)
            why = f"the network interface {there.near!r} has another index or address"
            assert at.told[1:] == [(False, b"", why), (True, bytes.fromhex("020000000042"), "")]

    with pair() as there:
        asyncio.run(story(there))


def test_an_interface_that_is_down_when_it_appears_is_brought_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(there: Pair) -> None:
        monkeypatch.setattr(module, "LOOK_S", 0.02)
        there.up(on=False)
        async with site(there.near) as at:
            await at.until(f"the network interface {there.near!r} is down; something is done")
            await asyncio.sleep(0.1)
            assert (at.lifted, len(at.told)) == (1, 1)
            there.up(on=True)
            await at.until("")

    with pair() as there:
        asyncio.run(story(there))


@pytest.mark.req("S-8")
def test_a_flood_is_counted_and_what_comes_after_it_is_heard() -> None:
    async def story(there: Pair) -> None:
        with there.other_end() as far:
            async with site(there.near) as at:
                await at.until("")
                at.line.serves = True
                stranger = frame(PARM_REQ)
                for number in range(20_000):
                    far.send(stranger)
                    if number % 100 == 0:
                        await asyncio.sleep(0)
                honest = frame(mme.SlacParmReq(run_id=RUN_ID), source=OWN)
                began = time.monotonic()
                while honest not in at.heard:  # what comes before the flood is read may be lost: it asks again
                    far.send(honest)
                    await asyncio.sleep(0.05)
                assert time.monotonic() - began < 0.5
                assert at.heard.count(stranger) < 500
                assert at.line.dropped > 0

    with pair() as there:
        asyncio.run(story(there))
