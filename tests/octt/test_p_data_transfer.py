"""Certification cases of block P, and custom triggers (F06): vendors that nobody knows, one that somebody has added, and customData."""

from __future__ import annotations

from typing import Any

import pytest

from chargepoint.events import DataTransferWanted
from chargepoint.ocpp.block import Context
from chargepoint.ocpp.outbox_queue import MOST_BYTES
from chargepoint.ocpp.vendors import Told, Transferred, Vendor
from chargepoint.tick import Tick
from tests.octt.system import Payload, TestSystem

ID = "org.example.lamp"


def transfer(now: Tick, context: Context, message_id: str, data: Any) -> Transferred:
    if message_id == "count":
        return Transferred("Accepted", {"evses": len(context.evses)}, [DataTransferWanted(ID, "counted", data)])
    return Transferred("UnknownMessageId")


def blink(now: Tick, context: Context, evse_id: int) -> list[object]:
    return [DataTransferWanted(ID, "blinked", {"evse": evse_id})]


def told(now: Tick, context: Context, it: Told) -> list[object]:
    return [DataTransferWanted(ID, "again")] if (it.message_id, it.status) == ("counted", "Rejected") else []


def extended(**more: Any) -> TestSystem:
    it = TestSystem(answers={"DataTransfer": {"status": "Accepted"}}, **more)
    it.heap.vendors = (Vendor(ID, transfer, {"blink": blink}, told),)
    return it.booted()


@pytest.mark.req("TC_P_01", "P01.FR.05", "P01.FR.06")
@pytest.mark.parametrize("extension", [False, True])
def test_tc_p_01_an_unknown_vendor(*, extension: bool) -> None:
    it = extended() if extension else TestSystem().booted()
    asked = {"vendorId": "org.openchargealliance.octt", "messageId": "GetChargerDetails", "data": {"a": 1}}
    assert it.call("DataTransfer", asked) == {"status": "UnknownVendorId"}
    if extension:
        assert it.call("DataTransfer", {"vendorId": ID, "messageId": "nothing"}) == {"status": "UnknownMessageId"}


@pytest.mark.req("TC_P_03")
def test_tc_p_03_custom_data() -> None:
    it = TestSystem().booted()
    custom = {"vendorId": "org.openchargealliance.octt", "more": [1, {"b": "c"}]}
    data = {
        "component": {"name": "OCPPCommCtrlr", "customData": custom},
        "variable": {"name": "OfflineThreshold", "customData": custom},
        "attributeValue": "200",
        "attributeType": "Actual",
        "customData": custom,
    }
    (result,) = it.call("SetVariables", {"setVariableData": [data], "customData": custom})["setVariableResult"]
    assert result["attributeStatus"] == "Accepted"
    del data["attributeValue"]
    (result,) = it.call("GetVariables", {"getVariableData": [data], "customData": custom})["getVariableResult"]
    assert (result["attributeStatus"], result["attributeValue"]) == ("Accepted", "200")


@pytest.mark.req("P01.FR.06")
def test_an_extension_answers_and_sends() -> None:
    it = extended()
    assert it.call("DataTransfer", {"vendorId": ID, "messageId": "count", "data": [7]}) == {"status": "Accepted", "data": {"evses": 1}}
    it.expect("DataTransfer", vendorId=ID, messageId="counted", data=[7])
    it.nothing("DataTransfer", for_s=10.0)


@pytest.mark.req("P02.FR.06", "P02.FR.07")
@pytest.mark.parametrize("status", ["Rejected", "UnknownVendorId", "UnknownMessageId"])
def test_what_the_csms_says_to_it_is_told_to_who_sent_it(status: str) -> None:
    it = extended()
    it.answers["DataTransfer"] = lambda payload: {"status": status if payload["messageId"] == "counted" else "Accepted"}
    it.tell(DataTransferWanted(ID, "counted"))
    it.expect("DataTransfer", messageId="counted", data=None)
    if status == "Rejected":
        it.expect("DataTransfer", messageId="again")
    it.nothing("DataTransfer", for_s=10.0)


