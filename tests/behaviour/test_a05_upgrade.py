"""A05: security profile 1 to 2 to 3 over real connections, and the way back where the new one does not work."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chargepoint.runtime.virtual import run_virtual
from tests.behaviour.link_site import IDENTITY, PASSWORD, Box
from tests.behaviour.tls_site import Site, a_site, other, pki, restarts

PLAIN = {"security_profile": 1}


async def reset(site: Site, box: Box) -> None:
    """The CSMS wants the station to begin anew."""
    await site.csms.call(IDENTITY, "Reset", {"type": "Immediate"})
    await asyncio.sleep(10)
    assert restarts(box)


@pytest.mark.req("A05.FR.02", "A05.FR.03", "A05.FR.04", "A05.FR.05", "A05.FR.06", "TC_A_19", "TC_A_20", "TC_A_21")
@pytest.mark.req("A00.FR.001")
def test_from_password_to_tls_to_a_certificate_of_its_own(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            a_site(tmp_path / "1", plain=True) as first,
            a_site(tmp_path / "2") as second,
            a_site(tmp_path / "3", client_roots=[pki()["csmsRoot"]]) as third,
        ):
            for site in (first, second, third):
                site.folder = tmp_path
            async with first.life(csms=PLAIN) as box:
                assert await first.set_profile(2, second.csms.url, 2) == "Accepted"
                assert await first.set_priority("2,1") == "Rejected"  # nobody is trusted yet
                assert await first.install("CSMSRootCertificate", pki()["csmsRoot"]) == "Accepted"
                assert await first.set_priority("2,1") == "RebootRequired"
                await reset(first, box)
            second.csms.behaviour.passwords = {IDENTITY: PASSWORD}
            async with second.life(csms=PLAIN | {"url": first.csms.url}) as box:
                assert await second.set_profile(3, third.csms.url, 3) == "Accepted"
                assert await second.set_priority("3,2") == "Rejected"  # there is nothing to show
                await second.trigger()
                await second.csms.wait_until(lambda: bool(second.csms.signed), timeout_s=60)
                assert second.csms.signed[0][1] == {"status": "Accepted"}
                assert await second.set_priority("3,2") == "RebootRequired"
                assert await second.set_profile(4, first.csms.url, 1) == "Rejected"
                await reset(second, box)
            async with third.life(csms=PLAIN | {"url": first.csms.url}) as box:
                assert third.shown() is not None
                await asyncio.sleep(1)
                profiles = box.handle.station.wiring.machines["network"].state.profiles
                assert {slot: each.security_profile for slot, each in profiles.items()} == {3: 3}

    run_virtual(story())


@pytest.mark.req("A05.FR.04", "TC_A_19", "TC_B_47")
def test_a_profile_that_does_not_connect_gives_way_to_the_one_that_worked(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path / "1", plain=True) as first, a_site(tmp_path / "2", server=other()["csmsLeaf"]) as second:
            first.folder = tmp_path
            async with first.life(csms=PLAIN) as box:
                await first.install("CSMSRootCertificate", pki()["csmsRoot"])
                assert await first.set_profile(2, second.csms.url, 2) == "Accepted"
                assert await first.set_priority("2,1") == "RebootRequired"
                await reset(first, box)
            async with first.life(csms=PLAIN) as box:
                assert box.causes == ["certificate", "certificate"]
                told = await first.told("InvalidCsmsCertificate")
                assert "root" in told["techInfo"]
                profiles = box.handle.station.wiring.machines["network"].state.profiles
                assert {slot: each.security_profile for slot, each in profiles.items()} == {1: 1, 2: 2}

    run_virtual(story())
