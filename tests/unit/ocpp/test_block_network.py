"""SetNetworkProfile, the slots, and the security profile that is never left for a lower one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from certs.store import InstalledRoot, OwnChain
from chargepoint.commands import Log
from chargepoint.config import CsmsConfig
from chargepoint.events import CertificatesRead, PersistFailed
from chargepoint.ocpp import profiles
from chargepoint.ocpp.blocks.network import PRIORITY
from chargepoint.ocpp.messages import Answer, CallReceived
from chargepoint.ocpp.network_slots import ALLOW_DOWNGRADE, dialable
from tests.unit.ocpp.block_rig import CONFIG, NOW
from tests.unit.ocpp.link_rig import LinkRig, connection, slots

SECURE = replace(CONFIG, csms=replace(CONFIG.csms, url="wss://localhost/", security_profile=2))
MUTUAL = replace(SECURE, csms=replace(SECURE.csms, security_profile=3, client_cert_file="own.pem"))
DOWNGRADE = {"SecurityCtrlr.AllowSecurityProfileDowngrade": "true"}


def online(config: Any = CONFIG, variables: dict[str, str] | None = None) -> LinkRig:
    station = LinkRig(config, {}, variables)
    station.power_up()
    station.accepted()
    return station


def reason(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["status"], answer.get("statusInfo", {}).get("reasonCode", "")


@pytest.mark.req("B09.FR.01")
def test_a_profile_is_stored_and_is_there_after_a_restart() -> None:
    station = online()
    answer = station.set_profile(2, basicAuthPassword="0123456789abcdef-own", identity="CP-2", ocppVersion="OCPP21")
    assert answer == {"status": "Accepted"}
    kept = station.restart()
    kept.power_up()
    assert kept.network.state.profiles[2] == profiles.Profile(
        2, "ws://other.example/", 1, 30, "CP-2", "0123456789abcdef-own", "Wired0", "OCPP21"
    )
    assert "0123456789abcdef-own" not in repr(kept.network.state)
    assert kept.dialled == [1]


@pytest.mark.req("B09.FR.03", "F-2")
def test_a_profile_that_could_not_be_stored_does_not_count() -> None:
    station = online()
    station.writes = False
    payload = {"configurationSlot": 2, "connectionData": connection()}
    assert not [each for each in station.hear(CallReceived("m", "SetNetworkProfile", payload)) if isinstance(each, Answer)]
    (answer,) = [each for each in station.hear(PersistFailed(("network:m",), "disk full")) if isinstance(each, Answer)]
    assert answer.payload["status"] == "Failed"
    assert 2 not in station.network.state.profiles
    assert station.network.state.storing == {}


@pytest.mark.req("B09.FR.02", "B09.FR.05", "B09.FR.22", "TC_B_43", "TC_B_108")
@pytest.mark.parametrize(
    ("slot", "data", "code"),
    [
        (0, {}, "InvalidConfSlot"),
        (-1, {}, "InvalidConfSlot"),
        (9, {}, "InvalidConfSlot"),
        (1, {}, "PriorityNetworkConf"),
        (2, {"url": "http://hub.example/"}, "InvalidNetworkConf"),
        (2, {"url": "ws://"}, "InvalidNetworkConf"),
        (2, {"url": "wss://hub.example/"}, "InvalidNetworkConf"),
        (2, {"url": "ws://hub.example/", "profile": 2}, "InvalidNetworkConf"),
        (2, {"url": "ws://user:secret@hub.example/"}, "InvalidNetworkConf"),
        (2, {"profile": 4}, "InvalidNetworkConf"),
        (2, {"basicAuthPassword": "short"}, "InvalidNetworkConf"),
        pytest.param(2, {"identity": "CP:1"}, "InvalidNetworkConf", marks=pytest.mark.req("A00.FR.204", "A00.FR.303")),
        (2, {"identity": "CP 1/x"}, "InvalidNetworkConf"),
        (2, {"messageTimeout": -1}, "InvalidNetworkConf"),
        (2, {"messageTimeout": 100_000}, "InvalidNetworkConf"),
        (2, {"ocppTransport": "SOAP"}, "InvalidNetworkConf"),
        (2, {"apn": {"apn": "internet", "apnAuthentication": "NONE"}}, "UnsupportedParam"),
        (2, {"profile": 0}, "NoSecurityDowngrade"),
    ],
)
def test_what_cannot_be_dialled_or_is_in_use_is_refused(slot: int, data: dict[str, Any], code: str) -> None:
    station = online()
    before = dict(station.network.state.profiles)
    assert reason(station.set_profile(slot, **data)) == ("Rejected", code)
    assert station.network.state.profiles == before
    assert "secret" not in repr(station.log)


@pytest.mark.req("B09.FR.22", "B09.FR.33", "B09.FR.34", "TC_B_107", "TC_B_108")
@pytest.mark.req("B09.FR.20")
def test_a_slot_of_the_priority_list_is_not_overwritten_until_it_is_taken_out() -> None:
    station = online()
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "1,2") == "Rejected"
    assert station.set_profile(2)["status"] == "Accepted"
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "2,1") == "RebootRequired"
    assert reason(station.set_profile(2)) == ("Rejected", "PriorityNetworkConf")
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "1") == "Accepted"
    assert station.set_profile(2)["status"] == "Accepted"


@pytest.mark.req("B09.FR.20", "B09.FR.22", "B09.FR.23")
def test_a_slot_that_is_only_taken_out_of_the_list_is_out_at_once() -> None:
    config = replace(CONFIG, network_profiles=slots(2, 3))
    station = LinkRig(config, {}, {"OCPPCommCtrlr.NetworkConfigurationPriority": "1,2,3"})
    station.power_up()
    station.accepted()
    assert station.context.model.text(PRIORITY) == "1,2,3"
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "3,1") == "RebootRequired"
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "1,3") == "Accepted"
    assert station.context.model.text(PRIORITY) == "1,3"
    assert station.set_profile(2)["status"] == "Accepted"
    assert reason(station.set_profile(3)) == ("Rejected", "PriorityNetworkConf")


@pytest.mark.req("B09.FR.27")
def test_a_password_for_the_station_is_that_of_every_slot() -> None:
    own = (*slots(2, basicAuthPassword="own-password-of-slot-2"), *slots(3, basicAuthPassword="own-password-of-slot-3"))
    variables = {"OCPPCommCtrlr.NetworkConfigurationPriority": "1,2,3", "OCPPCommCtrlr.NetworkProfileConnectionAttempts": "1"}
    station = LinkRig(replace(CONFIG, network_profiles=own), {}, variables)
    station.power_up()
    station.accepted()
    assert station.set("SecurityCtrlr.BasicAuthPassword", "a-new-one-for-all-of-it") == "Accepted"
    station = station.restart()
    station.power_up()
    shown = {station.last.url: station.last.password}
    for _ in range(8):
        station.down()
        station.advance(60)
        shown[station.last.url] = station.last.password
    assert len(shown) == 3
    assert set(shown.values()) == {"a-new-one-for-all-of-it"}


@pytest.mark.req("B10.FR.02")
@pytest.mark.parametrize("value", ["", "1,1", "0", "9", "1,3", "one"])
def test_a_priority_list_names_slots_that_can_be_dialled(value: str) -> None:
    assert online().set("OCPPCommCtrlr.NetworkConfigurationPriority", value) == "Rejected"


@pytest.mark.req(
    "B09.FR.04", "B09.FR.31", "B09.FR.32", "A00.FR.005", "A05.FR.08", "A05.FR.09", "A05.FR.10", "TC_A_22", "TC_B_110", "TC_B_112"
)
@pytest.mark.parametrize(
    ("active", "allowed", "wanted", "taken"),
    [
        (2, False, 1, False), (2, True, 1, False), (2, True, 0, False), (2, False, 2, True), (2, False, 3, True),
        (3, False, 2, False), (3, True, 2, True), (3, True, 1, False), (3, True, 0, False), (3, False, 3, True),
    ],
)  # fmt: skip
def test_no_way_down(active: int, allowed: bool, wanted: int, taken: bool) -> None:
    station = online(MUTUAL if active == 3 else SECURE, DOWNGRADE if allowed else {})
    assert station.context.model.flag(ALLOW_DOWNGRADE) is allowed
    answer = station.set_profile(2, url=f"{'wss' if wanted >= 2 else 'ws'}://hub.example/", profile=wanted)
    assert reason(answer) == (("Accepted", "") if taken else ("Rejected", "NoSecurityDowngrade"))


ROOT = InstalledRoot("CSMSRootCertificate", "PEM", "f", "a root", 0.0, 2e9)
OWN = OwnChain("ChargingStationCertificate", "own", "active", "p256", "PEM")


@pytest.mark.req("A05.FR.02", "TC_A_20")
@pytest.mark.parametrize("priority", ["2,1", "2"])
def test_without_a_root_for_the_csms_no_profile_with_tls_is_gone_over_to(priority: str) -> None:
    station = online()
    station.context.certificates.read, station.context.certificates.own = True, (OWN,)
    for profile in (2, 3):
        assert station.set_profile(2, url="wss://hub.example/", profile=profile) == {"status": "Accepted"}
        assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", priority) == "Rejected"
    station.context.certificates.roots = (replace(ROOT, use="V2GRootCertificate"),)
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "2,1") == "Rejected"
    station.context.certificates.roots = (ROOT,)
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "2,1") == "RebootRequired"


@pytest.mark.req("A05.FR.02")
def test_who_speaks_tls_already_knows_whom_it_trusts() -> None:
    station = online(SECURE)
    assert station.set_profile(2, url="wss://hub.example/", profile=2) == {"status": "Accepted"}
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "2,1") == "RebootRequired"


@pytest.mark.req("A05.FR.03", "TC_A_21")
def test_a_certificate_of_our_own_that_was_installed_is_as_good_as_a_configured_one() -> None:
    station = online(SECURE)
    facts = station.context.certificates
    facts.roots, facts.read = (ROOT,), True
    station.set_profile(2, url="wss://hub.example/", profile=3)
    for own, answer in (((), "Rejected"), ((replace(OWN, state="pending"),), "Rejected"), ((OWN,), "RebootRequired")):
        facts.own = own
        assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "2,1") == answer


@pytest.mark.req("A05.FR.03")
def test_a_certificate_that_was_given_up_does_not_count_once_the_store_has_been_read() -> None:
    station = online(MUTUAL)
    assert list(dialable(station.network.state, station.context)) == [1]
    station.context.certificates.read = True
    assert list(dialable(station.network.state, station.context)) == []


@pytest.mark.req("A05.FR.03")
def test_a_certificate_in_the_store_is_waited_for_where_the_configuration_names_none() -> None:
    station = LinkRig(replace(MUTUAL, csms=replace(MUTUAL.csms, client_cert_file="")))
    station.power_up()
    assert station.dials == []
    facts = station.context.certificates
    facts.read = True
    station.hear(CertificatesRead())
    assert station.dials == []
    facts.own = (OWN,)
    station.hear(CertificatesRead(own=(OWN,)))
    assert station.dialled == [1]
    station.hear(CertificatesRead(own=(OWN,)))
    assert station.dialled == [1]


@pytest.mark.req("A05.FR.03", "TC_A_21")
def test_profile_3_without_a_certificate_of_our_own_is_kept_but_not_used() -> None:
    station = online(SECURE)
    station.context.certificates.read = True
    assert station.set_profile(2, url="wss://hub.example/", profile=3) == {"status": "Accepted"}
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "2") == "Rejected"
    assert list(dialable(station.network.state, station.context)) == [1]


@pytest.mark.req("A05.FR.04", "A05.FR.05", "A05.FR.06", "TC_A_19")
def test_what_has_worked_once_is_the_least_from_then_on() -> None:
    station = online()
    station.context.certificates.roots = (ROOT,)
    station.set_profile(2, url="wss://hub.example/", profile=2)
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "2,1") == "RebootRequired"
    up = station.restart()
    up.power_up()
    assert up.dialled == [2]
    up.up()
    up.answer("BootNotification", {"status": "Rejected", "interval": 10, "currentTime": NOW})
    assert sorted(up.network.state.profiles) == [1, 2]  # a CSMS that turns the station away is no way to live with
    up.advance(11)
    up.accepted()
    assert (sorted(up.network.state.profiles), up.context.model.text(PRIORITY)) == ([2], "2")
    up.fail(6)
    assert set(up.dialled) == {2}
    again = up.restart()
    again.power_up()
    again.fail(6)
    assert set(again.dialled) == {2}
    assert "network.profile" in [log.key for log in again.said(Log)]  # the configuration's own slot stands, and is named


def test_a_configuration_that_was_changed_by_hand_counts_again() -> None:
    """Whoever can write the file may go down: the site's owner stands over what the CSMS had reached."""
    store: dict[str, dict[str, Any]] = {"meta": {"security_floor": [2, 1]}}
    lower = LinkRig(CONFIG, store)
    lower.power_up()
    assert lower.dialled == []
    changed = LinkRig(replace(CONFIG, csms=CsmsConfig(url="ws://hub.example/", security_profile=0)), store)
    changed.power_up()
    assert changed.dialled == [1]


