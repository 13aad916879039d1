"""ConnectedEV, ISO15118Ctrlr, NotifyEVChargingNeeds and NotifyEVChargingSchedule; each payload is held against its schema by the rig."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args, get_type_hints

import pytest

from chargepoint.commands import Log
from chargepoint.config import DcConfig, EvseConfig, V2gConfig
from chargepoint.events import (
    ChargingNeedsAnswered,
    ChargingNeedsTold,
    ChargingState,
    EvDisconnected,
    ScheduleChosen,
    SessionChanged,
    SessionStage,
    TalkingAllowed,
    TransactionEnded,
    VehicleIdentified,
)
from chargepoint.facts import Vehicle
from chargepoint.ocpp.blocks.provisioning import ProvisioningBlock
from chargepoint.ocpp.blocks.reports import ReportsBlock
from chargepoint.ocpp.blocks.variables import VariablesBlock
from chargepoint.ocpp.blocks.vehicle import PROTOCOLS, VehicleBlock
from chargepoint.ocpp.charging_needs import MOST_PERIODS
from chargepoint.ocpp.messages import Call, CallAnswered
from chargepoint.ocpp.outbox import Delivered, DroppedFromQueue
from iso15118.protocols import DIN, ISO2
from iso15118.terms import Battery, Control, Energy, EnergyChosen, EnergyWanted, EvLimits, Slot
from tests.unit.ocpp.block_rig import CONFIG, BlockRig
from tests.unit.ocpp.transaction_rig import ChargeRig

BLOCKS = (VariablesBlock, ProvisioningBlock, ReportsBlock, VehicleBlock)
DC_SPACE, AC_SPACE = "urn:iso:std:iso:15118:-20:DC", "urn:iso:std:iso:15118:-20:AC"
SITE = replace(
    CONFIG,
    evses=(
        EvseConfig(
            id=1,
            mode="dc",
            connector="cCCS2",
            dc=DcConfig(max_power_W=60_000, max_current_A=200, max_discharge_W=20_000, max_discharge_A=50),
            v2g=V2gConfig("eth1", evse_id="DE*ABC*E123*1"),
        ),
        EvseConfig(id=2, max_current_A=32.0, v2g=V2gConfig("eth2", ac_discharge_W=5_000)),
        EvseConfig(id=3),
    ),
)
DC_LIMITS = EvLimits(
    max_power_W=150_000.0,
    min_power_W=100.0,
    max_current_A=400.0,
    min_current_A=1.0,
    max_voltage_V=920.0,
    min_voltage_V=100.0,
    target_soc=80,
)
TX = "tx-1"


@pytest.fixture
def station() -> BlockRig:
    station = BlockRig(BLOCKS, SITE)
    station.boot(interval=86_400)
    station.accept_all()
    return station


def says(station: BlockRig, evse_id: int = 1, energy: Energy = Energy.DC, **more: Any) -> Vehicle:
    """A vehicle that has told all of this in its session."""
    given: dict[str, Any] = {"chosen": EnergyChosen(energy, Control.SCHEDULED), "limits": DC_LIMITS, **more}
    vehicle = Vehicle(DC_SPACE if energy.is_dc else AC_SPACE, "WMIV1234567890ABCDEX", **given)
    station.context.evses[evse_id].vehicle = vehicle
    station.hear(VehicleIdentified(evse_id))
    return vehicle


def known_transaction(station: BlockRig, evse_id: int = 1) -> None:
    station.context.evses[evse_id].transaction_id = TX
    station.hear(delivered("Started"))


def delivered(event_type: str, transaction_id: str = TX) -> Delivered:
    return Delivered(
        "TransactionEvent", "transactions", {"eventType": event_type, "transactionInfo": {"transactionId": transaction_id}}, {}
    )


def needs(station: BlockRig, evse_id: int = 1, *, renegotiated: bool = False) -> Any:
    """What NotifyEVChargingNeeds says, once the vehicle has told its needs."""
    station.hear(ChargingNeedsTold(evse_id, renegotiated))
    return station.pop("NotifyEVChargingNeeds").payload


def ask(station: BlockRig, component: str, variable: str, evse_id: int = 1, **more: Any) -> Any:
    name = {"name": variable, **({"instance": more["instance"]} if "instance" in more else {})}
    item = {"component": {"name": component, "evse": {"id": evse_id}}, "variable": name}
    item |= {"attributeType": more["attribute"]} if "attribute" in more else {}
    (result,) = station.ask("GetVariables", {"getVariableData": [item]})["getVariableResult"]
    return result["attributeValue"] if result["attributeStatus"] == "Accepted" else result["attributeStatus"]


def ev(station: BlockRig, variable: str, attribute: str = "Actual", evse_id: int = 1) -> Any:
    return ask(station, "ConnectedEV", variable, evse_id, attribute=attribute)


# ---- what the station can


def test_an_evse_without_a_line_says_so_and_has_nothing_else(station: BlockRig) -> None:
    assert [ask(station, "ISO15118Ctrlr", "Available", evse_id) for evse_id in (1, 2, 3)] == ["true", "true", "false"]
    assert [ask(station, "ISO15118Ctrlr", "Enabled", evse_id) for evse_id in (1, 2, 3)] == ["true", "true", "UnknownVariable"]
    assert ask(station, "ConnectedEV", "Available", 3) == "false"
    assert ev(station, "VehicleId", evse_id=3) == "UnknownVariable"
    rows = {(place.component, place.variable) for place in station.context.model.visible() if place.evse_id == 3}
    assert rows == {("ISO15118Ctrlr", "Available"), ("ConnectedEV", "Available")}


def test_talking_can_be_switched_off_for_each_evse(station: BlockRig) -> None:
    assert station.said(TalkingAllowed) == [TalkingAllowed(1, allowed=True), TalkingAllowed(2, allowed=True)]
    item = {"component": {"name": "ISO15118Ctrlr", "evse": {"id": 2}}, "variable": {"name": "Enabled"}, "attributeValue": "false"}
    (result,) = station.ask("SetVariables", {"setVariableData": [item]})["setVariableResult"]
    assert result["attributeStatus"] == "Accepted"
    assert station.said(TalkingAllowed)[-1] == TalkingAllowed(2, allowed=False)
    assert station.store["variables"]["ISO15118Ctrlr@2.Enabled"] == "false"


def test_each_evse_supports_the_protocol_of_its_current(station: BlockRig) -> None:
    supported = [ask(station, "ISO15118Ctrlr", "ProtocolSupported", evse_id, instance="1") for evse_id in (1, 2)]
    assert supported == [f"{DC_SPACE},1,0", f"{AC_SPACE},1,0"]
    supported = [ask(station, "ISO15118Ctrlr", "ProtocolSupported", evse_id, instance="2") for evse_id in (1, 2)]
    assert supported == [f"{ISO2},2,0"] * 2
    assert ask(station, "ISO15118Ctrlr", "ProtocolSupported", 1, instance="3") == f"{DIN},2,0"
    assert ask(station, "ISO15118Ctrlr", "ProtocolSupported", 2, instance="3") == "UnknownVariable", "DIN 70121 has no AC"


@pytest.mark.parametrize(("unverified", "found"), [(False, []), (True, [f"{DC_SPACE},1,0"])])
def test_without_tls_only_a_bench_speaks_20(unverified: bool, found: list[str]) -> None:
    evse = replace(SITE.evses[0], v2g=V2gConfig("eth1", tls="none", unverified_vehicles=unverified))
    station = BlockRig(BLOCKS, replace(SITE, evses=(evse,)))
    station.boot(interval=86_400)
    expected = [*found, f"{ISO2},2,0", f"{DIN},2,0", "UnknownVariable"]
    supported = [ask(station, "ISO15118Ctrlr", "ProtocolSupported", 1, instance=str(number)) for number in range(1, len(expected) + 1)]
    assert supported == expected


@pytest.mark.parametrize(("tls", "there"), [("optional", "true"), ("none", "false")])
def test_services_are_renegotiated_where_iso_15118_20_is_spoken(tls: Any, there: str) -> None:
    station = BlockRig(BLOCKS, replace(SITE, evses=(replace(SITE.evses[0], v2g=V2gConfig("eth1", tls=tls)),)))
    station.boot(interval=86_400)
    assert ask(station, "ISO15118Ctrlr", "ServiceRenegotiationSupport", 1) == there


def test_the_evse_has_its_id_and_asks_for_no_receipts(station: BlockRig) -> None:
    assert ask(station, "EVSE", "ISO15118EvseId") == "DE*ABC*E123*1"
    for name in ("V2GCertificateInstallationEnabled", "RequestMeteringReceipt"):
        assert ask(station, "ISO15118Ctrlr", name) == "false"


def test_every_protocol_of_the_configuration_has_its_namespace() -> None:
    (names, _) = get_args(get_type_hints(V2gConfig)["protocols"])
    assert set(get_args(names)) == set(PROTOCOLS)


# ---- what the vehicle has said


@pytest.mark.req("Q01.FR.36")
def test_the_connected_vehicle_is_what_it_has_said(station: BlockRig) -> None:
    says(
        station,
        limits=replace(DC_LIMITS, max_discharge_W=-11_000.0),
        needs=EnergyWanted(departure_s=3600, target_Wh=40_000.0, max_Wh=60_000.5, min_Wh=-500.0),
        battery=Battery(soc=42, max_soc=90, to_max_s=1800, full=False, capacity_Wh=77_000.0),
    )
    station.hear(ChargingNeedsTold(1))
    station.advance(60)
    assert {name: ev(station, name) for name in ("Available", "VehicleId", "ProtocolAgreed", "DepartureTime", "BatteryCapacity")} == {
        "Available": "true",
        "VehicleId": "WMIV1234567890ABCDEX",
        "ProtocolAgreed": "urn:iso:std:iso:15118:-20:DC,1,0",
        "DepartureTime": "2026-11-24T13:00:00.000Z",
        "BatteryCapacity": "77000",
    }
    bounds = {name: (ev(station, name, "MinSet"), ev(station, name, "MaxSet")) for name in ("DCCurrent", "DCVoltage", "EnergyImport")}
    assert bounds == {"DCCurrent": ("1", "400"), "DCVoltage": ("100", "920"), "EnergyImport": ("-500", "60000.5")}
    assert ev(station, "EnergyImport", "Target") == "40000"
    assert [ev(station, name, "MaxSet") for name in ("Power", "DischargePower", "StateOfCharge")] == ["150000", "11000", "90"]
    assert [ev(station, name) for name in ("StateOfCharge", "RemainingTimeFull", "ChargingCompleteFull")] == ["42", "1800", "false"]
    assert [ev(station, "ACCurrent", each) for each in ("MinSet", "MaxSet")] == ["", ""]
    assert ask(station, "ISO15118Ctrlr", "RequestedEnergyTransferMode") == "DC"


@pytest.mark.req("Q01.FR.36")
def test_currents_of_an_ac_vehicle_are_those_of_a_phase(station: BlockRig) -> None:
    says(station, 2, Energy.AC, limits=EvLimits(max_current_A=32.0, min_current_A=6.0))
    assert [ev(station, "ACCurrent", each, 2) for each in ("MinSet", "MaxSet")] == ["6", "32"]
    assert [ev(station, "DCCurrent", each, 2) for each in ("MinSet", "MaxSet")] == ["", ""]
    assert ask(station, "ISO15118Ctrlr", "RequestedEnergyTransferMode", 2) == "AC_three_phase"


def test_a_protocol_that_has_no_version_here_is_its_namespace(station: BlockRig) -> None:
    station.context.evses[1].vehicle = Vehicle("urn:tesla:din:2018:MsgDef", "")
    assert ev(station, "ProtocolAgreed") == "urn:tesla:din:2018:MsgDef"


def test_nobody_there_is_not_available_and_has_no_values(station: BlockRig) -> None:
    says(station, needs=EnergyWanted(departure_s=60))
    station.hear(ChargingNeedsTold(1))
    station.context.evses[1].vehicle = None
    station.hear(EvDisconnected(1))
    assert ev(station, "Available") == "false"
    places = [p for p in station.context.model.visible() if p.component == "ConnectedEV" and p.variable != "Available" and p.evse_id == 1]
    assert len(places) == 19
    assert {station.context.model.shown(station.now, place) for place in places} == {""}
    assert ask(station, "ISO15118Ctrlr", "RequestedEnergyTransferMode") == ""


def test_the_inventory_holds_every_attribute(station: BlockRig) -> None:
    says(station)
    station.ask("GetReport", {"requestId": 1, "componentVariable": [{"component": {"name": "ConnectedEV", "evse": {"id": 1}}}]})
    (entry,) = [
        data
        for data in station.pop("NotifyReport").payload["reportData"]
        if data["variable"]["name"] == "EnergyImport" or not data["variableAttribute"]
    ]
    assert [(each["type"], each["mutability"], each["persistent"]) for each in entry["variableAttribute"]] == [
        ("MinSet", "ReadOnly", False),
        ("MaxSet", "ReadOnly", False),
        ("Target", "ReadOnly", False),
    ]


# ---- what it needs


@pytest.mark.req("K18.FR.01", "K18.FR.06", "Q01.FR.03")
def test_the_needs_of_a_dc_vehicle_are_what_both_sides_can(station: BlockRig) -> None:
    known_transaction(station)
    says(station, needs=EnergyWanted(departure_s=7200, target_Wh=40_000.0, target_soc=85), most_points=1024)
    assert needs(station) == {
        "evseId": 1,
        "timestamp": "2026-11-24T12:00:00.000Z",
        "maxScheduleTuples": 1024,
        "chargingNeeds": {
            "requestedEnergyTransfer": "DC",
            "controlMode": "ScheduledControl",
            "mobilityNeedsMode": "EVCC",
            "departureTime": "2026-11-24T14:00:00.000Z",
            "v2xChargingParameters": {
                "minChargePower": 100.0,
                "maxChargePower": 60_000.0,
                "minChargeCurrent": 1.0,
                "maxChargeCurrent": 200.0,
                "minVoltage": 150.0,
                "maxVoltage": 920.0,
                "evTargetEnergyRequest": 40_000.0,
                "targetSoC": 85,
            },
        },
    }


@pytest.mark.req("K19.FR.01", "K19.FR.06", "Q01.FR.03")
def test_feeding_back_is_told_by_its_magnitude_and_energies_keep_their_sign(station: BlockRig) -> None:
    known_transaction(station)
    says(
        station,
        energy=Energy.DC_BPT,
        chosen=EnergyChosen(Energy.DC_BPT, Control.DYNAMIC, mobility_by_secc=True),
        limits=replace(DC_LIMITS, max_discharge_W=-11_000.0, min_discharge_W=-500.0, max_discharge_A=-80.0),
        needs=EnergyWanted(target_Wh=10_000.0, max_Wh=20_000.0, min_Wh=-1_000.0, max_v2x_Wh=15_000.0, min_v2x_Wh=-5_000.0),
    )
    told = needs(station)["chargingNeeds"]
    assert (told["requestedEnergyTransfer"], told["controlMode"], told["mobilityNeedsMode"]) == ("DC_BPT", "DynamicControl", "EVCC_SECC")
    assert "departureTime" not in told
    parameters = told["v2xChargingParameters"]
    assert {key: value for key, value in parameters.items() if "ischarge" in key or "EnergyRequest" in key} == {
        "minDischargePower": 500.0,
        "maxDischargePower": 11_000.0,
        "maxDischargeCurrent": 50.0,
        "evTargetEnergyRequest": 10_000.0,
        "evMaxEnergyRequest": 20_000.0,
        "evMinEnergyRequest": -1_000.0,
        "evMaxV2XEnergyRequest": 15_000.0,
        "evMinV2XEnergyRequest": -5_000.0,
    }
    assert parameters["targetSoC"] == 80


@pytest.mark.parametrize(
    ("energy", "phases", "mode"),
    [(Energy.AC, 1, "AC_single_phase"), (Energy.AC, 3, "AC_three_phase"), (Energy.AC_BPT, 3, "AC_BPT")],
)
@pytest.mark.req("K18.FR.06")
def test_an_ac_vehicle_has_powers_and_no_currents(energy: Energy, phases: Any, mode: str) -> None:
    evse = replace(SITE.evses[1], phases=phases)
    station = BlockRig(BLOCKS, replace(SITE, evses=(SITE.evses[0], evse)))
    station.boot(interval=86_400)
    known_transaction(station, 2)
    back_W = 7_000.0 if energy.is_bpt else None
    says(station, 2, energy, limits=EvLimits(max_power_W=11_000.0, min_power_W=1_400.0, max_current_A=16.0, max_discharge_W=back_W))
    told = needs(station, 2)["chargingNeeds"]
    assert told["requestedEnergyTransfer"] == mode
    assert told["v2xChargingParameters"] == {
        "minChargePower": 1_400.0,
        "maxChargePower": min(11_000.0, 32.0 * 230.0 * phases),
        **({"maxDischargePower": 5_000.0} if back_W else {}),
    }


def test_a_vehicle_that_has_said_next_to_nothing_needs_the_current_of_its_evse(station: BlockRig) -> None:
    known_transaction(station)
    says(station, chosen=None, limits=EvLimits())
    assert needs(station)["chargingNeeds"] == {"requestedEnergyTransfer": "DC"}


@pytest.mark.parametrize("status", ["Accepted", "Processing", "Rejected", "NoChargingProfile"])
def test_what_the_csms_answers_is_said(station: BlockRig, status: str) -> None:
    known_transaction(station)
    says(station)
    station.hear(ChargingNeedsTold(1))
    out = station.answer("NotifyEVChargingNeeds", {"status": status})
    assert ChargingNeedsAnswered(1, status) in out
    assert bool([each for each in out if isinstance(each, Log)]) == (status == "Rejected")


def test_no_good_answer_is_said_as_well(station: BlockRig) -> None:
    known_transaction(station)
    says(station)
    station.hear(ChargingNeedsTold(1))
    assert ChargingNeedsAnswered(1, "") in station.refuse("NotifyEVChargingNeeds", "NotImplemented")
    station.hear(ChargingNeedsTold(1))
    assert ChargingNeedsAnswered(1, "") in station.link_down()


@pytest.mark.req("K15.FR.15")
def test_offline_nobody_is_asked_and_nothing_is_kept(station: BlockRig) -> None:
    known_transaction(station)
    says(station)
    station.link_down()
    assert station.hear(ChargingNeedsTold(1)) == [ChargingNeedsAnswered(1, "")]
    station.link_up()
    station.hear(delivered("Updated"))
    assert "NotifyEVChargingNeeds" not in station.actions()


@pytest.mark.req("K18.FR.01")
def test_needs_wait_for_their_transaction_to_be_known(station: BlockRig) -> None:
    says(station, needs=EnergyWanted(departure_s=60))
    station.hear(ChargingNeedsTold(1))
    station.context.evses[1].transaction_id = TX
    station.hear(delivered("Ended", "an earlier one"), Delivered("MeterValues", "meter_values", {"evseId": 1}, {}))
    assert "NotifyEVChargingNeeds" not in station.actions()
    station.advance(5)
    station.hear(delivered("Started"))
    told = station.pop("NotifyEVChargingNeeds").payload
    assert (told["timestamp"], told["chargingNeeds"]["departureTime"]) == ("2026-11-24T12:00:00.000Z", "2026-11-24T12:01:00.000Z")


def test_a_started_that_the_csms_does_not_take_holds_nothing_up(station: BlockRig) -> None:
    says(station)
    station.hear(ChargingNeedsTold(1))
    station.context.evses[1].transaction_id = TX
    payload = {"eventType": "Started", "transactionInfo": {"transactionId": TX}}
    station.hear(DroppedFromQueue("TransactionEvent", "transactions", payload, "InternalError"))
    assert "NotifyEVChargingNeeds" in station.actions()


def test_a_link_that_breaks_while_they_wait_is_an_answer(station: BlockRig) -> None:
    says(station)
    station.hear(ChargingNeedsTold(1))
    assert ChargingNeedsAnswered(1, "") in station.link_down()


@pytest.mark.req("K17.FR.01")
def test_one_question_at_a_time_unless_the_vehicle_wants_something_else(station: BlockRig) -> None:
    known_transaction(station)
    vehicle = says(station)
    station.hear(ChargingNeedsTold(1), ChargingNeedsTold(1))
    assert station.actions().count("NotifyEVChargingNeeds") == 1
    vehicle.needs = EnergyWanted(target_Wh=1.0)
    station.hear(ChargingNeedsTold(1, renegotiated=True))
    first, second = station.pop("NotifyEVChargingNeeds"), station.pop("NotifyEVChargingNeeds")
    assert second.payload["chargingNeeds"]["v2xChargingParameters"]["evTargetEnergyRequest"] == 1.0
    assert station.hear(CallAnswered(first.token, first.action, {"status": "Accepted"})) == []
    assert station.hear(CallAnswered(second.token, second.action, {"status": "Processing"})) == [ChargingNeedsAnswered(1, "Processing")]


@pytest.mark.parametrize("end", [SessionChanged(1, SessionStage.ABORTED), EvDisconnected(1)], ids=["session over", "unplugged"])
def test_an_answer_for_a_vehicle_that_has_left_is_nobodys(station: BlockRig, end: object) -> None:
    known_transaction(station)
    says(station)
    station.hear(ChargingNeedsTold(1), end)
    assert station.answer("NotifyEVChargingNeeds", {"status": "Accepted"}) == []


def test_needs_of_a_session_that_is_over_are_not_asked_for_with_the_next_transaction(station: BlockRig) -> None:
    says(station)
    station.hear(ChargingNeedsTold(1), SessionChanged(1, SessionStage.BEGUN))
    station.hear(SessionChanged(1, SessionStage.TERMINATED))
    known_transaction(station)
    assert station.actions() == []


def test_a_transaction_that_has_ended_is_known_no_more(station: BlockRig) -> None:
    known_transaction(station)
    says(station)
    station.context.evses[1].transaction_id = ""
    station.hear(TransactionEnded(1, TX), ChargingNeedsTold(1))
    assert station.actions() == []


def test_needs_of_nobody_are_nothing(station: BlockRig) -> None:
    known_transaction(station)
    assert station.hear(ChargingNeedsTold(1), ScheduleChosen(1), ChargingNeedsTold(9), ScheduleChosen(9)) == []


@pytest.mark.req("K18.FR.01")
def test_started_reaches_the_csms_before_the_needs() -> None:
    """With the outbox: a vehicle that is ahead of the CSMS's answer to Started."""
    answers: dict[str, Any] = {"TransactionEvent": None, "NotifyEVChargingNeeds": {"status": "Accepted"}}
    rig = ChargeRig(config=SITE, more=(VehicleBlock,), csms=lambda call: answers.get(call.action, {}))
    rig.plug()
    rig.swipe()
    rig.evses[1].vehicle = Vehicle(DC_SPACE, "EV1", EnergyChosen(Energy.DC, Control.SCHEDULED), DC_LIMITS)
    rig.hear(ChargingNeedsTold(1))
    assert [call.action for call in rig.calls] == ["TransactionEvent"]
    started = rig.calls[0]
    answers["TransactionEvent"] = {}
    rig.hear(CallAnswered(started.token, started.action, {}))
    assert [call.action for call in rig.calls] == ["TransactionEvent", "NotifyEVChargingNeeds"]
    assert rig.said(ChargingNeedsAnswered) == [ChargingNeedsAnswered(1, "Accepted")]
    rig.charging(ChargingState.CHARGING)
    assert len(rig.calls) == 3


