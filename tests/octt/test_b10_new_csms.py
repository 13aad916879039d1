"""TC_B_50: a station moves to another CSMS, whose certificate comes by another root."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from certs.testpki_make import Identity, Spec, issue, key_of
from chargepoint.runtime.virtual import run_virtual
from tests.behaviour.link_site import IDENTITY, PASSWORD
from tests.behaviour.tls_site import NOW, a_site, hashes, next_root, next_server, other, pki, restarts, settings, write

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


@pytest.mark.req("M05.FR.15", "M05.FR.16")
def test_a_new_csms_whose_certificate_is_not_by_the_new_root_is_tried_so_often_and_then_the_old_one_by_the_old_root(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path / "1") as old, a_site(tmp_path / "2", server=other()["csmsLeaf"]) as new:
            old.folder = new.folder = tmp_path
            given = settings(tmp_path, 2)
            async with old.life(csms=given, variables=CHECK) as box:
                assert await old.install("CSMSRootCertificate", next_root()) == "Accepted"
                assert await old.set_profile(2, new.csms.url, 2) == "Accepted"
                assert await old.set_priority("2,1") in ("Accepted", "RebootRequired")
                assert (await old.csms.call(IDENTITY, "Reset", {"type": "OnIdle"}))["status"] == "Accepted"
                await asyncio.sleep(10)
                assert restarts(box)
            async with old.life(csms=given, variables=CHECK) as box:
                assert box.causes == ["certificate"] * 3  # twice at the new one, and once here by the new root
                assert new.csms.calls_of("BootNotification") == []
                assert len(await old.installed("CSMSRootCertificate")) == 2

    run_virtual(story())


@pytest.mark.req("A00.FR.430")
def test_whether_a_certificate_of_its_own_that_has_expired_will_do_is_for_the_csms_to_say(tmp_path: Path) -> None:
    root, key = pki()["csmsRoot"], key_of("p256", b"site", "expired")
    spec = Spec("SN1", root.certificate.subject, 7, NOW - timedelta(days=90), NOW - timedelta(days=1), "own", usages=("digital_signature",))
    own = Identity(issue(spec, key, root.key), key, ())

    async def story() -> None:
        async with a_site(tmp_path) as site:
            chain, key_file = write(own, tmp_path, "expired")
            async with site.life(csms=settings(tmp_path, 3) | {"client_cert_file": chain, "client_key_file": key_file}) as box:
                assert box.causes == []

    run_virtual(story())
