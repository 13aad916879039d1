"""TC_B_50: a station moves to another CSMS, whose certificate comes by another root."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chargepoint.runtime.virtual import run_virtual
from tests.behaviour.link_site import IDENTITY, PASSWORD
from tests.behaviour.tls_site import a_site, hashes, next_root, next_server, restarts, settings

CHECK = {"SecurityCtrlr.AdditionalRootCertificateCheck": "true"}


@pytest.mark.req("TC_B_50", "M05.FR.13", "B09.FR.01", "B10.FR.01")
@pytest.mark.req("A00.FR.506")
def test_tc_b_50_the_old_root_goes_once_the_new_one_has_been_used(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path / "1") as old, a_site(tmp_path / "2", server=next_server()) as new:
            old.folder = new.folder = tmp_path
            given = settings(tmp_path, 2)
            async with old.life(csms=given, variables=CHECK) as box:
                assert await old.install("CSMSRootCertificate", next_root()) == "Accepted"
                assert await old.set_profile(2, new.csms.url, 2) == "Accepted"
                assert await old.set_priority("2") in ("Accepted", "RebootRequired")
                answer = await old.csms.call(IDENTITY, "Reset", {"type": "OnIdle"})
                assert answer["status"] == "Accepted"
                await asyncio.sleep(10)
                assert restarts(box)
                assert len(old.csms.calls_of("BootNotification")) == 1
            new.csms.behaviour.passwords = {IDENTITY: PASSWORD}
            async with new.life(csms=given | {"url": old.csms.url}, variables=CHECK):
                await asyncio.sleep(1)
                (root,) = await new.installed("CSMSRootCertificate")
                assert root["certificateHashData"]["hashAlgorithm"] == "SHA256"
                assert root["certificateHashData"]["serialNumber"] == hashes(next_root(), next_root())["serialNumber"]
                assert len(old.csms.calls_of("BootNotification")) == 1

    run_virtual(story())
