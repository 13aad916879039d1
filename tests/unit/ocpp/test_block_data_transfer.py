"""DataTransfer: unknown vendors, and the place for extensions."""

from datetime import date
from typing import Any

import pytest

from chargepoint.commands import CloseContactor, Command, Log, Persist
from chargepoint.events import DataTransferWanted, MessageTriggered, StopRequested
from chargepoint.ocpp.block import Context
from chargepoint.ocpp.blocks.data_transfer import DataTransferBlock
from chargepoint.ocpp.messages import AnswerError
from chargepoint.ocpp.outbox import Delivered, DroppedFromQueue, Enqueue
from chargepoint.ocpp.vendor_bounds import DEEPEST_DATA, MOST_DATA, MOST_FOLLOWING, following, sayable
from chargepoint.ocpp.vendors import Told, Transferred, Vendor, by_id
from chargepoint.tick import Tick
from tests.unit.ocpp.block_rig import BlockRig


def acme(now: Tick, context: Context, message_id: str, data: Any) -> Transferred:
    if message_id != "echo":
        return Transferred("UnknownMessageId")
    return Transferred("Accepted", {"back": data}, (Log("info", "acme.echo"),))


def told(now: Tick, context: Context, it: Told) -> list[object]:
    return [Log("info", "acme.told", {"status": it.status, "error": it.error})]


ACME = Vendor("org.acme", acme, told=told)


@pytest.mark.req("P01.FR.05")
@pytest.mark.parametrize(
    "payload", [{"vendorId": "org.unknown"}, {"vendorId": "x" * 255, "messageId": "m", "data": {"deep": [1, {"a": None}]}}]
)
def test_an_unknown_vendor_is_called_so(payload: dict[str, Any]) -> None:
    assert BlockRig((DataTransferBlock,)).ask("DataTransfer", payload) == {"status": "UnknownVendorId"}
    assert BlockRig((DataTransferBlock,), vendors=(ACME,)).ask("DataTransfer", payload) == {"status": "UnknownVendorId"}


@pytest.mark.req("P01.FR.06")
def test_an_extension_answers_for_its_vendor() -> None:
    station = BlockRig((DataTransferBlock,), vendors=(ACME,))
    assert station.ask("DataTransfer", {"vendorId": "org.acme", "messageId": "echo", "data": [1]}) == {
        "status": "Accepted",
        "data": {"back": [1]},
    }
    assert station.said(Log) == [Log("info", "acme.echo")]
    assert station.ask("DataTransfer", {"vendorId": "org.acme"}) == {"status": "UnknownMessageId"}


def test_a_vendor_that_only_tells_answers_nothing() -> None:
    station = BlockRig((DataTransferBlock,), vendors=(Vendor("org.acme", told=told),))
    assert station.ask("DataTransfer", {"vendorId": "org.acme"}) == {"status": "UnknownVendorId"}


def test_what_is_sent_and_what_becomes_of_it() -> None:
    station = BlockRig((DataTransferBlock,), vendors=(ACME, Vendor("org.mute")))
    assert station.hear(DataTransferWanted("org.acme", "m", 0))[:1] == [
        Enqueue("DataTransfer", {"vendorId": "org.acme", "messageId": "m", "data": 0}, "data_transfer", thin="first", offline="by_setting")
    ]
    assert station.hear(DataTransferWanted("org.mute"))[:1] == [
        Enqueue("DataTransfer", {"vendorId": "org.mute"}, "data_transfer", thin="first", offline="by_setting")
    ]
    assert station.hear(DataTransferWanted("org.unknown")) == [Log("info", "data_transfer.not_sent", {"vendor": "org.unknown"})]
    payload = {"vendorId": "org.acme", "messageId": "m"}
    for event, status, error in (
        (Delivered("DataTransfer", "data_transfer", payload, {"status": "UnknownMessageId"}), "UnknownMessageId", ""),
        (DroppedFromQueue("DataTransfer", "data_transfer", payload, "Offline"), "", "Offline"),
    ):
        assert station.hear(event) == [Log("info", "acme.told", {"status": status, "error": error})]
    for event in (
        Delivered("DataTransfer", "data_transfer", {"vendorId": "org.mute"}, {"status": "Accepted"}),
        Delivered("DataTransfer", "elsewhere", payload, {"status": "Accepted"}),
        DroppedFromQueue("DataTransfer", "elsewhere", payload, "Offline"),
    ):
        assert station.hear(event) == []


def test_vendors_that_collide() -> None:
    with pytest.raises(ValueError, match=r"org\.acme"):
        by_id((ACME, ACME))
    with pytest.raises(ValueError, match=r"ORG\.Acme"):
        by_id((ACME, Vendor("ORG.Acme")))
    with pytest.raises(ValueError, match=r"org\.other"):
        by_id((Vendor("org.acme", triggers={"a": lambda *_: ()}), Vendor("org.other", triggers={"a": lambda *_: ()})))


def nested(depth: int) -> list[Any]:
    return [nested(depth - 1)] if depth > 1 else []


def circular() -> list[Any]:
    it: list[Any] = []
    it.append(it)
    return it


