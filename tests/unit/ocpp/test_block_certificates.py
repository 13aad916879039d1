"""InstallCertificate, DeleteCertificate and GetInstalledCertificateIds, with a store of files behind them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certs import testpki
from certs.store import ROOT_USES, RootUse, StoreError
from certs.testpki_make import Kind
from chargepoint.commands import DeleteRoot, InstallRoot, Log
from chargepoint.events import CertificateStored, RootReplaced, SecurityEvent
from chargepoint.ocpp.blocks.certificates import ADDITIONAL_ROOT_CHECK, CERTIFICATE_ENTRIES, MOST_ENTRIES, CertificatesBlock
from chargepoint.ocpp.blocks.variables import VariablesBlock
from chargepoint.ocpp.certificate_rules import pairs_of_chain, pairs_of_root
from chargepoint.ocpp.certificate_rules import wire as hashes_of
from chargepoint.ocpp.messages import Answer, CallReceived
from tests.unit.ocpp.block_rig import CONFIG
from tests.unit.ocpp.certificates_rig import NOW, ROOTS, SECURE, CertificatesRig, next_root, pem, pki, wire

CHECKED = replace(SECURE, variables={"SecurityCtrlr.AdditionalRootCertificateCheck": "true"})


def a_rig(folder: Path, config: Any = SECURE) -> CertificatesRig:
    return CertificatesRig(folder / "store", (VariablesBlock, CertificatesBlock), config).online()


def install(rig: CertificatesRig, use: str, text: str) -> tuple[str, str]:
    answer = rig.ask("InstallCertificate", {"certificateType": use, "certificate": text})
    return answer["status"], answer.get("statusInfo", {}).get("reasonCode", "")


def delete(rig: CertificatesRig, hashes: dict[str, str]) -> str:
    status: str = rig.ask("DeleteCertificate", {"certificateHashData": hashes})["status"]
    return status


def signed_by_the_old_one(name: str = "csmsRoot") -> str:
    """A new root for the CSMS with the old one's signature."""
    made = next_root(pki()[name], pki(seed=b"new")["csmsRoot"].key, NOW - dt.timedelta(hours=1))
    return made.certificate_pem.decode()


def hashes_of_root(rig: CertificatesRig, at: int) -> dict[str, str]:
    roots = rig.context.certificates.roots
    return hashes_of(pairs_of_root(roots[at], roots)[0])


# ---- M05


