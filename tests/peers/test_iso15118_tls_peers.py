"""ISO 15118-20 over TLS with the PyPI distribution `iso15118` on the other side, in both roles.

It has P-256 and one set of certificates for -2 and -20, and shows the OEM's provisioning certificate as the vehicle's: `--tls any` takes that.
Its vehicle calls the charger by its link-local address, as a server's name: only pyOpenSSL lets that pass.

Every service in both control modes, both ways: a session takes 7 to 15 s on two busy cores, nearly all of it its own (a Java machine at each end). What it
cannot, and what therefore only our own other side is asked for (tests/behaviour/test_iso20_*):

- the streams beside the loop (8101, 8102, 8104: "TODO" in its code), MeteringConfirmation and other services while charging, pause and resume (it forgets
  the session);
- the curves and suites of the standard, a certificate of the vehicle's own, contract certificates (its CertificateInstallation raises NotImplementedError);
- a control mode of the vehicle's choice: its vehicle takes the first parameter set of the first service, so the charger here offers one mode;
- the voltage of a precharge and the time limits of the loop: its charger pretends the one and watches no other, hence `--lax` and `--patient`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from bench.v2g.cable import Cable, foreign_pki, fresh_pki, ours, running, theirs

LOOPS = 4
RELAXED = ("--lax", "--patient")
TLS_1_3 = {"ENABLE_TLS_1_3": "True"}
SOAK = os.environ.get("SOAK") == "1"
PAIRS = [(service, control) for service in ("AC", "AC_BPT", "DC", "DC_BPT") for control in ("scheduled", "dynamic")]
ONE_WAY = [pair for number, pair in enumerate(PAIRS) if (number + number // 2) % 2 == 0]
"""Every pair of service and control in one of the two directions; both in SOAK."""
OTHER_WAY = [pair for pair in PAIRS if pair not in ONE_WAY]
pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("v2g tls"), pytest.mark.timeout(180)]


def secc(python: Path, link: Cable, certificates: Path, folder: Path, *words: str, service: str = "DC", **environ: str) -> str:
    """Its vehicle at our charger; gives what the charger printed."""
    car = {
        "supportedEnergyServices": [service],
        "useTls": True,
        "enforceTls": True,
        "supportedProtocols": [f"ISO_15118_20_{service[:2]}"],
        "chargeLoopCycle": LOOPS,
        "sdpRetryCycles": 1,
    }
    (folder / "car.json").write_text(json.dumps(car))
    command = ours("secc", "--iface", link.evse_interface, "--patient", *words)
    environ = theirs(python, link.ev_interface, PKI_PATH=str(certificates), **environ)
    with running(link.evse, folder / "charger.log", command) as charger:
        charger.until("ready\n")
        with running(link.ev, folder / "car.log", [python, "-m", "iso15118.evcc.main", "car.json"], **environ):
            charger.until("session over:")
        return charger.text()


@pytest.mark.soak
@pytest.mark.parametrize(("service", "control"), PAIRS if SOAK else ONE_WAY)
def test_its_vehicle_charges_at_our_charger(python: Path, link: Cable, pki: Path, tmp_path: Path, service: str, control: str) -> None:
    certificates = foreign_pki(pki, tmp_path / "theirs")
    words = ("--tls", "any", "--pki", str(pki), "--control", control)
    text = secc(python, link, certificates, tmp_path, *words, service=service, **TLS_1_3)
    assert "session over: terminated, SessionStop" in text, text[-3000:]
    assert "TLS 1.3, vehicle verified\n" in text
    assert f"energy=<Energy.{service}: '{service}'>, control=<Control.{control.upper()}: '{control}'>" in text
    assert text.count(f"> {service[:2]}_ChargeLoopReq") >= LOOPS


def test_without_its_switch_its_vehicle_comes_over_tls_1_2(python: Path, link: Cable, pki: Path, tmp_path: Path) -> None:
    """Which a bench takes; who it is nobody knows then."""
    text = secc(python, link, foreign_pki(pki, tmp_path / "theirs"), tmp_path, "--tls", "any", "--pki", str(pki))
    assert "session over: terminated, SessionStop" in text, text[-3000:]
    assert "TLS 1.2, vehicle not verified\n" in text
    assert "DialectChosen(namespace='urn:iso:std:iso:15118:-20:DC')" in text


def test_what_it_offers_is_too_little_for_a_strict_charger(python: Path, link: Cable, pki: Path, tmp_path: Path) -> None:
    text = secc(python, link, foreign_pki(pki, tmp_path / "theirs"), tmp_path, "--tls", "1.3", "--pki", str(pki), **TLS_1_3)
    assert "session over: aborted, TLS: nothing in common: TLS 1.3: no group (alert 40 sent)" in text, text[-3000:]
    assert "DialectChosen" not in text


def test_its_vehicle_below_a_root_that_our_charger_does_not_know(python: Path, link: Cable, pki: Path, tmp_path: Path) -> None:
    fresh_pki(tmp_path / "other")
    certificates, others = foreign_pki(pki, tmp_path / "theirs"), foreign_pki(tmp_path / "other", tmp_path / "others")
    for name in ("certs/oemCertChain.pem", "private_keys/oemLeaf.key"):
        shutil.copy(others / "iso15118_2" / name, certificates / "iso15118_2" / name)
    text = secc(python, link, certificates, tmp_path, "--tls", "any", "--pki", str(pki), **TLS_1_3)
    assert re.search(r"session over: aborted, TLS: .* \(alert 48 sent\)", text), text[-3000:]
    assert "DialectChosen" not in text


@pytest.mark.soak
@pytest.mark.parametrize(("service", "control"), PAIRS if SOAK else OTHER_WAY)
def test_our_vehicle_charges_at_its_charger(python: Path, link: Cable, pki: Path, tmp_path: Path, service: str, control: str) -> None:
    environ = theirs(
        python,
        link.evse_interface,
        PROTOCOLS=f"ISO_15118_20_{service[:2]}",
        AUTH_MODES="EIM",
        SECC_ENFORCE_TLS="True",
        PKI_PATH=str(foreign_pki(pki, tmp_path / "theirs")),
        **TLS_1_3,
    )
    with running(link.evse, tmp_path / "charger.log", [python, "-m", "iso15118.secc.main"], **environ) as charger:
        charger.until("UDP server started")
        wants = ("--protocol", f"iso20-{service[:2].lower()}", "--service", service, "--control", control, "--loops", str(LOOPS), *RELAXED)
        command = ours("ev", "--iface", link.ev_interface, "--tls", "any", "--pki", str(pki), *wants)
        with running(link.ev, tmp_path / "car.log", command) as car:
            code, text = car.ended(), car.text()
    assert code == 0, text[-3000:]
    assert "TLS 1.3, charger verified\n" in text
    assert f"energy=<Energy.{service}: '{service}'>, control=<Control.{control.upper()}: '{control}'>" in text
    assert "session over: terminated, SessionStop" in text
    assert text.count(f"< {service[:2]}_ChargeLoopRes OK") == LOOPS


@pytest.mark.parametrize("service", ["AC", "AC_BPT", "DC", "DC_BPT"])
def test_both_ends_of_ours_by_the_standard(link: Cable, pki: Path, tmp_path: Path, service: str) -> None:
    """TLS 1.3 with the curves of ISO 15118-20 and both certificates: nothing is relaxed."""
    tls = ("--tls", "1.3", "--pki", str(pki))
    with running(link.evse, tmp_path / "charger.log", ours("secc", "--iface", link.evse_interface, *tls)) as charger:
        charger.until("ready\n")
        command = ours("ev", "--iface", link.ev_interface, *tls, "--service", service, "--loops", str(LOOPS))
        with running(link.ev, tmp_path / "car.log", command) as car:
            assert car.ended() == 0, car.text()[-3000:]
        charger.until("session over:")
        text = charger.text()
    assert "TLS 1.3, vehicle verified\n" in text
    assert "session over: terminated, SessionStop" in text
