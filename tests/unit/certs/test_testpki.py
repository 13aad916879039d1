"""The test PKI: the files of `--pki`, who signed whom, what the negative variants have wrong, and reading it back."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bench.cli import main
from certs import chain, pki_files, testpki
from certs.ids import evccid_of, pcid_of
from certs.pki_files import PkiError
from certs.profiles import PROFILES

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
NAMES = [
    "contractCertChain.pem", "contractLeaf.key", "cpoCertChain.pem", "cpsCertChain.pem", "cpsLeaf.key", "moRootCACert.pem",
    "oemCertChain.pem", "oemLeaf.key", "oemRootCACert.pem", "seccLeaf.key", "v2gRootCACert.pem", "vehicleCertChain.pem", "vehicleLeaf.key",
]  # fmt: skip


@pytest.mark.parametrize(("below", "kind"), testpki.FOLDERS)
def test_folder_as_contracted(tmp_path: Path, below: str, kind: str) -> None:
    before = os.umask(0)
    try:
        testpki.write(tmp_path, seed=b"one", now=NOW)
        testpki.write(tmp_path, seed=b"two", now=NOW)  # over the first one
    finally:
        os.umask(before)
    folder = tmp_path / below
    assert sorted(each.name for each in folder.iterdir() if each.is_file()) == NAMES
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.rglob("*.key")} == {0o600}
    for name, leaf in testpki.CHAINS.items():
        sent = x509.load_pem_x509_certificates((folder / f"{name}.pem").read_bytes())
        read = pki_files.chain_of((folder / f"{name}.pem").read_bytes(), (folder / f"{leaf}.key").read_bytes(), where=name)
        assert read.kind == kind
        assert len(sent) == 3


@pytest.mark.parametrize("kind", ["p256", "p521", "ed448"])
def test_profiles(kind: testpki.Kind) -> None:
    made = testpki.build(kind, seed=b"s", now=NOW)
    for name, line in testpki.TREE.items():
        certificate, issuer = made[name].certificate, made[line.issuer].certificate
        certificate.verify_directly_issued_by(issuer)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
        assert constraints.critical
        assert usage.critical
        assert constraints.value.ca == usage.value.key_cert_sign == (line.path is not None)
        assert usage.value.digital_signature == (line.path is None)
        assert constraints.value.path_length == {"1": 1, "2": 0, "b": 0}.get(name[-1])
        assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc <= issuer.not_valid_after_utc


@pytest.mark.parametrize("below", [below for below, _ in testpki.FOLDERS])
@pytest.mark.parametrize(("root", "name"), [("v2g", "cpo"), ("v2g", "cps"), ("oem", "oem"), ("oem", "vehicle"), ("mo", "contract")])
def test_openssl_agrees(tmp_path: Path, below: str, root: str, name: str) -> None:
    if not shutil.which("openssl"):
        pytest.skip("no openssl: make oracles")
    testpki.write(tmp_path, seed=b"s", now=NOW)
    whole, trusted = tmp_path / below / f"{name}CertChain.pem", tmp_path / below / f"{root}RootCACert.pem"
    command = ["openssl", "verify", "-x509_strict", "-attime", str(int(NOW.timestamp()))]
    done = subprocess.run([*command, "-CAfile", trusted, "-untrusted", whole, whole], capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith(": OK"), done.stderr


def test_responders_and_issuers(tmp_path: Path) -> None:
    testpki.write(tmp_path, seed=b"s", now=NOW, responder="http://127.0.0.1:8080/")
    for below, _ in testpki.FOLDERS:
        issuers = {each.stem: each for each in (tmp_path / below / "issuers").glob("*.pem")}
        assert {"v2gRoot", "cpoSub2", "cpsSub2", "moSub2", "oemSub2"} <= set(issuers)
        for name, path in issuers.items():
            issuer = x509.load_pem_x509_certificate(path.read_bytes())
            responder = x509.load_pem_x509_certificate((tmp_path / below / "ocsp" / path.name).read_bytes())
            responder.verify_directly_issued_by(issuer)
            purposes = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            assert list(purposes) == [ExtendedKeyUsageOID.OCSP_SIGNING]
            for suffix in ("issuers", "ocsp"):
                certificate = x509.load_pem_x509_certificate((tmp_path / below / suffix / f"{name}.pem").read_bytes())
                key = load_pem_private_key((tmp_path / below / suffix / f"{name}.key").read_bytes(), None)
                assert key.public_key() == certificate.public_key()
    leaf = x509.load_pem_x509_certificates((tmp_path / "cpoCertChain.pem").read_bytes())[0]
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [each.access_location.value for each in access] == ["http://127.0.0.1:8080/"]


def test_of_the_csms(tmp_path: Path) -> None:
    testpki.write(tmp_path, seed=b"s", now=NOW)
    root = x509.load_pem_x509_certificate((tmp_path / "ocpp/csmsRootCACert.pem").read_bytes())
    for name, host in (("csms", "localhost"), ("station", "")):
        pem = (tmp_path / f"ocpp/{name}CertChain.pem").read_bytes()
        key = load_pem_private_key((tmp_path / f"ocpp/{name}Leaf.key").read_bytes(), None).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        verdict = chain.validate(pem, NOW, PROFILES[name], [root], key=key, host=host)
        assert not verdict.findings, verdict.why
    found = {str(each.relative_to(tmp_path / "station")) for each in (tmp_path / "station").rglob("*.*")}
    own = ("cso/SECC_LEAF", "mo/MO_LEAF", "oem/OEM_LEAF", "vehicle/VEHICLE_LEAF")
    assert found == {
        "ca/csms/csmsRoot.pem", "client/csms/CSMS_LEAF.pem", "client/csms/CSMS_LEAF.key",
        *(f"ca/{each}Root{kind}.pem" for each in ("v2g/v2g", "mo/mo", "oem/oem", "mf/oem") for kind in ("", "_20")),
        *(f"client/{each}{kind}.{ending}" for each in own for kind in ("", "_20") for ending in ("pem", "key")),
    }  # fmt: skip


def test_same_seed_same_keys() -> None:
    one, same, other = (testpki.build("p256", seed=seed, now=NOW) for seed in (b"1", b"1", b"2"))
    assert {name: each.key_pem for name, each in one.items()} == {name: each.key_pem for name, each in same.items()}
    assert not {each.key_pem for each in one.values()} & {each.key_pem for each in other.values()}
    assert len({each.key_pem for each in one.values()}) == len(testpki.TREE) + len(testpki.CAS)
    assert {name: each.chain_pem for name, each in one.items()} == {name: each.chain_pem for name, each in same.items()}


@pytest.mark.parametrize("wrong", testpki.WRONGS)
@pytest.mark.parametrize("kind", ["p256", "p521", "ed448"])
def test_wrong_in_one_thing(kind: testpki.Kind, wrong: testpki.Wrong) -> None:
    made = testpki.build(kind, seed=b"s", now=NOW, wrong=wrong)
    leaf, top = made["seccLeaf"].certificate, made["cpoSub1"].certificate
    root = made["v2gRoot"].certificate
    signed = True
    try:
        top.verify_directly_issued_by(root)
    except InvalidSignature:
        signed = False
    shown = {
        "expired": leaf.not_valid_after_utc < NOW,
        "not_yet_valid": leaf.not_valid_before_utc > NOW,
        "wrong_root": not signed,
        "leaf_is_ca": leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca,
        "no_digital_signature": not leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature,
    }
    assert [name for name, is_so in shown.items() if is_so] == [wrong]


def test_read_back(tmp_path: Path) -> None:
    testpki.write(tmp_path, seed=b"s", now=NOW)
    pki = pki_files.read(tmp_path)
    assert not pki.warnings
    assert not pki.borrowed
    for side, kind in ((pki.iso2, "p256"), (pki.iso20, "p521"), (pki.iso20_ed448, "ed448")):
        chains = (side.secc, side.oem, side.contract, side.vehicle)
        assert [each.kind for each in chains if each] == [kind] * 4
        assert [len(each) for each in (side.v2g_roots, side.mo_roots, side.oem_roots)] == [1, 1, 1]
        assert side.secc is not None
        assert side.secc.roots == side.v2g_roots
        root = x509.load_pem_x509_certificate(side.v2g_roots[0].pem)
        if kind != "ed448":
            identifier = x509.SubjectKeyIdentifier.from_public_key(root.public_key())
            assert side.v2g_roots[0].key_sha1 == identifier.digest  # by RFC 5280 the same hash


def test_no_key_in_a_log(tmp_path: Path) -> None:
    testpki.write(tmp_path, seed=b"s", now=NOW)
    assert "BEGIN" not in repr(pki_files.read(tmp_path))


def test_stand_ins(tmp_path: Path) -> None:
    testpki.write(tmp_path, seed=b"s", now=NOW)
    shutil.rmtree(tmp_path / "iso20")
    (tmp_path / "vehicleCertChain.pem").unlink()
    pki = pki_files.read(tmp_path)
    assert pki.borrowed
    assert pki.iso20 == pki.iso2
    assert pki.iso20.vehicle == pki.iso2.oem
    assert len(pki.warnings) == 2
    assert pki.iso20_ed448 == pki_files.Side()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "seccLeaf.key").unlink(), "seccLeaf.key: not there"),
        (
            lambda folder: (folder / "seccLeaf.key").write_bytes((folder / "oemLeaf.key").read_bytes()),
            "not the one of the first certificate",
        ),
        (lambda folder: (folder / "seccLeaf.key").write_bytes(b"no key"), "cpoCertChain.pem: "),
        (lambda folder: (folder / "cpoCertChain.pem").write_bytes(b"no chain"), "cpoCertChain.pem: "),
        (lambda folder: (folder / "v2gRootCACert.pem").write_bytes(b"no root"), "v2gRootCACert.pem: "),
        (lambda folder: (folder / "v2gRootCACert.pem").write_bytes(b"-" * (pki_files.MOST_OCTETS + 1)), "v2gRootCACert.pem: more than"),
        (lambda folder: ((folder / "v2gRootCACert.pem").unlink(), (folder / "v2gRootCACert.pem").mkdir()), "v2gRootCACert.pem: "),
    ],
)
def test_unusable_files_are_named(tmp_path: Path, change: object, words: str) -> None:
    testpki.write(tmp_path, seed=b"s", now=NOW)
    assert callable(change)
    change(tmp_path)
    with pytest.raises(PkiError, match=words):
        pki_files.read(tmp_path)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(PkiError, match="no such folder"):
        pki_files.read(tmp_path / "none")


def test_command(tmp_path: Path) -> None:
    assert main(["certs", "testpki", str(tmp_path / "pki")]) == 0
    assert main(["certs", "testpki", str(tmp_path / "bad"), "--wrong", "leaf_is_ca"]) == 0
    assert pki_files.read(tmp_path / "pki").iso20.secc is not None
    leaf = x509.load_pem_x509_certificates((tmp_path / "bad" / "cpoCertChain.pem").read_bytes())[0]
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize("kind", ["p256", "p521", "ed448"])
def test_vehicles_are_called_as_their_edition_has_it(kind: testpki.Kind) -> None:
    made = testpki.build(kind, seed=b"one", now=NOW)
    names = [made[name].certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value for name in ("oemLeaf", "vehicleLeaf")]
    assert pcid_of(str(names[0])) == names[0]
    if kind != "p256":
        assert evccid_of(str(names[1])) == names[1]


def test_a_contracts_key_of_ed448_fits_into_its_envelope() -> None:
    key = testpki.build("ed448", seed=b"one", now=NOW)["contractLeaf"].key
    assert isinstance(key, ed448.Ed448PrivateKey)
    assert key.private_bytes_raw()[-1] == 0
