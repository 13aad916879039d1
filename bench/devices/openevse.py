"""An OpenEVSE controller on a pseudo-terminal: firmware 8.2.3 as a driver meets it, with a car, and with hands that break things.

    device = OpenEvseDevice()
    device.power_up()          # in a running event loop, whose time may be virtual
    ... device.path is the port; `device.car = "C"`, `device.fault(0x06)`, `device.reboot()`
    device.close()

What it does at which time is the firmware's (8.2.3); self-tests, menus, limits and the legacy checksum `*XX` it leaves out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import tty
from collections.abc import Callable
from typing import Literal

from hal.drivers.openevse.rapi import (
    BOOT_LOCK,
    EV_CONNECTED,
    HARD_FAULT,
    MAX_LENGTH,
    MAX_WORDS,
    RELAY_CLOSED,
    Framer,
    RapiError,
    checksum,
    frame,
    parse,
)

Car = Literal["A", "B", "C", "D"]
TOLD_VFLAGS = 0x211A
"""A change of one of these is told by `$AT`; of the relay's bit it is not."""
DEBOUNCE_S, DEBOUNCE_TO_A_S = 0.25, 0.025
GRACE_S = 3.0
"""Sent to sleep, it opens under load only after this; disabled it opens at once."""
STUCK_CHECK_S = 1.0
TICK_S = 0.25
SLEEPING, DISABLED, STUCK, NO_RELAY = 0xFE, 0xFF, 0x08, 0x0E
CHECKS = {"D": 0x0002, "V": 0x0004, "G": 0x0008, "R": 0x0010, "F": 0x0200, "T": 0x0400, "B": 0x8000}
"""Letters of `$FF`, and the flags of `$GE` that say that a check is off."""
LEVEL_2 = 0x0001
Answer = tuple[str, tuple[object, ...]]


