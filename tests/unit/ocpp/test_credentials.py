"""New roots and new client chains prove themselves on a connection, or give way to those before them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from certs.store import InstalledRoot, OwnChain
from chargepoint.commands import Command, DeleteOwn, DeleteRoot, Log, RollBack
from chargepoint.events import CertificateStored, CredentialsRenewed, RootReplaced, SecurityEvent
from chargepoint.ocpp.credentials import FALLBACK
from tests.unit.ocpp.block_rig import CONFIG
from tests.unit.ocpp.link_rig import LinkRig, slots

SECURE = replace(CONFIG, csms=replace(CONFIG.csms, url="wss://localhost/", security_profile=2))
MUTUAL = replace(SECURE, csms=replace(SECURE.csms, security_profile=3, client_cert_file="own.pem"))
OLD = OwnChain("ChargingStationCertificate", "old", "previous", "p256", "PEM", not_before_utc=1.0)
NEW = OwnChain("ChargingStationCertificate", "new", "active", "p256", "PEM", not_before_utc=2.0)
GIVEN = replace(OLD, slot="given", state="active", kind="rsa2048", configured=True, not_before_utc=9.0)
EARLY = replace(GIVEN, not_before_utc=1.0)
OLD_ROOT, NEW_ROOT = (InstalledRoot("CSMSRootCertificate", "PEM", each, each, 0.0, 2e9) for each in ("oldroot", "newroot"))
CHANGES = (DeleteOwn, DeleteRoot, RollBack)


def a_rig(config: Any = MUTUAL, *own: OwnChain) -> LinkRig:
    """Up, and then something new is there."""
    rig = LinkRig(config)
    rig.power_up()
    rig.accepted()
    facts = rig.context.certificates
    facts.read, facts.roots, facts.own = config is not MUTUAL or bool(own), (OLD_ROOT,), own
    rig.log.clear()
    return rig


def changes(rig: LinkRig) -> list[Command]:
    found: list[Command] = [each for each in rig.log if isinstance(each, CHANGES)]
    rig.log.clear()
    return found


def shown(rig: LinkRig) -> list[str]:
    return [dial.own_slot for _, dial in rig.dials]


# ---- the client chain


@pytest.mark.req("A02.FR.08", "A02.FR.10", "A03.FR.10")
@pytest.mark.parametrize("before", [(OLD,), (EARLY,), (OLD, EARLY)])
def test_a_new_chain_that_is_taken_stays_and_those_before_it_are_gone(before: tuple[OwnChain, ...]) -> None:
    rig = a_rig(MUTUAL, *before, NEW)
    rig.hear(CredentialsRenewed("a new client certificate"))
    rig.down()
    assert (shown(rig)[-1], rig.dials[-1][0]) == ("new", rig.now.mono)  # at once
    rig.up()
    assert [each.slot for each in changes(rig) if isinstance(each, DeleteOwn)] == [each.slot for each in before]
    rig.context.certificates.own = (NEW,)
    rig.down()
    rig.advance(10)
    rig.up()
    assert changes(rig) == []


def test_a_chain_that_the_operator_has_put_into_the_configuration_since_is_there_when_the_adopted_one_has_ended() -> None:
    rig = a_rig(MUTUAL)
    utc = rig.now.utc
    adopted = replace(NEW, not_before_utc=utc - 9e6, not_after_utc=utc + 60)
    given = replace(GIVEN, state="previous", kind="p256", not_before_utc=utc - 10, not_after_utc=utc + 9e6)
    rig.context.certificates.read, rig.context.certificates.own = True, (adopted, given)
    rig.down()
    rig.advance(10)
    rig.up()
    assert shown(rig)[-1] == "new"
    rig.advance(60)
    rig.down()
    rig.advance(10)
    rig.up()
    assert shown(rig)[-1] == "given"
    assert changes(rig) == []


@pytest.mark.req("A02.FR.28", "A02.FR.29", "A03.FR.24", "A03.FR.25", "F-9")
@pytest.mark.parametrize("cause", ["tls", "closed", "protocol", "http"])
def test_a_new_chain_that_is_not_taken_alternates_with_the_old_one_and_whichever_works_stays(cause: Any) -> None:
    rig = a_rig(MUTUAL, OLD, NEW)
    rig.hear(CredentialsRenewed("a new client certificate"))
    rig.down()
    rig.fail(6, cause)
    assert shown(rig)[1:] == ["new"] * 3 + ["old"] * 3 + ["new"]
    rig.fail(3, cause)
    rig.log.clear()
    rig.up()
    assert changes(rig) == [RollBack("credentials:own", "ChargingStationCertificate")]


def test_the_csms_is_told_that_the_new_one_is_discarded() -> None:
    rig = a_rig(MUTUAL, OLD, NEW)
    rig.down()
    rig.advance(10)
    rig.fail(3, "tls")
    rig.up()
    assert [event.type for event in rig.said(SecurityEvent)] == ["DiscardedRenewedClientCertificate"]
    assert "client_certificate.fell_back" in [log.key for log in rig.said(Log)]


def test_a_configured_chain_of_another_kind_comes_back_by_the_new_one_being_gone() -> None:
    rig = a_rig(MUTUAL, GIVEN, NEW)
    rig.down()
    rig.advance(10)
    rig.fail(3, "tls")
    rig.up()
    assert changes(rig) == [DeleteOwn("credentials:own", "new")]


def test_a_round_is_all_profiles() -> None:
    config = replace(MUTUAL, network_profiles=slots(1, 2, profile=3), variables={"OCPPCommCtrlr.NetworkConfigurationPriority": "1,2"})
    rig = a_rig(config, OLD, NEW)
    rig.down()
    rig.advance(10)
    rig.fail(7, "tls")
    assert shown(rig)[1:] == ["new"] * 6 + ["old"] * 2


@pytest.mark.parametrize("cause", ["dns", "refused", "unreachable", "timeout", "certificate"])
def test_a_network_that_is_down_says_nothing_about_our_chain(cause: Any) -> None:
    rig = a_rig(MUTUAL, OLD, NEW)
    rig.down()
    rig.advance(10)
    rig.fail(9, cause)
    assert set(shown(rig)[1:]) == {"new"}


@pytest.mark.parametrize("own", [(), (NEW,), (GIVEN,), (NEW, replace(OLD, state="pending"))])
def test_where_there_is_only_one_nothing_changes(own: tuple[OwnChain, ...]) -> None:
    rig = a_rig(MUTUAL, *own)
    rig.down()
    rig.advance(10)
    rig.fail(9, "tls")
    rig.up()
    assert (len(set(shown(rig)[1:])), changes(rig)) == (1, [])


def test_over_a_lower_profile_a_chain_proves_nothing() -> None:
    rig = a_rig(SECURE, OLD, NEW)
    rig.down()
    rig.advance(10)
    rig.up()
    assert changes(rig) == []


# ---- the root


@pytest.mark.req("M05.FR.12", "M05.FR.13", "TC_M_30")
def test_a_new_root_is_trusted_alone_and_the_old_one_goes_once_it_works() -> None:
    rig = a_rig(SECURE)
    rig.context.certificates.roots = (OLD_ROOT, NEW_ROOT)
    rig.hear(RootReplaced("oldroot"))
    assert rig.store["meta"][FALLBACK] == "oldroot"
    rig.down()
    rig.advance(10)
    assert rig.last.distrusted == ("oldroot",)
    rig.up()
    assert changes(rig) == [DeleteRoot("credentials:root", "oldroot")]
    assert FALLBACK not in rig.store["meta"]
    rig.down()
    rig.advance(10)
    assert [len(dial.distrusted) for _, dial in rig.dials] == [0, 1, 0]


@pytest.mark.req("M05.FR.14", "TC_M_31")
def test_where_the_new_root_does_not_fit_the_old_one_counts_once_more() -> None:
    rig = a_rig(SECURE)
    rig.hear(RootReplaced("oldroot"))
    rig.down()
    rig.advance(10)
    rig.fail(3, "certificate")
    assert [dial.distrusted for _, dial in rig.dials][1:] == [("oldroot",), (), ("oldroot",), ()]
    rig.up()
    assert changes(rig) == []
    rig.down()
    rig.advance(200)
    assert rig.last.distrusted == ("oldroot",)  # the new one is tried again


def test_a_network_that_is_down_says_nothing_about_the_root() -> None:
    rig = a_rig(SECURE)
    rig.hear(RootReplaced("oldroot"))
    rig.down()
    rig.advance(10)
    rig.fail(3, "timeout")
    assert {dial.distrusted for _, dial in rig.dials[1:]} == {("oldroot",)}


@pytest.mark.req("M05.FR.09", "M05.FR.12")
def test_the_one_to_fall_back_to_survives_a_restart_and_there_is_only_one() -> None:
    rig = a_rig(SECURE)
    rig.hear(RootReplaced("oldest"))
    rig.hear(RootReplaced("oldroot"))
    assert changes(rig) == [DeleteRoot("credentials:root", "oldest")]
    again = rig.restart()
    again.power_up()
    assert again.last.distrusted == ("oldroot",)
    again.up()
    assert changes(again) == [DeleteRoot("credentials:root", "oldroot")]


def test_without_tls_a_root_proves_nothing() -> None:
    rig = a_rig(CONFIG)
    rig.hear(RootReplaced("oldroot"))
    rig.down()
    rig.advance(10)
    rig.up()
    assert changes(rig) == []


def test_what_could_not_be_discarded_is_in_the_log() -> None:
    rig = a_rig(SECURE)
    rig.hear(
        CertificateStored("credentials:root", "Failed", "the disk"), CertificateStored("credentials:own"), CertificateStored("x", "Failed")
    )
    assert [log.key for log in rig.said(Log)] == ["credentials.not_discarded"]
