"""A02, A03: the station's certificates are renewed over real TLS connections, while they are in use."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography import x509

from bench.csms.signing import Wrong
from certs.store import OwnUse
from chargepoint.runtime.virtual import run_virtual
from tests.behaviour.link_site import IDENTITY, counted
from tests.behaviour.tls_site import Site, a_site, other, pki, settings

STATION: OwnUse = "ChargingStationCertificate"


async def renewed(site: Site) -> None:
    """The CertificateSigned has been answered."""
    await site.csms.wait_until(lambda: bool(site.csms.signed), timeout_s=600)


def number(certificate: x509.Certificate | None) -> int:
    assert certificate is not None
    return certificate.serial_number


@pytest.mark.req("A02.FR.02", "A02.FR.06", "A02.FR.08", "A02.FR.10", "TC_A_11")
def test_a_new_client_certificate_is_shown_on_the_next_connection_which_is_made_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path, client_roots=[pki()["csmsRoot"]]) as site, site.life(csms=settings(tmp_path, 3)) as box:
            before = number(site.shown())
            assert before == pki()["stationLeaf"].certificate.serial_number
            assert await site.trigger() == "Accepted"
            await renewed(site)
            assert site.csms.signed == [(IDENTITY, {"status": "Accepted"})]
            await box.next_down()
            await site.csms.wait_connected(IDENTITY)
            after = number(site.shown())
            assert (after != before, site.csms.connected_times, counted(site.csms)["BootNotification"]) == (True, 2, 1)
            await asyncio.sleep(1)
            slots = box.handle.station.wiring.context.certificates.own
            assert [(each.state, each.configured) for each in slots] == [("active", False)]
            await site.csms.drop(IDENTITY)
            await asyncio.sleep(10)
            assert number(site.shown()) == after

        async with a_site(tmp_path, client_roots=[pki()["csmsRoot"]]) as again, again.life(csms=settings(tmp_path, 3)):
            assert number(again.shown()) == after

    run_virtual(story())


@pytest.mark.req("A02.FR.28", "A02.FR.29", "F-9")
def test_a_new_client_certificate_that_the_csms_does_not_know_gives_way_to_the_old_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path, client_roots=[pki()["csmsRoot"]]) as site, site.life(csms=settings(tmp_path, 3)) as box:
            before = number(site.shown())
            assert await site.install("CSMSRootCertificate", other()["csmsRoot"]) == "Accepted"
            site.signer.parties = other
            await site.trigger()
            await renewed(site)
            assert site.csms.signed[-1][1] == {"status": "Accepted"}
            await site.told("DiscardedRenewedClientCertificate")
            assert number(site.shown()) == before
            await asyncio.sleep(1)
            own = box.handle.station.wiring.context.certificates.own
            assert [(each.state, each.configured) for each in own] == [("active", True)]
            assert "tls" in box.causes

    run_virtual(story())


@pytest.mark.req("A02.FR.07", "TC_A_14")
@pytest.mark.parametrize("wrong", ["expired", "wrong_root", "wrong_key"])
def test_a_wrong_certificate_is_refused_and_the_connection_stays(wrong: Wrong, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path, client_roots=[pki()["csmsRoot"]]) as site, site.life(csms=settings(tmp_path, 3)):
            site.signer.wrong = wrong
            await site.trigger()
            await renewed(site)
            assert site.csms.signed[-1][1]["status"] == "Rejected"
            told = await site.told("InvalidChargingStationCertificate")
            assert told["techInfo"] == site.csms.signed[-1][1]["statusInfo"]["additionalInfo"][:255]
            await asyncio.sleep(3600)
            assert (site.csms.connected_times, counted(site.csms)["SignCertificate"]) == (1, 1)

    run_virtual(story())


@pytest.mark.req("A02.FR.17", "A02.FR.18", "A02.FR.19", "TC_A_15", "TC_A_23")
@pytest.mark.parametrize(("wrong", "times"), [("rejected", 1), ("never", 4)])
def test_what_does_not_come_is_asked_for_again_and_what_is_refused_is_not(wrong: Wrong, times: int, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path) as site, site.life(csms=settings(tmp_path, 2)):
            site.signer.wrong = wrong
            assert await site.trigger() == "Accepted"
            await asyncio.sleep(3600)
            assert (counted(site.csms)["SignCertificate"], site.csms.signed) == (times, [])

    run_virtual(story())


@pytest.mark.req("A02.FR.02", "A02.FR.22", "A02.FR.23", "TC_A_12")
@pytest.mark.parametrize("use", ["V2GCertificate", "V2G20Certificate"])
def test_certificates_for_vehicles_are_there_for_the_next_one_and_the_connection_stays(use: OwnUse, tmp_path: Path) -> None:
    async def story() -> None:
        kind = "p256" if use == "V2GCertificate" else "p521"
        async with a_site(tmp_path) as site, site.life(csms=settings(tmp_path, 2)) as box:
            assert await site.install("V2GRootCertificate", pki(kind)["v2gRoot"]) == "Accepted"
            await site.trigger(use)
            await renewed(site)
            assert site.csms.signed[-1][1] == {"status": "Accepted"}
            (listed,) = await site.installed("V2GCertificateChain")
            assert len(listed["childCertificateHashData"]) == 2
            (own,) = box.handle.station.wiring.context.certificates.active(use)
            assert (own.kind, site.csms.connected_times) == (kind, 1)

    run_virtual(story())


@pytest.mark.req("A03.FR.02", "A03.FR.08", "F-9")
def test_thirty_days_ahead_of_its_end_the_station_renews_by_itself(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path, client_roots=[pki()["csmsRoot"]]) as site, site.life(csms=settings(tmp_path, 3)):
            before, site.signer.days = number(site.shown()), 400.0
            site.clock.step(334 * 86_400.0)
            await asyncio.sleep(2 * 3600.0)
            assert counted(site.csms)["SignCertificate"] == 0
            site.clock.step(2 * 86_400.0)
            await asyncio.sleep(2 * 3600.0)
            assert counted(site.csms)["SignCertificate"] == 1
            assert number(site.shown()) != before

    run_virtual(story())


@pytest.mark.req("A02.FR.17", "F-5")
def test_links_that_break_at_any_step_cost_no_certificate(tmp_path: Path) -> None:
    """Dropped when the request arrives, when the certificate comes, and in the middle of making the connection anew."""

    async def story() -> None:
        async with a_site(tmp_path, client_roots=[pki()["csmsRoot"]]) as site, site.life(csms=settings(tmp_path, 3)):
            before, drops = number(site.shown()), [0]

            def drop(identity: str, direction: str, text: str) -> None:
                if any(word in text for word in ('"SignCertificate"', '"CertificateSigned"')) and drops[0] < 3:
                    drops[0] += 1
                    site.csms.connections[identity].transport.abort()

            site.csms.watchers.append(drop)
            await site.trigger()
            await renewed(site)
            await asyncio.sleep(300)
            assert drops[0] == 3
            assert number(site.shown()) != before

    run_virtual(story())