class OpenEvseDevice:
    """`boot_s`: from power to `$AB`. `saved` is its EEPROM."""

    def __init__(self, *, hardware_max_A: int = 32, config_max_A: int = 32, voltage_V: float = 230.0, boot_s: float = 0.5) -> None:
        self.hardware_max_A, self.config_max_A, self.voltage_V, self.boot_s = hardware_max_A, config_max_A, voltage_V, boot_s
        self.saved = {"interval": 0, "fall_back": 0, "total_Wh": 0, "writes": 0, "flags": LEVEL_2}
        self.commands: list[str] = []
        """What it took, without sequence id and checksum."""
        self.draws_A = 0.0
        self.temperature_C = 25.0
        self.welded = self.jammed = False
        self.silent = False
        """The line is cut: nothing comes in, nothing goes out."""
        self.drop = self.refuse = self.garble = 0
        """So many of the next answers are not sent, are `$NK`, have a wrong checksum."""
        self.unknown: set[str] = set()
        """Commands that this build does not know."""
        self.lost: set[str] = set()
        """Commands that do not reach it."""
        self.before_answer: list[bytes] = []
        """Sent one by one between a command and its answer."""
        self.on_offer: Callable[[float], None] = _nobody
        """Told the current on the pilot, 0 for none, at each change: what a car looks at."""
        self.sent = self.taken = 0
        """Octets that went out and came in."""
        self._car: Car = "A"
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._master, self._readable)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._commands = self._table()
        self._forget()

    def _forget(self) -> None:
        self.up, self.mode, self.failed, self.hard = False, 0, 0, False
        self.relay, self.seen, self.boot_locked = False, 1, True
        self.amps = self.config_max_A
        self.session_Ws, self.trigger, self.pulse_at = 0.0, 0, 0.0
        self._since_s = 0.0
        self._framer = Framer()
        self._told: tuple[int, ...] = ()
        self._offered = 0.0

    # ---- power

    def power_up(self) -> None:
        """It says `$AB` when it is ready."""
        self._later("boot", self.boot_s, self._booted)

    def reboot(self) -> None:
        """The relay falls off, RAM is lost."""
        self._cancel()
        self._forget()
        self._look_at_offer()
        self.power_up()

    def close(self) -> None:
        """Both ends of the line."""
        self._cancel()
        self._loop.remove_reader(self._master)
        for file in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(file)

    def _booted(self) -> None:
        self.up, self.pulse_at = True, self._loop.time()
        self._send(frame("AB", "00", "8.2.3"))
        self.seen = "ABCD".index(self._car) + 1
        self._settle()
        self._later("tick", TICK_S, self._tick)

    # ---- the car and the world

    @property
    def car(self) -> Car:
        """What the car shows; A is no car."""
        return self._car

    @car.setter
    def car(self, state: Car) -> None:
        self._car = state
        self._later("debounce", DEBOUNCE_TO_A_S if state == "A" else DEBOUNCE_S, self._debounced)

    def _debounced(self) -> None:
        if self.mode == DISABLED or not self.up:
            return  # it does not look while the pilot is at -12 V
        before, self.seen = self.seen, "ABCD".index(self._car) + 1
        if self.seen == 1 and before > 1:
            self.saved["total_Wh"] += int(self.session_Ws / 3600)
        elif before == 1 and self.seen > 1:
            self.session_Ws = 0.0
        if self.seen == 1 and self.failed in (0x05, 0x06, 0x07) and not self.hard:
            self.failed = 0
        self._settle()

    def fault(self, state: int, *, hard: bool = False) -> None:
        """It goes into this fault state; a hard one it does not leave by itself."""
        self.failed, self.hard = state, hard
        self._settle()

    def mend(self) -> None:
        """What was wrong is right again."""
        self.welded = self.jammed = self.hard = False
        self.failed = 0
        self._settle()

    def noise(self, octets: bytes = b"\x00\xff$OK 99^00\r$AT 03 03 16 0140^34\r\x80$G") -> None:
        """Octets on the line that mean nothing."""
        self._send(octets)

    @property
    def offered_A(self) -> float:
        """What the pilot allows the car; 0: no PWM."""
        return float(self.amps) if self.up and not self.mode and not self.failed and self.seen > 1 else 0.0

    @property
    def flows_A(self) -> float:
        """What the car draws now."""
        return min(self.draws_A, self.offered_A or self.draws_A) if self.relay else 0.0

    # ---- the state machine

    @property
    def state(self) -> int:
        """As `$GS` has it."""
        return self.failed or self.mode or self.seen

    @property
    def vflags(self) -> int:
        """As `$GS` has them."""
        return (
            (RELAY_CLOSED if self.relay else 0)
            | (EV_CONNECTED if self.seen > 1 else 0)
            | (HARD_FAULT if self.hard else 0)
            | (BOOT_LOCK if self.boot_locked else 0)
        )

    def _settle(self) -> None:
        if not self.up:
            return
        wants = self.seen == 3 and not self.mode and not self.failed and not self.boot_locked
        waits = self.mode == SLEEPING and self.relay and self.seen == 3 and self._loop.time() < self._since_s + GRACE_S
        if wants and not self.relay and self.jammed:
            self.failed = NO_RELAY
        elif wants is not self.relay and not waits:
            self.relay = wants
            if not wants and self.welded:
                self._later("stuck", STUCK_CHECK_S, self._check_stuck)
        self._tell()
        self._look_at_offer()

    def _check_stuck(self) -> None:
        if self.welded and not self.relay and not self.mode:
            self.fault(STUCK, hard=True)

    def _tell(self) -> None:
        now = (self.state, self.seen, self.amps, self.vflags & TOLD_VFLAGS)
        if now != self._told:
            self._told = now
            self._send(frame("AT", f"{self.state:02X}", f"{self.seen:02X}", self.amps, f"{self.vflags:04X}"))

    def _look_at_offer(self) -> None:
        if self.offered_A != self._offered:
            self._offered = self.offered_A
            self._loop.call_soon(self.on_offer, self._offered)

    def _tick(self) -> None:
        self._later("tick", TICK_S, self._tick)
        self.session_Ws += self.flows_A * self.voltage_V * TICK_S
        interval = self.saved["interval"]
        if interval and self.trigger != 2 and self._loop.time() - self.pulse_at > interval:
            self.trigger = 2
            self.amps = min(self.amps, max(6, self.saved["fall_back"]))
        self._settle()

    # ---- the line

    def _readable(self) -> None:
        try:
            octets = os.read(self._master, 4096)
        except OSError:
            return
        self.taken += len(octets)
        if self.silent or not self.up:
            return
        for line in self._framer.feed(octets):
            if len(line) <= MAX_LENGTH:
                self._command(line)

    def _command(self, line: bytes) -> None:
        try:
            message = parse(line)
            if len(message.values) + 1 > MAX_WORDS:
                raise RapiError("too many words")
        except RapiError:
            self._answer("NK", (), None)
            return
        if message.kind in self.lost:
            return
        self.commands.append(" ".join((message.kind, *message.values)))
        kind, values = self._does(message.kind, message.values)
        if self.before_answer:
            self._send(self.before_answer.pop(0))
        if kind == "NK" and not values:
            self._answer("NK", (), None)
        else:
            self._answer(kind, values, message.sequence)
        if message.kind == "FR":
            self.reboot()
        self._settle()

    def _answer(self, kind: str, values: tuple[object, ...], sequence: int | None) -> None:
        if self.drop > 0:
            self.drop -= 1
        elif self.refuse > 0:
            self.refuse -= 1
            self._send(frame("NK"))
        elif self.garble > 0:
            self.garble -= 1
            body = frame(kind, *values, sequence=sequence)[:-3]
            self._send(body + f"{checksum(body[:-1].decode()) ^ 0x5A:02X}\r".encode())
        else:
            self._send(frame(kind, *values, sequence=sequence))

    def _send(self, octets: bytes) -> None:
        if not self.silent:
            with contextlib.suppress(OSError):
                self.sent += os.write(self._master, octets)

    def _does(self, kind: str, values: tuple[str, ...]) -> Answer:
        known = None if kind in self.unknown else self._commands.get(kind)
        try:
            return known(values) if known else ("NK", ())
        except (ValueError, IndexError):
            return "NK", ()

    def _switch(self, mode: int) -> Answer:
        if self.mode != mode:
            self.mode, self._since_s = mode, self._loop.time()
            if mode != DISABLED:
                self._later("debounce", DEBOUNCE_S, self._debounced)
        return "OK", ()

    def _set_current(self, values: tuple[str, ...]) -> Answer:
        asked = int(values[0])
        volatile = values[1:] == ("V",)
        self.amps = max(6, min(asked, self.config_max_A if volatile else self.hardware_max_A))
        if not volatile:
            self.saved["writes"] += 1
            self.config_max_A = self.amps
        return ("OK" if self.amps == asked else "NK"), (self.amps,)

    def _heartbeat(self, values: tuple[str, ...]) -> Answer:
        if len(values) == 2:
            self.saved["interval"], self.saved["fall_back"] = int(values[0]), int(values[1])
            self.saved["writes"] += 1
            self.trigger = 0
        elif values == ("165",):
            if self.trigger == 2:
                self.trigger, self.amps = 1, self.config_max_A
        elif self.trigger == 2:
            return "NK", (self.saved["interval"], self.saved["fall_back"], 2)
        self.pulse_at = self._loop.time()
        return "OK", (self.saved["interval"], self.saved["fall_back"], self.trigger)

    def _unlock(self) -> Answer:
        if not self.failed:
            self.boot_locked = False
        return "OK", (int(bool(self.failed)),)

    def _check(self, values: tuple[str, ...]) -> Answer:
        """`$FF`: one of its checks on or off."""
        letter, on = values
        if letter not in CHECKS or on not in ("0", "1"):
            return "NK", ()
        flag = CHECKS[letter]
        self.saved["flags"] = self.saved["flags"] & ~flag if on == "1" else self.saved["flags"] | flag
        return "OK", ()

    def _status(self) -> Answer:
        return "OK", (f"{self.state:02X}", 0, f"{self.seen:02X}", f"{self.vflags:04X}")

    def _table(self) -> dict[str, Callable[[tuple[str, ...]], Answer]]:
        return {
            "GV": lambda _: ("OK", ("8.2.3", "5.2.1")),
            "GS": lambda _: self._status(),
            "GC": lambda _: ("OK", (6, self.hardware_max_A, self.amps, self.config_max_A)),
            "GE": lambda _: ("OK", (self.amps, f"{self.saved['flags']:04X}")),
            "GF": lambda _: ("OK", (0, 0, 0)),
            "GG": lambda _: ("OK", (round(self.flows_A * 1000), round(self.voltage_V * 1000))),
            "GU": lambda _: ("OK", (int(self.session_Ws), self.saved["total_Wh"])),
            "GP": lambda _: ("OK", (round(self.temperature_C * 10), -2560, -2560)),
            "GY": lambda _: ("OK", (self.saved["interval"], self.saved["fall_back"], self.trigger)),
            "ST": lambda _: ("OK", ()),
            "SL": lambda _: ("OK", ()),
            "SV": lambda _: ("OK", ()),
            "SB": lambda _: self._unlock(),
            "SC": self._set_current,
            "SY": self._heartbeat,
            "FS": lambda _: self._switch(SLEEPING),
            "FD": lambda _: self._switch(DISABLED),
            "FE": lambda _: self._switch(0),
            "FF": self._check,
            "FR": lambda _: ("OK", ()),
        }

    # ---- timers

    def _later(self, name: str, delay_s: float, act: Callable[[], None]) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = self._loop.call_later(delay_s, act)

    def _cancel(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()


def _nobody(ampere: float) -> None:
    pass