NOT_SAYABLE: list[Any] = [
    {1},
    date(2026, 1, 1),
    b"x",
    float("nan"),
    "\ud800",
    "x" * MOST_DATA,
    nested(DEEPEST_DATA + 1),
    nested(900),
    circular(),
    10**5000,
]


@pytest.mark.parametrize("data", NOT_SAYABLE, ids=range(len(NOT_SAYABLE)))
def test_data_that_no_message_can_carry_is_not_sent_and_the_extension_is_told(data: Any) -> None:
    def answer(now: Tick, context: Context, message_id: str, asked: Any) -> Transferred:
        return Transferred("Accepted", data, (DataTransferWanted("org.acme"),))

    station = BlockRig((DataTransferBlock,), vendors=(Vendor("org.acme", answer, told=told),))
    why, then = station.hear(DataTransferWanted("org.acme", "m", data))
    assert isinstance(why, Log)
    assert (why.level, why.key, why.values["vendor"]) == ("warning", "data_transfer.not_sent", "org.acme")
    assert then == Log("info", "acme.told", {"status": "", "error": "FormatViolation"})
    station.log.clear()
    assert isinstance(station.ask("DataTransfer", {"vendorId": "org.acme"}), AnswerError)
    assert [each.key for each in station.said(Log)] == ["vendor.not_followed"]
    assert station.said(Enqueue) == []


@pytest.mark.parametrize("message_id", [b"m", 1, "m" * 51, "\ud800", None])
def test_a_message_id_that_is_none_is_not_sent(message_id: Any) -> None:
    station = BlockRig((DataTransferBlock,), vendors=(ACME,))
    assert [each.key for each in station.hear(DataTransferWanted("org.acme", message_id)) if isinstance(each, Log)] == [
        "data_transfer.not_sent",
        "acme.told",
    ]
    assert station.said(Enqueue) == []


def test_data_at_its_bounds_goes() -> None:
    for data in ("x" * (MOST_DATA - 2), nested(DEEPEST_DATA), {"a": [1, 2.5, None, True]}):
        assert sayable(data) == data


@pytest.mark.parametrize("error", ["Offline", "FormatViolation"])
def test_what_has_not_left_is_not_sent_again_from_what_is_told_of_it(error: str) -> None:
    def again(now: Tick, context: Context, it: Told) -> list[object]:
        return [Log("info", it.error), DataTransferWanted("org.acme", "m", {1})]

    station = BlockRig((DataTransferBlock,), vendors=(Vendor("org.acme", told=again),))
    event = DroppedFromQueue("DataTransfer", "data_transfer", {"vendorId": "org.acme"}, error)
    station.hear(event if error == "Offline" else DataTransferWanted("org.acme", "m", {1}))
    assert [each.key for each in station.said(Log)][-2:] == [error, "vendor.not_followed"]
    assert station.said(Enqueue) == []


@pytest.mark.parametrize("way", ["transfer", "trigger", "told"])
def test_nothing_else_follows(way: str) -> None:
    loud: Any = "loud"
    refused = [CloseContactor(1, 3), Persist(()), StopRequested(1), 1, Log("info", "seen", {"n": {1}}), Log(loud, "seen")]
    wishes = [*refused, Log("info", "seen")]
    vendor = Vendor("org.acme", lambda *_: Transferred("Accepted", None, wishes), {"blink": lambda *_: wishes}, lambda *_: wishes)
    station = BlockRig((DataTransferBlock,), vendors=(vendor,))
    match way:
        case "transfer":
            assert station.ask("DataTransfer", {"vendorId": "org.acme"}) == {"status": "Accepted"}
        case "trigger":
            station.hear(MessageTriggered("CustomTrigger", custom="blink"))
        case _:
            station.hear(Delivered("DataTransfer", "data_transfer", {"vendorId": "org.acme"}, {"status": "Accepted"}))
    assert [each.key for each in station.said(Command) if isinstance(each, Log)] == ["vendor.not_followed"] * 6 + ["seen"]
    assert not station.said(CloseContactor) + station.said(Persist) + station.said(StopRequested)


def test_so_many_follow_and_no_more() -> None:
    def endless() -> Any:
        while True:
            yield DataTransferWanted("org.acme")

    found = list(following("org.acme", endless()))
    assert found[:-1] == [DataTransferWanted("org.acme")] * MOST_FOLLOWING
    assert found[-1] == Log("warning", "vendor.not_followed", {"vendor": "org.acme", "what": f"more than {MOST_FOLLOWING}"})


def test_the_case_of_a_vendor_id_does_not_count() -> None:
    station = BlockRig((DataTransferBlock,), vendors=(Vendor("org.Acme", acme, told=told),))
    assert station.ask("DataTransfer", {"vendorId": "ORG.ACME"}) == {"status": "UnknownMessageId"}
    assert station.hear(DataTransferWanted("org.acme"))[:1] == [
        Enqueue("DataTransfer", {"vendorId": "org.Acme"}, "data_transfer", thin="first", offline="by_setting")
    ]
    assert station.hear(Delivered("DataTransfer", "data_transfer", {"vendorId": "ORG.acme"}, {"status": "Accepted"})) == [
        Log("info", "acme.told", {"status": "Accepted", "error": ""})
    ]
