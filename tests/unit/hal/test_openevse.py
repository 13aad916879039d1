"""What can go wrong between the station and an OpenEVSE controller, over a pseudo-terminal and on virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bench.devices.openevse import OpenEvseDevice
from hal.conformance import Bench
from hal.conformance.rig import DUTY_10_A, DUTY_16_A
from hal.drivers.openevse.rapi import frame
from hal.errors import BoardSilent, ContactorFault, HalError, LeaseLapsed, MeterFault, NotFitted, OptionError, PilotFault
from hal.registry import create
from hal.types import (
    BoardFault,
    BoardInput,
    BoardRestarted,
    BoardSilence,
    ContactorFeedback,
    MeterSample,
    MeterSilence,
    PilotState,
    ResidualCurrentReset,
    ResidualCurrentTrip,
    TemperatureSample,
)
from tests.unit.hal.openevse_rig import board_on, closed, kinds, on_both, play, powered, started


async def seconds(count: float) -> None:
    await asyncio.sleep(count)


# ---- start


def test_starting_makes_safe_first_and_sets_all() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        assert device.commands[:2] == ["GV", "FS"]
        unlocked = device.commands.index("SB")
        assert {"ST 0 0 0 0", "SL 2", "SV 230000", "SY 5 6"} <= set(device.commands[:unlocked])
        assert (device.state, device.boot_locked) == (0xFE, False)
        assert bench.board.info.firmware == "8.2.3 5.2.1"

    on_both(story)


def test_the_heartbeat_is_written_once_in_a_life_of_its_eeprom() -> None:
    async def whole() -> None:
        async with powered() as device:
            for _ in range(3):
                async with started(device):
                    await seconds(3.0)
            assert device.saved["writes"] == 1

    play(whole())


def test_a_current_is_always_set_without_its_eeprom() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.supply()
        await bench.ports.pilot.set_pwm(DUTY_10_A)
        sent = [each for each in device.commands if each.startswith("SC")]
        assert sent == ["SC 16 V", "SC 10 V"]

    on_both(story)


def test_nobody_there() -> None:
    async def whole() -> None:
        async with powered() as device:
            device.silent = True
            board = board_on(device)
            with pytest.raises(BoardSilent, match="no OpenEVSE controller answers"):
                await board.start()
        with pytest.raises(BoardSilent, match="no-such-port"):
            await create("openevse", {"port": "/dev/no-such-port"}).start()

    play(whole())


@pytest.mark.parametrize(
    ("options", "evse_ids", "words"),
    [
        ({}, (1,), "port: missing"),
        ({"port": "/dev/ttyACM0", "heartbeat_s": 100}, (1,), "from 1 to 60"),
        ({"port": "/dev/ttyACM0", "fall_back_A": 0}, (1,), "from 6 to 80"),
        ({"port": "/dev/ttyACM0", "fall_back_A": 20}, (1,), "at most max_current_A, 16"),
        ({"port": "/dev/ttyACM0"}, (1, 2), "one EVSE per controller"),
    ],
)
def test_wrong_options(options: dict[str, Any], evse_ids: tuple[int, ...], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        create("openevse", options, evse_ids)


# ---- the line


def test_a_refused_answer_is_asked_for_again_and_then_a_failure() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        device.refuse = 1
        await bench.ports.pilot.set_x1()
        device.unknown = {"FS"}
        with pytest.raises(PilotFault, match="NK"):
            await bench.ports.pilot.set_x1()
        device.unknown = {"SC"}
        with pytest.raises(PilotFault, match="NK"):
            await bench.ports.pilot.set_pwm(DUTY_16_A)
        assert device.state == 0xFE
        device.unknown = set()
        await bench.ports.pilot.set_x1()

    on_both(story)


def test_a_build_without_heartbeat_state_boot_lock_and_sensors() -> None:
    async def whole() -> None:
        async with powered() as device:
            device.unknown, device.boot_locked = {"GY", "SB", "ST", "GP"}, False
            async with started(device) as bench:
                device.boot_locked = False
                await bench.supply()
                assert device.saved["interval"] == 5

    play(whole())


@pytest.mark.parametrize("fault", ["drop", "garble"])
@pytest.mark.req("S-12")
def test_a_lost_or_broken_answer_is_asked_for_again(fault: str) -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.car("B")
        for _ in range(5):
            setattr(device, fault, 1)
            await bench.ports.power.permit(5.0)
            await bench.ports.pilot.set_pwm(DUTY_16_A)
            assert device.offered_A == 16.0
            setattr(device, fault, 1)
            await bench.ports.pilot.set_x1()
            assert device.offered_A == 0.0
            await seconds(2.0)
        assert not bench.since(0, BoardSilence)

    on_both(story)


def test_a_late_answer_is_not_taken_for_the_next() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.car("B")
        await bench.ports.power.permit(9.0)
        device.before_answer = [frame("OK", 99, sequence=1), frame("OK", 6)]
        await bench.ports.pilot.set_pwm(DUTY_16_A)
        assert device.offered_A == 16.0

    on_both(story)


def test_what_comes_by_itself_between_command_and_answer_is_heard() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        mark = bench.mark()
        device.before_answer = [frame("AT", "FE", "02", 16, "0100"), frame("AN", 0) + frame("WF", 1)]
        await bench.ports.pilot.set_x1()
        await bench.hears(PilotState, lambda said: said.state == "B", since=mark)

    on_both(story)


def test_noise_in_every_gap() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        device.before_answer = [b"$AT 03 03 16 0140^34\r\x00\xfe$OK"] * 40
        await bench.supply()
        await bench.ports.pilot.set_x1()
        await bench.ports.contactor.open()
        assert not bench.since(0, BoardSilence)

    on_both(story)


def test_a_port_that_goes_and_comes() -> None:
    """The adapter is pulled: silence; put back, all is set up again."""

    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        line = bench.board.line  # type: ignore[attr-defined] # the port's own end
        line._transport._fatal_error(OSError(5, "gone"))
        await bench.hears(BoardSilence, lambda said: said.silent, since=0)
        mark = len(device.commands)
        await bench.hears(BoardSilence, lambda said: not said.silent, since=0, within_s=10.0)
        await seconds(2.0)
        assert "FS" in device.commands[mark:]
        await bench.ports.pilot.set_x1()

    on_both(story)


def test_safe_orders_go_first() -> None:
    """A closing way that was asked for before, and waits, is not opened after the order that makes safe."""

    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.car("C")
        await bench.ports.power.permit(5.0)
        for dropped in (0, 1):
            device.drop = dropped
            asking = asyncio.ensure_future(bench.ports.pilot.set_pwm(DUTY_16_A))
            await seconds(0.1 * dropped)
            await bench.ports.pilot.set_x1()
            with pytest.raises(HalError):
                await asking
            await seconds(1.0)
            assert "FE" not in device.commands
            assert device.state == 0xFE

    on_both(story)


# ---- power


def test_no_way_is_opened_without_a_permit() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.car("B")
        await bench.ports.pilot.set_pwm(DUTY_16_A)
        assert (device.state, device.amps) == (0xFE, 16)
        await bench.ports.power.permit(1.0)
        assert device.offered_A == 16.0

    on_both(story)


def test_closing_is_waited_for() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        contactor = bench.ports.contactor
        await bench.refuses(contactor.close(1), LeaseLapsed)
        await bench.refuses(contactor.close(3), NotFitted)
        await bench.supply()
        await contactor.close(1)
        await contactor.open()
        assert not closed(device)
        await bench.refuses(contactor.close(1), ContactorFault)  # it was sent to sleep
        closing = asyncio.ensure_future(bench.refuses(contactor.close(1), LeaseLapsed))
        await seconds(0.5)
        await contactor.open()
        await closing

    on_both(story)


def test_opening_does_not_wait_for_the_ev() -> None:
    """X1 leaves the EV 3 s to stop drawing; `open` and `withdraw` do not, and afterwards the EV sees X1 again."""

    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        for opening in (bench.ports.contactor.open, bench.ports.power.withdraw):
            await bench.supply()
            await bench.ports.pilot.set_x1()
            await seconds(0.2)
            assert closed(device)
            before_s = asyncio.get_running_loop().time()
            await opening()
            assert not closed(device)
            assert asyncio.get_running_loop().time() - before_s < 0.2
            assert device.state == 0xFE
            await bench.let_lapse()
        assert all(said.state != "F" for said in bench.since(0, PilotState))

    on_both(story)


def test_state_f_is_told_when_it_was_asked_for() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.ports.pilot.set_f()
        await bench.hears(PilotState, lambda said: said.state == "F", since=0)
        await bench.ports.contactor.open()
        assert device.state == 0xFF
        mark = bench.mark()
        await bench.ports.pilot.set_x1()
        await bench.hears(PilotState, lambda said: said.state == "A", since=mark)

    on_both(story)


def test_more_than_was_commissioned_is_never_asked_for() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.car("B")
        await bench.ports.power.permit(9.0)
        await bench.ports.pilot.set_pwm(53.3)
        assert device.offered_A == 10.0

    on_both(story, max_current_A=10)


def test_the_controller_may_clamp_to_less() -> None:
    async def whole() -> None:
        async with powered(config_max_A=8) as device, started(device) as bench:
            await bench.car("B")
            await bench.ports.power.permit(9.0)
            await bench.ports.pilot.set_pwm(DUTY_16_A)
            assert device.offered_A == 8.0

    play(whole())


@pytest.mark.req("F-16")
def test_a_hanging_station_leaves_the_fall_back_and_finds_its_limit_again() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.supply()
        await bench.ports.pilot.set_pwm(DUTY_10_A)
        asyncio.get_running_loop().advance(20.0)  # type: ignore[attr-defined] # the loop hangs
        await seconds(0.0)
        device._tick()
        assert (device.trigger, device.amps) == (2, 6)
        mark = len(device.commands)
        await seconds(5.0)
        assert [each for each in device.commands[mark:] if each.startswith("S")][:3] == ["SY", "SY 165", "SC 10 V"]
        assert device.offered_A == 10.0
        assert closed(device)

    on_both(story)


def test_the_limit_is_sent_until_it_has_come_back() -> None:
    """After a fall-back the controller is at its own maximum: no lost line may leave it there."""

    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.supply()
        await bench.ports.pilot.set_pwm(DUTY_10_A)
        device.lost = {"SC"}
        asyncio.get_running_loop().advance(20.0)  # type: ignore[attr-defined] # the loop hangs
        device._tick()
        while device.trigger != 1:
            await seconds(0.1)
        assert device.offered_A == 32.0
        await seconds(0.7)
        device.lost = set()
        await seconds(1.0)
        assert device.offered_A == 10.0
        assert not bench.since(0, BoardSilence)

    on_both(story)


def test_a_restart_during_the_start_up_begins_that_again() -> None:
    async def whole() -> None:
        async with powered() as device:
            device.before_answer = [b"", b"", b"", frame("AB", "00", "8.2.3")]
            async with started(device) as bench:
                assert device.commands.count("FS") == 2
                await bench.supply()
                assert closed(device)
                assert len(bench.since(0, PilotState)) == 3

    play(whole())


# ---- faults


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (0x05, "DiodeFault"),
        (0x07, "GroundFailure"),
        (0x08, "ContactorWelded"),
        (0x0A, "OverTemperature"),
        (0x0B, "OverCurrent"),
        (0x0E, "ContactorFailedToClose"),
    ],
)
def test_faults_have_the_names_of_the_station(state: int, code: str) -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        from chargepoint.faults import FAULTS

        await bench.supply()
        device.fault(state)
        fault = await bench.hears(BoardFault, since=0)
        assert (fault.code, fault.present) == (code, True)
        assert code in FAULTS
        await bench.hears(ContactorFeedback, lambda said: said.closed is (state == 0x08), since=0)
        device.mend()
        await bench.hears(BoardFault, lambda said: said.code == code and not said.present, since=0)

    on_both(story)


@pytest.mark.req("F-14")
def test_a_weld_is_told_by_the_controller() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.supply()
        device.welded = True
        await bench.car("B")
        await bench.hears(BoardFault, lambda said: said.code == "ContactorWelded", since=0)
        assert bench.since(0, ContactorFeedback)[-1].closed
        await bench.refuses(bench.ports.contactor.close(3), NotFitted)

    on_both(story)


@pytest.mark.req("F-15")
@pytest.mark.parametrize("state", [0x06, 0x09])
def test_a_residual_trip_stays_until_it_is_armed_again(state: int) -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.supply()
        device.fault(state, hard=True)
        await bench.hears(ResidualCurrentTrip, since=0)
        await bench.let_lapse()
        await bench.ports.contactor.open()
        await seconds(20.0)
        mark = bench.mark()
        assert len(bench.since(0, ResidualCurrentReset)) == 1
        residual = bench.ports.residual_current
        assert residual is not None
        await residual.reset()
        await bench.hears(BoardRestarted, since=mark)
        await bench.hears(ResidualCurrentReset, since=mark)

    on_both(story)


def test_its_own_self_test_is_its_own() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        residual = bench.ports.residual_current
        assert residual is not None
        await bench.refuses(residual.self_test(), NotFitted)
        await residual.reset()

    on_both(story)


def test_a_boot_lock_that_does_not_open_is_a_fault() -> None:
    async def whole() -> None:
        async with powered() as device:
            await seconds(1.0)
            device.fault(0x09, hard=True)
            async with started(device) as bench:
                await bench.hears(BoardFault, lambda said: said.code == "InternalError" and said.present, since=0)
                await bench.hears(ResidualCurrentTrip, since=0)

    play(whole())


# ---- restart and energy


def test_a_restart_in_the_middle_of_a_charge_begins_anew_asleep() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.supply()
        await bench.let_lapse()
        mark = bench.mark()
        device.reboot()
        await bench.hears(BoardRestarted, since=mark)
        await seconds(3.0)
        assert (device.state, closed(device)) == (0xFE, False)
        heard = [each for each in bench.heard[mark:] if not isinstance(each, (MeterSample, TemperatureSample))]
        assert kinds(heard)[0] == "BoardRestarted"
        assert heard[1:] == [
            ResidualCurrentReset(1),
            PilotState(1, "C"),
            ContactorFeedback(1, closed=False, phases=0),
        ]
        await bench.ports.pilot.set_x1()
        await bench.supply()
        assert closed(device)

    on_both(story)


def test_a_restart_whose_word_was_lost_is_seen_by_its_waking() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        await bench.car("C")
        device.mode = 0
        await bench.hears(BoardRestarted, lambda said: "awake" in said.text, since=0)
        await seconds(2.0)
        assert device.state == 0xFE

    on_both(story)


@pytest.mark.req("S-12")
def test_the_register_goes_on_over_a_restart_of_the_controller() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        device.draws_A = 16.0
        for _ in range(2):
            await bench.supply()
            await seconds(30.0)
            await bench.let_lapse()
            mark = bench.mark()
            device.reboot()
            await bench.hears(BoardRestarted, since=mark)
            await seconds(3.0)
        registers = [each.energy_import_Wh for each in bench.since(0, MeterSample)]
        assert registers == sorted(registers)
        # One minute at 16 A and 230 V, less what flowed since the last readings.
        assert 56.0 < registers[-1] - registers[0] < 65.0

    on_both(story)


@pytest.mark.req("S-12", "F-13")
def test_a_meter_that_goes_back_is_silent() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        meter = bench.ports.meter
        assert meter is not None
        await bench.supply()
        device.draws_A = 16.0
        await seconds(10.0)
        device.session_Ws -= 20_000.0
        await bench.refuses(meter.read(), MeterFault)
        await bench.hears(MeterSilence, since=0)
        await seconds(30.0)
        await meter.read()
        assert bench.heard.index(bench.since(0, MeterSample)[-1]) > bench.heard.index(bench.since(0, MeterSilence)[-1])

    on_both(story)


def test_temperatures_of_the_sensors_that_are_there() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        sensors = bench.ports.temperature
        assert sensors is not None
        device.temperature_C = 41.5
        assert await sensors.read() == (TemperatureSample(1, "clock", 41.5),)

    on_both(story)


def test_a_controller_without_current_sensor_has_no_meter() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        assert bench.ports.meter is None
        assert not bench.info.has_meter
        await seconds(3.0)
        assert not bench.since(0, MeterSample)
        await bench.car("C")

    on_both(story, phases=3)


def test_what_is_told_is_told_in_order_and_outside_of_calls() -> None:
    async def story(device: OpenEvseDevice, bench: Bench) -> None:
        heard: list[BoardInput] = []
        await bench.supply()
        await bench.car("B")
        heard = [each for each in bench.heard if isinstance(each, (PilotState, ContactorFeedback))]
        assert heard[-4:] == [
            PilotState(1, "C"),
            ContactorFeedback(1, closed=True, phases=1),
            PilotState(1, "B"),
            ContactorFeedback(1, closed=False, phases=0),
        ]
        assert not bench.told_inside

    on_both(story)
