"""Commands reach the body in an order that is safe: openings at once, nothing that closes behind them, no call without an end (F-16, S-30)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from chargepoint.commands import (
    CloseContactor,
    Command,
    MeasureInsulation,
    OpenContactor,
    Permit,
    SetDcOutput,
    SetDuty,
    SetStateF,
    SetX1,
    StopDcOutput,
    WithdrawPermit,
)
from chargepoint.events import HardwareDone, HardwareFailed
from chargepoint.runtime.ports.hal import HalPort
from chargepoint.runtime.virtual import run_virtual
from hal.errors import ContactorFault, InsulationFault, StageFault
from hal.types import InsulationSample

Did = list[str]


class Body:
    """A board that writes down what it is asked, takes `takes_s[call]` for it, and fails where told."""

    def __init__(
        self, takes_s: dict[str, float] | None = None, fails: dict[str, Exception] | None = None, gives: dict[str, object] | None = None
    ) -> None:
        self.did: Did = []
        self.takes_s, self.fails, self.gives = takes_s or {}, fails or {}, gives or {}

    def call(self, name: str) -> Callable[..., Any]:
        async def act(*args: Any) -> object:
            self.did.append(f"{name}{args or ''}")
            await asyncio.sleep(self.takes_s.get(name, 0.0))
            if name in self.fails:
                raise self.fails[name]
            self.did.append(f"{name} done")
            return self.gives.get(name)

        return act


def played(
    orders: Sequence[tuple[float, Command]], body: Body, seconds: float = 30.0, without: Sequence[str] = ()
) -> tuple[Did, list[object]]:
    """What the body was asked, and what was told, when these commands come at these times."""

    async def main() -> list[object]:
        part = {
            "contactor": ("close", "open"),
            "power": ("permit", "withdraw"),
            "pilot": ("set_x1", "set_pwm", "set_f"),
            "dc": ("set_output", "off"),
            "insulation": ("measure",),
        }
        part = {name: calls for name, calls in part.items() if name not in without}
        ports = SimpleNamespace(dc=None, insulation=None)
        for name, calls in part.items():
            setattr(ports, name, SimpleNamespace(**{call: body.call(call) for call in calls}))
        port = HalPort(SimpleNamespace(evses={1: ports}))  # as much of a board as these orders need
        told: list[object] = []
        port.tell = told.append
        loop = asyncio.get_running_loop()
        for number, (at, command) in enumerate(orders):
            loop.call_at(at + number * 1e-6, port.carry_out, command)  # a heap does not keep the order of equal times
        await asyncio.sleep(seconds)
        return told

    return body.did, run_virtual(main())


def begun(did: Did) -> Did:
    return [each for each in did if not each.endswith("done")]


@pytest.mark.req("S-30", "F-12")
def test_open_and_withdraw_both_reach_the_body_and_are_answered() -> None:
    did, told = played([(0.0, OpenContactor(1)), (0.0, WithdrawPermit(1)), (0.0, SetX1(1))], Body())
    assert begun(did) == ["open", "withdraw", "set_x1"]
    assert {each.command for each in told if isinstance(each, HardwareDone)} == {"OpenContactor", "WithdrawPermit", "SetX1"}


@pytest.mark.req("F-14")
def test_a_weld_that_only_the_opening_sees_is_told() -> None:
    _, told = played([(0.0, OpenContactor(1)), (0.0, WithdrawPermit(1))], Body(fails={"open": ContactorFault("welded")}))
    assert HardwareFailed(1, "OpenContactor", "ContactorFault", "welded") in told


def test_what_waited_to_close_never_comes_after_an_opening() -> None:
    body = Body({"permit": 0.1, "close": 0.5})
    did, _ = played([(0.0, Permit(1, 0.4)), (0.0, CloseContactor(1, 3)), (0.05, OpenContactor(1)), (0.05, WithdrawPermit(1))], body)
    assert begun(did) == ["permit(0.4,)", "open", "withdraw"]


def test_a_closing_waits_for_its_lease_and_a_renewal_for_no_closing() -> None:
    body = Body({"permit": 0.1, "close": 2.0})
    did, _ = played([(0.0, Permit(1, 0.4)), (0.0, CloseContactor(1, 3)), (0.5, Permit(1, 0.4)), (0.7, Permit(1, 0.4))], body)
    assert did[:2] == ["permit(0.4,)", "permit done"]
    assert did[2] == "close(3,)"
    assert did.index("close done") > did.index("permit(0.4,)", 3)


def test_no_duty_comes_after_the_end_of_the_pwm() -> None:
    body = Body({"set_pwm": 0.2})
    did, _ = played([(0.0, SetDuty(1, 20.0)), (0.05, SetDuty(1, 30.0)), (0.1, SetX1(1))], body)
    assert begun(did) == ["set_pwm(20.0,)", "set_x1"]
    did, _ = played([(0.0, SetX1(1)), (0.0, SetStateF(1))], Body())
    assert begun(did) == ["set_x1", "set_f"]


@pytest.mark.req("F-16")
def test_a_lease_that_hangs_is_a_failure_in_time_and_no_queue() -> None:
    body = Body({"permit": 3600.0})
    did, told = played([(n * 0.16, Permit(1, 0.4)) for n in range(50)], body, seconds=10.0)
    failures = [each for each in told if isinstance(each, HardwareFailed)]
    assert failures
    assert {each.error for each in failures} == {"BoardSilent"}
    assert len(begun(did)) <= 50


@pytest.mark.req("S-30")
def test_a_hanging_call_holds_up_no_opening() -> None:
    body = Body({"permit": 3600.0, "close": 3600.0, "set_pwm": 3600.0})
    orders = [(0.0, Permit(1, 2.0)), (0.1, SetDuty(1, 20.0)), (0.2, OpenContactor(1)), (0.2, WithdrawPermit(1)), (0.2, SetX1(1))]
    did, _ = played(orders, body, seconds=0.25)
    assert [each for each in begun(did) if each in ("open", "withdraw", "set_x1")] == ["open", "withdraw", "set_x1"]


def test_a_drivers_bug_is_a_failure_of_its_hardware() -> None:
    _, told = played([(0.0, SetDuty(1, 20.0))], Body(fails={"set_pwm": ZeroDivisionError("a bug")}))
    assert told == [HardwareFailed(1, "SetDuty", "HalError", "ZeroDivisionError('a bug')")]


# ---- direct current


def test_an_order_to_the_stage_is_told_only_when_it_fails() -> None:
    orders = [(n * 0.1, SetDcOutput(1, 400.0, float(n))) for n in range(20)]
    did, told = played(orders, Body())
    assert begun(did) == [f"set_output(400.0, {n:.1f})" for n in range(20)]
    assert told == []
    _, told = played(orders[:1], Body(fails={"set_output": StageFault("not today")}))
    assert told == [HardwareFailed(1, "SetDcOutput", "StageFault", "not today")]


def test_a_newer_order_to_the_stage_stands_for_an_older_one_that_waits() -> None:
    did, _ = played([(n * 0.1, SetDcOutput(1, 400.0, float(n))) for n in range(6)], Body({"set_output": 0.22}))
    assert begun(did) == [f"set_output(400.0, {n:.1f})" for n in (0, 2, 4, 5)]


def test_a_stage_that_hangs_is_a_failure_within_a_second_and_no_queue() -> None:
    did, told = played([(n * 0.1, SetDcOutput(1, 400.0, 10.0)) for n in range(30)], Body({"set_output": 3600.0}), seconds=10.0)
    assert len(begun(did)) == 4
    assert next(each for each in told if isinstance(each, HardwareFailed)).error == "BoardSilent"
    assert len(told) == 4


@pytest.mark.parametrize(("safe", "does"), [(StopDcOutput(1), "off"), (OpenContactor(1), "open"), (WithdrawPermit(1), "withdraw")], ids=str)
def test_what_makes_safe_drops_the_orders_that_wait(safe: Command, does: str) -> None:
    body = Body({"set_output": 0.5})
    orders = [(0.0, SetDcOutput(1, 400.0, 10.0)), (0.1, SetDcOutput(1, 400.0, 20.0)), (0.2, safe)]
    did, told = played(orders, body)
    assert did == ["set_output(400.0, 10.0)", does, f"{does} done", "set_output done"]
    assert told == [HardwareDone(1, type(safe).__name__)]


def test_an_order_after_the_stop_waits_for_it() -> None:
    body = Body({"off": 0.5})
    did, _ = played([(0.0, StopDcOutput(1)), (0.1, SetDcOutput(1, 400.0, 10.0))], body)
    assert did == ["off", "off done", "set_output(400.0, 10.0)", "set_output done"]


def test_the_stage_and_the_contactor_do_not_wait_for_each_other() -> None:
    takes_s = {"close": 0.5, "set_output": 0.5}
    did, _ = played([(0.0, CloseContactor(1, 3)), (0.1, SetDcOutput(1, 400.0, 10.0)), (0.2, Permit(1, 0.4))], Body(takes_s))
    assert did[:3] == ["close(3,)", "set_output(400.0, 10.0)", "permit(0.4,)"]
    did, _ = played([(0.0, SetDcOutput(1, 400.0, 10.0)), (0.1, CloseContactor(1, 3))], Body(takes_s))
    assert did[:2] == ["set_output(400.0, 10.0)", "close(3,)"]


def test_the_insulation_is_told_before_it_is_done_and_may_take_its_time() -> None:
    reading = InsulationSample(1, 5e6)
    _, told = played([(0.0, MeasureInsulation(1))], Body({"measure": 39.0}, gives={"measure": reading}), seconds=60.0)
    assert told == [reading, HardwareDone(1, "MeasureInsulation")]
    _, told = played([(0.0, MeasureInsulation(1))], Body({"measure": 41.0}, gives={"measure": reading}), seconds=60.0)
    assert told == [HardwareFailed(1, "MeasureInsulation", "BoardSilent", "no answer within 40 s")]
    _, told = played([(0.0, MeasureInsulation(1))], Body(fails={"measure": InsulationFault("self-test")}))
    assert told == [HardwareFailed(1, "MeasureInsulation", "InsulationFault", "self-test")]


def test_a_board_without_a_stage_says_so() -> None:
    orders: list[tuple[float, Command]] = [(0.0, SetDcOutput(1, 400.0, 10.0)), (0.0, StopDcOutput(1)), (0.0, MeasureInsulation(1))]
    did, told = played(orders, Body(), without=("dc", "insulation"))
    assert did == []
    assert {(each.command, each.error) for each in told if isinstance(each, HardwareFailed)} == {
        (name, "NotFitted") for name in ("SetDcOutput", "StopDcOutput", "MeasureInsulation")
    }
