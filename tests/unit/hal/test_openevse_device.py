"""The simulated OpenEVSE controller, line by line, without our driver."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bench.devices.openevse import OpenEvseDevice
from hal.drivers.openevse.rapi import frame
from tests.unit.hal.openevse_rig import Wire, WireLoop, play, powered


class Terminal:
    """The other end, as a terminal program has it; it counts its octets, so that virtual time waits for them."""

    is_open = True
    opened = 1

    def __init__(self, device: OpenEvseDevice) -> None:
        self.device, self.file = device, os.open(device.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.sent = self.received = 0
        self._heard = b""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WireLoop)
        loop.add_reader(self.file, self._read)
        loop.wires.append(Wire(device, self))

    def _read(self) -> None:
        octets = os.read(self.file, 4096)
        self.received += len(octets)
        self._heard += octets

    async def say(self, octets: bytes) -> list[bytes]:
        """What comes within a moment."""
        self.sent += os.write(self.file, octets)
        return await self.hear()

    async def hear(self) -> list[bytes]:
        await asyncio.sleep(0.01)
        heard, self._heard = self._heard, b""
        return heard.split(b"\r")[:-1]

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.file)
        os.close(self.file)


def at_the_terminal(story: Callable[[OpenEvseDevice, Terminal], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with powered(boot_s=0.1) as device:
            terminal = Terminal(device)
            await asyncio.sleep(0.2)
            assert [line[:3] for line in await terminal.hear()] == [b"$AB", b"$AT"]
            try:
                await story(device, terminal)
            finally:
                terminal.close()

    play(whole())


LINES = [
    (b"$GS :21^29\r", [frame("OK", "01", 0, "01", "4000", sequence=0x21)[:-1]]),
    (b"$GS^31\r", [b"$NK^21"]),
    (b"$XX :21^00\r", [b"$NK^21"]),
    (frame("XX", sequence=0x21), [b"$NK^21"]),
    (b"$FP 0 0 " + b"A" * 24 + b"^00\r", []),
    (b"$S$GV^35\r", [frame("OK", "8.2.3", "5.2.1")[:-1]]),
    (frame("SC", 16, "V", sequence=0x21), [b"$OK 16 :21^1E", b"$AT 01 01 16 4000^32"]),
    (frame("SC", "x", "V"), [b"$NK^21"]),
]


@pytest.mark.parametrize(("sent", "answered"), LINES, ids=lambda each: each.decode().strip() if isinstance(each, bytes) else "")
def test_lines(sent: bytes, answered: list[bytes]) -> None:
    async def story(device: OpenEvseDevice, terminal: Terminal) -> None:
        assert await terminal.say(sent) == answered

    at_the_terminal(story)


def test_a_current_is_clamped_and_without_v_it_is_written() -> None:
    async def story(device: OpenEvseDevice, terminal: Terminal) -> None:
        for sent, answer in ((("SC", 3, "V"), ("NK", 6)), (("SC", 80, "V"), ("NK", 32)), (("SC", 20, "V"), ("OK", 20))):
            assert (await terminal.say(frame(*sent)))[0] + b"\r" == frame(*answer)
        assert device.saved["writes"] == 0
        await terminal.say(frame("SC", 10))
        assert (device.saved["writes"], device.config_max_A) == (1, 10)
        assert (await terminal.say(frame("SC", 16, "V")))[0] + b"\r" == frame("NK", 10)

    at_the_terminal(story)


def test_checks_that_are_off_show() -> None:
    async def story(device: OpenEvseDevice, terminal: Terminal) -> None:
        await terminal.say(frame("FF", "D", 0) + frame("FF", "T", 0))
        assert await terminal.say(frame("GE")) == [frame("OK", 32, "0403")[:-1]]
        await terminal.say(frame("FF", "D", 1))
        assert await terminal.say(frame("GE")) == [frame("OK", 32, "0401")[:-1]]
        assert await terminal.say(frame("FF", "Z", 1)) == [b"$NK^21"]

    at_the_terminal(story)


def test_the_boot_lock_holds_the_relay() -> None:
    async def story(device: OpenEvseDevice, terminal: Terminal) -> None:
        device.car = "C"
        await asyncio.sleep(0.3)
        assert await terminal.hear() == [frame("AT", "03", "03", 32, "4100")[:-1]]
        assert (await terminal.say(frame("SB")))[0] == frame("OK", 0)[:-1]
        assert device.vflags & 0x4040 == 0x0040

    at_the_terminal(story)
