"""The interface of a power-line modem on real sockets: what the kernel lets through, how much is told, and an interface that comes and goes (S-8, S-9, S-13)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from chargepoint.runtime.ports import plc_line as module
from chargepoint.runtime.ports.plc_line import (
    FAITHFUL_S,
    MODEM_MOST,
    NEW_MOST,
    NEW_PER_S,
    OTHERS_MOST,
    OTHERS_PER_S,
    SOURCE_MOST,
    SOURCES,
    SPOKEN,
    Door,
    PowerLine,
    open_socket,
)
from iso15118.slac import mme, vendor
from iso15118.slac.layout import BODY, MOST
from iso15118.slac.mme import LOCAL
from tests.unit.runtime.plc_rig import MODEM, PARM_REQ, RUN_ID, STRANGER, Pair, eventually, frame, ip, pair, version

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


# ---- how much is told


def door() -> Door:
    """The own modem has answered."""
    made = Door(OWN, 0.0)
    made.sent(frame(vendor.VsSwVerReq(), to=LOCAL, source=OWN), 0.0)
    assert made.takes(version(OWN), 0.1, serves=False)
    assert made.modem == MODEM
    return made


def many(made: Door, octets: bytes, count: int, now_s: float = 1.0) -> int:
    return sum(made.takes(octets, now_s, serves=True) for _ in range(count))


@pytest.mark.req("S-13")
def test_while_nobody_is_served_only_answers_of_the_own_modem_are_told() -> None:
    made = door()
    profile = mme.AttenProfileInd(pev_mac=STRANGER, aag=bytes(58))
    for octets in (frame(PARM_REQ), frame(PARM_REQ, to=OWN), version(OWN, source=STRANGER), frame(profile, to=OWN, source=MODEM)):
        assert not made.takes(octets, 1.0, serves=False)
        assert made.takes(octets, 1.0, serves=True)
    assert made.takes(version(OWN), 1.0, serves=False)


def test_an_answer_that_nobody_has_asked_for_makes_no_modem() -> None:
    made = Door(OWN, 0.0)
    assert not made.takes(version(OWN), 0.1, serves=False)
    made.sent(frame(PARM_REQ, source=OWN), 0.2)
    made.sent(frame(vendor.NscmGetVersionReq(), to=LOCAL, source=OWN), 0.2)
    assert not made.takes(version(OWN), 0.3, serves=False)
    assert not made.takes(frame(mme.SlacParmCnf(forwarding_sta=OWN, run_id=RUN_ID), to=OWN), 0.3, serves=False), "asked of all"
    assert made.modem is None
    made.sent(frame(vendor.VsSwVerReq(), to=LOCAL, source=OWN), 0.4)
    assert not made.takes(version(OWN), 0.5 + module.ASKED_S, serves=False), "too late"
    assert not made.takes(version(STRANGER), 0.5, serves=False), "for another host"
    assert made.takes(version(OWN), 0.5, serves=False)


def test_another_modem_takes_the_place_of_the_own_one_only_when_that_is_silent() -> None:
    made = door()
    for at in (1.0, 1.0 + FAITHFUL_S):
        made.sent(frame(vendor.VsSwVerReq(), to=LOCAL, source=OWN), at)
    assert not made.takes(version(OWN, source=STRANGER), 2.0, serves=False)
    assert made.modem == MODEM
    assert made.takes(version(OWN, source=STRANGER), 2.0 + FAITHFUL_S, serves=False)
    assert made.modem == STRANGER


@pytest.mark.req("S-8")
def test_a_stranger_has_a_share_and_the_own_modem_is_apart_from_all_of_them() -> None:
    made = door()
    assert many(made, frame(PARM_REQ), 20_000) == SOURCE_MOST
    assert many(made, frame(PARM_REQ, source=OWN[:5] + b"\x99"), 25) == 25, "somebody else"
    told = sum(many(made, frame(PARM_REQ, source=number.to_bytes(6, "big")), 20) for number in range(2000))
    assert NEW_MOST < told < OTHERS_MOST - SOURCE_MOST - 25, "some is left for others"
    assert len(made._of_source) == SOURCES
    profile = frame(mme.AttenProfileInd(pev_mac=STRANGER, aag=bytes(58)), to=OWN, source=MODEM)
    assert many(made, profile, 320) == 320, "32 matchings"
    assert many(made, profile, 20_000) == MODEM_MOST - 320, "its address can be forged"
    assert made.takes(frame(PARM_REQ, source=STRANGER[:5] + b"\x01"), 1.1, serves=True), "a tenth of a second later"


EV = bytes.fromhex("0200000000EE")
FLOODS = {"ever new": lambda number: number, "each twice": lambda number: number // 2, "32 who are known": lambda number: number % 32}
"""Whose the frame of this number is."""


def under_flood(made: Door, whose: Callable[[int], int], *, answers: bool) -> tuple[int, int]:
    """2000 frames a second for 3 s; the vehicle's among them, one each 50 ms. How many of its own are told, and of all."""
    honest = total = 0
    for number in range(6000):
        now_s = 1.0 + number / 2000
        stranger = (0x0200_0000_0000 + whose(number)).to_bytes(6, "big")
        total += made.takes(frame(PARM_REQ, source=stranger), now_s, serves=True)
        if answers and number % 10 == 0:
            made.sent(frame(mme.SlacParmCnf(forwarding_sta=stranger, run_id=RUN_ID), to=stranger, source=OWN), now_s)
        if number % 100 == 99:
            honest += made.takes(frame(PARM_REQ, source=EV), now_s, serves=True)
    return honest, total + honest


@pytest.mark.req("S-8")
@pytest.mark.parametrize("flood", FLOODS)
def test_a_vehicle_that_is_spoken_with_is_heard_whoever_else_floods(flood: str) -> None:
    made = door()
    made.sent(frame(mme.SlacParmCnf(forwarding_sta=EV, run_id=RUN_ID), to=EV, source=OWN), 0.9)
    honest, total = under_flood(made, FLOODS[flood], answers=True)
    assert honest == 60
    assert total <= OTHERS_MOST + 3 * OTHERS_PER_S, "no more than before is told"
    assert len(made._spoken) <= SPOKEN


@pytest.mark.req("S-8")
@pytest.mark.parametrize(("flood", "least"), [("ever new", 59), ("32 who are known", 40)])
def test_one_that_comes_during_a_flood_is_heard_when_it_asks_again(flood: str, least: int) -> None:
    """The first time it is as new as they are; those who send all the time have used what they have within a second."""
    honest, total = under_flood(door(), FLOODS[flood], answers=False)
    assert honest >= least
    assert total <= honest + (NEW_MOST + 3 * NEW_PER_S if flood == "ever new" else OTHERS_MOST + 3 * OTHERS_PER_S)


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
