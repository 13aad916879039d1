"""M03 to M05: roots installed, listed and deleted over TLS, and the CSMS's own root replaced while the station depends on it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from certs.testpki_make import Identity
from chargepoint.runtime.virtual import run_virtual
from tests.behaviour.link_site import IDENTITY
from tests.behaviour.tls_site import Site, a_site, hashes, next_root, next_server, other, pki, settings, write

CHECK = {"SecurityCtrlr.AdditionalRootCertificateCheck": "true"}


def serve(site: Site, server: Any) -> None:
    """From the next connection on."""
    assert site.tls is not None
    site.tls.load_cert_chain(*write(server, site.folder, "changed"))


async def csms_roots(site: Site) -> list[str]:
    """Serial numbers."""
    return [each["certificateHashData"]["serialNumber"] for each in await site.installed("CSMSRootCertificate")]


@pytest.mark.req("M03.FR.01", "M04.FR.02", "M05.FR.02", "TC_M_01", "TC_M_12", "TC_M_20")
def test_a_root_comes_and_goes_and_what_it_is_trusted_for_changes_with_it(tmp_path: Path) -> None:
    async def story() -> None:
        stranger = other()["csmsRoot"]
        async with a_site(tmp_path) as site:
            async with site.life(csms=settings(tmp_path, 2)) as box:
                serve(site, other()["csmsLeaf"])
                await site.csms.drop(IDENTITY)
                await asyncio.sleep(12)
                assert box.causes[-1] == "certificate"
                serve(site, pki()["csmsLeaf"])
                await site.csms.wait_connected(IDENTITY, 300)
                assert await site.install("CSMSRootCertificate", stranger) == "Accepted"
                serve(site, other()["csmsLeaf"])
                await site.anew()
                assert len(await csms_roots(site)) == 2
                gone = await site.csms.call(
                    IDENTITY, "DeleteCertificate", {"certificateHashData": hashes(pki()["csmsRoot"], pki()["csmsRoot"])}
                )
                assert (gone["status"], await csms_roots(site)) == ("Accepted", [hashes(stranger, stranger)["serialNumber"]])
                last = await site.csms.call(IDENTITY, "DeleteCertificate", {"certificateHashData": hashes(stranger, stranger)})
                assert last["status"] == "Failed"
            async with site.life(csms=settings(tmp_path, 2)):  # the file of the configuration stays passed over
                assert await csms_roots(site) == [hashes(stranger, stranger)["serialNumber"]]

    run_virtual(story())


async def delete(site: Site, root: Identity) -> str:
    asked = {"certificateHashData": hashes(root, root)}
    status: str = (await site.csms.call(IDENTITY, "DeleteCertificate", asked))["status"]
    return status


@pytest.mark.req("M04.FR.08")
def test_the_root_that_the_connection_stands_on_stays(tmp_path: Path) -> None:
    """Nothing but TLS itself says which of the two it is."""

    async def story() -> None:
        async with a_site(tmp_path) as site, site.life(csms=settings(tmp_path, 2)):
            assert await site.install("CSMSRootCertificate", other()["csmsRoot"]) == "Accepted"
            assert await delete(site, pki()["csmsRoot"]) == "Failed"
            serve(site, other()["csmsLeaf"])
            await site.anew()
            assert await delete(site, other()["csmsRoot"]) == "Failed"
            assert len(await csms_roots(site)) == 2
            assert await delete(site, pki()["csmsRoot"]) == "Accepted"

    run_virtual(story())


@pytest.mark.req("M04.FR.08")
def test_of_two_roots_of_which_one_has_signed_the_other_the_nearer_one_stays(tmp_path: Path) -> None:
    async def story() -> None:
        given = settings(tmp_path, 2)
        Path(given["ca_file"]).write_bytes(pki()["csmsRoot"].certificate_pem + next_root().certificate_pem)
        async with a_site(tmp_path) as site, site.life(csms=given):
            serve(site, next_server())
            await site.anew()
            new, old = next_root(), pki()["csmsRoot"]
            asked = {"certificateHashData": hashes(new, old)}
            assert (await site.csms.call(IDENTITY, "DeleteCertificate", asked))["status"] == "Failed"
            assert await delete(site, old) == "Accepted"
            await site.anew()

    run_virtual(story())


@pytest.mark.req("M05.FR.09", "M05.FR.12", "M05.FR.13", "TC_M_30")
def test_a_new_root_takes_the_old_ones_place_with_the_first_connection_by_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path) as site, site.life(csms=settings(tmp_path, 2), variables=CHECK):
            assert await site.install("CSMSRootCertificate", next_root()) == "Accepted"
            assert len(await csms_roots(site)) == 2
            serve(site, next_server())
            await site.anew()
            await asyncio.sleep(1)
            assert await csms_roots(site) == [format(next_root().certificate.serial_number, "x")]

    run_virtual(story())


@pytest.mark.req("M05.FR.14", "TC_M_31")
def test_as_long_as_the_csms_does_not_use_the_new_root_the_old_one_keeps_the_station_in_reach(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path) as site:
            async with site.life(csms=settings(tmp_path, 2), variables=CHECK) as box:
                assert await site.install("CSMSRootCertificate", next_root()) == "Accepted"
                await site.anew()
                assert box.causes == ["closed", "certificate"]
                assert len(await csms_roots(site)) == 2
            async with site.life(csms=settings(tmp_path, 2), variables=CHECK):  # it is still known which of them is the old one
                assert len(await csms_roots(site)) == 2
                serve(site, next_server())
                await site.anew()
                await asyncio.sleep(1)
                assert len(await csms_roots(site)) == 1

    run_virtual(story())


@pytest.mark.req("M05.FR.10", "M05.FR.11", "TC_M_09")
def test_with_the_check_nobody_elses_root_is_installed(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path) as site, site.life(csms=settings(tmp_path, 2), variables=CHECK):
            assert await site.install("CSMSRootCertificate", other()["csmsRoot"]) == "Rejected"
            assert await site.install("V2GRootCertificate", other()["v2gRoot"]) == "Accepted"
            assert len(await csms_roots(site)) == 1

    run_virtual(story())
