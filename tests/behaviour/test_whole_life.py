"""A whole life of a contract and of a station's certificates, through station and CSMS, while the line between them drops at random."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.csms.pki import EMAID
from certs.chain import fingerprint
from chargepoint.commands import OpenContactor
from tests.behaviour.hlc_rig import CARD
from tests.behaviour.life_site import Later, LifeSite, certificate_of, next_root

SOAK = bool(os.environ.get("SOAK"))
WORLD_ROOTS = {"moRoot": "MORootCertificate", "v2gRoot": "V2GRootCertificate"}


def life(seed: int, folder: Path) -> LifeSite:
    site = LifeSite(seed, folder)
    site.until(lambda: bool(site.told("BootNotification")))
    site.wild()
    for name, use in WORLD_ROOTS.items():
        site.trust(use, site.world.made[name])

    # First plug: the contract comes through the CSMS from the provisioning service.
    vehicle = site.payer(installs=True, soc=5.0)
    assert vehicle.wants.contracts == ()
    site.by_contract(vehicle)
    first = certificate_of(vehicle)
    site.run(20.0)
    site.leaves()

    # It charges by plugging; meanwhile the station gets another client certificate, and is not seen to.
    asked, before = len(site.told("Get15118EVCertificate")), site.heap.shown
    site.by_contract(vehicle)
    opened = len(site.at(OpenContactor))
    assert site.order("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})["status"] == "Accepted"
    site.until(lambda: site.heap.shown != before, most_s=600.0)
    assert len(site.told("Get15118EVCertificate")) == asked

    # The CSMS moves to its next root, and energy goes on flowing.
    site.trust("CSMSRootCertificate", next_root())
    site.heap.root = fingerprint(next_root().certificate)
    site.until(lambda: site.csms_roots() == [site.heap.root], most_s=600.0)
    assert site.charges()
    assert len(site.at(OpenContactor)) == opened
    site.leaves()

    # The contract is renewed, and the one before means nothing any more.
    site.winter(Later.days)
    site.roaming.revoke(EMAID)
    site.roaming.world = Later(site.world.kind, site.world.seed, site.world.made, responder=site.world.responder)
    vehicle.wants.install = True
    site.tries(vehicle, lambda _: site.charges() and certificate_of(vehicle) != first)
    vehicle.wants.install = False
    site.run(20.0)
    site.leaves()
    site.by_contract(vehicle)
    site.leaves()

    # It is revoked: refused in words, and the card charges.
    site.roaming.revoke(EMAID)
    told = len(site.shown())
    site.tries(vehicle, lambda _: len(site.shown()) > told and site.shown()[-1][0] == "revoked")
    assert site.shown()[-1][1].endswith("Please pay by card or app.")
    while site.facts.id_token is None:
        site.card()
        site.run(15.0)
    site.until(site.charges)
    assert site.facts.id_token is not None
    assert site.facts.id_token.id_token == CARD
    site.run(20.0)
    site.leaves()
    site.peace()
    return site


def nothing_is_lost(site: LifeSite) -> None:
    """Each transaction is known to the CSMS, from its beginning to its end, once."""
    book = site.book()
    assert set(book) == site.transactions
    assert len(book) >= 5
    for events in book.values():
        kinds = [each["eventType"] for each in events]
        assert (kinds[0], kinds[-1], kinds.count("Started"), kinds.count("Ended")) == ("Started", "Ended", 1, 1)
        assert [each["seqNo"] for each in events] == list(range(len(events)))
    assert {each["idToken"]["type"] for events in book.values() for each in events if "idToken" in each} == {"eMAID", "ISO14443"}
    assert site.heap.store.get("outbox", {}) == {}


@pytest.mark.soak
@pytest.mark.req("F-1", "F-5", "F-9", "C07.FR.01", "M01.FR.01", "A02.FR.08", "M05.FR.09")
@pytest.mark.parametrize("seed", range(100 if SOAK else 2))
def test_a_whole_life_while_links_drop(seed: int, tmp_path: Path) -> None:
    nothing_is_lost(life(seed, tmp_path))
