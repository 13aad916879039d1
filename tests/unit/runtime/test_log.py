"""What an operator reads: a line for each thing, nothing secret, and never the end of the station."""

from __future__ import annotations

import io
import json
import os
import re
import threading
from typing import Any

import pytest

from chargepoint.commands import CloseContactor, Command, Log, OpenLink, Persist, Put, SetDuty
from chargepoint.events import HardwareFailed, PersistFailed, PoweredUp, TimerExpired, VariableForced
from chargepoint.runtime.log import Background, Logger
from chargepoint.tick import Tick
from hal.types import BoardSilence, ContactorFeedback, MeterSample, PilotState, PilotVoltage, TokenPresented

NOW = Tick(5.0, 1_767_225_600.25)
AT = "2026-01-01 00:00:00.250"
SECRET = "0123456789abcdef"
TOKEN = "04A1B2C3D4E5F6"


def log(*inputs: tuple[object, tuple[Command, ...]], **options: Any) -> list[str]:
    out = io.StringIO()
    logger = Logger(out, **options)
    for event, commands in inputs:
        logger(NOW, event, commands)
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (PoweredUp("PowerUp", SECRET, {"meta": {"password": SECRET}}, "1.0"), "station.start reason=PowerUp version=1.0"),
        (ContactorFeedback(1, True, 3), 'contactor evse=1 is="closed, 3 phases"'),
        (ContactorFeedback(2, False, 0), "contactor evse=2 is=open"),
        (PilotState(1, "C"), "pilot evse=1 is=C"),
        (TokenPresented(TOKEN), "card type=ISO14443 token=04…F6"),
        (BoardSilence(True), "ERROR board.silent silent=True"),
        (HardwareFailed(1, "CloseContactor", "ContactorFault", "no"), "WARNING hardware.failed evse=1 command=CloseContactor error=ContactorFault text=no"),
        (PersistFailed(("outbox:1",), "disk full"), 'ERROR store.failed error="disk full"'),
        (TimerExpired(), None),
        (MeterSample(1, 1.0, None, None, (), ()), None),
    ],
)  # fmt: skip
def test_what_happened_is_one_line_or_none(event: object, said: str | None) -> None:
    assert log((event, ())) == ([f"{AT} {said}"] if said else [])


def test_the_pilot_of_a_raw_board_is_told_by_its_letter_once_for_each_change() -> None:
    volts = [12.0, 11.9, 9.0, 6.0, 6.1, 9.0, -12.0, 0.0]
    said = log(*((PilotVoltage(1, volt, None), ()) for volt in volts), (PilotVoltage(2, 12.0, None), ()))
    assert [line.removeprefix(f"{AT} pilot ") for line in said] == [
        "evse=1 is=A", "evse=1 is=B was=A", "evse=1 is=C was=B", "evse=1 is=B was=C", "evse=1 is=F was=B", "evse=1 is=E was=F", "evse=2 is=A",
    ]  # fmt: skip


def test_what_is_done_comes_after_what_happened() -> None:
    commands = (Log("warning", "link.down", {"cause": "dns"}), CloseContactor(1, 3), SetDuty(1, 26.666), Persist((Put("a", "b", SECRET),)))
    assert [line.removeprefix(f"{AT} ") for line in log((PilotState(1, "C"), commands))] == [
        "pilot evse=1 is=C", "WARNING link.down cause=dns", "contactor.close evse=1 phases=3", "pilot.duty evse=1 percent=26.7",
    ]  # fmt: skip


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_less_can_be_asked_for(level: str, count: int) -> None:
    logs = (Log("debug", "a"), Log("info", "b"), Log("warning", "c"), Log("error", "d"))
    assert len(log((TimerExpired(), logs), level=level)) == count


def test_json_is_one_object_a_line() -> None:
    (line,) = log((TimerExpired(), (Log("error", "outbox.refused", {"n": 1, "what": "ü\n", "odd": {1}}),)), as_json=True)
    assert json.loads(line) == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "error",
        "key": "outbox.refused",
        "n": 1,
        "what": "ü\n",
        "odd": "{1}",
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [("plain", "plain"), ("", '""'), ('say "x"', '"say \\"x\\""'), ("a\nb", '"a\\nb"'), ("\x1b[2J", '"\\u001b[2J"'), ("\x9b2J", '"\\u009b2J"'), ("größer", "größer")],
)  # fmt: skip
def test_a_peers_text_stays_on_its_line_and_moves_no_cursor(value: str, shown: str) -> None:
    assert log((TimerExpired(), (Log("info", "k", {"v": value}),))) == [f"{AT} k v={shown}"]


@pytest.mark.parametrize("as_json", [False, True])
def test_no_secret_is_told(as_json: bool) -> None:
    link = OpenLink(1, 1, "ws://x", "CP1", 1, SECRET, ("ocpp2.1",), 0.0)
    events = (
        PoweredUp("PowerUp", SECRET, {"t": {"k": SECRET}}),
        TokenPresented(TOKEN),
        VariableForced("SecurityCtrlr", "BasicAuthPassword", SECRET),
    )
    said = "\n".join(log(*((event, (link, Persist((Put("a", "b", SECRET),)))) for event in events), as_json=as_json, level="debug"))
    assert said
    assert SECRET not in said
    assert TOKEN not in said


def test_times_before_the_epoch_and_after_a_clock_step_are_told_too() -> None:
    out = io.StringIO()
    Logger(out)(Tick(1.0, -5.0), PilotState(1, "A"), ())
    assert out.getvalue().startswith("1970-01-01 00:00:00")


class Gone(io.StringIO):
    tries = 0

    def write(self, text: str) -> int:
        self.tries += 1
        raise BrokenPipeError


def test_an_output_that_is_gone_ends_the_log_and_nothing_else() -> None:
    out = Gone()
    logger = Logger(out)
    for _ in range(5):
        logger(NOW, PilotState(1, "A"), (Log("info", "a"),))
    assert out.tries == 1


# ---- an output behind a thread


def read_all(fileno: int) -> str:
    with os.fdopen(fileno, "rb") as pipe:
        return pipe.read().decode()


def test_lines_come_out_whole_and_in_order() -> None:
    reader, writer = os.pipe()
    with Background(writer) as out:
        logger = Logger(out)
        for n in range(100):
            logger(NOW, TimerExpired(), (Log("info", f"line.{n}"),))
    os.close(writer)
    assert [line.rpartition(".")[2] for line in read_all(reader).splitlines()] == [str(n) for n in range(100)]


def test_a_reader_that_does_not_read_holds_nobody_up_and_is_told_what_it_missed() -> None:
    reader, writer = os.pipe()
    out = Background(writer, most=10)
    for n in range(5000):
        out.write(f"{n:0100}\n")  # more than the pipe and the queue hold
    assert out.dropped > 0

    def end() -> None:
        with out:
            pass
        os.close(writer)

    thread = threading.Thread(target=end)
    seen = os.read(reader, 50_000).decode()
    thread.start()
    seen += read_all(reader)
    thread.join()
    told = [int(found) for found in re.findall(r"\((\d+) lines were left out", seen)]
    assert len(re.findall(r"^\d{100}$", seen, re.MULTILINE)) + sum(told) == 5000


def test_a_reader_that_is_gone_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with Background(writer) as out:
        out.write("a\n")
        out.write("b\n")
    assert out.broken
    os.close(writer)
