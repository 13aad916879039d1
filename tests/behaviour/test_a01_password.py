"""OCPP 2.1 A01: the CSMS changes the basic-auth password."""

import pytest

from chargepoint.events import PasswordChanged
from chargepoint.ocpp.blocks.security import BASIC_AUTH_PASSWORD
from tests.unit.ocpp.block_rig import BlockRig
from tests.unit.ocpp.test_block_reports import BLOCKS


def change(station: BlockRig, password: str) -> str:
    item = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}, "attributeValue": password}
    status: str = station.ask("SetVariables", {"setVariableData": [item]})["setVariableResult"][0]["attributeStatus"]
    return status


@pytest.mark.req("A01.FR.01", "A01.FR.02", "A01.FR.05", "TC_A_09")
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


@pytest.mark.req("A01.FR.03", "TC_A_10")
def test_rejected_goes_on_with_the_old_one() -> None:
    station = BlockRig(BLOCKS)
    station.boot()
    assert change(station, "short") == "Rejected"
    assert station.said(PasswordChanged) == []
    assert station.context.model.text(BASIC_AUTH_PASSWORD) == station.config.csms.basic_auth_password
