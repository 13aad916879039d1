"""Plug & Charge of ISO 15118-2 over TLS 1.2 with the PyPI distribution `iso15118` on the other side, in both roles, and with both ends of ours.

Nothing is relaxed but its pace: it signs as the standard wants it. What it has not (updates, signed tariffs that are looked at) is asked of our own other side
only (tests/behaviour/test_iso2_pnc*). Its vehicle asks for a contract, judges the answer, and then shows the contract that it has on its disk.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench.v2g.cable import Cable, foreign_pki, ours, running, theirs

LOOPS = 4
pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("v2g tls"), pytest.mark.timeout(180)]


@pytest.mark.parametrize("install", [False, True], ids=["with a contract", "asks for one"])
@pytest.mark.parametrize("service", ["DC", "AC"])
def test_its_vehicle_pays_by_contract_at_our_charger(
    python: Path, link: Cable, pki: Path, tmp_path: Path, service: str, install: bool
) -> None:
    car = {
        "supportedEnergyServices": [service],
        "useTls": True,
        "enforceTls": True,
        "supportedProtocols": ["ISO_15118_2"],
        "chargeLoopCycle": LOOPS,
        "sdpRetryCycles": 1,
        "isCertInstallNeeded": install,
        "energyTransferMode": "DC_extended" if service == "DC" else "AC_three_phase_core",
    }
    (tmp_path / "car.json").write_text(json.dumps(car))
    command = ours("secc", "--iface", link.evse_interface, "--patient", "--tls", "any", "--pki", str(pki), "--auth", "pnc")
    environ = theirs(python, link.ev_interface, PKI_PATH=str(foreign_pki(pki, tmp_path / "theirs")))
    with running(link.evse, tmp_path / "charger.log", command) as charger:
        charger.until("ready\n")
        with running(link.ev, tmp_path / "car.log", [python, "-m", "iso15118.evcc.main", "car.json"], **environ):
            charger.until("session over:")
        text = charger.text()
    assert "session over: terminated, SessionStop" in text, text[-3000:]
    assert "TLS 1.2, vehicle not verified\n" in text
    assert "ContractShown(emaid='DETSTC00000001', why=" in text
    assert "AuthorizationWanted" not in text
    assert ("CertificateInstallationRes OK" in text) is install


@pytest.mark.parametrize("contract", [True, False], ids=["with a contract", "without"])
@pytest.mark.parametrize("service", ["DC", "AC"])
def test_our_vehicle_pays_by_contract_at_its_charger(
    python: Path, link: Cable, pki: Path, tmp_path: Path, service: str, contract: bool
) -> None:
    """Without one it gets one first, from the provisioning service that is in its charger."""
    own = tmp_path / "pki"
    shutil.copytree(pki, own)
    for path in [] if contract else own.rglob("contractCertChain.pem"):
        path.unlink()
    environ = theirs(
        python,
        link.evse_interface,
        PROTOCOLS="ISO_15118_2",
        AUTH_MODES="PNC",
        SECC_ENFORCE_TLS="True",
        PKI_PATH=str(foreign_pki(pki, tmp_path / "theirs")),
    )
    with running(link.evse, tmp_path / "charger.log", [python, "-m", "iso15118.secc.main"], **environ) as charger:
        charger.until("UDP server started")
        wants = (
            "--protocol",
            f"iso2-{service.lower()}",
            "--service",
            service,
            "--loops",
            str(LOOPS),
            "--lax",
            "--patient",
            "--auth",
            "pnc",
        )
        command = ours("ev", "--iface", link.ev_interface, "--tls", "1.2", "--pki", str(own), *wants)
        with running(link.ev, tmp_path / "car.log", command) as car:
            code, text = car.ended(), car.text()
    assert code == 0, text[-3000:]
    assert "TLS 1.2, charger verified\n" in text
    assert "Authorized(payment=<Payment.PNC: 'PnC'>, emaid='DETSTC00000001'" in text
    assert ("ContractInstalled(contract=Contract(emaid='DETSTC00000001')" in text) is not contract
    assert text.count(f"< {'CurrentDemand' if service == 'DC' else 'ChargingStatus'}Res OK") == LOOPS


@pytest.mark.parametrize("contract", [True, False], ids=["with a contract", "without"])
def test_both_ends_of_ours(link: Cable, pki: Path, tmp_path: Path, contract: bool) -> None:
    own = tmp_path / "pki"
    shutil.copytree(pki, own)
    for path in [] if contract else own.rglob("contractCertChain.pem"):
        path.unlink()
    command = ours("secc", "--iface", link.evse_interface, "--tls", "any", "--pki", str(pki), "--auth", "pnc")
    with running(link.evse, tmp_path / "charger.log", command) as charger:
        charger.until("ready\n")
        words = ("--tls", "1.2", "--pki", str(own), "--auth", "pnc", "--loops", str(LOOPS), "--protocol", "iso2-dc", "--service", "DC")
        with running(link.ev, tmp_path / "car.log", ours("ev", "--iface", link.ev_interface, *words)) as car:
            assert car.ended() == 0, car.text()[-3000:]
            text = car.text()
        charger.until("session over:")
    assert "Authorized(payment=<Payment.PNC: 'PnC'>, emaid='DETSTC00000001'" in text
    assert ("ContractInstalled(contract=Contract(emaid='DETSTC00000001')" in text) is not contract
