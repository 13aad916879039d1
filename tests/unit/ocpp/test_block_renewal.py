"""SignCertificate and CertificateSigned: who begins, how often it is asked for, and what is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from certs.store import OwnUse, StoreError
from chargepoint.commands import Log
from chargepoint.events import CredentialsRenewed, RegistrationChanged, SecurityEvent
from chargepoint.ocpp.blocks.renewal import WAIT_MINIMUM
from chargepoint.ocpp.contract_rows import V2G_INSTALLATION
from tests.unit.ocpp.block_rig import CONFIG
from tests.unit.ocpp.certificates_rig import wire
from tests.unit.ocpp.renewal_rig import NAMED, NAMES, STATION, USES, a_rig

# ---- the good way


@pytest.mark.req("A02.FR.02", "A02.FR.03", "A02.FR.06", "A02.FR.08", "A02.FR.24", "F06.FR.04", "F06.FR.05", "TC_A_11", "TC_A_12")
@USES
@pytest.mark.req("A02.FR.05", "A03.FR.05", "A03.FR.20")
def test_a_certificate_is_renewed_when_the_csms_asks_for_it(use: OwnUse, kind: Any, tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("v2gRoot", kind="p521")
    assert rig.trigger(use) == "Accepted"
    request = rig.promised()
    assert (request["certificateType"], request["requestId"]) == (use, 1)
    assert rig.deliver(request) == {"status": "Accepted"}
    (own,) = rig.context.certificates.active(use)
    assert (own.kind, rig.renewal.signings, rig.store["signing"]) == (kind, {}, {})
    assert rig.said(SecurityEvent) == [SecurityEvent("ReconfigurationOfSecurityParameters", use)]
    assert own.pem.count("BEGIN") == (2 if use == STATION else 3)
    assert "PRIVATE" not in repr(rig.log)


@pytest.mark.req("A02.FR.13", "A02.FR.22", "A00.FR.509", "A00.FR.511")
@USES
def test_whose_the_certificate_is_to_be(use: OwnUse, kind: str, tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.trigger(use)
    subject = x509.load_pem_x509_csr(rig.calls[0].payload["csr"].encode()).subject.rfc4514_string()
    assert subject == ("O=Operator,CN=SN1" if use == STATION else "DC=CPO,C=DE,O=V2G operator,CN=DEOPRS0001")


@pytest.mark.req("A02.FR.08", "A03.FR.08")
@pytest.mark.parametrize(("profile", "anew"), [(1, 0), (2, 0), (3, 1)])
def test_the_connection_is_made_anew_where_the_new_certificate_is_shown(profile: int, anew: int, tmp_path: Path) -> None:
    rig = a_rig(tmp_path, replace(NAMED, csms=replace(NAMED.csms, security_profile=profile)))
    rig.trigger()
    assert rig.deliver(rig.promised()) == {"status": "Accepted"}
    assert len(rig.said(CredentialsRenewed)) == anew
    rig.trigger("V2GCertificate")
    if profile > 1:
        rig.deliver(rig.promised())
    assert len(rig.said(CredentialsRenewed)) == anew


@pytest.mark.req("A02.FR.27", "A03.FR.23")
def test_the_csms_is_told_which_pki_is_to_sign(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.trigger("V2GCertificate")
    assert rig.calls[-1].payload["hashRootCertificate"] == wire("v2gRoot")
    rig.trigger()
    assert "hashRootCertificate" not in rig.calls[-1].payload
    rig.install("v2gRoot", kind="p521")
    rig.trigger("V2GCertificate")
    assert "hashRootCertificate" not in rig.calls[-1].payload  # there are two, and no chain says which
    rig.adopt("V2GCertificate")
    rig.trigger("V2GCertificate")
    assert rig.calls[-1].payload["hashRootCertificate"] == wire("v2gRoot")


@pytest.mark.req("A03.FR.02", "A03.FR.03", "F-9")
@USES
@pytest.mark.req("A03.FR.06", "A03.FR.13", "A03.FR.20")
def test_it_is_renewed_thirty_days_ahead_of_its_end(use: OwnUse, kind: Any, tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("v2gRoot", kind="p521")
    rig.adopt(use, kind, days=31)
    rig.advance(12 * 3600.0)
    assert "SignCertificate" not in rig.actions()
    rig.advance(13 * 3600.0)
    request = rig.promised()
    assert request["certificateType"] == use
    assert rig.deliver(request) == {"status": "Accepted"}
    rig.advance(3 * 86_400.0)
    assert "SignCertificate" not in rig.actions()
    states = {each.state for each in rig.context.certificates.own if each.use == use}
    assert states == {"active", "previous"}


def test_a_key_of_ed448_is_followed_by_another_one(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.adopt("V2G20Certificate", "ed448")
    rig.trigger("V2G20Certificate")
    assert rig.renewal.signings["V2G20Certificate"].kind == "ed448"


# ---- it does not begin


@pytest.mark.parametrize(
    ("use", "missing"),
    [
        (STATION, "SecurityCtrlr.OrganizationName"),
        ("V2GCertificate", "ISO15118Ctrlr.SeccId"),
        ("V2G20Certificate", "ISO15118Ctrlr.CountryName"),
    ],
)
def test_without_a_name_for_it_nothing_is_asked_for(use: str, missing: str, tmp_path: Path) -> None:
    rig = a_rig(tmp_path, replace(NAMED, variables={key: text for key, text in NAMES.items() if key != missing}))
    answer = rig.ask("TriggerMessage", {"requestedMessage": f"Sign{use}"})
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "MissingDevModelInfo")
    assert missing in answer["statusInfo"]["additionalInfo"]
    assert (rig.calls, rig.renewal.signings) == ([], {})


def test_certificates_for_vehicles_can_be_switched_off_and_need_a_line_that_is_protected(tmp_path: Path) -> None:
    off = a_rig(tmp_path, replace(NAMED, variables={**NAMES, "ISO15118Ctrlr.V2GCertificateInstallationEnabled": "false"}))
    assert not off.context.model.flag(V2G_INSTALLATION)
    assert [off.trigger(use) for use in ("V2GCertificate", STATION)] == ["NotImplemented", "Accepted"]
    plain = a_rig(tmp_path / "plain", replace(CONFIG, variables=NAMES))
    assert [plain.trigger(use) for use in ("V2GCertificate", "V2G20Certificate", STATION)] == ["Rejected", "Rejected", "Accepted"]


def test_an_evse_that_is_not_there_and_the_combined_certificate_are_refused(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    assert rig.trigger("V2GCertificate", evse={"id": 9}) == "Rejected"
    assert rig.trigger("V2GCertificate", evse={"id": 2}) == "Accepted"
    assert rig.trigger("CombinedCertificate") == "NotImplemented"


@pytest.mark.parametrize("value", ["de", "D", "D1", "ÄÖ"])
def test_a_country_is_two_capital_letters(value: str, tmp_path: Path) -> None:
    entry = {"component": {"name": "ISO15118Ctrlr"}, "variable": {"name": "CountryName"}, "attributeValue": value}
    (result,) = a_rig(tmp_path).ask("SetVariables", {"setVariableData": [entry]})["setVariableResult"]
    assert result["attributeStatus"] == "Rejected"


def test_a_store_that_makes_no_key_is_told_in_the_log(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)

    def fails(*_: Any) -> Any:
        raise StoreError("Unsupported", "the token makes no such keys")

    rig.files.make_request = fails  # type: ignore[assignment]
    assert rig.trigger() == "Accepted"
    assert ("renewal.no_request", "the token makes no such keys") in [(log.key, log.values.get("why")) for log in rig.said(Log)]
    assert (rig.calls, rig.renewal.signings) == ([], {})


# ---- how often


@pytest.mark.req("A02.FR.17", "A02.FR.18", "A02.FR.19", "A03.FR.17", "A03.FR.18", "A03.FR.19", "TC_A_23")
def test_a_certificate_that_does_not_come_is_asked_for_again_with_twice_the_patience(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    assert rig.context.model.integer(WAIT_MINIMUM) == 30
    rig.trigger()
    sent, began = [rig.promised()], rig.now.mono
    times = []
    for wait in (30, 60, 120):
        rig.advance(wait - 0.5)
        assert "SignCertificate" not in rig.actions()
        rig.advance(0.5)
        sent.append(rig.promised())
        times.append(rig.now.mono - began)
    assert times == [30, 90, 210]
    assert all(each == sent[0] for each in sent)
    rig.advance(86_400.0)
    assert "SignCertificate" not in rig.actions()
    assert "renewal.no_certificate" in [log.key for log in rig.said(Log)]
    assert rig.deliver(sent[0]) == {"status": "Accepted"}  # late, and still right


@pytest.mark.req("TC_A_23")
def test_both_are_the_csmss_to_set(tmp_path: Path) -> None:
    more = {"SecurityCtrlr.CertSigningWaitMinimum": "5", "SecurityCtrlr.CertSigningRepeatTimes": "1"}
    rig = a_rig(tmp_path, replace(NAMED, variables={**NAMES, **more}))
    rig.trigger()
    rig.promised()
    rig.advance(5)
    rig.promised()
    rig.advance(3600)
    assert "SignCertificate" not in rig.actions()


@pytest.mark.req("TC_A_15")
@pytest.mark.parametrize("how", ["Rejected", "NotImplemented"])
def test_a_csms_that_does_not_want_is_not_asked_again(how: str, tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.trigger()
    rig.answer("SignCertificate", {"status": how}) if how == "Rejected" else rig.refuse("SignCertificate", how)
    rig.advance(86_400.0)
    assert (rig.actions(), rig.renewal.signings, rig.context.certificates.own) == ([], {}, ())


def test_no_answer_is_like_no_certificate(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.trigger()
    rig.refuse("SignCertificate", "Timeout")
    rig.advance(30)
    assert rig.deliver(rig.promised()) == {"status": "Accepted"}


def test_a_day_later_the_end_that_comes_near_leads_to_another_try(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.adopt(STATION, days=29.9)
    rig.promised()
    rig.advance(600)
    while rig.calls:
        rig.promised()
        rig.advance(3600)
    rig.advance(86_400.0)
    assert rig.promised()["requestId"] == 2


# ---- the link, and restarts


def test_it_waits_for_the_link_and_goes_on_after_it(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.link_down()
    rig.adopt(STATION, days=29)
    assert rig.calls == []
    rig.link_up()
    assert rig.actions() == ["SignCertificate"]
    rig.link_down()
    rig.link_up()
    request = rig.promised()
    rig.link_down()
    rig.advance(31)
    assert rig.calls == []
    rig.link_up()
    assert rig.promised() == request
    assert rig.deliver(request) == {"status": "Accepted"}


def test_before_it_is_accepted_a_station_sends_only_what_was_asked_for(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.context.link.registration = "Pending"
    rig.adopt(STATION, days=29)
    assert rig.calls == []
    rig.trigger("V2GCertificate")
    assert [call.payload["certificateType"] for call in rig.calls] == ["V2GCertificate"]
    rig.context.link.registration = "Accepted"
    rig.hear(RegistrationChanged("Accepted"))
    assert [call.payload["certificateType"] for call in rig.calls] == ["V2GCertificate", STATION]


def test_after_a_restart_the_same_request_goes_out_and_what_comes_fits(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.trigger()
    request = rig.promised()
    again = rig.restart()
    again.power_up()
    again.online()
    assert again.promised() == request
    assert again.deliver(request) == {"status": "Accepted"}
    assert again.trigger() == "Accepted"
    assert again.promised()["requestId"] == 2


def test_a_request_whose_key_is_gone_after_a_restart_is_forgotten(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.trigger()
    rig.promised()
    rig.files.delete_own(rig.renewal.signings[STATION].slot)
    again = rig.restart()
    again.power_up()
    again.online()
    assert (again.calls, again.renewal.signings, again.store["signing"]) == ([], {}, {})
