"""Looking into files: the tree, the role that each certificate seems to have, what is wrong, and what is only soon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from certs import broken, inspect, testpki
from certs.profiles import PROFILES
from certs.reading import read
from certs.testpki_make import issue, key_of

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=70)


@cache
def made(kind: testpki.Kind) -> Mapping[str, testpki.Identity]:
    return testpki.build(kind, seed=b"s", now=NOW)


def files(kind: testpki.Kind, *names: str) -> dict[str, bytes]:
    return {f"{name}.pem": made(kind)[name].chain_pem or made(kind)[name].certificate_pem for name in names}


@pytest.mark.parametrize("kind", ["p256", "p521", "ed448"])
def test_guessed(kind: testpki.Kind) -> None:
    edition = 2 if kind == "p256" else 20
    leafs = {
        "seccLeaf": "secc",
        "contractLeaf": "contract",
        "oemLeaf": "oem",
        "cpsLeaf": "cps",
        "vehicleLeaf": "vehicle" if edition == 20 else "oem",
    }
    for name, role in leafs.items():
        assert inspect.guess(read(made(kind)[name].certificate)) is PROFILES[f"{role}{edition}"]
    for name, profile in {"csmsLeaf": "csms", "stationLeaf": "station", "moSub2Ocsp": "ocsp"}.items():
        assert inspect.guess(read(made(kind)[name].certificate)) is PROFILES[profile]
    assert inspect.guess(read(made(kind)["v2gRoot"].certificate)) is None


def test_guessed_without_a_domain() -> None:
    spec = replace(testpki.spec_of("contractLeaf", "p256", seed=b"s", now=NOW), domain="")
    key = made("p256")["contractLeaf"].key
    assert inspect.guess(read(issue(spec, key, key))) is PROFILES["contract2"]
    nobody = read(issue(replace(spec, common_name="?"), key, key))
    assert inspect.guess(nobody) is None
    assert inspect.role(nobody) == "a certificate of no role that is known here"


def test_a_tree() -> None:
    report = inspect.report(files("p521", "seccLeaf", "cpsLeaf", "v2gRoot"), NOW)
    assert not report.wrong
    assert [line.partition(",")[0] for line in report.lines] == [
        "V2G Root CA: V2G root",
        "├─ CPO Sub-CA 1: V2G sub-CA",
        "│  └─ CPO Sub-CA 2: V2G sub-CA",
        "│     └─ DETSTE000001: station's certificate (SECC",
        "└─ CPS Sub-CA 1: CPS sub-CA",
        "   └─ CPS Sub-CA 2: CPS sub-CA",
        "      └─ Test CPS: certificate of the provisioning service (CPS",
    ]
    assert report.lines[3].endswith("p521, 2029-12-31 to 2030-04-01, in seccLeaf.pem")


def test_a_whole_pki_is_right() -> None:
    for kind in ("p256", "p521", "ed448"):
        report = inspect.report(files(kind, *made(kind)), NOW)
        assert not report.wrong, report.lines
        assert not [line for line in report.lines if "✗" in line or "!" in line]


def test_soon_late_and_early() -> None:
    given = files("p256", "seccLeaf", "v2gRoot")
    soon = inspect.report(given, LATER)
    assert not soon.wrong
    assert [line.strip() for line in soon.lines if "!" in line] == ["! it expires in 20 days"]
    late = inspect.report(given, NOW + dt.timedelta(days=3 * 365))
    assert late.wrong
    assert [line.strip(" │") for line in late.lines if "✗" in line] == [
        "✗ it expired 2032-01-01",
        "✗ it expired 2030-04-01 00:00 UTC; it is 2032-12-31 00:00",
    ]
    early = inspect.report(given, NOW - dt.timedelta(days=30))
    assert early.wrong
    assert len([line for line in early.lines if "not valid before" in line]) == 4


def test_without_its_root() -> None:
    report = inspect.report(files("p256", "seccLeaf"), NOW)
    assert not report.wrong
    assert report.lines[0].startswith("CPO Sub-CA 1: V2G sub-CA")
    assert report.lines[1] == "│  ! V2G Root CA, who signed it, is not among these files"


def test_what_is_wrong_stands_where_it_is() -> None:
    it = broken.make("secc20-sub_path_too_short", seed=b"s", now=NOW)
    report = inspect.report({"chain.pem": it.chain_pem, "root.der": it.trust[0].public_bytes(Encoding.DER)}, NOW)
    assert report.wrong
    assert report.lines[1].startswith("└─ CPO Sub-CA 1")
    assert report.lines[2] == "   │  ✗ it allows 0 sub-CAs below it, and there are 1"


@pytest.mark.parametrize(
    "name", [each for each in broken.NAMES if each.startswith(("secc20-", "csms-")) and broken.BREAKS[each.partition("-")[2]].openssl]
)
def test_bad_ones_are_seen(name: str) -> None:
    it = broken.make(name, seed=b"s", now=NOW)
    report = inspect.report({"chain.pem": it.chain_pem, "root.pem": it.trust[0].public_bytes(Encoding.PEM)}, NOW)
    missing = it.code == "unknown_root" and "self_signed" not in name
    role_lost = name.endswith(("-leaf_purpose", "csms-client_as_server"))  # then it is taken for something else
    assert report.wrong or missing or role_lost, report.lines
    assert "not among these files" in "".join(report.lines) or not missing


def test_unreadable() -> None:
    report = inspect.report({"a.pem": b"nothing", **files("p256", "v2gRoot")}, NOW)
    assert report.wrong
    assert report.lines[-1].startswith("a.pem: ✗ it cannot be read: ")
    assert inspect.report({}, NOW) == inspect.Report((), wrong=False)


@given(st.integers(0, 2000), st.integers(0, 255))
def test_never_raises(place: int, value: int) -> None:
    changed = bytearray(DER)
    changed[place % len(changed)] = value
    report = inspect.report({"a.der": bytes(changed)}, NOW)
    assert report.lines
    assert all(line.isprintable() for line in report.lines)


def test_many_of_one_name() -> None:
    spec = testpki.spec_of("moSub1", "p256", seed=b"s", now=NOW)
    key = key_of("p256", b"s", "clique")
    clique = {
        f"{number}.der": issue(replace(spec, issuer=spec.subject, serial=number + 1), key, key).public_bytes(Encoding.DER)
        for number in range(20)
    }
    leaf = issue(replace(testpki.spec_of("contractLeaf", "p256", seed=b"s", now=NOW), issuer=spec.subject), key, key)
    assert len(inspect.report({**clique, "leaf.der": leaf.public_bytes(Encoding.DER)}, NOW).lines) >= 21


DER = x509.load_pem_x509_certificate(made("p256")["seccLeaf"].certificate_pem).public_bytes(Encoding.DER)
