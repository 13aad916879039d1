"""What the CSMS lets an EVSE do with contracts, and what goes up and comes down when a vehicle asks for some (OCPP 2.1 M01)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from certs.store import InstalledRoot, RootUse
from chargepoint.commands import Log
from chargepoint.config import EvseConfig, V2gConfig
from chargepoint.events import CertificatesRead, ContractsAllowed, InstallationAnswered, InstallationWanted, RegistrationChanged
from chargepoint.ocpp.block import CallAnswered
from chargepoint.ocpp.blocks.authorization import AuthorizationBlock
from chargepoint.ocpp.blocks.contracts import ContractsBlock
from chargepoint.ocpp.device_model import Missing, parse_place
from tests.unit.ocpp.block_rig import CONFIG, BlockRig

ACTION = "Get15118EVCertificate"
SITE = replace(CONFIG, evses=(EvseConfig(id=1, v2g=V2gConfig("eth1")), EvseConfig(id=2)))
ASKED = InstallationWanted(1, 7, "urn:x", b"\x80\x01\x02", 3, ("DETSTC00000001",))


class Site(BlockRig):
    def __init__(self, *roots: RootUse) -> None:
        super().__init__((AuthorizationBlock, ContractsBlock), SITE)
        self.power_up()
        self.trusts(*roots)

    def trusts(self, *roots: RootUse) -> None:
        self.context.certificates.roots = tuple(InstalledRoot(each, "", each, each, 0.0, 9e9) for each in roots)
        self.hear(CertificatesRead(self.context.certificates.roots))

    def accepted(self) -> None:
        self.link_up()
        self.context.link.registration = "Accepted"
        self.hear(RegistrationChanged("Accepted"))

    def set(self, name: str, value: str) -> None:
        model = self.context.model
        place = model.find(parse_place(f"ISO15118Ctrlr@1.{name}"))
        assert not isinstance(place, Missing)
        self.hear(*model.change(place, model.checked(place, value)))

    @property
    def allowed(self) -> ContractsAllowed:
        return self.said(ContractsAllowed)[-1]

    def given(self) -> list[InstallationAnswered]:
        return self.said(InstallationAnswered)


@pytest.fixture
def site() -> Site:
    site = Site("MORootCertificate")
    site.accepted()
    return site


def test_what_is_allowed_follows_roots_variables_and_link() -> None:
    site = Site()
    assert site.allowed == ContractsAllowed(1)
    site.trusts("OEMRootCertificate", "CSMSRootCertificate")
    assert site.allowed == ContractsAllowed(1)
    site.trusts("V2GRootCertificate")
    assert site.allowed == ContractsAllowed(1, pnc=True)
    site.accepted()
    assert site.allowed == ContractsAllowed(1, pnc=True, installation=True)
    site.link_down()
    assert site.allowed == ContractsAllowed(1, pnc=True)
    site.link_up()  # and no BootNotification
    assert site.allowed == ContractsAllowed(1, pnc=True, installation=True)
    site.set("ContractCertificateInstallationEnabled", "false")
    assert site.allowed == ContractsAllowed(1, pnc=True)
    site.set("PnCEnabled", "false")
    assert site.allowed == ContractsAllowed(1)
    told = len(site.said(ContractsAllowed))
    site.link_down()
    assert len(site.said(ContractsAllowed)) == told
    assert {each.evse_id for each in site.said(ContractsAllowed)} == {1}


def test_without_roots_the_csms_judges_where_it_may_and_can() -> None:
    site = Site()
    site.set("CentralContractValidationAllowed", "true")
    assert site.allowed == ContractsAllowed(1, central=True)
    site.accepted()
    assert site.allowed == ContractsAllowed(1, pnc=True, central=True, installation=True)


@pytest.mark.req("M01.FR.01", "M01.FR.03", "M02.FR.02")
def test_up_and_down_as_it_is(site: Site) -> None:
    site.hear(ASKED)
    call = site.calls[0]
    assert call.payload == {
        "iso15118SchemaVersion": "urn:x",
        "action": "Install",
        "exiRequest": b64encode(ASKED.octets).decode(),
        "maximumContractCertificateChains": 3,
        "prioritizedEMAIDs": ["DETSTC00000001"],
    }
    site.answer(ACTION, {"status": "Accepted", "exiResponse": b64encode(b"answer").decode(), "remainingContracts": 2})
    assert site.given() == [InstallationAnswered(1, 7, b"answer", 2)]


@pytest.mark.req("TC_M_27_CS")
@pytest.mark.parametrize(
    "answer",
    [
        {"status": "Failed", "exiResponse": b64encode(b"answer").decode(), "statusInfo": {"reasonCode": "NoContract"}},
        {"status": "Accepted", "exiResponse": ""},
        {"status": "Accepted", "exiResponse": "no base64!"},
    ],
    ids=["failed", "empty", "no base64"],
)
def test_what_is_no_answer(site: Site, answer: Any) -> None:
    site.hear(ASKED)
    call = site.pop(ACTION)
    site.hear(CallAnswered(call.token, ACTION, answer))
    assert site.given() == [InstallationAnswered(1, 7)]
    assert [each.key for each in site.said(Log)] == ["contracts.not_installed"]


@pytest.mark.parametrize("code", ["InternalError", "Timeout", "ConnectionLost", "NotImplemented"])
def test_no_answer_at_all(site: Site, code: str) -> None:
    site.hear(ASKED)
    site.refuse(ACTION, code)
    assert site.given() == [InstallationAnswered(1, 7)]


def test_a_request_that_goes_into_no_message(site: Site) -> None:
    site.hear(replace(ASKED, octets=bytes(8_251)))
    assert site.calls == []
    assert site.given() == [InstallationAnswered(1, 7)]
    site.hear(replace(ASKED, octets=bytes(8_250)))
    assert len(site.calls[0].payload["exiRequest"]) == 11_000


def test_offline(site: Site) -> None:
    site.link_down()
    site.hear(ASKED)
    assert site.calls == []
    assert site.given() == [InstallationAnswered(1, 7)]