def test_3_left_for_2_where_that_is_allowed() -> None:
    config = replace(MUTUAL, network_profiles=slots_2())
    station = LinkRig(config, {}, {**DOWNGRADE, "OCPPCommCtrlr.NetworkConfigurationPriority": "2"})
    station.power_up()
    station.accepted()
    assert station.dialled == [2]
    assert (station.network.state.floor, sorted(station.network.state.profiles)) == (2, [1, 2])


def slots_2() -> tuple[dict[str, Any], ...]:
    return ({"configurationSlot": 2, "connectionData": connection("wss://hub.example/", 2)},)


@pytest.mark.req("B09.FR.16", "B09.FR.18", "B09.FR.27", "B09.FR.28", "TC_B_109")
def test_a_password_of_the_slot_stands_until_another_is_set_for_the_station() -> None:
    own = "own-password-of-slot-2"
    station = LinkRig(
        replace(CONFIG, network_profiles=slots(2, basicAuthPassword=own, identity="CP-2")),
        {},
        {"OCPPCommCtrlr.NetworkConfigurationPriority": "2"},
    )
    station.power_up()
    assert (station.last.password, station.last.identity, station.last.url) == (own, "CP-2", "ws://csms2.example/CP-2")
    station.accepted()
    item = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "Identity"}}
    (identity,) = station.ask("GetVariables", {"getVariableData": [item]})["getVariableResult"]
    assert identity["attributeValue"] == "CP-2"
    assert station.set("SecurityCtrlr.BasicAuthPassword", "a-new-one-for-all-of-it") == "Accepted"
    station.down()
    assert station.last.password == "a-new-one-for-all-of-it"
    station.down("unauthorized")
    station.advance(5)
    assert station.last.password == own  # A01: the one that worked comes back, though it was the slot's own
    station.accepted()
    again = station.restart()
    again.power_up()
    assert again.last.password == own


def test_the_active_profile_can_be_asked_for() -> None:
    station = online()
    item = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "ActiveNetworkProfile"}}
    (result,) = station.ask("GetVariables", {"getVariableData": [item]})["getVariableResult"]
    assert result["attributeValue"] == "1"


@pytest.mark.parametrize(
    "row", [None, 7, "x", {}, [], ["x", 1], [7, 1], {"ocppCsmsUrl": "ws://x/"}, {"ocppCsmsUrl": 1, "securityProfile": "high"}]
)
@pytest.mark.parametrize("key", ["2", "x", ""])
def test_a_damaged_row_is_left_out_and_named(key: str, row: object) -> None:
    station = LinkRig(CONFIG, {profiles.TABLE: {key: row}, "meta": {"security_floor": row}})
    station.power_up()
    assert "network.unreadable" in [log.key for log in station.said(Log)]
    assert station.dialled == [1]


def test_a_slot_comes_back_from_the_store_as_it_was() -> None:
    wire = connection(identity="CP-2", basicAuthPassword="0123456789abcdef", ocppVersion="OCPP201")
    assert profiles.to_wire(profiles.from_wire(2, wire)) == wire