@pytest.mark.parametrize(
    ("name", "use", "kind"),
    [
        pytest.param("csmsRoot", "CSMSRootCertificate", "p256", marks=pytest.mark.req("M05.FR.01", "M05.FR.02", "TC_M_01")),
        pytest.param("csmsRoot", "ManufacturerRootCertificate", "p256", marks=pytest.mark.req("M05.FR.02", "TC_M_02")),
        pytest.param("v2gRoot", "V2GRootCertificate", "p256", marks=pytest.mark.req("M05.FR.02", "TC_M_03")),
        pytest.param("v2gRoot", "V2GRootCertificate", "p521", marks=pytest.mark.req("TC_M_03")),
        pytest.param("moRoot", "MORootCertificate", "ed448", marks=pytest.mark.req("M05.FR.02", "TC_M_04")),
        pytest.param("oemRoot", "OEMRootCertificate", "p521", marks=pytest.mark.req("M05.FR.02", "TC_M_101")),
    ],
)
def test_a_root_is_installed_and_is_there_after_a_restart(name: str, use: RootUse, kind: Kind, tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    assert install(rig, use, pem(name, kind)) == ("Accepted", "")
    assert install(rig, use, pem(name, kind)) == ("Accepted", "")
    (listed,) = a_rig(tmp_path).listed(use)["certificateHashDataChain"]
    assert listed == {"certificateType": use, "certificateHashData": wire(name, kind)}


@pytest.mark.req("M05.FR.01", "M05.FR.07", "TC_M_07")
@pytest.mark.parametrize(
    ("use", "text", "words"),
    [
        ("CSMSRootCertificate", "no certificate", "not one certificate"),
        ("CSMSRootCertificate", "", "not one certificate"),
        ("CSMSRootCertificate", pem("csmsRoot") + pem("v2gRoot"), "not one certificate"),
        ("CSMSRootCertificate", pem("csmsLeaf"), "CA"),
        ("CSMSRootCertificate", pem("csmsSub"), "did not sign itself"),
        ("V2GRootCertificate", pem("seccLeaf"), "CA"),
    ],
    ids=["no PEM", "nothing", "two", "a leaf", "a sub-CA", "a leaf for vehicles"],
)
def test_what_is_no_root_is_refused(use: str, text: str, words: str, tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    answer = rig.ask("InstallCertificate", {"certificateType": use, "certificate": text})
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidCertificate")
    assert words in answer["statusInfo"]["additionalInfo"]
    assert [log.key for log in rig.said(Log)] == ["certificate.refused"]
    assert rig.files.contents().roots == ()


@pytest.mark.req("M05.FR.07", "F-3")
def test_dates_count_once_somebody_has_set_the_clock(tmp_path: Path) -> None:
    long_ago = testpki.build("p256", seed=b"old", now=NOW - dt.timedelta(days=21 * 365))["csmsRoot"].certificate_pem.decode()
    assert install(a_rig(tmp_path), "CSMSRootCertificate", long_ago) == ("Rejected", "InvalidCertificate")
    rig = a_rig(tmp_path)
    rig.now = replace(rig.now, utc=1000.0)
    assert install(rig, "CSMSRootCertificate", long_ago) == ("Accepted", "")


@pytest.mark.req("M05.FR.03")
def test_a_store_that_fails_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)

    def fails(use: str, text: str) -> None:
        raise StoreError("Failed", "the disk is full")

    rig.files.install_root = fails  # type: ignore[assignment]
    answer = rig.ask("InstallCertificate", {"certificateType": "CSMSRootCertificate", "certificate": pem("csmsRoot")})
    assert answer == {"status": "Failed", "statusInfo": {"reasonCode": "CertificateStore", "additionalInfo": "the disk is full"}}
    assert rig.machines[-1].state.pending == {}


@pytest.mark.req("M05.FR.06")
def test_a_full_store_takes_no_more(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("csmsRoot")
    rig.context.certificates.roots *= MOST_ENTRIES
    assert install(rig, "V2GRootCertificate", pem("v2gRoot")) == ("Rejected", "CertificateStoreFull")
    assert rig.context.model.shown(rig.now, next(p for p, row in rig.context.model.rows.items() if row is CERTIFICATE_ENTRIES)) == str(
        MOST_ENTRIES
    )


@pytest.mark.parametrize("profile", [0, 1])
@pytest.mark.parametrize("use", ROOT_USES)
@pytest.mark.req("S-16")
def test_over_a_line_that_nobody_protects_only_roots_of_the_csms_come_and_go(use: RootUse, profile: int, tmp_path: Path) -> None:
    rig = a_rig(tmp_path, replace(CONFIG, csms=replace(CONFIG.csms, security_profile=profile)))
    name = next((name for name, of in ROOTS.items() if of == use), "csmsRoot")
    csms = use == "CSMSRootCertificate"
    assert install(rig, use, pem(name)) == (("Accepted", "") if csms else ("Rejected", "InsecureConnection"))
    rig.install(name, use)
    answer = rig.ask("DeleteCertificate", {"certificateHashData": wire(name)})
    assert (answer["status"], answer.get("statusInfo", {}).get("reasonCode")) == (
        ("Accepted", None) if csms else ("Failed", "InsecureConnection")
    )


@pytest.mark.req("S-16")
@pytest.mark.parametrize(("profile", "status"), [(0, "Failed"), (1, "Failed"), (2, "Accepted")])
def test_over_such_a_line_neither_a_chain_for_vehicles_goes_nor_a_root_that_is_one_for_the_csms_as_well(
    profile: int, status: str, tmp_path: Path
) -> None:
    rig = a_rig(tmp_path, replace(CONFIG, csms=replace(CONFIG.csms, security_profile=profile)))
    rig.context.link.root = "another one"
    rig.install("v2gRoot")
    rig.adopt("V2GCertificate")
    (listed,) = rig.listed("V2GCertificateChain")["certificateHashDataChain"]
    rig.install("csmsRoot")
    rig.files.install_root("CSMSRootCertificate", pem("csmsRoot", seed=b"other"))
    rig.install("csmsRoot", "ManufacturerRootCertificate")
    assert [delete(rig, listed["certificateHashData"]), delete(rig, wire("csmsRoot"))] == [status] * 2


@pytest.mark.req("M05.FR.09", "M05.FR.10", "M05.FR.11", "TC_M_09")
@pytest.mark.parametrize(
    "text",
    [pem("csmsRoot", seed=b"other"), signed_by_the_old_one("v2gRoot"), pem("csmsSub", seed=b"other")],
    ids=["its own", "another's", "another's sub-CA"],
)
def test_with_the_check_a_root_that_the_old_one_has_not_signed_is_refused(text: str, tmp_path: Path) -> None:
    rig = a_rig(tmp_path, CHECKED)
    rig.install("csmsRoot")
    assert rig.context.model.flag(ADDITIONAL_ROOT_CHECK)
    assert install(rig, "CSMSRootCertificate", text) == ("Rejected", "InvalidCertificate")
    assert len(rig.files.contents().roots) == 1


@pytest.mark.req("M05.FR.10", "M05.FR.12")
def test_with_the_check_a_root_that_the_old_one_has_signed_takes_its_place(tmp_path: Path) -> None:
    rig = a_rig(tmp_path, CHECKED)
    assert install(rig, "CSMSRootCertificate", pem("csmsRoot")) == ("Accepted", "")  # the first one has nobody to sign it
    (old,) = rig.context.certificates.roots
    assert install(rig, "CSMSRootCertificate", signed_by_the_old_one()) == ("Accepted", "")
    assert rig.said(RootReplaced) == [RootReplaced(old.fingerprint)]
    assert install(rig, "V2GRootCertificate", pem("v2gRoot")) == ("Accepted", "")
    assert len(rig.said(RootReplaced)) == 1


def test_without_the_check_several_roots_stand_side_by_side(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("csmsRoot")
    assert install(rig, "CSMSRootCertificate", pem("csmsRoot", seed=b"other")) == ("Accepted", "")
    assert (len(rig.context.certificates.roots), rig.said(RootReplaced)) == (2, [])


@pytest.mark.req("M05.FR.17")
def test_a_root_that_is_there_already_is_installed_again(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("csmsRoot")
    assert install(rig, "CSMSRootCertificate", pem("csmsRoot")) == ("Accepted", "")
    assert len(rig.context.certificates.roots) == 1


def test_the_csms_is_answered_when_it_is_on_disk(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.slow = True
    out = rig.hear(CallReceived("m", "InstallCertificate", {"certificateType": "CSMSRootCertificate", "certificate": pem("csmsRoot")}))
    assert [type(each) for each in out] == [InstallRoot]
    out = rig.hear(*rig.held_back)
    assert [each.payload for each in out if isinstance(each, Answer)] == [{"status": "Accepted"}]
    assert rig.said(SecurityEvent) == [SecurityEvent("ReconfigurationOfSecurityParameters", "InstallCertificate")]
    assert rig.hear(CertificateStored("installed:1"), CertificateStored("somebody:1")) == []


# ---- M03


@pytest.mark.req("M03.FR.01", "M03.FR.03", "M03.FR.04", "TC_M_12", "TC_M_13", "TC_M_14", "TC_M_16", "TC_M_17", "TC_M_18")
def test_roots_are_listed_by_what_they_are_trusted_for(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("csmsRoot")
    rig.install("csmsRoot", "ManufacturerRootCertificate")
    rig.install("v2gRoot")
    rig.install("moRoot", kind="p521")
    rig.install("oemRoot", kind="p521")

    def types(*wanted: str) -> list[str]:
        return sorted(each["certificateType"] for each in rig.listed(*wanted)["certificateHashDataChain"])

    for use in ("CSMSRootCertificate", "ManufacturerRootCertificate", "V2GRootCertificate", "MORootCertificate", "OEMRootCertificate"):
        assert types(use) == [use]
    assert types("CSMSRootCertificate", "ManufacturerRootCertificate") == ["CSMSRootCertificate", "ManufacturerRootCertificate"]
    assert types() == [
        "CSMSRootCertificate",
        "MORootCertificate",
        "ManufacturerRootCertificate",
        "OEMRootCertificate",
        "V2GRootCertificate",
    ]


@pytest.mark.req("M03.FR.02", "TC_M_19")
def test_nothing_of_that_kind(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    assert rig.listed() == {"status": "NotFound"}
    rig.install("csmsRoot")
    assert rig.listed("V2GCertificateChain", "MORootCertificate") == {"status": "NotFound"}


@pytest.mark.req("M03.FR.05", "TC_M_15")
def test_chains_for_vehicles_are_listed_with_the_cas_between(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.adopt("V2GCertificate")
    rig.adopt("V2G20Certificate", "p521")
    rig.adopt("ChargingStationCertificate")
    for kind in ("p256", "p521"):
        rig.install("v2gRoot", kind=kind)
    listed = rig.listed("V2GCertificateChain")["certificateHashDataChain"]
    assert [each["childCertificateHashData"] for each in listed] == [
        [wire("cpoSub2", kind), wire("cpoSub1", kind)] for kind in ("p256", "p521")
    ]
    assert len({each["certificateHashData"]["serialNumber"] for each in listed}) == 2


def test_of_a_chain_whose_root_is_not_here_what_can_be_named_is(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.adopt("V2GCertificate")
    (listed,) = rig.listed("V2GCertificateChain")["certificateHashDataChain"]
    assert listed["childCertificateHashData"] == [wire("cpoSub2")]


# ---- M04


@pytest.mark.req("M04.FR.01", "M04.FR.02", "TC_M_20")
@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_a_certificate_is_deleted_by_hashes_of_any_algorithm(algorithm: Any, tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("moRoot")
    hashes = wire("moRoot", algorithm=algorithm)
    assert (
        delete(
            rig,
            {key: text.upper() if "Hash" in key else text for key, text in hashes.items() if key != "hashAlgorithm"}
            | {"hashAlgorithm": algorithm},
        )
        == "Accepted"
    )
    assert rig.files.contents().roots == ()


@pytest.mark.req("M04.FR.01", "M04.FR.04", "TC_M_22")
def test_what_is_not_there_cannot_be_deleted(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("v2gRoot")
    assert delete(rig, wire("moRoot")) == "NotFound"
    assert delete(rig, {**wire("v2gRoot"), "issuerKeyHash": "00"}) == "NotFound"
    assert len(rig.files.contents().roots) == 1


@pytest.mark.req("M04.FR.01", "M04.FR.06", "TC_M_23")
def test_the_stations_own_certificate_for_the_csms_stays(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("csmsRoot")
    rig.adopt("ChargingStationCertificate")
    held = rig.context.certificates
    leaf, sub = pairs_of_chain(held.own[0], held.roots)
    assert [delete(rig, hashes_of(each)) for each in (leaf, sub)] == ["Failed", "Failed"]


def test_a_chain_for_vehicles_is_deleted_by_its_leaf_and_not_by_a_ca_of_it(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("v2gRoot")
    rig.adopt("V2GCertificate")
    (listed,) = rig.listed("V2GCertificateChain")["certificateHashDataChain"]
    assert delete(rig, listed["childCertificateHashData"][0]) == "Failed"
    assert delete(rig, listed["certificateHashData"]) == "Accepted"
    assert rig.files.contents().own == ()


@pytest.mark.req("M04.FR.08")
def test_the_root_that_the_connection_stands_on_stays(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("csmsRoot")
    assert delete(rig, wire("csmsRoot")) == "Failed"
    rig.files.install_root("CSMSRootCertificate", pem("csmsRoot", seed=b"other"))
    rig.hear(rig.keeper.read())
    assert [delete(rig, wire("csmsRoot")), delete(rig, hashes_of_root(rig, 1))] == ["Failed"] * 2  # nobody has said which one it is
    rig.context.link.root = rig.context.certificates.roots[0].fingerprint
    assert delete(rig, wire("csmsRoot")) == "Failed"
    rig.context.link.root = rig.context.certificates.roots[1].fingerprint
    assert delete(rig, wire("csmsRoot")) == "Accepted"


@pytest.mark.req("M04.FR.08")
def test_two_deletions_at_once_leave_one_root(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("csmsRoot")
    rig.files.install_root("CSMSRootCertificate", pem("csmsRoot", seed=b"other"))
    rig.hear(rig.keeper.read())
    rig.context.link.root = "one of the system's"
    rig.slow = True
    first, second = hashes_of_root(rig, 0), hashes_of_root(rig, 1)
    rig.hear(CallReceived("first", "DeleteCertificate", {"certificateHashData": first}))
    assert delete(rig, second) == "Failed"
    rig.slow = False
    rig.hear(*rig.held_back)
    assert len(rig.context.certificates.roots) == 1


@pytest.mark.req("M04.FR.08")
def test_a_root_that_the_connection_stands_on_is_not_deleted_as_one_for_something_else(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("csmsRoot", "ManufacturerRootCertificate")
    rig.install("csmsRoot")
    rig.context.link.root = rig.context.certificates.roots[0].fingerprint
    assert delete(rig, wire("csmsRoot")) == "Failed"


def test_a_root_that_another_one_has_signed_is_named_by_that_one_or_by_itself(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.files.install_root("CSMSRootCertificate", signed_by_the_old_one())
    rig.hear(rig.keeper.read())
    rig.context.link.root = "another one"
    (alone,) = rig.listed()["certificateHashDataChain"]
    rig.install("csmsRoot")
    told = [each["certificateHashData"] for each in rig.listed()["certificateHashDataChain"]]
    assert wire("csmsRoot") in told
    assert alone["certificateHashData"] not in told
    assert [delete(rig, each) for each in (alone["certificateHashData"], told[0])] == ["Accepted", "NotFound"]


@pytest.mark.req("M04.FR.03")
def test_a_deletion_that_fails_says_so(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.install("v2gRoot")
    rig.slow = True
    rig.hear(CallReceived("m", "DeleteCertificate", {"certificateHashData": wire("v2gRoot")}))
    assert len(rig.said(DeleteRoot)) == 1
    out = rig.hear(CertificateStored("installed:1", "Failed", "the disk"))
    assert [each.payload["status"] for each in out if isinstance(each, Answer)] == ["Failed"]
