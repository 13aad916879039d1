"""`chargepoint certs install` and `list` on the store that `run` uses."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from bench.cli import main
from certs.store import Subject
from certs.store.files import FileStore
from chargepoint.runtime.main import alone
from tests.unit.certs.store_rig import Ca


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    assert main(["certs", "testpki", str(folder), "--seed", "x"]) == 0
    return folder


@pytest.fixture
def config(tmp_path: Path, pki: Path) -> Path:
    path = tmp_path / "cp.toml"
    path.write_text(f"state_dir = '{tmp_path}/state'\n[csms]\nca_file = '{pki}/ocpp/csmsRootCACert.pem'\n")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["certs", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_root_is_installed_and_listed(capsys: pytest.CaptureFixture[str], tmp_path: Path, config: Path, pki: Path) -> None:
    before = run(capsys, "list", "--config", config)
    assert before[0] == 0
    assert before[1].startswith("CSMSRootCertificate          C=DE,")
    assert before[1].splitlines()[0].endswith(", of the configuration")
    assert not (tmp_path / "state").exists()
    der = tmp_path / "root.der"
    der.write_bytes(load_pem_x509_certificate((pki / "iso20" / "v2gRootCACert.pem").read_bytes()).public_bytes(Encoding.DER))
    assert run(capsys, "install", "v2g", der, "--config", config) == (0, "", "")
    assert run(capsys, "install", "MORootCertificate", pki / "moRootCACert.pem", "--config", config)[0] == 0
    _, said, _ = run(capsys, "list", "--config", config)
    assert [line.split()[0] for line in said.splitlines()[::2]] == ["V2GRootCertificate", "MORootCertificate", "CSMSRootCertificate"]
    assert "until 20" in said
    store = FileStore(tmp_path / "state" / "certificates")
    ca = Ca()
    for _ in range(2):
        slot, csr = store.make_request("V2G20Certificate", "p256", Subject("x"))
        store.adopt(slot, ca.chain_for(csr, days=1))
    store.make_request("V2G20Certificate", "p521", Subject("x"))
    with alone(tmp_path / "state"):
        _, said, _ = run(capsys, "list", "--config", config)
    own = [line.split(None, 1)[1] for line in said.splitlines() if line.startswith("V2G20")]
    assert own == [
        "previous, p256: CN=leaf, expired 2026-01-02",
        "active, p256: CN=leaf, expired 2026-01-02",
        "pending, p521: waits for its certificate",
    ]


def test_what_cannot_be_installed_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path, config: Path, pki: Path) -> None:
    root, odd = pki / "iso20" / "v2gRootCACert.pem", tmp_path / "odd.pem"
    odd.write_text(Ca().root_pem)  # which says of itself nothing of a CA
    for arguments, said in (
        (("csms2", root), "csms2: not one of csms, mo, v2g, manufacturer, oem"),
        (("v2g", tmp_path / "none"), f"{tmp_path / 'none'}: No such file"),
        (("v2g", config), f"{config}: "),
        (("v2g", pki / "iso20" / "cpoCertChain.pem"), "holds more than one certificate"),
        (("v2g", odd), f"{odd}: "),
    ):
        code, _, wrong = run(capsys, "install", *arguments, "--config", config)
        assert code == 1
        assert said in wrong
    with alone(tmp_path / "state"):
        code, _, wrong = run(capsys, "install", "v2g", root, "--config", config)
    assert (code, "another station is running" in wrong) == (1, True)
    (tmp_path / "state" / "certificates").mkdir(exist_ok=True)
    (tmp_path / "state" / "certificates" / "index.json").write_text("damaged")
    code, _, wrong = run(capsys, "list", "--config", config)
    assert (code, "index.json" in wrong) == (1, True)
    assert (tmp_path / "state" / "certificates" / "index.json").read_text() == "damaged"
