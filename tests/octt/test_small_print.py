"""Requirements of blocks B, C, E, F and J that no certification case looks at by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hal.types import ResidualCurrentTrip
from tests.octt.states import cached, charges, listed, remote_start, station, suspended, token
from tests.octt.system import CARD, OTHER_CARD, STRANGER, Payload
from tests.octt.test_c12_cache import started_offline
from tests.octt.test_j_meter_values import SAMPLED, SOME, complete, values_of

BY_CABLE = {"TxCtrlr.TxStopPoint": "EVConnected"}
UNKNOWN_MAY = {"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"}


@pytest.mark.req("E01.FR.08", "E02.FR.08")
def test_no_id_comes_twice() -> None:
    it = station(evses=2)
    seen = {it.charging(1), it.charging(2, OTHER_CARD)}
    for n in range(1, 4):
        it.power_loss(reason="PowerUp" if n % 2 else "Watchdog")
        it.wait(20.0)
        it.unplug(1)
        it.wait(5.0)
        seen.add(it.charging(1))
    assert len(seen) == 5


@pytest.mark.req("F01.FR.15", "F02.FR.02", "F02.FR.03")
@pytest.mark.parametrize("first", ["cable", "remote"])
def test_a_transaction_that_the_csms_starts_tells_what_any_other_tells(first: str) -> None:
    rows = {f"{SAMPLED}.{name}": SOME for name in ("TxStartedMeasurands", "TxUpdatedMeasurands")}
    it = station(variables=rows | {f"{SAMPLED}.TxUpdatedInterval": "20"})
    if first == "cable":
        it.plug()
    assert remote_start(it)["status"] == "Accepted"
    if first == "remote":
        it.wait(5.0)
        it.plug()
    it.wait(70.0)
    (begun,) = values_of(it, eventType="Started")
    complete(begun, SOME, "Transaction.Begin")
    values = values_of(it, triggerReason="MeterValuePeriodic")
    assert len(values) >= 3
    for value in values:
        complete(value, SOME, "Sample.Periodic")


@pytest.mark.req("E02.FR.18", "E03.FR.13", "J01.FR.11", "J02.FR.07")
@pytest.mark.parametrize(("vehicle", "phases"), [("three-phase", 3), ("one-phase", 1)])
def test_how_many_phases_a_vehicle_uses_is_told(vehicle: str, phases: int) -> None:
    it = station(variables={f"{SAMPLED}.TxUpdatedInterval": "20", f"{SAMPLED}.TxUpdatedMeasurands": "Current.Import"})
    charges(it, name=vehicle)
    event = it.tx("Updated", "MeterValuePeriodic", numberOfPhasesUsed=phases)
    told = {each["phase"]: each["value"] for each in event["meterValue"][0]["sampledValue"]}
    assert told == pytest.approx(dict(zip(("L1", "L2", "L3"), it.evse().sample().current_A, strict=True)), abs=0.2)
    assert sum(amps > 1.0 for amps in told.values()) == phases


@pytest.mark.req("E02.FR.19", "E03.FR.14")
def test_a_vehicle_that_goes_over_to_fewer_phases() -> None:
    it = station(variables={f"{SAMPLED}.TxUpdatedInterval": "20"})
    ev, _ = charges(it)
    it.tx("Updated", "MeterValuePeriodic", numberOfPhasesUsed=3)
    ev.spec = replace(ev.spec, phases=1)
    it.wait(5.0)
    it.tx("Updated", "MeterValuePeriodic", numberOfPhasesUsed=1)


@pytest.mark.req("C01.FR.23")
def test_who_did_not_begin_a_transaction_does_not_take_it_over() -> None:
    it = station(variables=BY_CABLE)
    charges(it)
    it.swipe()
    it.tx("Updated", "StopAuthorized", idToken=token())
    it.tx("Updated", "ChargingStateChanged", state="EVConnected")
    it.swipe(OTHER_CARD)
    it.ignores.add("Authorize")
    it.nothing(for_s=30.0)
    assert not it.closed()


@pytest.mark.req("C15.FR.01")
def test_a_token_that_nobody_has_judged_is_not_cached() -> None:
    it = station(variables=UNKNOWN_MAY)
    it.answers["TransactionEvent"] = {}
    it.offline()
    it.plug()
    it.swipe(STRANGER)
    it.wait(10.0)
    assert it.closed()
    it.online()
    it.among("TransactionEvent", 200.0, eventType="Started", idToken=token(STRANGER))
    it.wait(5.0)
    assert it.get("AuthCacheCtrlr.Storage") == "0"


@pytest.mark.req("E05.FR.04")
def test_what_a_refused_token_does_is_numbered_as_ever() -> None:
    it = started_offline(stop=False, most_Wh=100)
    it.wait(200.0)
    it.swipe()
    it.wait(5.0)
    events = it.said("TransactionEvent")
    assert [event["seqNo"] for event in events] == list(range(len(events)))
    assert events[-1]["eventType"] == "Ended"


@pytest.mark.req("C14.FR.05")
def test_an_entry_of_the_list_that_has_expired_is_asked_about() -> None:
    it = station()
    info = {"status": "Accepted", "cacheExpiryDateTime": it.utc(60.0)}
    request = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [{"idToken": token(), "idTokenInfo": info}]}
    assert it.call("SendLocalList", request)["status"] == "Accepted"
    it.wait(61.0)
    it.swipe()
    it.expect("Authorize", idToken=token(), within_s=2.0)


@pytest.mark.req("B11.FR.07")
def test_a_reset_waits_for_a_plug_that_is_held() -> None:
    rows = {"OCPPCommCtrlr.UnlockOnEVSideDisconnect": "false"}
    it = station(stop="Authorized", socket=True, variables=rows)
    suspended(it)
    it.evse().unplug_vehicle()
    it.tx("Ended", "EVCommunicationLost")
    it.wait(5.0)
    assert it.evse().lock.locked is True
    assert it.call("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    it.nothing("BootNotification", for_s=30.0)
    it.swipe()
    it.expect("BootNotification", reason="ScheduledReset")


@pytest.mark.req("J02.FR.17", "J02.FR.22")
def test_registers_are_those_of_the_meter_of_this_evse() -> None:
    name = "Energy.Active.Import.Register"
    rows = {f"{SAMPLED}.{row}": name for row in ("TxStartedMeasurands", "TxEndedMeasurands")}
    it = station(evses=2, variables=rows)
    for _ in range(2):
        it.charging(1)
        it.charging(2, OTHER_CARD)
        it.wait(100.0)
        it.swipe(CARD, 1)
        it.wait(50.0)
        it.swipe(OTHER_CARD, 2)
        it.wait(10.0)
        it.unplug(1)
        it.unplug(2)
        it.wait(5.0)
    events: dict[str, list[Payload]] = {}
    for event in it.said("TransactionEvent"):
        events.setdefault(event["transactionInfo"]["transactionId"], []).append(event)
    ends: dict[int, list[float]] = {1: [0.0], 2: [0.0]}
    for told in events.values():
        values = [value["value"] for event in told for each in event.get("meterValue", ()) for value in each["sampledValue"]]
        told_of = ends[told[0]["evse"]["id"]]
        assert values[0] == pytest.approx(told_of[-1], abs=2.0)
        told_of.append(values[-1])
    for evse_id, (_, first, second) in ends.items():
        assert second > first > 0.0
        assert second == pytest.approx(it.evse(evse_id).sample().energy_import_Wh, abs=2.0)
    assert ends[1][-1] != ends[2][-1]


@pytest.mark.req("E06.FR.16")
@pytest.mark.parametrize("stop", ["EnergyTransfer", "EVConnected"])
def test_a_fault_that_ends_a_transaction_is_named_as_such(stop: str) -> None:
    it = station(stop=stop)
    charges(it)
    it.tell(ResidualCurrentTrip(1, "ac"))
    it.tx("Updated", "AbnormalCondition")
    it.wait(5.0)
    assert not it.closed()
    ended = [event for event in it.said("TransactionEvent") if event["eventType"] == "Ended"]
    assert [(event["triggerReason"], event["transactionInfo"]["stoppedReason"]) for event in ended] == (
        [("AbnormalCondition", "GroundFault")] if stop == "EnergyTransfer" else []
    )


@pytest.mark.req("C15.FR.03", "E05.FR.09")
@pytest.mark.parametrize("begun", ["offline", "by the cache"])
def test_where_it_ends_with_the_plug_a_refused_token_is_told_and_charges_no_more(begun: str) -> None:
    it = station(stop="EVConnected", variables={"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"})
    if begun == "by the cache":
        cached(it, CARD)
    it.tokens[CARD] = "Invalid"
    it.plug()
    it.wait(2.0)
    it.forget()
    if begun == "offline":
        it.offline()
    it.swipe()
    it.wait(5.0)
    it.online()
    it.among("TransactionEvent", 200.0, eventType="Started", idToken=token())
    told = it.among("TransactionEvent", eventType="Updated", triggerReason="Deauthorized")["transactionInfo"]
    if "chargingState" not in told:
        told = it.tx("Updated", "ChargingStateChanged", 10.0)["transactionInfo"]
    assert told["chargingState"] == "EVConnected"
    it.wait(5.0)
    assert not it.closed()
    it.unplug()
    it.tx("Ended", "EVCommunicationLost", reason="DeAuthorized")


@pytest.mark.req("B12.FR.05")
def test_an_end_that_the_csms_has_not_taken_before_a_reset_is_told_after_it() -> None:
    it = station(evses=1)
    _, transaction = charges(it)
    it.answers["TransactionEvent"] = lambda _: None
    assert it.call("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    before = it.tx("Ended", "ResetCommand", transaction=transaction, reason="ImmediateReset")
    it.expect("BootNotification", 30.0, reason="RemoteReset")
    del it.answers["TransactionEvent"]
    after = it.tx("Ended", "ResetCommand", 120.0, transaction=transaction, reason="ImmediateReset")
    assert after["seqNo"] == before["seqNo"]
    assert after["timestamp"] == before["timestamp"]


@pytest.mark.req("D01.FR.09")
def test_what_the_csms_says_elsewhere_changes_nothing_in_the_list() -> None:
    it = station(variables={"AuthCacheCtrlr.Enabled": "false"})
    listed(it, {CARD: "Blocked", OTHER_CARD: "Accepted"})
    _, _ = charges(it)
    it.swipe()
    it.unplug()
    it.tokens[OTHER_CARD] = "Blocked"
    it.plug()
    it.wait(3.0)
    it.swipe(OTHER_CARD)
    it.wait(10.0)
    it.unplug()
    assert it.get("LocalAuthListCtrlr.Entries") == "2"
    it.offline()
    for card, charged in ((CARD, False), (OTHER_CARD, True)):
        it.plug()
        it.wait(3.0)
        it.swipe(card)
        it.wait(10.0)
        assert it.closed() is charged
        it.unplug()
        it.wait(3.0)


@pytest.mark.req("C06.FR.01", "C06.FR.02")
@pytest.mark.parametrize("accepted", [True, False])
def test_a_token_of_the_station_s_own_kind_is_asked_about(*, accepted: bool) -> None:
    it = station(tokens={"lane-7": "Accepted"} if accepted else {})
    it.plug()
    it.wait(3.0)
    it.forget()
    it.swipe("lane-7", kind="Local")
    it.expect("Authorize", idToken={"idToken": "lane-7", "type": "Local"})
    if accepted:
        it.tx("Started", "Authorized", idToken={"idToken": "lane-7", "type": "Local"})
    it.wait(10.0)
    assert it.closed() is accepted


@pytest.mark.req("E05.FR.02", "E06.FR.07", "E06.FR.08")
def test_where_it_ends_with_its_energy_a_refused_token_is_why() -> None:
    it = station(stop="EnergyTransfer", tokens={}, variables=UNKNOWN_MAY | {"TxCtrlr.StopTxOnInvalidId": "false"})
    it.plug()
    it.wait(2.0)
    it.forget()
    it.offline()
    it.swipe()
    it.wait(10.0)
    assert it.closed()
    it.online()
    it.among("TransactionEvent", 200.0, eventType="Started")
    it.tx("Updated", "ChargingStateChanged", state="Charging")
    it.tx("Ended", reason="DeAuthorized")
    it.wait(5.0)
    assert not it.closed()
