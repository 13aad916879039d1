"""Commands reach the body in an order that is safe: openings at once, nothing that closes behind them, no call without an end (F-16, S-30)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from chargepoint.commands import CloseContactor, Command, OpenContactor, Permit, SetDuty, SetStateF, SetX1, WithdrawPermit
from chargepoint.events import HardwareDone, HardwareFailed
from chargepoint.runtime.ports.hal import HalPort
from chargepoint.runtime.virtual import run_virtual
from hal.errors import ContactorFault

Did = list[str]


class Body:
    """A board that writes down what it is asked, takes `takes_s[call]` for it, and fails where told."""

    def __init__(self, takes_s: dict[str, float] | None = None, fails: dict[str, Exception] | None = None) -> None:
        self.did: Did = []
        self.takes_s, self.fails = takes_s or {}, fails or {}

    def call(self, name: str) -> Callable[..., Any]:
        async def act(*args: Any) -> None:
            self.did.append(f"{name}{args or ''}")
            await asyncio.sleep(self.takes_s.get(name, 0.0))
            if name in self.fails:
                raise self.fails[name]
            self.did.append(f"{name} done")

        return act


def played(orders: Sequence[tuple[float, Command]], body: Body, seconds: float = 30.0) -> tuple[Did, list[object]]:
    """What the body was asked, and what was told, when these commands come at these times."""

    async def main() -> list[object]:
        part = {
            "contactor": ("close", "open"),
            "power": ("permit", "withdraw"),
            "pilot": ("set_x1", "set_pwm", "set_f"),
        }
        ports = SimpleNamespace(**{name: SimpleNamespace(**{call: body.call(call) for call in calls}) for name, calls in part.items()})
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
