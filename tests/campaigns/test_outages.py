"""A CSMS that is away for days, or answers badly; a disk that is full; a clock that jumps: nothing that happened is lost (F-2, F-3, F-4, F-6, F-7).

The whole station on the heap, with its board and cars; what the CSMS got is judged at the end.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.ev import Ev, EvSpec
from bench.heap import Heap
from chargepoint.ocpp.timestamps import parse_timestamp
from hal.types import TokenPresented
from tests.replay.stories import CARD, configured, csms, world_of

WHOLE = bool(os.environ.get("SOAK"))
LOCAL = (f"ISO14443:{CARD}",)


def station(answers: Callable[..., Any] = csms, **more: Any) -> Heap:
    config = configured(evses=1, local_tokens=LOCAL, **more)
    return Heap(config, world_of(config), answers, seed="0f")


def charge(heap: Heap, seconds: float = 20.0, idle_s: float = 10.0) -> None:
    evse = heap.world.evses[1]
    evse.plug(Ev(EvSpec(max_A=32.0, s2_delay_s=0.2), heap.now))
    heap.run(1.0)
    heap.tell(TokenPresented(CARD, "ISO14443", (1,)))
    heap.run(4.0 + seconds)
    evse.unplug_vehicle()
    heap.run(idle_s)


def got(heap: Heap, events: list[list[Any]] | None = None) -> dict[str, dict[int, dict[str, Any]]]:
    """TransactionEvents by transaction and seqNo; what came twice is the same, but that it is offline once the line has broken (E11.FR.07)."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for frame in events if events is not None else heap.frames:
        if frame[0] == 2 and frame[2] == "TransactionEvent":
            payload = frame[3]
            numbered = found.setdefault(payload["transactionInfo"]["transactionId"], {})
            first = numbered.setdefault(payload["seqNo"], payload)
            assert first | {"offline": None} == payload | {"offline": None}
            assert payload["offline"] >= first["offline"]
    return found


def whole(numbered: dict[int, dict[str, Any]]) -> None:
    order = sorted(numbered)
    assert order == list(range(len(order)))
    kinds = [numbered[n]["eventType"] for n in order]
    assert kinds[0] == "Started"
    assert kinds[-1] == "Ended"
    assert set(kinds[1:-1]) <= {"Updated"}


def in_order(heap: Heap) -> None:
    """Transactions are told as they happened: no event is older than the one before it, but for repetitions."""
    seen = [parse_timestamp(f[3]["timestamp"]) for f in heap.frames if f[0] == 2 and f[2] == "TransactionEvent"]
    assert seen == sorted(seen)


@pytest.mark.soak
@pytest.mark.req("F-4", "E04.FR.01", "E11.FR.04", "C13")
def test_days_without_a_csms() -> None:
    """Seven of them with 500 transactions under SOAK."""
    days, count = (7, 500) if WHOLE else (2, 12)
    heap = station()
    heap.reachable = False
    heap.start()
    heap.run(10.0)
    for _ in range(count):
        charge(heap, idle_s=days * 86_400.0 / count - 25.0)
    assert heap.frames == []
    assert heap.now > days * 86_400.0 - 100.0
    assert sum(len(str(row)) for row in heap.store["outbox"].values()) < 8_000_000
    heap.reachable = True
    heap.run(1200.0)
    found = got(heap)
    assert len(found) == count
    for numbered in found.values():
        whole(numbered)
        assert all(event["offline"] is True for event in numbered.values())
    in_order(heap)
    assert not [key for key in heap.store["outbox"] if key.isdigit()]


@pytest.mark.req("F-4", "E13")
def test_a_power_cut_in_the_middle_of_an_outage_loses_nothing() -> None:
    heap = station()
    heap.reachable = False
    heap.start()
    heap.run(10.0)
    for number in range(8):
        charge(heap)
        if number % 3 == 2:
            heap.cut()
            heap.now += 3600.0
            heap.start()
            heap.run(5.0)
    heap.reachable = True
    heap.run(600.0)
    found = got(heap)
    assert len(found) == 8
    for numbered in found.values():
        whole(numbered)


