"""A02 with the station's key in a token: it is made there, shown from there over GnuTLS, renewed, and given up, by the rules that keys in files have."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from certs.store import OwnChain, StoreError
from certs.store.pkcs11 import ANY_CURVE, Token, TokenKeys
from chargepoint.config import CertificatesConfig
from chargepoint.runtime.virtual import run_virtual
from tests.behaviour.link_site import IDENTITY, Box, counted
from tests.behaviour.test_a02_renewal import number, renewed
from tests.behaviour.tls_site import Site, a_site, other, pki, settings

pytestmark = pytest.mark.xdist_group("token")


def in_token(token: Token, folder: Path) -> dict[str, Any]:
    certificates = CertificatesConfig(backend="pkcs11", module=token.module, token=token.uri, pin_file=token.pin_file)
    return {"csms": settings(folder, 3), "certificates": certificates}


def own(box: Box) -> Sequence[OwnChain]:
    found: Sequence[OwnChain] = box.handle.station.wiring.context.certificates.own
    return found


async def renew(site: Site, box: Box) -> int:
    """Asked for, taken, shown; gives the serial number of what is shown then."""
    known = len(site.csms.signed)
    assert await site.trigger() == "Accepted"
    await site.csms.wait_until(lambda: len(site.csms.signed) > known, timeout_s=600)
    assert site.csms.signed[-1] == (IDENTITY, {"status": "Accepted"})
    await box.next_down()
    await site.csms.wait_connected(IDENTITY, timeout_s=600)
    await asyncio.sleep(1)
    return number(site.shown())


@pytest.mark.req("A02.FR.02", "A02.FR.06", "A02.FR.08", "A02.FR.10", "A00.FR.401")
def test_a_key_is_made_in_the_token_and_shown_at_once_and_the_one_before_is_gone_when_it_works(softhsm: Token, tmp_path: Path) -> None:
    keys = TokenKeys(softhsm, ANY_CURVE)

    async def story() -> None:
        async with a_site(tmp_path, client_roots=[pki()["csmsRoot"]]) as site, site.life(**in_token(softhsm, tmp_path)) as box:
            before = number(site.shown())
            assert before == pki()["stationLeaf"].certificate.serial_number, "the configuration's, from a file"
            first = await renew(site, box)
            (slot,) = own(box)
            assert (first != before, slot.state, slot.configured) == (True, "active", False)
            second = await renew(site, box)
            (after,) = own(box)
            assert (second != first, after.slot != slot.slot, counted(site.csms)["BootNotification"]) == (True, True, 1)
            with pytest.raises(StoreError, match="not available"):
                keys.load(slot.slot)
            await site.anew()
            assert number(site.shown()) == second

        async with a_site(tmp_path, client_roots=[pki()["csmsRoot"]]) as again, again.life(**in_token(softhsm, tmp_path)):
            assert number(again.shown()) == second, "after a restart as well"
        keys.drop(after.slot)

    run_virtual(story())
    state = [each for each in (tmp_path / "state").rglob("*") if each.is_file()]
    assert not [each for each in state if each.suffix == ".key" or b"PRIVATE KEY" in each.read_bytes()]


@pytest.mark.req("A02.FR.28", "A02.FR.29", "F-9")
def test_a_chain_that_the_csms_does_not_know_gives_way_to_the_one_before_in_the_token(softhsm: Token, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path, client_roots=[pki()["csmsRoot"]]) as site, site.life(**in_token(softhsm, tmp_path)) as box:
            before = await renew(site, box)
            (slot,) = own(box)
            assert await site.install("CSMSRootCertificate", other()["csmsRoot"]) == "Accepted"
            site.signer.parties = other
            site.csms.signed.clear()
            await site.trigger()
            await renewed(site)
            await site.told("DiscardedRenewedClientCertificate")
            await asyncio.sleep(1)
            assert (number(site.shown()), [each.slot for each in own(box)]) == (before, [slot.slot])
            assert "tls" in box.causes
        TokenKeys(softhsm, ANY_CURVE).drop(slot.slot)

    run_virtual(story())


@pytest.mark.req("F-2", "F-9")
def test_a_token_that_is_away_is_told_and_the_station_comes_back_with_it(softhsm: Token, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path, client_roots=[pki()["csmsRoot"]]) as site:
            async with site.life(**in_token(softhsm, tmp_path)) as box:
                shown = await renew(site, box)
                (slot,) = own(box)
            away = {
                **in_token(softhsm, tmp_path),
                "certificates": CertificatesConfig(
                    backend="pkcs11", module="/nowhere/p11.so", token=softhsm.uri, pin_file=softhsm.pin_file
                ),
            }
            async with site.life(booted=False, **away) as box:
                await box.next_down()
                downs = [log.values for log in box.logs if log.key == "link.down"]
                assert {each["cause"] for each in downs} == {"tls"}
                assert "/nowhere/p11.so: there is no such PKCS#11 library" in str(downs[0])
            async with site.life(**in_token(softhsm, tmp_path)):
                assert number(site.shown()) == shown
        TokenKeys(softhsm, ANY_CURVE).drop(slot.slot)

    run_virtual(story())