# ---- what it plans


@pytest.mark.req("K18.FR.10")
def test_the_plan_of_the_vehicle_is_told_with_the_schedule_that_it_goes_by(station: BlockRig) -> None:
    known_transaction(station)
    says(station, schedule_id=7, plan=(Slot(0, 600, 50_000.0), Slot(600, 1200, 0.0), Slot(1800, 60, -10_000.0)))
    station.hear(ScheduleChosen(1))
    assert station.pop("NotifyEVChargingSchedule").payload == {
        "evseId": 1,
        "timeBase": "2026-11-24T12:00:00.000Z",
        "selectedChargingScheduleId": 7,
        "chargingSchedule": {
            "id": 7,
            "chargingRateUnit": "W",
            "duration": 1860,
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 50_000.0},
                {"startPeriod": 600, "limit": 0.0},
                {"startPeriod": 1800, "limit": 0.0, "dischargeLimit": -10_000.0},
            ],
        },
    }


def test_a_plan_that_is_too_long_is_told_as_far_as_it_goes(station: BlockRig) -> None:
    known_transaction(station)
    says(station, plan=tuple(Slot(60 * n, 60, 1000.0) for n in range(MOST_PERIODS + 5)))
    station.hear(ScheduleChosen(1))
    told = station.pop("NotifyEVChargingSchedule").payload
    assert (len(told["chargingSchedule"]["chargingSchedulePeriod"]), told["chargingSchedule"]["duration"]) == (
        MOST_PERIODS,
        60 * MOST_PERIODS,
    )
    assert "selectedChargingScheduleId" not in told


