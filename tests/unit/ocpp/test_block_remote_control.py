"""RequestStart, RequestStop, Unlock, Trigger: the answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargepoint.config import EvseConfig
from chargepoint.events import Authorised, IdToken, MessageTriggered, RemoteStartRequested, UnlockFinished, UnlockWanted
from chargepoint.ocpp.blocks.remote_control import TRIGGERS, UNLOCK_WAIT_S
from chargepoint.ocpp.messages import Answer, CallReceived
from tests.unit.ocpp.authorize_rig import CARD, OTHER, AuthRig
from tests.unit.ocpp.block_rig import CONFIG, valid


@pytest.fixture
def rig() -> AuthRig:
    return AuthRig()


def why(answer: Any) -> tuple[str, str]:
    return answer["status"], answer.get("statusInfo", {}).get("reasonCode", "")


# ---- RequestStartTransaction


@pytest.mark.req("F01.FR.01", "F01.FR.03", "F01.FR.19", "F01.FR.25", "TC_F_02")
def test_a_remote_start_is_answered_first_and_authorised_then(rig: AuthRig) -> None:
    rig.plug()
    assert rig.start_remotely() == {"status": "Accepted"}
    kinds = [type(each).__name__ for each in rig.log]
    assert kinds.index("Answer") < kinds.index("Call")
    assert rig.authorised() == []
    rig.allow(group="G")
    assert rig.authorised() == [Authorised(1, CARD, "G", "remote", 7)]


@pytest.mark.req("F01.FR.02", "TC_F_03")
def test_without_authorize_remote_start_it_begins_at_once(rig: AuthRig) -> None:
    rig.set("AuthCtrlr.AuthorizeRemoteStart", "false")
    rig.plug()
    rig.start_remotely(groupIdToken={"idToken": "G", "type": "Central"})
    assert rig.calls == []
    assert rig.authorised() == [Authorised(1, CARD, "G", "remote", 7)]


@pytest.mark.req("C05.FR.02", "C02.FR.03")
@pytest.mark.parametrize("token", [IdToken("app-1", "Central"), IdToken("psp", "DirectPayment"), IdToken("", "NoAuthorization")])
def test_the_csms_is_not_asked_about_its_own_tokens(rig: AuthRig, token: IdToken) -> None:
    rig.start_remotely(token)
    assert rig.calls == []
    assert rig.token_of() == token


@pytest.mark.req("F01.FR.04")
def test_a_remote_start_that_the_csms_then_refuses_starts_nothing_and_blocks_nothing(rig: AuthRig) -> None:
    rig.plug()
    rig.start_remotely()
    assert why(rig.start_remotely(OTHER)) == ("Rejected", "TxInProgress")  # one at a time
    rig.allow("Invalid")
    assert rig.token_of() is None
    assert rig.shown() == ["auth.present"]
    assert rig.start_remotely(OTHER)["status"] == "Accepted"


@pytest.mark.req("F02.FR.07", "TC_F_04")
def test_a_remote_start_waits_for_the_plug_no_longer_than_a_card_does(rig: AuthRig) -> None:
    rig.start_remotely(IdToken("app", "Central"))
    rig.advance(121)
    assert rig.ends() == [(1, "Timeout", "EVConnectTimeout")]
    assert rig.start_remotely(IdToken("app", "Central"))["status"] == "Accepted"


@pytest.mark.req("F01.FR.07", "F01.FR.20", "F02.FR.15", "F02.FR.22")
def test_without_an_evse_it_takes_the_only_one_that_offers_itself(rig: AuthRig) -> None:
    assert why(rig.start_remotely(evse_id=None)) == ("Rejected", "MissingParam")
    rig.plug(2)
    assert rig.start_remotely(evse_id=None)["status"] == "Accepted"
    assert rig.said(RemoteStartRequested)[0].evse_id == 2
    assert rig.start_remotely(OTHER, evse_id=None)["status"] == "Accepted"
    assert rig.said(RemoteStartRequested)[1].evse_id == 1
    assert why(rig.start_remotely(OTHER, evse_id=None)) == ("Rejected", "MissingParam")


@pytest.mark.req("S-7", "F01.FR.23", "F01.FR.24", "F02.FR.25")
@pytest.mark.req("F02.FR.26")
def test_an_evse_that_cannot_be_started(rig: AuthRig) -> None:
    assert why(rig.start_remotely(evse_id=3)) == ("Rejected", "UnknownEvse")
    assert why(rig.start_remotely(evse_id=10**12)) == ("Rejected", "UnknownEvse")
    facts = rig.context.evses[1]
    facts.operative = False
    assert why(rig.start_remotely()) == ("Rejected", "Unavailable")
    facts.operative, facts.faults = True, {"OverCurrent": ""}
    assert why(rig.start_remotely()) == ("Rejected", "Unavailable")
    facts.faults, facts.reserved = {}, True
    assert why(rig.start_remotely()) == ("Rejected", "Reserved")
    facts.reserved = False
    rig.charging()
    assert why(rig.start_remotely()) == ("Rejected", "TxInProgress")
    assert why(rig.start_remotely(OTHER)) == ("Rejected", "TxInProgress")


@pytest.mark.req("F01.FR.13")
def test_a_transaction_that_nobody_is_authorised_for_takes_the_remote_start(rig: AuthRig) -> None:
    rig.plug()
    rig.begin(1, "already")
    assert rig.start_remotely() == {"status": "Accepted", "transactionId": "already"}


def test_after_a_stop_it_starts_again_without_a_replug(rig: AuthRig) -> None:
    rig.charging()
    rig.ask("RequestStopTransaction", {"transactionId": "t1"})
    rig.finish()
    assert rig.start_remotely(OTHER)["status"] == "Accepted"


def test_a_stopped_transaction_is_not_continued_by_somebody_else(rig: AuthRig) -> None:
    rig.charging()
    rig.ask("RequestStopTransaction", {"transactionId": "t1"})
    assert why(rig.start_remotely(OTHER)) == ("Rejected", "TxInProgress")
    assert rig.start_remotely(CARD)["status"] == "Accepted"


@pytest.mark.parametrize(
    ("token", "code"),
    [(IdToken("x", "Zorp"), "InvalidIdToken"), (IdToken("", "ISO14443"), "InvalidIdToken"), (IdToken("x", "central"), "InvalidIdToken")],
)
def test_a_token_that_is_none(rig: AuthRig, token: IdToken, code: str) -> None:
    assert why(rig.start_remotely(token)) == ("Rejected", code)


def test_too_much_additional_info(rig: AuthRig) -> None:
    more = [{"additionalIdToken": str(n), "type": "x"} for n in range(11)]
    request = {"remoteStartId": 1, "evseId": 1, "idToken": {"idToken": "x", "type": "Central", "additionalInfo": more}}
    assert why(rig.ask("RequestStartTransaction", request)) == ("Rejected", "TooManyElements")
    request["idToken"]["additionalInfo"] = more[:10]  # type: ignore[index]
    assert rig.ask("RequestStartTransaction", request)["status"] == "Accepted"
    assert len(rig.authorised()[0].id_token.additional) == 10


@pytest.mark.req("F01.FR.12", "TC_K_38")
@pytest.mark.req("F02.FR.20")
def test_a_charging_profile_is_ignored_and_that_is_said(rig: AuthRig) -> None:
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    answer = rig.start_remotely(chargingProfile=profile)
    assert why(answer) == ("Accepted", "UnsupportedParam")


@pytest.mark.req("C16.FR.03")
def test_a_master_pass_does_not_start_from_afar_either(rig: AuthRig) -> None:
    rig.set("AuthCtrlr.MasterPassGroupId", "MASTER")
    rig.set("AuthCtrlr.AuthorizeRemoteStart", "false")
    rig.start_remotely(groupIdToken={"idToken": "MASTER", "type": "Central"})
    rig.set("AuthCtrlr.AuthorizeRemoteStart", "true")
    rig.start_remotely()
    rig.allow(group="master")
    assert rig.authorised() == []
    assert rig.ends() == []


@pytest.mark.req("B02.FR.05")
@pytest.mark.parametrize("registration", ["Pending", ""])
def test_before_registration_nothing_is_started_or_stopped(rig: AuthRig, registration: str) -> None:
    rig.charging()
    rig.context.link.registration = registration
    assert why(rig.start_remotely(evse_id=2)) == ("Rejected", "CSNotAccepted")
    assert why(rig.ask("RequestStopTransaction", {"transactionId": "t1"})) == ("Rejected", "CSNotAccepted")


# ---- RequestStopTransaction


@pytest.mark.req("F03.FR.02", "F03.FR.03", "F03.FR.07", "F03.FR.09", "TC_F_08")
def test_a_remote_stop_ends_the_authorisation(rig: AuthRig) -> None:
    rig.charging()
    assert rig.ask("RequestStopTransaction", {"transactionId": "t1"}) == {"status": "Accepted"}
    assert rig.ends() == [(1, "Remote", "RemoteStop")]


@pytest.mark.req("F03.FR.03")
def test_a_transaction_without_a_driver_can_be_stopped_too(rig: AuthRig) -> None:
    rig.plug()
    rig.begin()
    assert rig.ask("RequestStopTransaction", {"transactionId": "t1"}) == {"status": "Accepted"}
    assert rig.ends() == [(1, "Remote", "RemoteStop")]


@pytest.mark.req("S-7", "F03.FR.08", "TC_F_09")
@pytest.mark.parametrize("transaction_id", ["", "t2", "T1", "x" * 36])
def test_an_unknown_transaction(rig: AuthRig, transaction_id: str) -> None:
    rig.charging()
    assert why(rig.ask("RequestStopTransaction", {"transactionId": transaction_id})) == ("Rejected", "TxNotFound")
    rig.finish()
    assert why(rig.ask("RequestStopTransaction", {"transactionId": "t1"})) == ("Rejected", "TxNotFound")


# ---- UnlockConnector


def unlock(rig: AuthRig, evse_id: int = 2, connector_id: int = 1, message_id: str = "u1") -> list[object]:
    request = {"evseId": evse_id, "connectorId": connector_id}
    valid("UnlockConnectorRequest", request)
    return rig.hear(CallReceived(message_id, "UnlockConnector", request))


def answers(out: list[object]) -> list[tuple[str, str]]:
    found = [each for each in out if isinstance(each, Answer)]
    for each in found:
        valid("UnlockConnectorResponse", each.payload)
    return [(each.message_id, each.payload["status"]) for each in found]


@pytest.mark.req("F05.FR.01", "F05.FR.04", "F05.FR.05", "F05.FR.06", "TC_F_06", "TC_F_07")
@pytest.mark.parametrize(("unlocked", "status"), [(True, "Unlocked"), (False, "UnlockFailed")])
def test_the_answer_waits_for_the_lock(rig: AuthRig, unlocked: bool, status: str) -> None:
    out = unlock(rig)
    assert UnlockWanted(2) in out
    assert answers(out) == []
    assert answers(rig.hear(UnlockFinished(1, unlocked))) == []
    assert answers(rig.hear(UnlockFinished(2, unlocked))) == [("u1", status)]
    assert answers(rig.hear(UnlockFinished(2, unlocked))) == []


def test_a_lock_that_says_nothing_has_failed_and_two_who_ask_are_both_answered(rig: AuthRig) -> None:
    unlock(rig)
    assert unlock(rig, message_id="u2") == []
    assert answers(rig.advance(UNLOCK_WAIT_S)) == [("u1", "UnlockFailed"), ("u2", "UnlockFailed")]
    assert rig.machines[-1].deadline() is None


@pytest.mark.req("F05.FR.02", "TC_F_05")
def test_an_authorised_transaction_keeps_its_plug(rig: AuthRig) -> None:
    rig.charging(evse_id=2)
    assert answers(unlock(rig)) == [("u1", "OngoingAuthorizedTransaction")]
    rig.ask("RequestStopTransaction", {"transactionId": "t2"})
    assert UnlockWanted(2) in unlock(rig)  # over, as far as the driver goes


@pytest.mark.req("F05.FR.03", "TC_F_10", "S-7")
@pytest.mark.parametrize(("evse_id", "connector_id"), [(0, 1), (3, 1), (2, 0), (2, 2), (10**9, 10**9)])
def test_an_unknown_connector(rig: AuthRig, evse_id: int, connector_id: int) -> None:
    assert answers(unlock(rig, evse_id, connector_id)) == [("u1", "UnknownConnector")]


def test_an_attached_cable_cannot_be_unlocked(rig: AuthRig) -> None:
    assert why(rig.ask("UnlockConnector", {"evseId": 1, "connectorId": 1})) == ("UnlockFailed", "FixedCable")


# ---- TriggerMessage


@pytest.mark.req(
    "F06.FR.04", "F06.FR.05", "F06.FR.06", "F06.FR.10", "F06.FR.11", "TC_F_11", "TC_F_12", "TC_F_13", "TC_F_14", "TC_F_20", "TC_F_23"
)
@pytest.mark.parametrize(
    ("requested", "evse", "triggered"),
    [
        ("Heartbeat", None, MessageTriggered("Heartbeat")),
        ("Heartbeat", {"id": 77}, MessageTriggered("Heartbeat")),
        ("MeterValues", None, MessageTriggered("MeterValues")),
        ("MeterValues", {"id": 0}, MessageTriggered("MeterValues")),
        ("MeterValues", {"id": 2}, MessageTriggered("MeterValues", 2)),
        ("MeterValues", {"id": 2, "connectorId": 1}, MessageTriggered("MeterValues", 2)),
        ("StatusNotification", {"id": 2, "connectorId": 1}, MessageTriggered("StatusNotification", 2)),
        ("TransactionEvent", None, MessageTriggered("TransactionEvent")),
        ("TransactionEvent", {"id": 1}, MessageTriggered("TransactionEvent", 1)),
    ],
)
def test_what_is_triggered_follows_the_answer(rig: AuthRig, requested: str, evse: Any, triggered: MessageTriggered) -> None:
    rig.charging()
    rig.log.clear()
    assert rig.ask("TriggerMessage", {"requestedMessage": requested, **({"evse": evse} if evse else {})}) == {"status": "Accepted"}
    assert [each for each in rig.log if isinstance(each, (Answer, MessageTriggered))][-1] == triggered


@pytest.mark.req("F06.FR.17", "TC_F_26")
def test_an_accepted_station_does_not_boot_again(rig: AuthRig) -> None:
    assert rig.ask("TriggerMessage", {"requestedMessage": "BootNotification"})["status"] == "Rejected"
    rig.context.link.registration = "Pending"
    assert rig.ask("TriggerMessage", {"requestedMessage": "BootNotification"})["status"] == "Accepted"
    assert rig.said(MessageTriggered) == [MessageTriggered("BootNotification")]


@pytest.mark.req("F06.FR.12", "S-7")
@pytest.mark.parametrize(
    ("requested", "evse"),
    [
        ("StatusNotification", None),
        ("StatusNotification", {"id": 1}),
        ("StatusNotification", {"id": 1, "connectorId": 2}),
        ("StatusNotification", {"id": 0, "connectorId": 1}),
        ("StatusNotification", {"id": 3, "connectorId": 1}),
        ("MeterValues", {"id": 3}),
        ("MeterValues", {"id": 10**12}),
        ("MeterValues", {"id": 1, "connectorId": 0}),
        ("TransactionEvent", None),
        ("TransactionEvent", {"id": 1}),
    ],
)
def test_what_is_nowhere_is_rejected(rig: AuthRig, requested: str, evse: Any) -> None:
    assert rig.ask("TriggerMessage", {"requestedMessage": requested, **({"evse": evse} if evse else {})})["status"] == "Rejected"
    assert rig.said(MessageTriggered) == []


@pytest.mark.req("F06.FR.08", "TC_F_27", "F06.FR.19")
@pytest.mark.parametrize(
    "requested",
    [
        "LogStatusNotification", "FirmwareStatusNotification",
        "SignCombinedCertificate", "PublishFirmwareStatusNotification", "CustomTrigger",
    ],
)  # fmt: skip
def test_what_nobody_here_sends_is_not_implemented(rig: AuthRig, requested: str) -> None:
    assert requested not in TRIGGERS
    assert rig.ask("TriggerMessage", {"requestedMessage": requested, "customTrigger": "x"}) == {"status": "NotImplemented"}


def test_one_evse_needs_no_number() -> None:
    rig = AuthRig(config=replace(CONFIG, evses=(EvseConfig(id=1),)))
    assert rig.start_remotely(evse_id=None)["status"] == "Accepted"
