"""Whether a vehicle of ISO 15118-2 comes again after its contract was refused, and by what it pays then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench.v2g.pair import UTC
from bench.v2g.pki import NOW, World
from chargepoint.tick import Tick
from iso15118.evcc.iso2.contracts import CERTIFICATE, asking, showable
from iso15118.evcc.refusals import after_refusal, unplugged
from iso15118.evcc.terms import (
    AuthorizationRefused,
    Authorized,
    Contract,
    ContractInstalled,
    InstallationFailed,
    ServicesOffered,
    Wants,
)
from iso15118.messages.iso2.msg_def import NAMESPACE as ISO2
from iso15118.messages.iso20.dc import NAMESPACE as ISO20_DC
from iso15118.terms import DialectChosen, Energy, Payment, Told

WORLD = World.of("p256")
ONE, TWO = WORLD.contract("DETSTC00000001"), WORLD.contract("DETSTC00000002")
AT = Tick(0.0, UTC)
GIVES, GIVES_NONE = (ServicesOffered((Energy.DC,), services, renegotiation=True) for services in ((CERTIFICATE,), ()))


def wants(*contracts: Contract, provisioning: bool = False, **more: Any) -> Wants:
    given = WORLD.wants(payment=Payment.PNC, contracts=contracts, **more)
    return Wants(**(given if provisioning else given | {"provisioning": None}))


def refused(contract: Contract, code: str = "FAILED_CertificateNotAllowedAtThisEVSE") -> AuthorizationRefused:
    return AuthorizationRefused(Payment.PNC, code, contract.emaid)


def after(wants: Wants, *told: Told, services: Told = GIVES, namespace: str = ISO2) -> bool | None:
    return after_refusal(wants, (DialectChosen(namespace), services, *told), AT)


def test_the_other_contracts_come_first_then_a_card() -> None:
    car = wants(ONE, TWO)
    assert after(car, refused(ONE)) is True
    assert showable(car, AT) == [TWO]
    assert after(car, refused(TWO)) is True, "a card is left"
    assert showable(car, AT) == []
    assert after(car, AuthorizationRefused(Payment.EIM, "FAILED")) is None


def test_who_pays_by_contract_only_does_not_come_again() -> None:
    car = wants(ONE, TWO, fall_back=False)
    assert after(car, refused(ONE)) is True
    assert after(car, refused(TWO)) is False


def test_before_a_card_a_contract_is_asked_for_and_once() -> None:
    car = wants(ONE, provisioning=True, fall_back=False)
    assert after(car, refused(ONE)) is True
    assert asking(car, showable(car, AT)) == "Installation"
    assert after(car, ContractInstalled(ONE, None), refused(ONE)) is False, "what it was given is refused as well"
    car = wants(ONE, provisioning=True, fall_back=False)
    assert after(car, refused(ONE), services=GIVES_NONE) is False, "here there are none"
    car = wants(provisioning=True)
    assert after(car, InstallationFailed("none", "FAILED_NoCertificateAvailable")) is True
    assert asking(car, showable(car, AT)) == ""


def test_a_refused_update_leaves_the_contract_that_there_is() -> None:
    car = wants(ONE, update=True, fall_back=False)
    assert asking(car, showable(car, AT)) == "Update"
    assert after(car, InstallationFailed("none", update=True)) is True
    assert showable(car, AT) == [ONE]
    assert asking(car, showable(car, AT)) == ""
    assert after(car, refused(ONE)) is False


def test_after_a_refused_update_of_a_refused_contract_a_new_one_is_asked_for() -> None:
    car = wants(ONE, provisioning=True, update=True, fall_back=False)
    assert after(car, InstallationFailed("none", update=True)) is True
    assert after(car, refused(ONE)) is True
    assert asking(car, showable(car, AT)) == "Installation"


def test_a_contract_that_came_anew_is_shown_again() -> None:
    car = wants(ONE, provisioning=True)
    after(car, refused(ONE))
    assert after(car, ContractInstalled(ONE, None), Authorized(Payment.PNC, ONE.emaid)) is None
    assert showable(car, AT) == [ONE]


@pytest.mark.parametrize(
    "told", [(), (refused(ONE), Authorized(Payment.PNC, TWO.emaid)), (InstallationFailed("none"), Authorized(Payment.PNC))]
)
def test_nothing_was_refused_or_it_was_paid_all_the_same(told: tuple[Told, ...]) -> None:
    assert after(wants(ONE), *told) is None


def test_iso_15118_20_goes_through_its_ways_within_a_session() -> None:
    car = wants(ONE)
    assert after(car, refused(ONE, "WARNING_eMSPUnknown"), InstallationFailed("none"), namespace=ISO20_DC) is None
    assert showable(car, AT) == [ONE]


def test_what_is_over_is_not_shown() -> None:
    old = WORLD.contract("DETSTC00000001", lambda spec: replace(spec, ends=NOW - timedelta(days=1)))
    car = wants(old, TWO, update=True)
    assert showable(car, AT) == [TWO]
    assert asking(wants(old, provisioning=True, update=True), []) == "Installation", "an update is for what still holds"
    assert after(wants(old, TWO, fall_back=False), refused(TWO)) is False


def test_another_charger_is_asked_anew() -> None:
    car = wants(ONE, provisioning=True, update=True)
    after(car, InstallationFailed("none", update=True), refused(ONE))
    unplugged(car)
    assert showable(car, AT) == [ONE]
    assert asking(car, [ONE]) == "Update"
