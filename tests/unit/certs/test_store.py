"""Which of several chains is shown (`certs.store.in_use`)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from certs.store import OwnChain, OwnUse, in_use


@pytest.mark.req("A02.FR.15", "A03.FR.15")
@pytest.mark.parametrize(("adopted_utc", "newest"), [(2000.0, "adopted"), (1000.0, "adopted"), (500.0, "given")])
@pytest.mark.parametrize("use", ["V2GCertificate", "V2G20Certificate", "ChargingStationCertificate"])
def test_of_several_that_are_valid_vehicles_are_shown_the_newest(use: OwnUse, adopted_utc: float, newest: str) -> None:
    """A CSMS is shown what it has asked for."""
    given = OwnChain(use, "given", "previous", "p256", not_before_utc=1000.0, not_after_utc=9000.0, configured=True)
    adopted = OwnChain(use, "adopted", "active", "p256", not_before_utc=adopted_utc, not_after_utc=9000.0)
    shown = "adopted" if use == "ChargingStationCertificate" else newest
    assert in_use([given, adopted], use, 3000.0)[0].slot == shown
    over = [replace(given, not_after_utc=2500.0), adopted]
    assert in_use(over, use, 3000.0)[0].slot == "adopted"
