"""A contract over a restart of the station: by the transaction that it has, whoever can be asked (C07, E17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench.csms.pki import EMAID
from chargepoint.authorize_contract import TBS
from iso15118.evcc.terms import Contract, EvWish
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso20 import common_messages as cm
from tests.behaviour.pnc_site import PncSite
from tests.behaviour.test_c07_again import ISO, payer, remote_start, site_of

GOES_ON = {
    "TxCtrlr.ResumptionTimeout": "999",
    "TxCtrlr.AllowEnergyTransferResumption": "true",
    "AuthCacheCtrlr.Enabled": "false",
}
AWAY_S = 10.0
REFUSED = {"iso2": "FAILED_CertificateNotAllowedAtThisEVSE", "iso20": "WARNING_GeneralPnCAuthorizationError"}


def paying(iso: str, **more: str) -> PncSite:
    """A contract pays; the CSMS alone could say anything of it."""
    site = site_of(iso, "ac", variables=GOES_ON | {f"TxCtrlr.{name}": value for name, value in more.items()})
    site.pays(payer(site, iso))
    site.run(5.0)
    return site


def restarted(site: PncSite, *, reachable: bool = False) -> None:
    """The power goes, and comes back."""
    site.heap.reachable = reachable
    site.heap.cut()
    site.heap.run(AWAY_S)
    site.forget()
    site.heap.start()
    site.guard.csms.goes_on()
    site.install("moRoot", "v2gRoot")


def stored(site: PncSite) -> dict[str, Any]:
    (row,) = site.heap.store["transactions"].values()
    assert isinstance(row, dict)
    return row


def codes(site: PncSite, iso: str) -> list[str]:
    return site.codes(mb.AuthorizationRes if iso == "iso2" else cm.AuthorizationRes)


def another(site: PncSite) -> Contract:
    """Of the same eMAID."""
    return site.world.contract(EMAID, lambda spec: replace(spec, ends=spec.ends - timedelta(days=1)))


@pytest.mark.req("E17.FR.11", "S-10")
@pytest.mark.parametrize("iso", ISO)
def test_offline_the_same_contract_charges_on_in_its_transaction(iso: str) -> None:
    site = paying(iso)
    transaction_id = site.facts.transaction_id
    restarted(site)
    site.until(site.charges)
    assert codes(site, iso) == ["OK", "OK"]
    assert site.told("Authorize") == []
    assert site.facts.transaction_id == transaction_id
    site.heap.reachable = True
    site.until(lambda: bool(site.told()), most_s=600.0)
    assert {each["transactionInfo"]["transactionId"] for each in site.told()} == {transaction_id}
    assert site.told()[0]["triggerReason"] == "TxResumed"


@pytest.mark.req("S-10")
@pytest.mark.parametrize("iso", ISO)
def test_so_it_does_where_the_csms_could_be_asked(iso: str) -> None:
    site = paying(iso)
    restarted(site, reachable=True)
    site.until(site.charges)
    assert site.told("Authorize") == []


@pytest.mark.req("S-10")
def test_after_a_second_restart_as_well() -> None:
    site = paying("iso2")
    restarted(site)
    site.until(site.charges)
    restarted(site)
    site.until(site.charges)
    assert codes(site, "iso2") == ["OK"] * 3


@pytest.mark.req("S-16")
@pytest.mark.parametrize("iso", ISO)
def test_another_certificate_of_its_emaid_is_asked_about(iso: str) -> None:
    """Offline nobody can say anything of it; what the first one has begun stands, as it does without a restart."""
    site = paying(iso)
    assert site.ev is not None
    site.ev.vehicle.wants.contracts = (another(site),)
    restarted(site)
    site.until(lambda: len(codes(site, iso)) > 1)
    assert codes(site, iso)[1] == REFUSED[iso]
    assert site.shown() == [("not accepted", "Your contract cannot be checked at the moment. Please pay by card or app.")]
    assert site.facts.id_token is not None


def as_before(row: dict[str, Any]) -> None:
    del row["leaf"]


def whose_authorisation_is_over(row: dict[str, Any]) -> None:
    row["authorised"] = False


@pytest.mark.parametrize("change", [as_before, whose_authorisation_is_over])
def test_where_no_certificate_authorises_it_is_asked_about(change: Callable[[dict[str, Any]], None]) -> None:
    """A station of before has written none; the transaction goes on none the less."""
    site = paying("iso2")
    transaction_id = site.facts.transaction_id
    change(stored(site))
    restarted(site)
    assert site.facts.transaction_id == transaction_id
    site.until(lambda: len(codes(site, "iso2")) > 1)
    assert codes(site, "iso2")[1] == REFUSED["iso2"]


@pytest.mark.req("S-16")
def test_what_is_written_down_is_a_hash_as_long_as_it_authorises() -> None:
    site = paying("iso2", TxStopPoint="EVConnected")
    assert stored(site)["leaf"].startswith(TBS)
    assert len(stored(site)["leaf"]) == len(TBS) + 64
    site.heap.receive([2, "stop", "RequestStopTransaction", {"transactionId": site.facts.transaction_id}])
    site.run(5.0)
    assert "leaf" not in stored(site)
    remote_start(site)
    assert stored(site)["authorised"]
    assert "leaf" not in stored(site), "of this start no certificate has been judged"


def test_another_certificate_that_pays_is_written_down_in_its_place() -> None:
    site = paying("iso2")
    assert site.ev is not None
    ev, before = site.ev, stored(site)["leaf"]
    ev.vehicle.wants.contracts, ev.vehicle.wants.wish = (another(site),), EvWish.PAUSE
    site.until(lambda: ev.over is not None)
    site.run(5.0)
    ev.vehicle.wants.wish = None
    ev.toggle_bcb()
    site.until(lambda: len(codes(site, "iso2")) == 2)
    assert codes(site, "iso2") == ["OK", "OK"]
    assert stored(site)["leaf"] not in ("", before), "at once"


def test_a_vehicle_that_says_nothing_after_a_restart_leaves_it_as_it_is() -> None:
    """Whatever is written of its transaction until the power goes again."""
    site = paying("iso2")
    assert site.ev is not None
    before = stored(site)
    site.ev.modem = False
    restarted(site)
    site.run(30.0)
    assert stored(site) != before
    assert stored(site)["leaf"] == before["leaf"]
