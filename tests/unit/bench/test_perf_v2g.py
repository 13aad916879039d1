"""What `bench.perf.v2g_share` measures is rounds of a loop, with TLS and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.perf.v2g_share import share_ms
from bench.vehicle.cable import fresh_pki


@pytest.mark.parametrize("tls", [False, True], ids=["no TLS", "TLS 1.3"])
def test_each_round_has_its_time(tmp_path: Path, tls: bool) -> None:
    pki = tmp_path / "pki" if tls else None
    if pki is not None:
        fresh_pki(pki)
    found = share_ms(pki, 5)
    assert len(found) == 5
    assert all(each > 0.0 for each in found)
