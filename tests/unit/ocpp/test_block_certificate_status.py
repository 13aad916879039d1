"""Staples for what vehicles are shown: asked for through the CSMS, judged, kept, renewed (OCPP 2.1 M06, RFC 6960). The CSMS has the world's responder."""

from __future__ import annotations

import datetime as dt
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from bench.csms.ocsp_responder import Responder
from bench.v2g.pki import World
from certs import hash_data, ocsp
from certs.chain import fingerprint
from certs.store import InstalledRoot, OwnChain
from chargepoint.commands import Log, SetStaples
from chargepoint.events import CertificatesRead, RegistrationChanged
from chargepoint.facts import CertificateFacts
from chargepoint.ocpp.block import CallAnswered, CallFailed
from chargepoint.ocpp.blocks.certificate_status import CertificateStatusBlock
from tests.unit.ocpp.block_rig import BlockRig, valid

ACTION = "GetCertificateStatus"
URL = "http://ocsp.example/"
DAY_S = 86_400.0
NOW = dt.datetime(2027, 1, 15, 8, tzinfo=dt.UTC)
GOOD = ["good", "good", "good"]


class Site(BlockRig):
    """Online; answers every question at once as `answers` says, None for as it should be."""

    def __init__(self, kind: Any = "p521", *, responder: str = URL, holds_days: float = 3.0, **more: Any) -> None:
        super().__init__((CertificateStatusBlock,), utc=NOW.timestamp() + more.pop("later_s", 0.0), **more)
        self.world = World.of(kind, responder=responder)
        self.responder = Responder(self.world, holds=dt.timedelta(days=holds_days))
        self.answers: Any = None
        self.asked: list[Any] = []
        self.power_up()

    def online(self) -> None:
        self.link_up()
        self.context.link.registration = "Accepted"
        self.hear(RegistrationChanged("Accepted"))
        self.answer_all()

    def shows(self, *names: str) -> None:
        """The store has the chains of these, each in a slot of its name."""
        root = self.world.made["v2gRoot"]
        trusted = InstalledRoot("V2GRootCertificate", root.certificate_pem.decode(), fingerprint(root.certificate), "V2G", 0.0, 9e9)
        own = tuple(OwnChain("V2G20Certificate", each, "active", "p521", self.world.made[each].chain_pem.decode()) for each in names)
        facts: CertificateFacts = self.context.certificates
        facts.roots, facts.own = (trusted,), own
        self.hear(CertificatesRead((trusted,), own))
        self.answer_all()

    def answer_all(self) -> None:
        while self.calls:
            call = self.pop(ACTION)
            self.asked.append(call.payload)
            told = self.answers() if self.answers else None
            answer = self.responder.answer(call.payload["ocspRequestData"], self.at) if told is None else told
            if isinstance(answer, str):
                self.hear(CallFailed(call.token, ACTION, answer))
            else:
                valid(f"{ACTION}Response", answer)
                self.hear(CallAnswered(call.token, ACTION, answer))

    def days(self, days: float) -> None:
        for _ in range(round(days * 24)):
            self.advance(DAY_S / 24)
            self.answer_all()

    @property
    def at(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.now.utc, dt.UTC)

    def stapled(self, name: str = "seccLeaf") -> list[str]:
        """What the responses that were handed on say now."""
        chain = self.world.made[name].chain
        issuers = (*chain[1:], self.world.made["v2gRoot"].certificate)
        responses = [each.responses for each in self.said(SetStaples) if each.slot == name][-1]
        pairs = zip(responses, chain, issuers, strict=True)
        return [ocsp.judge(each, certificate=one, issuer=above, now=self.at).status if each else "" for each, one, above in pairs]


@pytest.fixture
def site() -> Site:
    site = Site()
    site.online()
    site.shows("seccLeaf")
    return site


@pytest.mark.req("M06.FR.03", "TC_M_24_CS")
@pytest.mark.parametrize("kind", ["p521", "ed448"])
def test_all_of_a_chain_is_asked_about_as_soon_as_it_is_there(kind: str) -> None:
    site = Site(kind)
    site.online()
    site.shows("seccLeaf")
    assert len(site.asked) == 3
    assert {each["ocspRequestData"]["responderURL"] for each in site.asked} == {URL}
    assert site.stapled() == GOOD
    assert len(site.said(SetStaples)) == 3  # with each answer


def test_one_question_at_a_time(site: Site) -> None:
    site.shows("seccLeaf", "cpsLeaf")
    assert len(site.asked) == 6
    site.advance(2.5 * DAY_S)
    assert len(site.calls) == 1
    site.answer_all()
    assert len(site.asked) == 12


