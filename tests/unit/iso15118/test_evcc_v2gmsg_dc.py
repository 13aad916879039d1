"""DIN 70121 and ISO 15118-2 as a vehicle speaks them: DC before and after the loop."""

from __future__ import annotations

import pytest

from iso15118.evcc.terms import CableChecked, CloseContactors, EvWish, OpenContactors, WeldingSeen
from iso15118.evcc.v2gmsg.table import S
from iso15118.terms import Battery, EnergyWanted, EvLimits
from iso15118.v2gmsg.values import number
from tests.unit.iso15118.test_evcc_v2gmsg import rig
from tests.unit.iso15118.v2gmsg_rig import BATTERY_V, Rig

DC = ("din", "iso2-dc")


@pytest.mark.parametrize("speech", DC)
def test_what_a_vehicle_says_of_itself(speech: str) -> None:
    found = rig(speech, S.PARAMETERS).asked[-1].EVChargeParameter
    said = (
        found.EVMaximumCurrentLimit,
        found.EVMaximumPowerLimit,
        found.EVMaximumVoltageLimit,
        found.EVEnergyCapacity,
        found.EVEnergyRequest,
    )
    assert [number(each) for each in said] == [200, 11_000, 420, 60_000, 20_000]
    assert (found.FullSOC, found.BulkSOC, found.DC_EVStatus.EVReady, found.DC_EVStatus.EVRESSSOC) == (100, 80, False, 40)
    assert rig(speech, S.CABLE_CHECK).asked[-1].DC_EVStatus.EVReady is True


@pytest.mark.parametrize("speech", DC)
def test_a_vehicle_that_says_little_of_itself(speech: str) -> None:
    vehicle = rig(speech, S.PARAMETERS, shown=None, limits=EvLimits(), needs=EnergyWanted())
    found = vehicle.asked[-1].EVChargeParameter
    assert (found.EVMaximumPowerLimit, found.EVEnergyCapacity, found.EVEnergyRequest, found.BulkSOC) == (None, None, None, None)
    assert [number(each) for each in (found.EVMaximumCurrentLimit, found.EVMaximumVoltageLimit)] == [0, 0]
    assert found.DC_EVStatus.EVRESSSOC == 0
    request = vehicle.to(S.DC_LOOP).asked[-1]
    assert (request.EVMaximumVoltageLimit, request.EVMaximumCurrentLimit, request.EVMaximumPowerLimit) == (None, None, None)
    assert request.ChargingComplete is False
    assert rig(speech, S.PARAMETERS, shown=Battery(soc=None)).asked[-1].EVChargeParameter.DC_EVStatus.EVRESSSOC == 0
    assert number(rig(speech, S.PARAMETERS, needs=EnergyWanted(target_Wh=-50.0)).asked[-1].EVChargeParameter.EVEnergyRequest) == 0


@pytest.mark.parametrize("speech", DC)
def test_a_charger_that_does_not_reach_the_battery(speech: str) -> None:
    vehicle = rig(speech, S.PARAMETERS)
    far = vehicle.parameters(EVSEMaximumVoltageLimit=vehicle.value("V", BATTERY_V - 1))
    assert type(vehicle.next(EVSEChargeParameter=far)).__name__ == "SessionStopReq"
    vehicle = rig(speech, S.PARAMETERS, near_V=float("inf"))
    assert type(vehicle.next(EVSEChargeParameter=far)).__name__ == "CableCheckReq"


def test_parameters_of_another_energy() -> None:
    for speech, other in (("iso2-dc", "iso2-ac"), ("iso2-ac", "iso2-dc")):
        turn = rig(speech, S.PARAMETERS).hear(EVSEChargeParameter=Rig(other).parameters())
        assert turn.why == "the charger's parameters are not those of the chosen service"


