"""CertificateSigned: what is taken, and what is refused with its reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.csms.signing import WRONGS, Wrong
from certs.store import OwnUse, StoreError
from chargepoint.events import CertificateStored, CredentialsRenewed, CsrMade, RegistrationChanged, SecurityEvent
from chargepoint.ocpp.blocks.renewal import MAX_CHAIN_SIZE
from chargepoint.ocpp.messages import Answer, CallReceived
from chargepoint.runtime.ports.certificates import Keeper
from tests.unit.ocpp.renewal_rig import NAMED, STATION, USES, RenewalRig, a_rig


@pytest.mark.req("A02.FR.07", "A02.FR.20", "A03.FR.07", "TC_A_14")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("expired", "expired"), ("not_yet_valid", "not valid before"), ("wrong_root", "signature"), ("wrong_key", "not for the key"),
        ("is_ca", "CA"), ("no_organization", "no O"), ("no_sub_ca", "neither with it"), ("garbage", "cannot be read"),
    ],
)  # fmt: skip
@USES
@pytest.mark.req("A03.FR.06")
def test_a_wrong_certificate_is_refused_and_told(wrong: Wrong, words: str, use: OwnUse, kind: Any, tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("v2gRoot", kind="p521")
    rig.trigger(use)
    if wrong == "no_organization" and use != STATION:
        return  # ISO 15118 wants other things of a name
    answer = rig.deliver(rig.promised(), wrong)
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidCertificate")
    assert words in answer["statusInfo"]["additionalInfo"]
    (event,) = rig.said(SecurityEvent)
    assert event.type == "InvalidChargingStationCertificate"
    assert words in event.info
    rig.advance(86_400.0)
    assert (rig.actions(), rig.context.certificates.own, rig.renewal.signings) == ([], (), {})


@pytest.mark.req("A02.FR.16", "A02.FR.26")
@pytest.mark.parametrize(
    ("wrong", "code"), [("too_large", "ChainTooLong"), ("other_request", "UnknownRequestId"), ("other_type", "NoRequest")]
)
@pytest.mark.req("A03.FR.16", "A03.FR.22")
def test_what_does_not_belong_to_the_request_leaves_it_waiting(wrong: Wrong, code: str, tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.context.model.put(MAX_CHAIN_SIZE, "5000")
    rig.trigger()
    request = rig.promised()
    answer = rig.deliver(request, wrong)
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", code)
    assert rig.deliver(request) == {"status": "Accepted"}
    assert rig.deliver(request)["statusInfo"]["reasonCode"] == "NoRequest"


def test_all_wrongs_of_the_bench_are_looked_at() -> None:
    seen = {"expired", "not_yet_valid", "wrong_root", "wrong_key", "is_ca", "no_organization", "no_sub_ca", "garbage"}
    assert seen | {"too_large", "other_request", "other_type", "never", "rejected"} == set(WRONGS)


def test_a_csms_of_an_older_version_repeats_neither_id_nor_type(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.trigger("V2GCertificate")
    request = rig.promised()
    assert rig.ask("CertificateSigned", {"certificateChain": rig.signer.chain_for(request["csr"], "V2GCertificate")}) == {
        "status": "Accepted"
    }


def test_without_a_root_for_it_nobody_can_say_whose_it_is(tmp_path: Path) -> None:
    rig = RenewalRig(tmp_path)
    rig.online()
    rig.trigger()
    assert rig.deliver(rig.promised()) == {"status": "Accepted"}


def test_a_new_trigger_takes_the_place_of_one_that_is_under_way(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.trigger()
    first = rig.promised()
    rig.trigger()
    second = rig.promised()
    assert (first["requestId"], second["requestId"]) == (1, 2)
    assert rig.deliver(first)["statusInfo"]["reasonCode"] == "UnknownRequestId"
    assert rig.deliver(second) == {"status": "Accepted"}
    assert [each.state for each in rig.context.certificates.own] == ["active"]


def test_a_store_that_fails_to_keep_it_is_told(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.trigger()
    request = rig.promised()

    def fails(*_: Any) -> None:
        raise StoreError("Failed", "the disk is full")

    rig.files.adopt = fails  # type: ignore[assignment]
    answer = rig.deliver(request)
    assert (answer["status"], answer["statusInfo"]["additionalInfo"]) == ("Rejected", "the disk is full")
    assert rig.renewal.signings == {}


def test_answers_of_somebody_else_change_nothing(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.trigger()
    rig.promised()
    assert (
        rig.hear(
            CsrMade("renewal:ChargingStationCertificate:9", "x", "y"),
            CertificateStored("renewal:dropped"),
            CertificateStored("installed:1"),
        )
        == []
    )


@pytest.mark.req("A02.FR.08", "F-9")
@pytest.mark.parametrize("fails", [False, True])
def test_a_trigger_while_the_store_takes_a_chain_over_is_for_the_next_one(tmp_path: Path, fails: bool) -> None:
    rig = a_rig(tmp_path, replace(NAMED, csms=replace(NAMED.csms, security_profile=3)))
    rig.trigger()
    request = rig.promised()
    rig.slow = True
    rig.hear(CallReceived("signed", "CertificateSigned", rig.signer.follow_up(request)))
    assert [rig.trigger(), rig.trigger()] == ["Accepted"] * 2
    rig.slow, told = False, rig.held_back
    if fails:
        told = [CertificateStored(each.token, "Failed") if isinstance(each, CertificateStored) else each for each in told]
    out = rig.hear(*told)
    answers = [each.payload["status"] for each in out if isinstance(each, Answer)]
    assert (answers, len(rig.said(CredentialsRenewed))) == ((["Rejected"], 0) if fails else (["Accepted"], 1))
    second = rig.promised()
    assert second["requestId"] == 2
    assert rig.deliver(second) == {"status": "Accepted"}
    assert rig.renewal.signings == {}


@pytest.mark.req("A02.FR.26", "F-9")
def test_a_request_waits_on_while_the_store_cannot_be_read(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.trigger()
    request = rig.promised()
    again = rig.restart()
    again.power_up()
    away = Keeper(out_of_reach).read()
    again.hear(away)
    again.link_up()
    again.context.link.registration = "Accepted"
    again.hear(RegistrationChanged("Accepted"))
    assert [each for each in again.calls if each.action == "SignCertificate"] == [], "nothing goes that has no request in it"
    assert again.deliver(request)["statusInfo"]["reasonCode"] == "CertificateStore"
    assert (away.read, again.context.certificates.read, set(again.store["signing"])) == (False, False, {STATION})
    again.hear(again.keeper.read())
    assert again.promised() == request
    assert again.deliver(request) == {"status": "Accepted"}
    later = again.restart()
    later.power_up()
    later.hear(later.keeper.read())
    assert later.renewal.signings == {}


def out_of_reach() -> Any:
    raise StoreError("Failed", "the disk is not there yet")