@pytest.mark.req("M06.FR.10")
@pytest.mark.parametrize(("holds_days", "least", "most"), [(3, 14, 18), (30, 6, 8)])
def test_renewed_weekly_and_sooner_where_it_says_so(holds_days: int, least: int, most: int) -> None:
    site = Site(holds_days=holds_days)
    site.online()
    site.shows("seccLeaf")
    for _ in range(35):
        site.days(1)
        assert site.stapled() == GOOD
    assert least <= len(site.asked) / 3 <= most


@pytest.mark.req("M06.FR.06", "TC_M_25_CS")
@pytest.mark.parametrize(
    ("answer", "most"),
    [
        ({"status": "Failed"}, 60),
        ("InternalError", 60),
        ("Timeout", 60),
        ({"status": "Accepted", "ocspResult": "MAoBAA=="}, 60),
        ({"status": "Accepted"}, 60),
    ],
    ids=["failed", "error", "silence", "garbage", "nothing"],
)
def test_a_failure_keeps_the_old_one_until_it_is_too_old(site: Site, answer: Any, most: int) -> None:
    before = len(site.asked)
    site.answers = lambda: answer
    site.days(2.9)
    assert site.stapled() == GOOD
    site.days(0.2)
    assert site.stapled() == ["", "", ""]
    assert 3 <= len(site.asked) - before <= most
    due = site.machines[0].deadline()
    assert due is not None
    assert due - site.now.mono > 60.0  # what is too old is not looked at in each moment
    site.answers = None
    site.days(0.5)
    assert site.stapled() == GOOD


def test_offline_nothing_is_asked_and_then_at_once(site: Site) -> None:
    site.link_down()
    before = len(site.asked)
    site.days(3.1)
    assert (site.calls, len(site.asked)) == ([], before)
    assert site.stapled() == ["", "", ""]
    site.online()
    assert site.stapled() == GOOD


def test_the_link_is_lost_under_the_question(site: Site) -> None:
    site.advance(2.5 * DAY_S)
    assert len(site.calls) == 1
    site.link_down()
    site.online()
    assert len(site.asked) == 6
    assert [each.failures for each in site.machines[0].state.rows.values()] == [0, 0, 0]


def test_a_response_about_somebody_else_counts_nothing(site: Site) -> None:
    other = Responder(World.of("p521", b"another", URL))
    leaf = other.world.made["seccLeaf"].chain
    octets = other.about(hash_data.of(leaf[0], leaf[1]), site.at)
    site.answers = lambda: {"status": "Accepted", "ocspResult": b64encode(octets).decode()}
    site.days(3.1)
    assert site.stapled() == ["", "", ""]


def test_what_is_revoked_is_stapled_no_more_and_told_loudly(site: Site) -> None:
    site.responder.revoke(site.world.made["seccLeaf"].certificate, site.at)
    site.days(3)
    assert site.stapled() == ["", "good", "good"]
    levels = {each.level for each in site.said(Log) if each.key == "certificate.status" and each.values["status"] == "revoked"}
    assert levels == {"error"}


@pytest.mark.req("M06.FR.07")
def test_another_chain_is_asked_about_at_once_and_the_old_one_no_more(site: Site) -> None:
    site.shows("cpsLeaf")
    assert len(site.asked) == 6
    assert site.stapled("cpsLeaf") == GOOD
    assert len(site.store["ocsp"]) == 3
    site.days(3)
    assert len(site.asked) == 9


def test_kept_over_a_restart(site: Site) -> None:
    site.days(1)
    again = Site(store=site.store, later_s=DAY_S)
    again.shows("seccLeaf")
    assert again.asked == []
    assert again.stapled() == GOOD
    again.days(2.1)
    assert again.stapled() == ["", "", ""]


def test_rows_that_cannot_be_read_are_asked_for_anew(site: Site) -> None:
    again = Site(store={"ocsp": {name: {"status": "fine"} for name in site.store["ocsp"]}})
    again.online()
    again.shows("seccLeaf")
    assert again.stapled() == GOOD


def test_certificates_that_name_nobody_are_not_asked_about() -> None:
    site = Site(responder="")
    site.online()
    site.shows("seccLeaf")
    assert site.asked == []
    assert site.said(SetStaples) == []


def test_the_time_has_to_be_known() -> None:
    site = Site()
    site.now = replace(site.now, utc=1_000_000.0)
    site.online()
    site.shows("seccLeaf")
    site.days(1)
    assert site.asked == []
    site.now = replace(site.now, utc=NOW.timestamp())
    site.days(0.1)
    assert site.stapled() == GOOD


def test_without_the_root_all_but_the_top_one_are_asked_about() -> None:
    site = Site()
    site.online()
    site.context.certificates.own = (
        OwnChain("V2G20Certificate", "seccLeaf", "active", "p521", site.world.made["seccLeaf"].chain_pem.decode()),
    )
    site.hear(CertificatesRead((), site.context.certificates.own))
    site.answer_all()
    assert len(site.asked) == 2
