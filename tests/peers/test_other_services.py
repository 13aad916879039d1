"""AC by grid rules, WPT and ACDP of ISO 15118-20: both ends of ours over a cable; nobody else has these sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.v2g.cable import Cable, ours, running

pytestmark = [pytest.mark.xdist_group("v2g"), pytest.mark.timeout(180)]


@pytest.mark.parametrize(
    ("service", "namespace"),
    [("ac-der-iec", "AC-DER-IEC"), ("ac-der-sae", "AC-DER-SAE"), ("wpt", "WPT"), ("acdp", "ACDP")],
)
def test_both_ends_of_ours(link: Cable, pki: Path, tmp_path: Path, service: str, namespace: str) -> None:
    words = ("--service", service, "--tls", "1.3", "--pki", str(pki))
    with running(link.evse, tmp_path / "charger.log", ours("secc", "--iface", link.evse_interface, *words)) as charger:
        charger.until("ready\n")
        command = ours("ev", "--iface", link.ev_interface, "--loops", "8", *words)
        with running(link.ev, tmp_path / "car.log", command) as car:
            assert car.ended() == 0, car.text()[-3000:]
            text = car.text()
        charger.until("session over:")
        assert "session over: terminated, SessionStop" in charger.text()
    assert f"DialectChosen(namespace='urn:iso:std:iso:15118:-20:{namespace}')" in text