class Moody:
    """A CSMS that answers TransactionEvents in every wrong way, each now and then, and at last properly."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.accepted: list[list[Any]] = []
        self.heap: Heap | None = None
        self.well = False

    def __call__(self, message_id: str, action: str, payload: Any) -> Any:
        if action != "TransactionEvent" or self.well:
            return self._take(message_id, action, payload)
        match self.dice.choice(("well", "well", "never", "late", "twice", "garbage", "error", "wrong", "closes", "other id")):
            case "never":
                return None
            case "late":
                self._later(self.dice.choice((29.0, 31.0, 45.0)), [3, message_id, self._take(message_id, action, payload)])
                return None
            case "twice":
                answer = [3, message_id, self._take(message_id, action, payload)]
                self._later(0.02, answer)
                return answer
            case "garbage":
                return self.dice.choice(("{", "[3]", [3, 17, {}], [3, message_id], [3, message_id, "text"], [9, message_id, {}]))
            case "error":
                return [4, message_id, "InternalError", "not today", {}]
            case "wrong":
                return [3, message_id, {"idTokenInfo": {"status": "Perhaps"}}]
            case "other id":
                return [3, "somebody else's", {}]
            case "closes":
                assert self.heap
                heap = self.heap
                heap.later(0.0, lambda: heap.lose_link("closed"))
                return None
            case _:
                return self._take(message_id, action, payload)

    def _later(self, delay_s: float, frame: list[Any]) -> None:
        assert self.heap
        heap = self.heap
        heap.later(delay_s, lambda: heap.receive(frame))

    def _take(self, message_id: str, action: str, payload: Any) -> Any:
        self.accepted.append([2, message_id, action, payload])
        return csms(message_id, action, payload)


@pytest.mark.req("F-6", "F-7", "E13.FR.01", "E13.FR.02", "S-19")
@pytest.mark.parametrize("seed", range(40 if WHOLE else 8))
def test_a_csms_that_answers_garbage_late_never_twice(seed: int) -> None:
    moody = Moody(seed)
    # Enough attempts that nothing has to be set aside: then every message arrives.
    variables = {"OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "100", "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": "1"}
    heap = moody.heap = station(moody, variables=variables)
    heap.start()
    heap.run(10.0)
    for _ in range(6):
        charge(heap, idle_s=120.0)
    moody.well = True
    heap.run(3600.0)
    found = got(heap, moody.accepted)
    assert len(found) == 6
    for numbered in found.values():
        whole(numbered)
    assert not [key for key in heap.store["outbox"] if key.isdigit()]


@pytest.mark.req("F-7", "E13.FR.04")
def test_one_poisoned_message_is_set_aside_and_the_queue_goes_on() -> None:
    def answers(message_id: str, action: str, payload: Any) -> Any:
        if action == "TransactionEvent" and payload["eventType"] == "Started" and payload["seqNo"] == 0 and "poison" in poisoned:
            poisoned["poison"].append(payload)
            if len({p["transactionInfo"]["transactionId"] for p in poisoned["poison"]}) == 1:
                return [4, message_id, "FormatViolation", "no", {}]
        return csms(message_id, action, payload)

    poisoned: dict[str, list[Any]] = {"poison": []}
    heap = station(answers, variables={"OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "3"})
    heap.start()
    heap.run(10.0)
    charge(heap, idle_s=600.0)
    charge(heap, idle_s=600.0)
    first = poisoned["poison"][0]["transactionInfo"]["transactionId"]
    assert [p["transactionInfo"]["transactionId"] for p in poisoned["poison"]].count(first) == 3
    (kept,) = heap.store["set_aside"].values()
    assert kept["payload"]["eventType"] == "Started"
    kinds = [f[3]["eventType"] for f in heap.frames if f[0] == 2 and f[2] == "TransactionEvent"]
    assert kinds.count("Ended") == 2


@pytest.mark.req("F-2")
def test_a_full_disk_lets_nobody_begin_and_is_over_without_a_restart() -> None:
    heap = station()
    heap.start()
    heap.run(10.0)
    evse = heap.world.evses[1]
    evse.plug(Ev(EvSpec(max_A=16.0), heap.now))
    heap.run(1.0)
    heap.tell(TokenPresented(CARD, "ISO14443", (1,)))
    heap.run(30.0)
    assert evse.contactor.poles == 3
    heap.refuses_writes = "database or disk is full"
    heap.run(60.0)
    assert evse.contactor.poles == 3  # what runs goes on
    evse.unplug_vehicle()
    heap.run(5.0)
    assert evse.contactor.poles == 0
    evse.plug(Ev(EvSpec(max_A=16.0), heap.now))
    heap.run(1.0)
    heap.tell(TokenPresented(CARD, "ISO14443", (1,)))
    heap.run(60.0)
    assert evse.contactor.poles == 0  # no Started on disk: no power
    heap.refuses_writes = ""
    heap.run(60.0)
    assert evse.contactor.poles == 3
    evse.unplug_vehicle()
    heap.run(60.0)
    found = got(heap)
    for numbered in found.values():
        whole(numbered)
    assert len(found) == 2


@pytest.mark.req("F-3")
@pytest.mark.parametrize("jump_s", [3600.0, -3600.0, 86_400.0 * 366, -86_400.0 * 366, 31.5])
def test_a_clock_that_jumps_in_the_middle_of_a_charge(jump_s: float) -> None:
    heap = station()
    heap.start()
    heap.run(10.0)
    evse = heap.world.evses[1]
    evse.plug(Ev(EvSpec(max_A=16.0), heap.now))
    heap.run(1.0)
    heap.tell(TokenPresented(CARD, "ISO14443", (1,)))
    heap.run(30.0)
    heap.utc_offset += jump_s
    heap.run(200.0)
    assert evse.contactor.poles == 3
    evse.unplug_vehicle()
    heap.run(30.0)
    (numbered,) = got(heap).values()
    whole(numbered)
    # The meter, whose time is nobody's clock, agrees with what was billed.
    last = [s["value"] for v in numbered[max(numbered)]["meterValue"] for s in v["sampledValue"]][-1]
    assert last == pytest.approx(evse.register.import_Wh, abs=1.0)


@pytest.mark.req("F-3")
def test_a_board_that_starts_in_1970_reports_the_right_times_once_it_knows() -> None:
    heap = station()
    heap.utc_offset = 0.0
    heap.reachable = False
    heap.start()
    heap.run(10.0)
    charge(heap)
    heap.reachable = True
    heap.run(300.0)
    (numbered,) = got(heap).values()
    whole(numbered)
    times = [parse_timestamp(numbered[n]["timestamp"]) for n in sorted(numbered)]
    assert times == sorted(times)
    # The CSMS says 2026-01-01 00:00:00 at the boot, which is after all of this.
    assert 1_767_225_600.0 - 400.0 < times[0] < times[-1] < 1_767_225_600.0 + 400.0


@pytest.mark.req("F-17")
def test_twenty_brown_outs_in_a_minute_close_nothing() -> None:
    config = replace(configured(evses=1, local_tokens=LOCAL))
    timings = replace(config.timings, close_after_boot_s=10.0, boot_jitter_s=30.0)
    config = replace(config, timings=timings)
    heap = Heap(config, world_of(config), csms, seed="0f")
    evse = heap.world.evses[1]
    heap.start()
    evse.plug(Ev(EvSpec(), heap.now))
    heap.tell(TokenPresented(CARD, "ISO14443", (1,)))
    for _ in range(20):
        heap.run(2.0)
        assert evse.contactor.poles == 0
        heap.cut()
        heap.now += 1.0
        heap.start()
        heap.tell(TokenPresented(CARD, "ISO14443", (1,)))
    heap.run(120.0)
    boots = [frame[3]["reason"] for frame in heap.frames if frame[0] == 2 and frame[2] == "BootNotification"]
    assert set(boots) == {"PowerUp"}
    assert len(boots) < 20
    for numbered in got(heap).values():
        assert sorted(numbered) == list(range(len(numbered)))
