"""`chargepoint certs`: what it prints and with which code it ends."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bench import bench_config
from bench.cli import main
from certs import pki_files
from chargepoint.runtime.tls import TlsFiles, client_context


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    assert main(["certs", "testpki", str(folder), "--seed", "x", "--ocsp", "http://127.0.0.1:1/"]) == 0
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["certs", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_inspect(capsys: pytest.CaptureFixture[str], pki: Path) -> None:
    code, said, _ = run(capsys, "inspect", pki)
    assert code == 0
    assert "├─ DETSTE000001: station's certificate (SECC, ISO 15118-2), p256" in said
    assert "iso20/cpoCertChain.pem" in said
    code, said, _ = run(capsys, "inspect", pki / "iso20" / "cpoCertChain.pem", "--at", "2090-01-01")
    assert code == 1
    assert "✗ it expired" in said
    (pki / "empty").mkdir()
    code, said, wrong = run(capsys, "inspect", pki / "empty")
    assert (code, said) == (1, "")
    assert wrong.startswith(f"{pki / 'empty'}: no file there ends with .pem")


def test_verify(capsys: pytest.CaptureFixture[str], pki: Path) -> None:
    leaf = (pki / "iso20/cpoCertChain.pem", "--profile", "secc20", "--root", pki / "iso20/v2gRootCACert.pem")
    code, said, _ = run(capsys, "verify", *leaf, "--key", pki / "iso20/seccLeaf.key")
    assert (code, said) == (0, f"{leaf[0]}: the station's certificate (SECC, ISO 15118-20), DETSTE000001: right\n")
    code, said, _ = run(capsys, "verify", *leaf, "--key", pki / "seccLeaf.key", "--at", "2090-01-01T12:00")
    assert code == 1
    assert "✗ leaf: it is not for the key that it is used with (key_mismatch)" in said
    assert "it is 2090-01-01 12:00" in said
    assert said.endswith("to the driver: This station's certificate does not belong to its key. Please tell the operator.\n")
    csms = (pki / "ocpp/csmsCertChain.pem", "--profile", "csms", "--root", pki / "ocpp/csmsRootCACert.pem")
    assert run(capsys, "verify", *csms, "--host", "localhost")[0] == 0
    assert run(capsys, "verify", *csms, "--host", "elsewhere")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--profile", "nobody", "--root", "{pki}/v2gRootCACert.pem"), "--profile nobody: not one of secc2"),
        (("--profile", "secc2", "--root", "{pki}/none.pem"), "{pki}/none.pem: No such file"),
        (("--profile", "secc2", "--root", "{pki}/seccLeaf.key"), "{pki}/seccLeaf.key: "),
        (("--profile", "secc2", "--root", "{pki}/v2gRootCACert.pem", "--at", "tomorrow"), "--at tomorrow: not a date"),
        (
            ("--profile", "secc2", "--root", "{pki}/v2gRootCACert.pem", "--key", "{pki}/cpoCertChain.pem"),
            "{pki}/cpoCertChain.pem: no unencrypted",
        ),
    ],
)
def test_errors_name_the_place(capsys: pytest.CaptureFixture[str], pki: Path, arguments: tuple[str, ...], words: str) -> None:
    given = [each.format(pki=pki) for each in arguments]
    code, said, wrong = run(capsys, "verify", pki / "cpoCertChain.pem", *given)
    assert (code, said) == (1, "")
    assert wrong.startswith(words.format(pki=pki))
    assert "BEGIN" not in wrong


def test_csr(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    key, request = tmp_path / "new.key", tmp_path / "new.csr"
    code, said, _ = run(capsys, "csr", "--new", key, "--name", "CP-1", "--organization", "O", "--country", "DE", "--kind", "p521")
    assert code == 0
    request.write_text(said)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert x509.load_pem_x509_csr(said.encode()).public_key() == load_pem_private_key(key.read_bytes(), None).public_key()
    assert run(capsys, "csr", request)[:2] == (0, f"{request}: the request for the station's client certificate (OCPP), CP-1: right\n")
    code, said, _ = run(capsys, "csr", request, "--profile", "secc20")
    assert code == 1
    assert "its DC is missing, not CPO" in said
    before = key.read_bytes()
    code, said, wrong = run(capsys, "csr", "--new", key, "--name", "CP-1", "--organization", "O")
    assert (code, said, key.read_bytes()) == (1, "", before)
    assert str(key) in wrong
    code, said, wrong = run(capsys, "csr", "--new", tmp_path / "b.key", "--name", "ws://x", "--organization", "O")
    assert (code, said, (tmp_path / "b.key").exists()) == (1, "", False)
    assert "its CN does not have the form" in wrong
    assert run(capsys, "csr", "--new", tmp_path / "b.key", "--country", "Germany")[2].startswith("the name of the request: ")


def test_testpki(capsys: pytest.CaptureFixture[str], tmp_path: Path, pki: Path) -> None:
    run(capsys, "testpki", tmp_path / "same", "--seed", "x")
    assert (tmp_path / "same" / "seccLeaf.key").read_bytes() == (pki / "seccLeaf.key").read_bytes()
    run(capsys, "testpki", tmp_path / "other")
    assert (tmp_path / "other" / "seccLeaf.key").read_bytes() != (pki / "seccLeaf.key").read_bytes()
    leaf = x509.load_pem_x509_certificates((pki / "cpoCertChain.pem").read_bytes())[0]
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [each.access_location.value for each in access] == ["http://127.0.0.1:1/"]
    assert pki_files.read(pki).iso20.secc is not None
    assert leaf.not_valid_before_utc < dt.datetime.now(dt.UTC)


def test_bad(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "secc20-leaf_expired\n" in run(capsys, "testpki", tmp_path, "--bad", "?")[1]
    assert run(capsys, "testpki", tmp_path, "--bad", "vehicle20-leaf_curve") == (0, "key: refused by the profile vehicle20\n", "")
    code, said, _ = run(capsys, "verify", tmp_path / "chain.pem", "--profile", "vehicle20", "--root", tmp_path / "roots.pem")
    assert code == 1
    assert "✗ leaf: its key is p384, not p521 or ed448 (key)" in said
    leaf = x509.load_pem_x509_certificates((tmp_path / "chain.pem").read_bytes())[0]
    assert load_pem_private_key((tmp_path / "leaf.key").read_bytes(), None).public_key() == leaf.public_key()
    assert run(capsys, "testpki", tmp_path, "--bad", "zorp")[2].startswith("--bad zorp: not one of those")
    assert run(capsys, "testpki", tmp_path, "--bad", "secc2-garbage")[2].startswith("--bad secc2-garbage: no certificates")


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = run(capsys)
    assert code == 0
    assert all(each in said for each in ("testpki", "inspect", "verify", "csr"))


def test_bench_station_takes_the_tree(pki: Path, tmp_path: Path) -> None:
    """Security profile 3 with what `testpki` writes for both ends: the handshake comes through, each side with its certificate."""
    given = {
        "security_profile": 3,
        "certs_dir": str(pki / "station"),
        "csms_url": "wss://localhost:1/CP-0001",
        "charge_point_id": "CP-0001",
    }
    file = tmp_path / "station.json"
    file.write_text(json.dumps({**given, "state_dir": str(tmp_path), "control": "127.0.0.1:1", "evses": [{"id": 1, "connectors": [1]}]}))
    csms = bench_config.read(file).station.csms
    client = client_context(TlsFiles(csms.ca_file, csms.client_cert_file, csms.client_key_file), 3)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pki / "ocpp/csmsCertChain.pem", pki / "ocpp/csmsLeaf.key")
    server.load_verify_locations(pki / "ocpp/csmsRootCACert.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    station = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for each in (station, other):
            with contextlib.suppress(ssl.SSLWantReadError):
                each.do_handshake()
    assert station.getpeercert()["subject"][0] == (("commonName", "localhost"),)  # type: ignore[index]
    assert other.getpeercert()["subject"][0] == (("commonName", "CP-0001"),)  # type: ignore[index]