@pytest.mark.parametrize("speech", DC)
@pytest.mark.parametrize(("found", "good"), [("Valid", True), ("Warning", True), (None, True), ("Invalid", False), ("Fault", False)])
def test_the_insulation(speech: str, found: str | None, good: bool) -> None:
    vehicle = rig(speech, S.CABLE_CHECK)
    turn = vehicle.hear(DC_EVSEStatus=vehicle.status(EVSEIsolationStatus=found))
    assert (CableChecked() in turn.told) is good
    request = vehicle.ask()
    assert type(request).__name__ == ("PreChargeReq" if good else "PowerDeliveryReq")


@pytest.mark.parametrize("speech", DC)
def test_the_contactors_close_when_the_voltage_is_near(speech: str) -> None:
    vehicle = rig(speech, S.PRECHARGE)
    request = vehicle.asked[-1]
    assert (request.EVTargetVoltage.Value, request.EVTargetCurrent.Value, request.DC_EVStatus.EVReady) == (350, 1, True)
    assert vehicle.hear(EVSEPresentVoltage=vehicle.value("V", BATTERY_V - 21)).told == ()
    vehicle.ask()
    assert vehicle.hear(EVSEPresentVoltage=vehicle.value("V", BATTERY_V - 19)).told == (CloseContactors(BATTERY_V - 19),)
    vehicle.wants.contactors_closed = False
    assert type(vehicle.ask()).__name__ == "PreChargeReq"
    assert type(vehicle.next()).__name__ == "PreChargeReq"
    vehicle.wants.contactors_closed, vehicle.wants.ready = True, False
    assert type(vehicle.next()).__name__ == "PreChargeReq"
    vehicle.wants.ready = True
    request = vehicle.next(EVSEPresentVoltage=vehicle.value("V", 0))
    assert (request.ReadyToChargeState is True) if speech == "din" else (request.ChargeProgress == "Start")
    assert request.EVPowerDeliveryParameter.ChargingComplete is False


@pytest.mark.parametrize("speech", DC)
def test_an_error_of_the_vehicle_is_said(speech: str) -> None:
    assert (
        rig(speech, S.PRECHARGE, error="FAILED_RESSTemperatureInhibit").asked[-1].DC_EVStatus.EVErrorCode == "FAILED_RESSTemperatureInhibit"
    )


@pytest.mark.parametrize("speech", DC)
def test_welding_detection(speech: str) -> None:
    vehicle = rig(speech, S.WELDING)
    assert vehicle.asked[-1].DC_EVStatus.EVReady is False
    assert type(vehicle.next(EVSEPresentVoltage=vehicle.value("V", 61))).__name__ == "WeldingDetectionReq"
    turn = vehicle.hear(EVSEPresentVoltage=vehicle.value("V", 59))
    assert turn.told == (WeldingSeen(59.0),)
    assert type(vehicle.ask()).__name__ == "SessionStopReq"


@pytest.mark.parametrize("speech", DC)
def test_welded(speech: str) -> None:
    vehicle = rig(speech, S.WELDING)
    there = {"EVSEPresentVoltage": vehicle.value("V", 300)}
    assert type(vehicle.next(**there)).__name__ == "WeldingDetectionReq"
    assert type(vehicle.later(4.9).next(**there)).__name__ == "WeldingDetectionReq"
    assert type(vehicle.later(0.2).next(**there)).__name__ == "SessionStopReq"


@pytest.mark.parametrize("speech", DC)
def test_without_welding_detection(speech: str) -> None:
    vehicle = rig(speech, S.STOP, welding_detection=False)
    assert vehicle.hear().told == (OpenContactors(),)
    assert type(vehicle.ask()).__name__ == "SessionStopReq"


@pytest.mark.parametrize("speech", DC)
def test_contactors_that_never_closed_are_not_looked_at(speech: str) -> None:
    vehicle = rig(speech, S.CABLE_CHECK)
    vehicle.wants.wish = EvWish.STOP
    vehicle.next()
    assert vehicle.hear().told == ()
    assert type(vehicle.ask()).__name__ == "SessionStopReq"