@pytest.mark.parametrize("queue", ["false", "true"])
def test_offline_it_waits_where_all_messages_do(queue: str) -> None:
    it = extended(variables={"OCPPCommCtrlr.QueueAllMessages": queue})
    it.offline()
    it.wait(5.0)
    it.tell(DataTransferWanted(ID, "counted"))
    it.online()
    it.wait(120.0)
    assert len(it.said("DataTransfer")) == (queue == "true")


def test_an_extension_that_sends_much_offline_does_not_fill_the_memory() -> None:
    it = extended(variables={"OCPPCommCtrlr.QueueAllMessages": "true"})
    it.charging()
    it.offline()
    it.wait(5.0)
    for _ in range(MOST_BYTES // 60_000 + 100):
        it.tell(DataTransferWanted(ID, "much", "y" * 60_000))
    assert it.heap.station is not None
    outbox = it.heap.station.wiring.machines["outbox"].state
    assert outbox.octets <= MOST_BYTES
    assert it.closed()


@pytest.mark.parametrize("data", [None, {1}])
def test_an_extension_that_always_sends_again_keeps_no_station_from_charging(data: Any) -> None:
    def again(now: Tick, context: Context, it: Told) -> list[object]:
        return [DataTransferWanted(ID, "again", data)] if it.error else []

    it = TestSystem()
    it.heap.vendors = (Vendor(ID, told=again),)
    it.booted()
    it.charging()
    if data is None:
        it.offline()
        it.wait(5.0)
    it.tell(DataTransferWanted(ID, "first", data))
    it.wait(5.0)
    assert it.closed()
    assert it.heap.ended is None


def test_a_vendor_that_is_switched_off_is_not_there() -> None:
    it = extended()
    named = {"component": {"name": "CustomizationCtrlr"}, "variable": {"name": "CustomImplementationEnabled", "instance": ID}}

    def switch(value: str) -> None:
        (result,) = it.call("SetVariables", {"setVariableData": [{**named, "attributeValue": value}]})["setVariableResult"]
        assert result["attributeStatus"] == "Accepted"

    switch("false")
    assert it.call("DataTransfer", {"vendorId": ID, "messageId": "count"}) == {"status": "UnknownVendorId"}
    assert it.get("CustomizationCtrlr.CustomTriggers") == ""
    assert custom(it, "blink") == "NotImplemented"
    it.tell(DataTransferWanted(ID, "counted"))
    it.nothing("DataTransfer", for_s=10.0)
    it.power_loss()
    it.expect("BootNotification")
    it.wait(5.0)
    assert it.call("DataTransfer", {"vendorId": ID, "messageId": "count"}) == {"status": "UnknownVendorId"}
    switch("true")
    assert it.call("DataTransfer", {"vendorId": ID, "messageId": "count"})["status"] == "Accepted"


def custom(it: TestSystem, name: str, requested: str = "CustomTrigger", **more: Payload) -> str:
    status: str = it.call("TriggerMessage", {"requestedMessage": requested, "customTrigger": name, **more})["status"]
    return status


@pytest.mark.req("TC_F_100", "F06.FR.18")
@pytest.mark.req("F06.FR.19")
def test_tc_f_100_custom_trigger() -> None:
    it = extended()
    it.ignores -= {"Heartbeat"}
    assert it.get("CustomizationCtrlr.CustomTriggers") == "blink"
    assert custom(it, "blink", evse={"id": 1}) == "Accepted"
    it.expect("DataTransfer", messageId="blinked", data={"evse": 1})
    assert custom(it, "blink", "Heartbeat") == "Accepted"
    it.expect("Heartbeat")
    assert custom(it, "b4f1e2") == "NotImplemented"
    assert it.call("TriggerMessage", {"requestedMessage": "CustomTrigger"})["status"] == "NotImplemented"
    it.nothing(for_s=10.0)


def test_without_extensions_there_are_no_custom_triggers() -> None:
    it = TestSystem().booted()
    (result,) = it.call(
        "GetVariables", {"getVariableData": [{"component": {"name": "CustomizationCtrlr"}, "variable": {"name": "CustomTriggers"}}]}
    )["getVariableResult"]
    assert result["attributeStatus"] in ("UnknownComponent", "UnknownVariable")
    assert custom(it, "blink") == "NotImplemented"
