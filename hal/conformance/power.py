"""The lease, the contactor, and what the car may draw."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hal.conformance.rig import DUTY_10_A, PERMIT_S, RENEWED_EVERY_S, Bench, Can, now_s
from hal.conformance.story import raw, story, with_feedback
from hal.errors import ContactorFault, HalError, LeaseLapsed, NotFitted
from hal.types import ContactorFeedback, FallsBack, Opens, Shape


@story(fits=raw)
async def closing_needs_a_permit(bench: Bench) -> None:
    """Without a live lease the contactor stays open (F-16)."""
    contactor, power, phases = bench.ports.contactor, bench.ports.power, bench.info.phases
    await bench.refuses(contactor.close(phases), LeaseLapsed)
    await power.permit(PERMIT_S)
    await power.withdraw()
    await bench.refuses(contactor.close(phases), LeaseLapsed)
    await power.permit(0.05)
    await asyncio.sleep(0.1)
    await bench.refuses(contactor.close(phases), LeaseLapsed)
    assert not any(each.closed for each in bench.since(0, ContactorFeedback))


@story(fits=lambda board, evse: board.shape is Shape.RAW and not evse.switches_phases)
async def phases_that_are_not_wired_are_refused(bench: Bench) -> None:
    """A contactor without switching closes all of its phases or none."""
    await bench.ports.power.permit(PERMIT_S)
    await bench.refuses(bench.ports.contactor.close(1 if bench.info.phases == 3 else 3), NotFitted)


@story()
async def power_comes_and_goes(bench: Bench) -> None:
    """On by permit and order (or by permit and PWM), off by `open`, on again, off by `withdraw`."""
    for way in ("open", "withdraw"):
        await bench.supply()
        if bench.info.contactor_feedback:
            closed = [each for each in bench.since(0, ContactorFeedback) if each.closed][-1]
            assert closed.phases == bench.info.phases, f"{closed}"
        mark = bench.mark()
        await bench.ports.pilot.set_x1()
        if way == "open":
            await bench.ports.contactor.open()  # while the lease lives on, so that nothing else opens
        else:
            await bench.let_lapse()
            await bench.ports.power.withdraw()
        await bench.open_told(mark)
        await bench.let_lapse()
        await bench.car("B")


@story(fits=lambda board, evse: evse.contactor_feedback and isinstance(board.on_silence, Opens))
async def a_lapsed_lease_opens(bench: Bench) -> None:
    """A station that hangs holds no power longer than the board says (F-16)."""
    on_silence = bench.board.info.on_silence
    assert isinstance(on_silence, Opens)
    await bench.supply()
    await bench.let_lapse()
    mark, began_s = bench.mark(), now_s()
    await bench.open_told(mark, within_s=on_silence.within_s + bench.rig.tells_within_s)
    assert now_s() - began_s <= on_silence.within_s + bench.rig.tells_within_s


@story(Can.LIMIT, fits=lambda board, evse: isinstance(board.on_silence, FallsBack))
async def a_lapsed_lease_falls_back(bench: Bench) -> None:
    """A board that does not open on silence comes down to the current that it declares, and back when the station is there again."""
    on_silence = bench.board.info.on_silence
    assert isinstance(on_silence, FallsBack)
    await bench.supply()
    assert await _limit(bench, lambda ampere: ampere > on_silence.current_A)
    await bench.let_lapse()
    assert await _limit(bench, lambda ampere: ampere <= on_silence.current_A)
    bench.keep_permitted()
    assert await _limit(bench, lambda ampere: ampere > on_silence.current_A)


async def _limit(bench: Bench, holds: Callable[[float], bool]) -> bool:
    end_s = now_s() + 60.0
    while not holds(await bench.rig.limit_A()):
        if now_s() > end_s:
            return False
        await asyncio.sleep(RENEWED_EVERY_S)
    return True


@story(Can.LIMIT)
async def the_duty_reaches_the_car(bench: Bench) -> None:
    """The car sees the limit that was asked for, and none with X1."""
    await bench.supply()
    assert await _limit(bench, lambda ampere: abs(ampere - 16.0) <= 0.5)
    await bench.ports.pilot.set_pwm(DUTY_10_A)
    assert await _limit(bench, lambda ampere: abs(ampere - 10.0) <= 0.5)
    await bench.ports.pilot.set_x1()
    assert await _limit(bench, lambda ampere: ampere == 0.0)


@story(fits=raw)
async def opening_overtakes_a_closing(bench: Bench) -> None:
    """`open` and `withdraw` wait for no closing: they end it, and it says so."""
    for opening in (bench.ports.contactor.open, bench.ports.power.withdraw):
        await bench.ports.power.permit(PERMIT_S)
        closing = asyncio.get_running_loop().create_task(_ending(bench.ports.contactor.close(bench.info.phases)))
        await asyncio.sleep(0)
        await opening()
        error = await closing
        # The hardware may have been faster than the order to open; then the closing did come to its end first.
        assert error is None or isinstance(error, (LeaseLapsed, ContactorFault)), f"{error!r}"
        told = bench.since(0, ContactorFeedback)
        if told[-1].closed:
            await bench.open_told(bench.heard.index(told[-1]))
        assert not bench.since(0, ContactorFeedback)[-1].closed


async def _ending(call: Awaitable[object]) -> HalError | None:
    try:
        await call
    except HalError as error:
        return error
    return None


@story(Can.JAM, fits=raw)
async def a_contactor_that_does_not_close_is_a_fault(bench: Bench) -> None:
    """ContactorFault, and the coil is off again: mended, it stays open."""
    await bench.rig.jam()
    bench.keep_permitted()
    await asyncio.sleep(0)
    await bench.ports.power.permit(PERMIT_S)
    await bench.refuses(bench.ports.contactor.close(bench.info.phases), ContactorFault)
    mark = bench.mark()
    await bench.rig.mend()
    await asyncio.sleep(bench.rig.tells_within_s)
    assert not any(each.closed for each in bench.since(mark, ContactorFeedback))


@story(Can.WELD, fits=with_feedback)
async def a_weld_is_a_fault(bench: Bench) -> None:
    """`open` raises ContactorFault while the feedback says closed (F-14)."""
    await bench.supply()
    await bench.rig.weld()
    await bench.ports.pilot.set_x1()
    await bench.refuses(bench.ports.contactor.open(), ContactorFault)
    assert bench.since(0, ContactorFeedback)[-1].closed
    await bench.let_lapse()
    mark = bench.mark()
    await bench.rig.mend()
    await bench.open_told(mark)
