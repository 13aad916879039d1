"""Plug & Charge of ISO 15118-20 over TLS 1.3 with the PyPI distribution `iso15118` on the other side, in both roles, and with both ends of ours.

Of the peer had to be relaxed, by the name of `--auth pnc-p256` and in tests only: its contracts are on P-256, and it signs as -2 does, with SHA-256; and
what `tests/peers/test_iso15118_tls_peers.py` says of its TLS. Its messages and fragments are the standard's. What it has not (CertificateInstallation
raises NotImplementedError, MeteringConfirmation is not there, no contract is judged by its chain) is asked of our own other side only
(tests/behaviour/test_iso20_pnc*).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench.v2g.cable import Cable, foreign_pki, fresh_pki, ours, running, theirs

LOOPS = 4
RELAXED = ("--lax", "--patient")
TLS_1_3 = {"ENABLE_TLS_1_3": "True"}
pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("v2g tls"), pytest.mark.timeout(180)]


def at_our_charger(python: Path, link: Cable, certificates: Path, folder: Path, *words: str, service: str = "DC") -> str:
    """Its vehicle; gives what our charger printed."""
    car = {
        "supportedEnergyServices": [service],
        "useTls": True,
        "enforceTls": True,
        "supportedProtocols": [f"ISO_15118_20_{service}"],
        "chargeLoopCycle": LOOPS,
        "sdpRetryCycles": 1,
        "isCertInstallNeeded": False,
    }
    (folder / "car.json").write_text(json.dumps(car))
    command = ours("secc", "--iface", link.evse_interface, "--patient", "--tls", "any", *words)
    environ = theirs(python, link.ev_interface, PKI_PATH=str(certificates), **TLS_1_3)
    with running(link.evse, folder / "charger.log", command) as charger:
        charger.until("ready\n")
        with running(link.ev, folder / "car.log", [python, "-m", "iso15118.evcc.main", "car.json"], **environ):
            charger.until("session over:")
        return charger.text()


@pytest.mark.parametrize("service", ["AC", "DC"])
def test_its_vehicle_pays_by_contract_at_our_charger(python: Path, link: Cable, pki: Path, tmp_path: Path, service: str) -> None:
    certificates = foreign_pki(pki, tmp_path / "theirs")
    text = at_our_charger(python, link, certificates, tmp_path, "--pki", str(pki), "--auth", "pnc-p256", service=service)
    assert "session over: terminated, SessionStop" in text, text[-3000:]
    assert "TLS 1.3, vehicle verified\n" in text
    assert "ContractShown(emaid='DETSTC00000001', why=" in text
    assert "AuthorizationWanted" not in text
    assert text.count(f"> {service}_ChargeLoopReq") >= LOOPS


def test_by_the_standard_its_contract_is_refused(python: Path, link: Cable, pki: Path, tmp_path: Path) -> None:
    """Where nobody has asked for the profile of peers. It takes the warning for a yes, and gets no further for that."""
    text = at_our_charger(python, link, foreign_pki(pki, tmp_path / "theirs"), tmp_path, "--pki", str(pki), "--auth", "pnc")
    assert "ContractRefused(emaid='DETSTC00000001'" in text, text[-3000:]
    assert "its key is p256, not p521 or ed448" in text
    assert "AuthorizationRes WARNING_CertificateValidationError" in text
    assert "ServiceDiscoveryRes FAILED_SequenceError" in text
    assert "SessionBegun" in text
    assert "EnergyChosen" not in text


def test_its_contract_below_a_root_that_our_charger_does_not_know(python: Path, link: Cable, pki: Path, tmp_path: Path) -> None:
    fresh_pki(tmp_path / "other")
    certificates, others = foreign_pki(pki, tmp_path / "theirs"), foreign_pki(tmp_path / "other", tmp_path / "others")
    for name in ("contractLeafCert.der", "moSubCA2Cert.der", "moSubCA1Cert.der"):
        shutil.copy(others / "iso15118_2" / "certs" / name, certificates / "iso15118_2" / "certs")
    shutil.copy(others / "iso15118_2" / "private_keys" / "contractLeaf.key", certificates / "iso15118_2" / "private_keys")
    text = at_our_charger(python, link, certificates, tmp_path, "--pki", str(pki), "--auth", "pnc-p256")
    assert "AuthorizationRes WARNING_eMSPUnknown" in text, text[-3000:]


@pytest.mark.parametrize("service", ["AC", "DC"])
def test_our_vehicle_pays_by_contract_at_its_charger(python: Path, link: Cable, pki: Path, tmp_path: Path, service: str) -> None:
    environ = theirs(
        python,
        link.evse_interface,
        PROTOCOLS=f"ISO_15118_20_{service}",
        AUTH_MODES="PNC",
        SECC_ENFORCE_TLS="True",
        PKI_PATH=str(foreign_pki(pki, tmp_path / "theirs")),
        **TLS_1_3,
    )
    with running(link.evse, tmp_path / "charger.log", [python, "-m", "iso15118.secc.main"], **environ) as charger:
        charger.until("UDP server started")
        wants = ("--protocol", f"iso20-{service.lower()}", "--service", service, "--loops", str(LOOPS), *RELAXED, "--auth", "pnc-p256")
        command = ours("ev", "--iface", link.ev_interface, "--tls", "any", "--pki", str(pki), *wants)
        with running(link.ev, tmp_path / "car.log", command) as car:
            code, text = car.ended(), car.text()
    assert code == 0, text[-3000:]
    assert "TLS 1.3, charger verified\n" in text
    assert "Authorized(payment=<Payment.PNC: 'PnC'>, emaid='DETSTC00000001'" in text
    assert text.count(f"< {service}_ChargeLoopRes OK") == LOOPS


@pytest.mark.parametrize("contract", [True, False], ids=["with a contract", "without"])
def test_both_ends_of_ours_by_the_standard(link: Cable, pki: Path, tmp_path: Path, contract: bool) -> None:
    """P-521 and both certificates; a vehicle without a contract gets one first."""
    theirs_ = tmp_path / "pki"
    shutil.copytree(pki, theirs_)
    for path in [] if contract else theirs_.rglob("contractCertChain.pem"):
        path.unlink()
    command = ours("secc", "--iface", link.evse_interface, "--tls", "1.3", "--pki", str(pki), "--auth", "pnc")
    with running(link.evse, tmp_path / "charger.log", command) as charger:
        charger.until("ready\n")
        words = ("--tls", "1.3", "--pki", str(theirs_), "--auth", "pnc", "--loops", str(LOOPS))
        with running(link.ev, tmp_path / "car.log", ours("ev", "--iface", link.ev_interface, *words)) as car:
            assert car.ended() == 0, car.text()[-3000:]
            text = car.text()
        charger.until("session over:")
    assert "Authorized(payment=<Payment.PNC: 'PnC'>, emaid='DETSTC00000001'" in text
    assert ("ContractInstalled(contract=Contract(emaid='DETSTC00000001')" in text) is not contract
