"""DIN 70121 and ISO 15118-2: our vehicle at the charger of the PyPI distribution `iso15118`, over a cable of two namespaces.

Its charger pretends the voltage of the precharge and of its limits, and answers slowly: `--lax` and `--patient`. It has no other schedules in DC, no pause,
and no wish of its own: those are for our own other side (tests/behaviour).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.v2g.cable import Cable, foreign_pki, ours, running, theirs

LOOPS = 6
DIN, ISO2 = "DIN_SPEC_70121", "ISO_15118_2"
NAMESPACES = {"din": "urn:din:70121:2012:MsgDef", "iso2": "urn:iso:15118:2:2013:MsgDef"}
pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("v2g"), pytest.mark.timeout(180)]


def ev(python: Path, link: Cable, folder: Path, its: str, *words: str, **environ: str) -> str:
    """Our vehicle at its charger; gives what the vehicle printed, and holds that it has charged."""
    settings = {"AUTH_MODES": "EIM", "SECC_ENFORCE_TLS": "False", "PKI_PATH": str(folder)} | environ
    environ = theirs(python, link.evse_interface, PROTOCOLS=its, **settings)
    with running(link.evse, folder / "charger.log", [python, "-m", "iso15118.secc.main"], **environ) as charger:
        charger.until("UDP server started")
        command = ours("ev", "--iface", link.ev_interface, "--loops", str(LOOPS), "--lax", "--patient", *words)
        with running(link.ev, folder / "car.log", command) as car:
            code, text = car.ended(), car.text()
    assert code == 0, text[-3000:]
    assert "session over: terminated, SessionStop" in text
    return text


@pytest.mark.parametrize(
    ("its", "protocol", "service", "loop"),
    [(DIN, "din", "DC", "CurrentDemandRes"), (ISO2, "iso2-dc", "DC", "CurrentDemandRes"), (ISO2, "iso2-ac", "AC", "ChargingStatusRes")],
)
def test_our_vehicle_charges_at_its_charger(
    python: Path, link: Cable, tmp_path: Path, its: str, protocol: str, service: str, loop: str
) -> None:
    text = ev(python, link, tmp_path, its, "--protocol", protocol, "--service", service)
    assert f"DialectChosen(namespace='{NAMESPACES[protocol[:4].rstrip('-')]}')" in text
    assert text.count(f"< {loop} OK") == LOOPS
    assert ("< WeldingDetectionRes OK" in text) is (service == "DC")


@pytest.mark.parametrize("service", ["DC", "AC"])
def test_over_tls_1_2(python: Path, link: Cable, pki: Path, tmp_path: Path, service: str) -> None:
    environ = {"SECC_ENFORCE_TLS": "True", "PKI_PATH": str(foreign_pki(pki, tmp_path / "theirs"))}
    tls = ("--tls", "1.2", "--pki", str(pki))
    text = ev(python, link, tmp_path, ISO2, "--protocol", f"iso2-{service.lower()}", "--service", service, *tls, **environ)
    assert "TLS 1.2, charger verified\n" in text


@pytest.mark.parametrize(("first", "second", "chosen"), [("din", "iso2-dc", "din"), ("iso2-dc", "din", "iso2")])
def test_the_first_of_two_protocols(python: Path, link: Cable, tmp_path: Path, first: str, second: str, chosen: str) -> None:
    text = ev(python, link, tmp_path, f"{DIN},{ISO2}", "--protocol", first, "--protocol", second)
    assert f"DialectChosen(namespace='{NAMESPACES[chosen]}')" in text


@pytest.mark.parametrize(
    ("protocols", "service", "tls", "chosen"),
    [
        ("din,iso2-dc", "DC", "none", "din"),
        ("iso2-dc", "DC", "1.2", "iso2"),
        ("iso2-ac", "AC", "1.2", "iso2"),
        ("iso2-ac,iso20-ac", "AC", "any", "iso2"),
    ],
)
def test_both_ends_of_ours(link: Cable, pki: Path, tmp_path: Path, protocols: str, service: str, tls: str, chosen: str) -> None:
    """Nothing is relaxed."""
    words = ("--tls", tls, *(() if tls == "none" else ("--pki", str(pki))))
    with running(link.evse, tmp_path / "charger.log", ours("secc", "--iface", link.evse_interface, *words)) as charger:
        charger.until("ready\n")
        command = ours("ev", "--iface", link.ev_interface, "--protocol", protocols, "--service", service, "--loops", str(LOOPS), *words)
        with running(link.ev, tmp_path / "car.log", command) as car:
            assert car.ended() == 0, car.text()[-3000:]
            text = car.text()
        charger.until("session over:")
        assert "session over: terminated, SessionStop" in charger.text()
    assert f"DialectChosen(namespace='{NAMESPACES[chosen]}')" in text
    assert ("charger verified\n" in text) is (tls != "none")
