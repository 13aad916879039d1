"""OCPP 2.1 A01: the CSMS changes the basic-auth password."""

import pytest

from chargepoint.commands import CloseLink, Log, OpenLink
from chargepoint.events import PasswordChanged, SecurityEvent, VariableForced
from chargepoint.ocpp.blocks.security import BASIC_AUTH_PASSWORD
from chargepoint.ocpp.messages import Answer, Call
from tests.unit.ocpp.block_rig import BlockRig
from tests.unit.ocpp.link_rig import LinkRig
from tests.unit.ocpp.test_block_reports import BLOCKS


def change(station: BlockRig, password: str) -> str:
    item = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}, "attributeValue": password}
    status: str = station.ask("SetVariables", {"setVariableData": [item]})["setVariableResult"][0]["attributeStatus"]
    return status


@pytest.mark.req("A01.FR.01", "A01.FR.02", "TC_A_09")
def test_accepted_reconnects_with_the_new_one_and_does_not_boot_again() -> None:
    station = BlockRig(BLOCKS)
    station.boot()
    station.accept_all()
    assert change(station, "aNewPassword4Station") == "Accepted"
    assert station.said(PasswordChanged) == [PasswordChanged()]
    station.link_down()
    assert station.context.model.text(BASIC_AUTH_PASSWORD) == "aNewPassword4Station"
    station.link_up()
    assert "BootNotification" not in station.actions()


@pytest.mark.req("TC_A_10")
def test_rejected_goes_on_with_the_old_one() -> None:
    station = BlockRig(BLOCKS)
    station.boot()
    assert change(station, "short") == "Rejected"
    assert station.said(PasswordChanged) == []
    assert station.context.model.text(BASIC_AUTH_PASSWORD) == station.config.csms.basic_auth_password


@pytest.mark.req("A01.FR.01", "A01.FR.02", "TC_A_09")
def test_the_connection_is_made_anew_with_the_new_password_once_the_answer_is_out() -> None:
    station = LinkRig()
    station.power_up()
    station.accepted()
    assert station.set("SecurityCtrlr.BasicAuthPassword", "aNewPassword4Station") == "Accepted"
    answer, close = (next(i for i, each in enumerate(station.log) if isinstance(each, kind)) for kind in (Answer, CloseLink))
    assert answer < close
    assert station.said(CloseLink) == [CloseLink(1000, "new credentials")]
    station.down()
    assert (station.waits, station.last.password) == ([0], "aNewPassword4Station")
    station.up()
    assert "BootNotification" not in station.actions()
    again = station.restart()
    again.power_up()
    assert again.last.password == "aNewPassword4Station"


@pytest.mark.req("A01.FR.01", "S-17", "F-8", "TC_A_10")
def test_a_new_password_that_the_csms_refuses_gives_way_to_the_old_one_without_haste() -> None:
    station = LinkRig()
    station.power_up()
    station.accepted()
    station.set("SecurityCtrlr.BasicAuthPassword", "aNewPassword4Station")
    station.down()
    station.fail(1, "unauthorized")
    assert (station.waits, station.last.password) == ([0, 5], station.config.csms.basic_auth_password)
    station.fail(3, "unauthorized")
    assert station.waits[2:] == [10, 20, 40]
    assert {dial.password for _, dial in station.dials[-2:]} == {"aNewPassword4Station", station.config.csms.basic_auth_password}
    station.up()
    settled = station.last.password
    station.fail(4, "unauthorized")
    assert {dial.password for _, dial in station.dials[-4:]} == {settled}


@pytest.mark.req("A01.FR.12")
def test_no_log_line_and_no_security_entry_holds_a_password() -> None:
    station = LinkRig()
    station.power_up()
    station.accepted()
    station.set("SecurityCtrlr.BasicAuthPassword", "aNewPassword4Station")
    station.down("unauthorized")
    told = [repr(each) for each in station.log if isinstance(each, (Log, SecurityEvent, Call, CloseLink, OpenLink, PasswordChanged))]
    assert not [text for text in told if "aNewPassword4Station" in text or station.config.csms.basic_auth_password in text]


@pytest.mark.req("S-17")
def test_a_refusal_that_was_on_its_way_when_the_password_changed_makes_no_second_haste() -> None:
    station = LinkRig()
    station.power_up()
    station.accepted()
    station.set("SecurityCtrlr.BasicAuthPassword", "aNewPassword4Station")
    station.down()
    station.hear(VariableForced("SecurityCtrlr", "BasicAuthPassword", "anotherPassword4Station"))
    station.log.clear()
    station.down("unauthorized")
    assert (len(station.dials), station.said(CloseLink)) == (3, [])