@pytest.mark.req("K19.FR.10")
def test_in_dynamic_control_the_vehicles_plan_is_not_told(station: BlockRig) -> None:
    known_transaction(station)
    says(station, chosen=EnergyChosen(Energy.DC, Control.DYNAMIC), plan=(Slot(0, 600, 50_000.0),))
    station.hear(ScheduleChosen(1))
    assert station.actions() == []


@pytest.mark.parametrize("missing", ["plan", "link", "transaction"])
def test_without_a_plan_a_link_or_a_transaction_there_is_nothing_to_tell(station: BlockRig, missing: str) -> None:
    known_transaction(station)
    says(station, plan=() if missing == "plan" else (Slot(0, 600, 50_000.0),))
    if missing == "link":
        station.link_down()
    if missing == "transaction":
        station.context.evses[1].transaction_id = ""
    assert [each for each in station.hear(ScheduleChosen(1)) if isinstance(each, Call)] == []


def test_a_plan_that_the_csms_does_not_like_goes_into_the_log(station: BlockRig) -> None:
    known_transaction(station)
    says(station, plan=(Slot(0, 600, 50_000.0),))
    station.hear(ScheduleChosen(1))
    assert station.answer("NotifyEVChargingSchedule", {"status": "Rejected"}) == [
        Log("warning", "vehicle.not_accepted", {"evse": 1, "action": "NotifyEVChargingSchedule", "status": "Rejected", "code": ""})
    ]
    station.hear(ScheduleChosen(1))
    assert station.answer("NotifyEVChargingSchedule", {"status": "Accepted"}) == []
