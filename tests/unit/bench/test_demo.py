"""`chargepoint demo` as people start it: in a pipe, and in a terminal with somebody at its keys."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

from tests.house.rules import ROOT

DEMO = [sys.executable, "-m", "bench.cli", "demo"]
PATIENCE_S = 40.0
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def environment(tmp_path: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    return {**inherited, "TMPDIR": str(tmp_path), "TERM": "xterm-256color"}


def test_in_a_pipe_each_event_is_a_line_and_ctrl_c_ends_it_in_order(tmp_path: Path) -> None:
    with subprocess.Popen(DEMO, cwd=ROOT, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        watchdog = threading.Timer(PATIENCE_S, demo.kill)
        watchdog.start()
        assert demo.stdout is not None
        assert demo.stderr is not None
        lines: list[str] = []
        for line in demo.stdout:
            lines.append(line)
            if "MeterValuePeriodic" in line and not line.endswith(" 0.0 Wh\n"):
                demo.send_signal(signal.SIGINT)
        errors = demo.stderr.read()
        watchdog.cancel()
    text = "".join(lines)
    assert (demo.returncode, errors) == (0, ""), text
    for said in ("pilot evse=1 is=B was=A", "contactor.close evse=1", "ocpp > TransactionEvent Started", "Charging"):
        assert said in text
    opened = text.index('contactor.open evse=1 why="shutting down"')
    assert opened < text.index("ocpp > TransactionEvent Ended")
    assert re.search(r"TransactionEvent Updated MeterValuePeriodic [\d.]+ Wh\n", text)
    assert re.search(r"TransactionEvent Ended .*Local [\d.]+ Wh\n", text)
    assert list(tmp_path.iterdir()) == []


STEPS = {
    "iso20-ac": ["SessionSetupRes", "AuthorizationRes", "PowerDeliveryRes", "AC_ChargeLoopRes"],
    "iso20-dc": ["SessionSetupRes", "AuthorizationRes", "DC_CableCheckRes", "DC_PreChargeRes", "PowerDeliveryRes", "DC_ChargeLoopRes"],
    "iso2-ac": ["SessionSetupRes", "AuthorizationRes", "PowerDeliveryRes", "ChargingStatusRes"],
    "iso2-dc": ["SessionSetupRes", "AuthorizationRes", "CableCheckRes", "PreChargeRes", "PowerDeliveryRes", "CurrentDemandRes"],
    "din": ["SessionSetupRes", "ContractAuthenticationRes", "CableCheckRes", "PreChargeRes", "PowerDeliveryRes", "CurrentDemandRes"],
}
"""What a charger says, by what the car speaks."""


@pytest.mark.parametrize("hlc", STEPS)
def test_a_car_that_talks_shows_its_session_in_lines(tmp_path: Path, hlc: str) -> None:
    """Until it draws; nothing is configured, and nothing is left behind."""
    command = [*DEMO, "--hlc", hlc]
    with subprocess.Popen(command, cwd=ROOT, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        watchdog = threading.Timer(PATIENCE_S, demo.kill)
        watchdog.start()
        assert demo.stdout is not None
        assert demo.stderr is not None
        lines: list[str] = []
        for line in demo.stdout:
            lines.append(line)
            if re.search(r" vehicle evse=1 .*voltage_V=[1-9].* current_A=[1-9]", line):
                demo.send_signal(signal.SIGINT)
        errors = demo.stderr.read()
        watchdog.cancel()
    text = "".join(lines)
    assert (demo.returncode, errors) == (0, ""), text
    kind = "DC" if hlc == "din" else hlc[-2:].upper()
    steps = STEPS[hlc]
    matching = ["> message=CM_SLAC_PARM.REQ", "< message=CM_ATTEN_CHAR.IND", "< message=CM_SLAC_MATCH.CNF"]
    found = [text.index(f"slac.message evse=1 way={each}") for each in matching]
    found += [text.index("slac.matched evse=1 "), text.index("slac.link evse=1 up=True")]
    found += [text.index(f"v2g.message evse=1 way=< message={each} code=OK") for each in steps]
    assert found == sorted(found)
    assert "ocpp > NotifyEVChargingNeeds" in text
    assert "pilot.duty evse=1 percent=5.0" in text
    assert re.search(r"TransactionEvent Ended .*Local [\d.]+ Wh\n", text)
    if kind == "DC":
        assert re.search(r" vehicle evse=1 soc_percent=3\d voltage_V=3\d\d\.\d current_A=1\d\d\.\d limit_W=60000\n", text)
    assert list(tmp_path.iterdir()) == []


class Terminal:
    """A pseudo-terminal with the demo in it."""

    def __init__(self, tmp_path: Path, *words: str, patience_s: float = PATIENCE_S) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            [*DEMO, *words], cwd=ROOT, env=environment(tmp_path), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        self.seen = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.give_up_at = time.monotonic() + patience_s

    def read(self) -> None:
        """What is shown next, within a moment."""
        if time.monotonic() > self.give_up_at:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it never came to that:\n{ESCAPE.sub('', self.seen)[-4000:]}")
        if select.select([self.master], [], [], 0.05)[0]:
            self.seen += self.decoder.decode(os.read(self.master, 65536))

    def until(self, words: str) -> None:
        """Read until these words have been shown since the last time."""
        while words not in ESCAPE.sub("", self.seen):
            self.read()
        self.seen = ""

    def press(self, key: str) -> None:
        os.write(self.master, key.encode())

    def end(self) -> int:
        while self.process.poll() is None:
            self.read()
        self.read()
        return self.process.returncode


@pytest.mark.parametrize("way_out", ["q", "\x03"])
def test_in_a_terminal_keys_do_what_a_driver_does(tmp_path: Path, way_out: str) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("CLOSED")
    terminal.press(" ")
    terminal.until("SuspendedEV")
    terminal.press("t")
    terminal.until("faults       residual current (dc)")
    terminal.press("c")
    terminal.until("faults       none")
    terminal.press("u")
    terminal.until("Idle")
    terminal.press("x")  # no key of ours
    if way_out == "\x03":
        # The terminal is not the session's own here, so that its line discipline has nobody to send the signal to.
        os.killpg(terminal.process.pid, signal.SIGINT)
    else:
        terminal.press(way_out)
    assert terminal.end() == 0, terminal.seen
    assert re.search(r"transaction [0-9a-f-]{36} ended \(\w+\) after [\d.]+ Wh", terminal.seen)
    assert termios.tcgetattr(terminal.slave) == terminal.before
    assert list(tmp_path.iterdir()) == []


def test_a_car_that_talks_is_seen_in_a_terminal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--hlc", "iso20-dc", patience_s=2 * PATIENCE_S)
    terminal.until("vehicle      says nothing yet")
    terminal.until("DC_CableCheckReq")
    terminal.until("battery  30 %")
    terminal.until(" of 60.0 kW (")
    terminal.press(" ")
    terminal.until("hlc evse=1 is=paused")
    terminal.press(" ")
    terminal.until("DC_PreChargeReq")
    terminal.until("CLOSED")
    terminal.press("q")
    assert terminal.end() == 0, terminal.seen


@pytest.mark.parametrize(
    ("hlc", "title", "asked"), [("din", "DIN 70121", "CurrentDemandReq"), ("iso2-dc", "ISO 15118-2", "CurrentDemandReq"), ("iso2-ac", "ISO 15118-2", "ChargingStatusReq")]
)  # fmt: skip
def test_its_session_stands_under_the_name_of_what_it_speaks(tmp_path: Path, hlc: str, title: str, asked: str) -> None:
    terminal = Terminal(tmp_path, "--hlc", hlc, patience_s=2 * PATIENCE_S)
    terminal.until(asked)
    terminal.until(f"─ {title} ─")
    terminal.press("q")
    assert terminal.end() == 0, terminal.seen
    assert "ISO 15118-20" not in ESCAPE.sub("", terminal.seen)
