"""The conformance kit on the simulated board, on virtual time; and the kit itself: a board that does not conform fails."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from chargepoint.runtime.virtual import run_virtual
from hal.conformance import Can, CarState, Story, stories
from hal.iec61851 import current_of
from hal.ports import Board, DcSupply
from hal.sim.box import ResistorBox
from hal.sim.ports import OPENS_WITHIN_S, SimBoard
from hal.sim.signals import PilotOutput
from hal.sim.stage import DcStage
from hal.types import BoardInfo, DcRatings, DcSample, EvseInfo, OnSilence, Opens, Phases, PhaseWiring, Shape, TokenPresented
from tests.unit.hal.controller import FALL_BACK, OPENS, ControllerBoard
from tests.unit.hal.controller import info_of as controller_info

CAN = frozenset({Can.WELD, Can.JAM, Can.SILENCE, Can.DRAW, Can.PRESENT, Can.LIMIT, Can.BATTERY})
TETHERED = EvseInfo(phase_wiring=PhaseWiring.SERIAL)
SOCKET = EvseInfo(2, connector="sType2", has_lock=True, phases=1)
BARE = EvseInfo(3, has_meter=False, residual_current=False)
DC = EvseInfo(4, connector="cCCS2", residual_current=False, dc=DcRatings())
DC_BACK = EvseInfo(6, connector="cCCS2", dc=DcRatings(max_discharge_A=100.0, max_discharge_W=30_000.0))
BOTH_WAYS = EvseInfo(5, connector="cCCS2", has_meter=False, dc=DcRatings(500.0, 200.0, 30.0, 10_000.0, 30.0, 10_000.0, 20.0))


class SimRig:
    """Hands on the physics themselves."""

    tells_within_s = 1.0
    silent_within_s = 3.0

    def __init__(self, evse: EvseInfo) -> None:
        self.hands = SimBoard.of([evse])
        self.evse_id = evse.evse_id
        self.sim = self.hands.world.evses[evse.evse_id]
        self.box = ResistorBox()

    @property
    def board(self) -> Board:
        return self.hands

    async def car(self, state: CarState) -> None:
        if state == "A":
            if self.sim.load is not None:
                self.hands.unplug(self.evse_id)
            return
        self.box.state = state
        if self.sim.load is None:
            self.hands.plug(self.evse_id, self.box)
        else:
            self.hands.changed()

    async def weld(self) -> None:
        self.hands.inject(self.evse_id, "ContactorWeld")

    async def jam(self) -> None:
        self.hands.inject(self.evse_id, "ContactorStuckOpen")

    async def mend(self) -> None:
        self.hands.clear(self.evse_id)

    async def silence(self, on: bool) -> None:
        if on:
            self.hands.inject(0, "BoardSilent")
        else:
            self.hands.clear(0, "BoardSilent")

    async def garbage(self) -> None:
        raise NotImplementedError

    async def draw(self, ampere: float) -> None:
        self.box.draws_A = (ampere, 0.0, 0.0)
        self.hands.changed()

    async def battery(self, volts: float | None) -> None:
        self.box.volts = volts
        self.hands.changed()

    async def present(self, id_token: str) -> None:
        self.hands.present(TokenPresented(id_token))

    async def limit_A(self) -> float:
        return current_of(self.sim.pilot.duty_percent) if self.sim.pilot.pilot is PilotOutput.PWM else 0.0


def info_of(evse: EvseInfo) -> BoardInfo:
    return BoardInfo("sim", Shape.RAW, Opens(OPENS_WITHIN_S), (evse,))


CASES = [(evse, story) for evse in (TETHERED, SOCKET, BARE, DC, BOTH_WAYS) for story in stories(info_of(evse), CAN, evse.evse_id)]


@pytest.mark.req("F-16", "F-14")
@pytest.mark.parametrize(("evse", "story"), CASES, ids=lambda each: str(each) if isinstance(each, Story) else f"{each.evse_id}")
def test_the_simulated_board_conforms(evse: EvseInfo, story: Story) -> None:
    async def play() -> None:
        await story.play(SimRig(evse))

    run_virtual(play())


class ControllerRig(SimRig):
    """The same hands, with a controller between them and the station."""

    def __init__(self, on_silence: OnSilence) -> None:
        self.controller = ControllerBoard(on_silence)
        self.hands = self.controller.sim
        self.evse_id = 1
        self.sim = self.hands.world.evses[1]
        self.box = ResistorBox()

    @property
    def board(self) -> Board:
        return self.controller

    async def limit_A(self) -> float:
        return current_of(self.controller.offered_percent)


DELEGATED = [
    pytest.param(on_silence, story, id=f"{type(on_silence).__name__}-{story}")
    for on_silence in (OPENS, FALL_BACK)
    for story in stories(controller_info(on_silence), CAN - {Can.JAM})
]


@pytest.mark.parametrize(("on_silence", "story"), DELEGATED)
def test_the_kit_fits_a_delegated_board(on_silence: OnSilence, story: Story) -> None:
    async def play() -> None:
        await story.play(ControllerRig(on_silence))

    run_virtual(play())


# ---- the kit itself: what each kind of bad board trips over


def opens_by_itself_never(rig: SimRig) -> None:
    permit = rig.sim.contactor.permit
    rig.hands.evses[rig.evse_id].power.permit = lambda ttl_s: said(lambda: permit(float("inf")))  # type: ignore[method-assign] # on purpose


def closes_without_permit(rig: SimRig) -> None:
    close = rig.sim.contactor.close

    def anyhow(phases: Phases) -> bool:
        rig.sim.contactor.permit(float("inf"))
        return close(phases)

    rig.sim.contactor.close = anyhow  # type: ignore[method-assign] # on purpose


def ok_before_it_moved(rig: SimRig) -> None:
    rig.hands.evses[rig.evse_id].contactor.open = lambda: said(lambda: None)  # type: ignore[method-assign] # on purpose


def tells_inside_of_a_call(rig: SimRig) -> None:
    rig.hands._hear = lambda inputs: [rig.hands._sink(each) for each in inputs]  # type: ignore[assignment,method-assign] # on purpose


def tells_nothing_at_start(rig: SimRig) -> None:
    rig.hands.world.say_everything = lambda now_s: []  # type: ignore[method-assign] # on purpose


def stops_closed(rig: SimRig) -> None:
    async def stop() -> None:
        return

    rig.hands.stop = stop  # type: ignore[method-assign] # on purpose


def leaves_the_coil_on(rig: SimRig) -> None:
    rig.sim.contactor.open = lambda: None  # type: ignore[method-assign] # on purpose


def never_silent(rig: SimRig) -> None:
    rig.hands.inject = lambda evse_id, name, value=None: None  # type: ignore[method-assign] # on purpose


def counts_nothing(rig: SimRig) -> None:
    rig.sim.register.add = lambda *args: None  # type: ignore[method-assign] # on purpose


async def said(act: Any) -> Any:
    return act()


class OpenRig(SimRig):
    """The same hands on parts without `__slots__`, so that single methods can be made bad."""

    def __init__(self, evse: EvseInfo) -> None:
        super().__init__(evse)
        for name in ("contactor", "register"):
            part = getattr(self.sim, name)
            loose = type(f"Loose{type(part).__name__}", (type(part),), {})
            setattr(self.sim, name, loose(**{field.name: getattr(part, field.name) for field in dataclasses.fields(part)}))


BAD = [
    (opens_by_itself_never, "a_lapsed_lease_opens"),
    (closes_without_permit, "closing_needs_a_permit"),
    (ok_before_it_moved, "power_comes_and_goes"),
    (tells_inside_of_a_call, "power_comes_and_goes"),
    (tells_nothing_at_start, "start_tells_every_input_once"),
    (stops_closed, "stopped_it_is_open_and_quiet"),
    (leaves_the_coil_on, "a_contactor_that_does_not_close_is_a_fault"),
    (ok_before_it_moved, "a_weld_is_a_fault"),
    (never_silent, "silence_is_told_once_and_ends"),
    (counts_nothing, "the_register_counts_what_flows"),
]


def dc_parts(rig: SimRig) -> tuple[DcSupply, DcStage]:
    port, stage = rig.hands.evses[rig.evse_id].dc, rig.sim.stage
    assert port is not None
    assert stage is not None
    return port, stage


def takes_any_order(rig: SimRig) -> None:
    port, stage = dc_parts(rig)
    port.set_output = lambda voltage_V, current_A: said(lambda: stage.order(voltage_V, current_A))  # type: ignore[method-assign] # on purpose


def takes_nothing_back(rig: SimRig) -> None:
    port, _ = dc_parts(rig)
    order = port.set_output
    port.set_output = lambda voltage_V, current_A: order(voltage_V, max(current_A, 0.0))  # type: ignore[method-assign] # on purpose


def follows_only_once(rig: SimRig) -> None:
    port, _ = dc_parts(rig)
    order, seen = port.set_output, set[float]()

    async def once(voltage_V: float, current_A: float) -> None:
        if current_A not in seen:
            seen.add(current_A)
            await order(voltage_V, current_A)

    port.set_output = once  # type: ignore[method-assign] # on purpose


def ignores_off(rig: SimRig) -> None:
    port, _ = dc_parts(rig)
    port.off = lambda: said(lambda: None)  # type: ignore[method-assign] # on purpose


def goes_on_when_the_lease_is_over(rig: SimRig) -> None:
    dc_parts(rig)[1].not_off = True


def never_rises(rig: SimRig) -> None:
    dc_parts(rig)[1].no_rise = True


def reads_the_stage_only(rig: SimRig) -> None:
    hear = rig.hands._hear
    rig.hands._hear = lambda said: hear(  # type: ignore[method-assign] # on purpose
        [dataclasses.replace(each, outlet_V=each.voltage_V) if isinstance(each, DcSample) else each for each in said]
    )


def leaks(rig: SimRig) -> None:
    dc_parts(rig)[1].insulation_ohm = 1000.0


BAD_DC = [
    (takes_any_order, "an_output_needs_a_permit"),
    (takes_any_order, "orders_beyond_the_ratings_are_refused"),
    (takes_nothing_back, "a_negative_current_comes_from_the_vehicle"),
    (follows_only_once, "a_newer_order_is_followed"),
    (ignores_off, "off_takes_the_current_first"),
    (ignores_off, "the_voltage_comes_and_goes"),
    (goes_on_when_the_lease_is_over, "a_lapsed_lease_ends_the_output_and_opens"),
    (never_rises, "the_voltage_comes_and_goes"),
    (leaks, "the_insulation_is_measured"),
    (reads_the_stage_only, "the_outlet_is_read_behind_an_open_contactor"),
    (counts_nothing, "the_register_counts_direct_current"),
]
ALL_BAD = [pytest.param(TETHERED, *each, id=f"{each[0].__name__}-{each[1]}") for each in BAD] + [
    pytest.param(DC_BACK, *each, id=f"{each[0].__name__}-{each[1]}") for each in BAD_DC
]


@pytest.mark.parametrize(("evse", "make_bad", "name"), ALL_BAD)
def test_a_bad_board_does_not_conform(evse: EvseInfo, make_bad: Callable[[SimRig], None], name: str) -> None:
    story = next(each for each in stories(info_of(evse), CAN, evse.evse_id) if each.name == name)

    async def play() -> None:
        rig = OpenRig(evse)
        make_bad(rig)
        async with asyncio.timeout(60.0):
            await story.play(rig)

    with pytest.raises((AssertionError, TimeoutError)):
        run_virtual(play())


def test_a_board_that_is_not_what_it_declared_does_not_conform() -> None:
    declared = BoardInfo("sim", Shape.RAW, Opens(0.5), (TETHERED,))
    with pytest.raises(AssertionError):
        run_virtual(_played(stories(declared, CAN)[0]))


async def _played(story: Story) -> None:
    await story.play(SimRig(TETHERED))
