"""Whole charges of vehicles that talk, at the station: pilot, session, board and CSMS together (ISO 15118-20, IEC 61851-23)."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest

from chargepoint import transaction_meter
from chargepoint.commands import CloseContactor, MeasureInsulation, OpenContactor, SetDcOutput, StopDcOutput
from chargepoint.events import ChargingState, SupplyStopped
from iso15118.terms import PLAIN, Control, Ending, Energy
from tests.behaviour.hlc_rig import HlcSite

WAYS = [(energy, control) for energy in PLAIN for control in Control]


def mode_of(energy: Energy) -> str:
    return "dc" if energy.is_dc else "ac"


@pytest.mark.parametrize(("energy", "control"), WAYS, ids=lambda each: each.value)
def test_a_whole_charge(energy: Energy, control: Control) -> None:
    site = HlcSite(mode_of(energy), both_ways=energy.is_bpt)
    ev = site.charge(site.vehicle(energy, control, soc=79.0))
    site.until(lambda: ev.over is not None, most_s=600.0)
    site.run(5.0)
    assert ev.over is not None
    assert ev.over.ending is Ending.TERMINATED
    assert ev.vehicle.soc == pytest.approx(80.0, abs=0.1)
    assert site.hlc.value == "done"
    assert site.facts.charging_state is ChargingState.EV_CONNECTED
    assert set(site.duties()) == {5.0}
    assert not site.serving()
    site.unplug()
    site.run(2.0)
    assert site.hlc.value == "off"
    assert site.guard.closed_s > 5.0
    register_Wh = site.sim.register.import_Ws / 3600
    assert register_Wh == pytest.approx(ev.vehicle.taken_Wh, rel=0.05)
    ended = site.told()[-1]
    assert ended["eventType"] == "Ended"
    assert ended["meterValue"][-1]["sampledValue"][0]["value"] == pytest.approx(register_Wh, abs=0.2)


def test_dc_goes_in_its_order() -> None:
    site = HlcSite("dc")
    ev = site.charge(site.vehicle(Energy.DC, Control.SCHEDULED, loops=20))
    site.until(lambda: ev.over is not None)
    site.run(3.0)
    kinds = (CloseContactor, SetDcOutput, MeasureInsulation, StopDcOutput, OpenContactor)
    order = [type(each).__name__ for at, each in site.commands if isinstance(each, kinds) and at > 1.0]
    shortened = [name for i, name in enumerate(order) if i == 0 or order[i - 1] != name]
    assert shortened == [
        "CloseContactor",
        "SetDcOutput",  # test voltage
        "MeasureInsulation",
        "StopDcOutput",
        "SetDcOutput",  # precharge, then the loop
        "StopDcOutput",
        "OpenContactor",
    ]
    assert site.stage.voltage_V < 60.0
    assert site.stage.outlet_V < 60.0


@pytest.mark.req("C08")
@pytest.mark.req("C08.FR.02")
@pytest.mark.req("C08.FR.01")
def test_the_vehicle_polls_until_somebody_is_authorised() -> None:
    site = HlcSite("ac")
    ev = site.plug(site.vehicle(Energy.AC))
    site.run(40.0)
    assert site.said("ev")[-1] == "AuthorizationReq"
    assert site.facts.charging_state is ChargingState.EV_CONNECTED
    assert site.guard.closed_s == 0.0
    site.card()
    took_s = site.until(lambda: site.facts.power_closed)
    assert took_s < 2.0
    assert ev.online
    assert [each["idToken"]["type"] for each in site.told("Authorize")] == ["ISO14443"]


@pytest.mark.req("C08")
def test_a_card_before_the_plug() -> None:
    site = HlcSite("dc")
    site.card()
    site.run(3.0)
    site.plug(site.vehicle(Energy.DC))
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING)


def test_the_csms_hears_who_it_is_and_what_it_needs() -> None:
    site = HlcSite("dc", variables={"SampledDataCtrlr.TxUpdatedMeasurands": "SoC,Power.Active.Import,Voltage"})
    ev = site.charge(site.vehicle(Energy.DC, Control.SCHEDULED, soc=42.0))
    site.run(25.0)
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.evcc_id == ev.vehicle.wants.evcc_id
    needs = site.told("NotifyEVChargingNeeds")
    assert [each["chargingNeeds"]["requestedEnergyTransfer"] for each in needs] == ["DC"]
    assert len(site.told("NotifyEVChargingSchedule")) == 1
    values = [
        (value["measurand"], value["value"])
        for each in site.told()
        for taken in each.get("meterValue", ())
        for value in taken["sampledValue"]
        if each["triggerReason"] == "MeterValuePeriodic"
    ]
    assert ("SoC", 42) in values or ("SoC", 42.0) in values
    assert any(name == "Voltage" and 350 < value < 430 for name, value in values)


@pytest.mark.parametrize(("mode", "energy"), [("ac", Energy.AC), ("dc", Energy.DC)])
@pytest.mark.parametrize("stop", ["EVConnected,Authorized", "PowerPathClosed", "EnergyTransfer", "EVConnected"])
@pytest.mark.req("TC_E_46")
@pytest.mark.req("E15.FR.01", "E15.FR.04", "E15.FR.05")
def test_tc_e_46_a_vehicle_that_has_had_enough_ends_its_authorisation(mode: str, energy: Energy, stop: str) -> None:
    site = HlcSite(mode, variables={"TxCtrlr.TxStopPoint": stop})
    ev = site.charge(site.vehicle(energy, loops=30))
    site.until(lambda: ev.over is not None)
    site.run(30.0)
    if stop == "EVConnected":
        assert site.story()[-1] == "Updated StopAuthorized EVConnected"
        assert site.facts.transaction_id
        site.unplug()
        site.run(1.0)
        assert site.story()[-1] == "Ended EVCommunicationLost Idle StoppedByEV"
    elif stop == "EnergyTransfer":
        assert site.story()[-1] == "Ended ChargingStateChanged SuspendedEV StoppedByEV"
    else:
        assert site.story()[-1] == "Ended StopAuthorized EVConnected StoppedByEV"
    assert site.facts.id_token is None
    assert site.told()[-1].get("meterValue") or stop == "EVConnected"
    assert [event["triggerReason"] for event in site.told()].count("StopAuthorized") == (stop != "EnergyTransfer")


@pytest.mark.req("TC_E_54", "E06.FR.02", "E06.FR.15")
@pytest.mark.parametrize(("mode", "energy"), [("ac", Energy.AC), ("dc", Energy.DC)])
def test_tc_e_54_the_plug_of_a_vehicle_that_talks_is_pulled(mode: str, energy: Energy) -> None:
    site = HlcSite(mode, variables={"TxCtrlr.TxStopPoint": "EVConnected", "TxCtrlr.StopTxOnEVSideDisconnect": "false"})
    ev = site.charge(site.vehicle(energy, loops=30))
    site.until(lambda: ev.over is not None)
    site.run(5.0)
    assert "Updated ChargingStateChanged SuspendedEV" in site.story()
    site.unplug()
    site.run(1.0)
    assert site.story()[-1] == "Ended EVCommunicationLost Idle StoppedByEV"


def test_a_vehicle_that_leaves_because_nothing_is_offered_has_not_had_enough() -> None:
    site = HlcSite("ac")
    ev = site.charge(site.vehicle(Energy.AC))
    site.run(2.0)
    site.heap.tell(SupplyStopped(1, True, "somebody"))
    site.until(lambda: ev.over is not None or site.facts.charging_state is not ChargingState.CHARGING)
    site.run(30.0)
    assert site.facts.id_token is not None
    assert "StopAuthorized" not in [event["triggerReason"] for event in site.told()]


@pytest.mark.req("F04.FR.02", "F04.FR.03", "F04.FR.04")
@pytest.mark.parametrize(("mode", "energy"), [("ac", Energy.AC), ("dc", Energy.DC)])
def test_the_csms_stops_and_the_end_is_when_the_plug_is_pulled(mode: str, energy: Energy) -> None:
    site = HlcSite(mode, variables={"TxCtrlr.TxStopPoint": "EVConnected"})
    ev = site.charge(site.vehicle(energy))
    site.run(5.0)
    site.heap.receive([2, "r1", "RequestStopTransaction", {"transactionId": site.facts.transaction_id}])
    site.until(lambda: ev.over is not None, most_s=10.0)
    site.run(5.0)
    assert "Updated RemoteStop" in site.story()
    assert site.facts.transaction_id
    assert site.sim.contactor.poles == 0
    site.unplug()
    site.run(1.0)
    assert site.story()[-1] == "Ended EVCommunicationLost Idle Remote"
    assert site.told()[-1]["meterValue"][-1]["sampledValue"][0]["context"] == "Transaction.End"


@pytest.mark.parametrize(
    "who",
    [
        pytest.param("vehicle", marks=pytest.mark.req("E15.FR.02", "E15.FR.03")),
        pytest.param("CSMS", marks=pytest.mark.req("F04.FR.05", "F04.FR.06")),
    ],
)
def test_where_there_would_be_too_many_values_at_its_end_they_go_from_between(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction_meter, "KEPT_MOST", 6)
    site = HlcSite("ac", variables={"SampledDataCtrlr.TxEndedInterval": "2", "TxCtrlr.TxStopPoint": "Authorized"})
    ev = site.charge(site.vehicle(Energy.AC, loops=80) if who == "vehicle" else site.vehicle(Energy.AC))
    if who == "CSMS":
        site.run(60.0)
        site.heap.receive([2, "r1", "RequestStopTransaction", {"transactionId": site.facts.transaction_id}])
    site.until(lambda: ev.over is not None, most_s=300.0)
    site.run(5.0)
    ended = site.told()[-1]
    assert ended["eventType"] == "Ended"
    contexts = [value["sampledValue"][0].get("context", "Sample.Periodic") for value in ended["meterValue"]]
    assert contexts == ["Transaction.Begin", *["Sample.Periodic"] * 6, "Transaction.End"]
    times = [datetime.fromisoformat(value["timestamp"]).timestamp() for value in ended["meterValue"]]
    assert max(after - before for before, after in pairwise(times)) < 0.5 * (times[-1] - times[0])
