"""NetworkConfiguration[slot]: profiles set and read as variables (OCPP 2.1 B09)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargepoint.events import VariableForced
from chargepoint.ocpp import profiles
from chargepoint.ocpp.profile_rows import SLOT_ROWS, values_of, with_value
from chargepoint.ocpp.profiles import Profile
from tests.unit.ocpp.block_rig import CONFIG, BlockRig
from tests.unit.ocpp.link_rig import LinkRig
from tests.unit.ocpp.test_block_network import SECURE, online

WHOLE = {
    "OcppCsmsUrl": "ws://new.example/ocpp",
    "SecurityProfile": "1",
    "MessageTimeout": "45",
    "OcppInterface": "Any",
    "OcppVersion": "OCPP21",
    "Identity": "CP-2",
    "BasicAuthPassword": "own-password-of-slot-2",
}


def entry(slot: int, name: str, **more: str) -> dict[str, Any]:
    return {"component": {"name": "NetworkConfiguration", "instance": str(slot)}, "variable": {"name": name}, **more}


def put(station: BlockRig, slot: int, **values: str) -> list[tuple[str, str]]:
    data = [entry(slot, name, attributeValue=value) for name, value in values.items()]
    results = station.ask("SetVariables", {"setVariableData": data})["setVariableResult"]
    return [(each["attributeStatus"], each.get("attributeStatusInfo", {}).get("reasonCode", "")) for each in results]


def get(station: BlockRig, slot: int, *names: str) -> dict[str, str]:
    results = station.ask("GetVariables", {"getVariableData": [entry(slot, name) for name in names]})["getVariableResult"]
    return {each["variable"]["name"]: each.get("attributeValue", each["attributeStatus"]) for each in results}


@pytest.mark.req("B09.FR.09", "B10.FR.01", "TC_B_105")
def test_a_profile_is_set_piece_by_piece_and_dialled_after_a_reset() -> None:
    station = online()
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "2") == "Rejected"
    assert put(station, 2, **WHOLE) == [("Accepted", "")] * len(WHOLE)
    assert station.set("OCPPCommCtrlr.NetworkConfigurationPriority", "2,1") == "RebootRequired"
    again = station.restart()
    again.power_up()
    dial = again.last
    assert (dial.slot, dial.url, dial.identity, dial.password) == (2, "ws://new.example/ocpp/CP-2", "CP-2", "own-password-of-slot-2")
    assert get(again, 2, *WHOLE) == {**WHOLE, "BasicAuthPassword": "Rejected"}


@pytest.mark.req("B09.FR.01", "B09.FR.09", "TC_B_100")
def test_what_set_network_profile_sets_can_be_read() -> None:
    station = online()
    assert get(station, 2, "OcppCsmsUrl", "SecurityProfile", "OcppTransport", "VpnEnabled") == {
        "OcppCsmsUrl": "", "SecurityProfile": "", "OcppTransport": "JSON", "VpnEnabled": "false",
    }  # fmt: skip
    station.set_profile(2, url="ws://new.example/", identity="CP-2")
    assert get(station, 2, "OcppCsmsUrl", "SecurityProfile", "MessageTimeout", "Identity", "OcppInterface") == {
        "OcppCsmsUrl": "ws://new.example/", "SecurityProfile": "1", "MessageTimeout": "30", "Identity": "CP-2", "OcppInterface": "Wired0",
    }  # fmt: skip
    assert get(station, 1, "OcppCsmsUrl")["OcppCsmsUrl"] == station.config.csms.url


@pytest.mark.req("B09.FR.22", "TC_B_108")
def test_a_slot_in_use_is_not_written() -> None:
    station = online()
    before = station.network.state.profiles[1]
    assert set(put(station, 1, **WHOLE)) == {("Rejected", "PriorityNetworkConf")}
    assert station.network.state.profiles[1] == before


@pytest.mark.req("B09.FR.35", "TC_B_111", "TC_B_113")
def test_no_way_down_by_variables_either() -> None:
    station = online(SECURE)
    assert put(station, 2, SecurityProfile="1") == [("Rejected", "NoSecurityDowngrade")]
    assert put(station, 2, SecurityProfile="0") == [("Rejected", "NoSecurityDowngrade")]
    assert put(station, 2, SecurityProfile="2") == [("Accepted", "")]


@pytest.mark.req("B05.FR.07", "B05.FR.08")
@pytest.mark.parametrize(
    ("name", "value"),
    [("OcppCsmsUrl", "http://hub.example/"), ("OcppCsmsUrl", "ws://a:b@hub.example/"), ("OcppCsmsUrl", ""), ("SecurityProfile", "4"), ("SecurityProfile", "-1"), ("SecurityProfile", "one"),
     ("MessageTimeout", "0"), ("MessageTimeout", "301"), ("Identity", "x" * 49), ("Identity", "CP:1"), ("Identity", "CP 1"), ("BasicAuthPassword", "short"), ("BasicAuthPassword", "x" * 41), ("BasicAuthPassword", "p\u00e4ssword-of-slot-2"),
     ("OcppInterface", "Wired9"), ("OcppVersion", "OCPP30"), ("OcppTransport", "SOAP"), ("VpnEnabled", "true"), ("ApnEnabled", "true")],
)  # fmt: skip
@pytest.mark.req("B09.FR.23")
def test_what_cannot_be_is_refused(name: str, value: str) -> None:
    station = online()
    before = dict(station.network.state.profiles)
    ((status, _),) = put(station, 2, **{name: value})
    assert status == "Rejected"
    assert station.network.state.profiles == before


@pytest.mark.parametrize("slot", ["0", "5", "", "x"])
def test_there_are_no_other_slots(slot: str) -> None:
    station = online()
    component = {"name": "NetworkConfiguration", **({"instance": slot} if slot else {})}
    item = {"component": component, "variable": {"name": "OcppCsmsUrl"}, "attributeValue": "ws://x.example/"}
    (result,) = station.ask("SetVariables", {"setVariableData": [item]})["setVariableResult"]
    assert result["attributeStatus"] == "UnknownComponent"


def test_half_a_profile_is_kept_and_never_dialled() -> None:
    station = online()
    put(station, 2, SecurityProfile="1", Identity="CP-2")
    again = station.restart()
    again.power_up()
    assert get(again, 2, "Identity", "OcppCsmsUrl") == {"Identity": "CP-2", "OcppCsmsUrl": ""}
    again.accepted()
    assert again.set("OCPPCommCtrlr.NetworkConfigurationPriority", "2") == "Rejected"


def test_start_values_of_the_configuration_count() -> None:
    rows = {"NetworkConfiguration[3].OcppCsmsUrl": "ws://three.example/", "NetworkConfiguration[3].SecurityProfile": "1"}
    station = LinkRig(replace(CONFIG, variables=rows), {}, {"OCPPCommCtrlr.NetworkConfigurationPriority": "3"})
    station.power_up()
    assert station.last.url == "ws://three.example/CP1"


def test_a_value_forced_by_the_operator_and_taken_away_again() -> None:
    """Past the guard: without an instance it is the first slot's, though that is in use."""
    station = online()
    for value, timeout_s in (("60", 60), (None, 0)):
        station.hear(VariableForced("NetworkConfiguration", "MessageTimeout", value))
        assert station.network.state.profiles[1].message_timeout_s == timeout_s
        assert station.restart().power_up()


def test_what_is_set_for_the_station_shows_in_the_slot_in_use() -> None:
    station = LinkRig(CONFIG, {profiles.TABLE: {"2": profiles.to_wire(Profile(2, "ws://two.example/", 1, password="own-password-of-slot-2"))}},
                      {"OCPPCommCtrlr.NetworkConfigurationPriority": "2"})  # fmt: skip
    station.power_up()
    station.accepted()
    station.set("SecurityCtrlr.BasicAuthPassword", "a-new-one-for-all-of-it")
    assert station.context.model.text(SLOT_ROWS[2, "BasicAuthPassword"]) == ""
    assert "own-password-of-slot-2" not in repr(station.store[profiles.TABLE])


def test_a_profile_becomes_values_and_back() -> None:
    whole = Profile(2, "ws://x.example/", 1, 45, "CP-2", "0123456789abcdef", "Wired0", "OCPP21")
    built = Profile(2, "", 0)
    for name, value in values_of(whole).items():
        built = with_value(built, name, value)
    assert built == whole
    assert with_value(whole, "OcppTransport", "JSON") == whole
