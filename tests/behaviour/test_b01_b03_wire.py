"""OCPP 2.1 B01 to B03 in frames: the blocks with the RPC machine before them, and nothing else."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any

import pytest

from chargepoint.commands import Command, Restart, SendText
from chargepoint.events import CablePluggedIn, Persisted, SecurityEvent, TextReceived
from chargepoint.machine import Machine
from chargepoint.ocpp.block import Block
from chargepoint.ocpp.blocks.reset import REF
from chargepoint.ocpp.messages import Answer, AnswerError, Call, SendOneWay
from chargepoint.ocpp.rpc import Rpc
from tests.unit.ocpp.block_rig import NOW, BlockRig
from tests.unit.ocpp.test_block_reports import BLOCKS


class WireRig(BlockRig):
    """The same bench with frames at its edge."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rpc = Rpc([action for block in self.blocks for action in block.answered], self.context.link)
        self.frames: list[list[Any]] = []

    def _run(self, waiting_for: Sequence[tuple[Block | None, object]]) -> list[object]:
        out: list[object] = []
        waiting = deque(waiting_for)
        for _ in range(1000):
            if not waiting:
                self.log.extend(out)
                return out
            one, event = waiting.popleft()
            to_rpc = isinstance(event, (Call, Answer, AnswerError, SendOneWay))
            takers: list[Machine] = [one] if one else [self.rpc] if to_rpc else [self.rpc, *self.machines]
            for machine in takers:
                for result in machine.handle(self.now, event):
                    out.append(result)
                    if isinstance(result, SendText):
                        self.frames.append(json.loads(result.text))
                    elif isinstance(result, (Call, Answer, AnswerError, SendOneWay)) or not isinstance(result, Command):
                        waiting.append((None, result))
        raise AssertionError("the machines do not come to rest")

    def csms(self, *frame: Any) -> list[Any]:
        """The CSMS sends a frame; what the station sends then."""
        self.frames.clear()
        self.hear(TextReceived(json.dumps(frame)))
        return list(self.frames)

    def boot_answer(self, status: str, interval: int = 10) -> list[Any]:
        kind, message_id, action, _ = self.frames[-1]
        assert (kind, action) == (2, "BootNotification")
        return self.csms(3, message_id, {"status": status, "interval": interval, "currentTime": NOW})


@pytest.fixture
def station() -> WireRig:
    station = WireRig(BLOCKS)
    station.power_up()
    station.link_up()
    return station


def say_something(station: WireRig) -> None:
    station.context.evses[1].plugged = True
    station.hear(CablePluggedIn(1), SecurityEvent("TamperDetectionActivated"))


GET = {"getVariableData": [{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}]}


@pytest.mark.req("B01.FR.08", "B01.FR.05")
def test_only_boot_goes_out_and_then_one_call_at_a_time(station: WireRig) -> None:
    say_something(station)
    assert [frame[2] for frame in station.frames] == ["BootNotification"]
    assert len(station.boot_answer("Accepted")) == 1
    actions = []
    for _ in range(10):
        if not station.frames:
            break
        kind, message_id, action, _ = station.frames[0]
        assert kind == 2
        actions.append(action)
        station.csms(3, message_id, {})
    assert sorted(actions) == ["SecurityEventNotification", "SecurityEventNotification", "StatusNotification", "StatusNotification"]


@pytest.mark.req("B02.FR.01", "B02.FR.02")
def test_pending_is_served_and_speaks_only_when_asked(station: WireRig) -> None:
    assert station.boot_answer("Pending") == []
    station.frames.clear()
    say_something(station)
    assert station.frames == []
    ((kind, message_id, payload),) = station.csms(2, "a", "GetVariables", GET)
    assert (kind, message_id, payload["getVariableResult"][0]["attributeValue"]) == (3, "a", "60")
    answer, report = station.csms(2, "b", "GetBaseReport", {"requestId": 5, "reportBase": "SummaryInventory"})
    assert answer == [3, "b", {"status": "Accepted"}]
    assert report[2] == "NotifyReport"


@pytest.mark.req("B03.FR.08", "TC_B_30")
def test_rejected_answers_with_a_security_error(station: WireRig) -> None:
    station.boot_answer("Rejected")
    ((kind, message_id, code, *_),) = station.csms(2, "a", "GetVariables", GET)
    assert (kind, message_id, code) == (4, "a", "SecurityError")
    station.frames.clear()
    station.advance(11)
    assert [frame[2] for frame in station.frames] == ["BootNotification"]


def test_before_the_first_answer_the_csms_is_served(station: WireRig) -> None:
    """Quirk 17 of the hubs: a station that ignores calls until its own boot was accepted."""
    ((kind, *_),) = station.csms(2, "a", "GetVariables", GET)
    assert kind == 3


@pytest.mark.req("S-5", "S-7")
def test_a_list_without_end_is_refused_and_the_next_call_is_served(station: WireRig) -> None:
    station.boot_answer("Accepted")
    ((kind, message_id, code, *_),) = station.csms(2, "a", "GetVariables", {"getVariableData": GET["getVariableData"] * 10_000})
    assert (kind, message_id, code) == (4, "a", "OccurrenceConstraintViolation")
    ((kind, *_),) = station.csms(2, "b", "GetVariables", GET)
    assert kind == 3


def test_a_reset_is_answered_before_the_station_goes(station: WireRig) -> None:
    station.boot_answer("Accepted")
    out = station.hear(TextReceived(json.dumps([2, "r", "Reset", {"type": "Immediate"}])))
    names = [type(command).__name__ for command in out if isinstance(command, Command)]
    assert "SendText" in names
    assert "Restart" not in names
    assert station.hear(Persisted((REF,))) == [Restart("RemoteReset")]
