"""Vehicles' certificates: asked about when they are shown, kept, and what a revocation means (OCPP 2.1 M07). The CSMS has the world's responder."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from bench.csms.ocsp_responder import Responder
from bench.v2g.pki import World
from certs.reading import TBS, tbs_fingerprint
from certs.testpki_make import twin
from chargepoint.commands import Indicate, Log, SetRevocations
from chargepoint.config import EvseConfig, V2gConfig
from chargepoint.events import EvDisconnected, RegistrationChanged, VehicleConnected, VehicleDismissed, VehicleGone, VehicleRevoked
from chargepoint.facts import Vehicle
from chargepoint.ocpp import vehicle_status
from chargepoint.ocpp.block import CallAnswered, CallFailed
from chargepoint.ocpp.blocks.vehicle_status import MOST_PRESENT, VehicleStatusBlock
from chargepoint.ocpp.device_model import Missing, parse_place
from tests.unit.ocpp.block_rig import CONFIG, BlockRig, valid

ACTION = "GetCertificateChainStatus"
OCSP, LISTS = "http://ocsp.example/", "http://lists.example/ca.crl"
DAY_S = 86_400.0
NOW = dt.datetime(2027, 1, 15, 8, tzinfo=dt.UTC)
TALKS = replace(CONFIG, evses=(EvseConfig(id=1, v2g=V2gConfig("eth1")), EvseConfig(id=2)))
LEAF, SUB = "vehicleLeaf", "oemSub2"


class Site(BlockRig):
    """Online; answers every question at once as `answers` says, None for as it should be."""

    def __init__(self, *, responder: str = OCSP, lists: str = "", holds_days: float = 3.0, online: bool = True, **more: Any) -> None:
        super().__init__((VehicleStatusBlock,), config=TALKS, utc=NOW.timestamp() + more.pop("later_s", 0.0), **more)
        self.world = World.of("p521", responder=responder, lists=lists)
        self.responder = Responder(self.world, holds=dt.timedelta(days=holds_days))
        self.answers: Any = None
        self.asked: list[Any] = []
        self.connection = 0
        self.power_up()
        if online:
            self.online()

    def online(self) -> None:
        self.link_up()
        self.context.link.registration = "Accepted"
        self.hear(RegistrationChanged("Accepted"))
        self.answer_all()

    def comes(self, evse_id: int = 1, *, plugs_in: bool = True, twin_of: str = "") -> None:
        """The vehicle, with its chain. `twin_of`: this certificate has its other signature."""
        if plugs_in:
            self.hear(EvDisconnected(evse_id))
        self.connection += 1
        made = self.world.made
        named = {made[name].certificate: name for name in (LEAF, SUB, "oemSub1", "oemRoot")}
        chain = [twin(each) if named[each] == twin_of else each for each in (*made[LEAF].chain, made["oemRoot"].certificate)]
        pem = "".join(each.public_bytes(Encoding.PEM).decode() for each in chain)
        self.hear(VehicleConnected(evse_id, self.connection, "fe80::1", "TLSv1.3", verified=True, chain_pem=pem))
        self.answer_all()

    def set(self, name: str, value: str) -> None:
        """The CSMS sets a variable of EVSE 1."""
        model = self.context.model
        place = model.find(parse_place(f"ISO15118Ctrlr@1.{name}"))
        assert not isinstance(place, Missing)
        self.hear(*model.change(place, model.checked(place, value)))

    def revoke(self, name: str = LEAF) -> None:
        self.responder.revoke(self.world.made[name].certificate, self.at)

    def answer_all(self) -> None:
        while self.calls:
            call = self.pop(ACTION)
            self.asked.append(call.payload["certificateStatusRequests"])
            assert len(self.asked) < 500, "in circles"
            told = self.answers(call.payload) if self.answers else None
            answer = {"certificateStatus": [self.responder.row(each, self.at) for each in self.asked[-1]]} if told is None else told
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

    def refused(self) -> list[int]:
        return [each.connection for each in self.said(VehicleRevoked)]

    def revoked(self) -> list[str]:
        """Names of what the port was told last."""
        told = self.said(SetRevocations)
        known = {tbs_fingerprint(each.certificate): name for name, each in self.world.made.items()}
        return sorted(known[each] for each in told[-1].fingerprints) if told else []


@pytest.mark.req("M07")
@pytest.mark.req("M07.FR.10", "M07.FR.11")
def test_the_whole_chain_is_asked_about_once_and_the_root_is_not() -> None:
    site = Site()
    site.comes()
    ((leaf, sub2, sub1),) = site.asked
    serials = [format(site.world.made[name].certificate.serial_number, "x") for name in (LEAF, "oemSub2", "oemSub1")]
    assert [each["certificateHashData"]["serialNumber"] for each in (leaf, sub2, sub1)] == serials
    assert all((each["source"], each["urls"]) == ("OCSP", [OCSP]) for each in (leaf, sub2, sub1))
    assert site.refused() == []
    assert site.said(SetRevocations) == []


@pytest.mark.req("M07", "M07.FR.09")
@pytest.mark.parametrize(("holds_days", "after_days", "asked"), [(3, 2.9, 1), (3, 3.1, 2), (30, 6.9, 1), (30, 7.1, 2)])
def test_an_answer_is_kept_until_its_next_update_and_for_a_week_at_most(holds_days: float, after_days: float, asked: int) -> None:
    site = Site(holds_days=holds_days)
    site.comes()
    site.hear(EvDisconnected(1))
    site.advance(after_days * DAY_S)
    assert site.calls == []  # nobody is there
    site.comes()
    assert len(site.asked) == asked


@pytest.mark.req("M07")
@pytest.mark.parametrize(
    ("has", "row", "source"),
    [
        ((OCSP, LISTS), "OCSP,CRL", "OCSP"), ((OCSP, LISTS), "CRL", "CRL"), (("", LISTS), "OCSP,CRL", "CRL"), (("", LISTS), "OCSP", ""),
        ((OCSP, ""), "CRL", ""), (("", ""), "OCSP,CRL", ""), ((OCSP, LISTS), "", ""),
    ],
)  # fmt: skip
def test_what_is_asked_into_is_for_the_certificates_and_the_row_to_say(has: tuple[str, str], row: str, source: str) -> None:
    site = Site(responder=has[0], lists=has[1])
    site.set("CertificateStatusSource", row)
    site.revoke()
    site.comes()
    assert [{each["source"] for each in question} for question in site.asked] == ([{source}] if source else [])
    assert site.refused() == ([1] if source else [])


def test_an_evse_that_does_not_talk_has_no_such_row() -> None:
    assert isinstance(Site().context.model.find(parse_place("ISO15118Ctrlr@2.CertificateStatusSource")), Missing)


@pytest.mark.req("M07", "S-29")
@pytest.mark.parametrize("name", [LEAF, SUB, "oemSub1"])
def test_a_revoked_one_is_refused_told_to_tls_and_remembered(name: str) -> None:
    site = Site()
    site.revoke(name)
    site.comes()
    assert (site.refused(), site.revoked()) == ([1], [name])
    (shown,) = site.said(Indicate)
    assert shown == Indicate(1, "vehicle.refused", {"sentence": "Your vehicle's certificate has been blocked. Please pay by card or app."})
    site.comes(plugs_in=False)  # before TLS knows
    assert site.refused() == [1, 2]
    assert len(site.said(Indicate)) == 1
    again = Site(store=site.store, online=False)
    assert again.revoked() == [name]
    again.comes()
    assert again.refused() == [1]


@pytest.mark.req("M07", "S-29")
@pytest.mark.parametrize("name", [LEAF, SUB, "oemSub1"])
def test_another_signature_makes_no_other_certificate_of_it(name: str) -> None:
    site = Site()
    site.revoke(name)
    site.comes()
    again = Site(store=site.store, online=False)
    again.comes(twin_of=name)
    assert again.refused() == [1]
    assert again.revoked() == [name]


def test_a_row_with_a_name_of_another_kind_goes_and_is_asked_about_anew() -> None:
    site = Site()
    site.revoke()
    site.comes()
    rows = site.store[vehicle_status.TABLE]
    for name in list(rows):
        rows[name.removeprefix(TBS)] = rows.pop(name)
    again = Site(store=site.store)
    assert site.store[vehicle_status.TABLE] == {}
    again.revoke()
    again.comes()
    assert len(again.asked) == 1
    assert again.refused() == [1]


def test_a_driver_whose_vehicle_tls_refuses_is_told_once_a_plug() -> None:
    site = Site()
    for _ in range(3):
        site.hear(VehicleGone(1, 1, "TLS: refused (alert 44 sent)", "No."))
    site.hear(VehicleGone(1, 1, "closed by the other end"))
    assert [each.values for each in site.said(Indicate)] == [{"sentence": "No."}]
    site.hear(EvDisconnected(1), VehicleGone(1, 2, "TLS: refused (alert 44 sent)", "No."))
    assert len(site.said(Indicate)) == 2


@pytest.mark.req("M07")
@pytest.mark.parametrize(
    "answers",
    [
        lambda _: "NotImplemented",
        lambda asked: {"certificateStatus": [_row(each, "Failed") for each in asked["certificateStatusRequests"]]},
        lambda asked: {"certificateStatus": [_row(each, "Unknown") for each in asked["certificateStatusRequests"]]},
        lambda asked: {"certificateStatus": [_row(_another(each), "Revoked") for each in asked["certificateStatusRequests"]]},
        lambda asked: {"certificateStatus": [{**_row(each, "Revoked"), "nextUpdate": "1970-01-01T00:00:00Z"} for each in asked["certificateStatusRequests"]]},
    ],
    ids=["error", "failed", "unknown", "of others", "no time"],
)  # fmt: skip
def test_what_says_nothing_refuses_nobody_and_is_asked_again_after_a_pause(answers: Any) -> None:
    site = Site()
    site.answers = answers
    site.comes()
    assert len(site.asked) == 1
    site.days(1.0)
    assert 4 <= len(site.asked) <= 12
    assert (site.refused(), site.said(SetRevocations)) == ([], [])
    assert {each.level for each in site.said(Log) if each.key == "vehicle.certificate_status"} == {"warning"}
    site.answers = None
    site.days(0.3)
    site.revoke()
    site.days(3.1)
    assert site.refused() == [1]


def _row(question: Any, status: str) -> dict[str, Any]:
    return {**{key: question[key] for key in ("certificateHashData", "source")}, "status": status, "nextUpdate": "2027-01-16T00:00:00Z"}


def _another(question: Any) -> dict[str, Any]:
    return {**question, "certificateHashData": {**question["certificateHashData"], "serialNumber": "abc"}}


@pytest.mark.req("M07")
def test_offline_nobody_is_refused_and_it_is_asked_as_soon_as_there_is_a_link() -> None:
    site = Site(online=False)
    site.revoke()
    site.comes()
    site.advance(DAY_S)
    assert (site.asked, site.refused()) == ([], [])
    site.online()
    assert site.refused() == [1]


def test_the_link_is_lost_under_the_question() -> None:
    site = Site(online=False)
    site.revoke()
    site.comes()
    site.link_up()
    site.context.link.registration = "Accepted"
    site.hear(RegistrationChanged("Accepted"))
    assert len(site.calls) == 1
    site.link_down()
    site.online()
    assert site.refused() == [1]


def test_what_was_revoked_by_mistake_is_taken_again_though_its_vehicle_does_not_get_as_far_as_asking() -> None:
    site = Site()
    site.revoke()
    site.comes()
    site.hear(EvDisconnected(1))
    site.responder.serials.clear()
    site.days(2.9)
    assert site.revoked() == [LEAF]
    site.days(0.2)
    assert site.revoked() == []
    site.comes()
    assert site.refused() == [1]


def test_nothing_new_of_a_revoked_one_leaves_it_revoked() -> None:
    site = Site()
    site.revoke()
    site.comes()
    site.hear(EvDisconnected(1))
    site.responder.silent = True
    site.days(20.0)
    assert site.revoked() == [LEAF]
    assert len(site.asked) > 5


@pytest.mark.parametrize("restarts", [False, True])
def test_a_revocation_whose_source_is_not_to_be_asked_any_longer_holds_for_a_week(*, restarts: bool) -> None:
    site = Site()
    site.revoke()
    site.comes()
    site.hear(EvDisconnected(1))
    site.set("CertificateStatusSource", "")
    if restarts:
        site = Site(store=site.store)
        site.set("CertificateStatusSource", "")
    asked = len(site.asked)
    site.days(6.9)
    assert site.revoked() == [LEAF]
    site.days(0.2)
    assert site.revoked() == []
    assert site.store[vehicle_status.TABLE] == {}
    assert len(site.asked) == asked


@pytest.mark.req("F-3")
def test_a_clock_that_was_ahead_keeps_nothing() -> None:
    site = Site()
    site.comes()
    early = Site(store=site.store, later_s=-30 * DAY_S)
    early.comes()
    assert len(early.asked) == 1


def test_a_row_that_cannot_be_read_is_asked_about_anew() -> None:
    site = Site()
    site.comes()
    for each in site.store[vehicle_status.TABLE].values():
        each["status"] = "splendid"
    again = Site(store=site.store)
    again.comes()
    assert len(again.asked) == 1


def test_many_vehicles_and_connections_have_their_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vehicle_status, "MOST_ROWS", 2)
    site = Site()
    site.revoke()
    for _ in range(3 * MOST_PRESENT):
        site.comes(plugs_in=False)
    assert len(site.store[vehicle_status.TABLE]) == 2
    assert site.revoked() == [LEAF]
    assert len(site.machines[0].state.present) <= MOST_PRESENT


def test_connections_have_their_bound() -> None:
    site = Site()
    for _ in range(3 * MOST_PRESENT):
        site.comes(plugs_in=False)
    assert len(site.machines[0].state.present) == MOST_PRESENT
    site.hear(VehicleGone(1, site.connection, "closed"))
    assert len(site.machines[0].state.present) == MOST_PRESENT - 1


def test_the_one_whose_session_it_is_stays_though_others_come_and_it_has_hung_up() -> None:
    site = Site()
    site.comes(plugs_in=False)
    site.context.evses[1].vehicle = Vehicle("urn:iso:std:iso:15118:-20:DC", "WMIV1", connection=1)
    for number in range(2, 2 + MOST_PRESENT // 2):
        site.comes(plugs_in=False)
        site.hear(VehicleDismissed(1, number))
    assert [each.connection for each in site.machines[0].state.present] == [1]
    for _ in range(2 * MOST_PRESENT):
        site.comes(plugs_in=False)
    site.hear(VehicleGone(1, 1, "closed"))
    assert len(site.machines[0].state.present) == MOST_PRESENT
    site.revoke()
    site.days(3.1)
    assert 1 in site.refused()
    site.hear(EvDisconnected(1))
    assert site.machines[0].state.present == []


def test_what_is_revoked_is_forgotten_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vehicle_status, "MOST_ROWS", 2)
    question = vehicle_status.Question("", "SHA256", "", "", "1", "OCSP", (OCSP,))
    rows: dict[str, vehicle_status.Row] = {}
    for at, (name, status) in enumerate((("a", "revoked"), ("b", "good"), ("c", "good"), ("d", "revoked"), ("e", "revoked"))):
        vehicle_status.put(rows, name, vehicle_status.Row(question, status, told_utc=float(at)))  # type: ignore[arg-type] # one of them
    assert list(rows) == ["d", "e"]
    vehicle_status.put(rows, "f", vehicle_status.Row(question, "good", told_utc=9.0))
    vehicle_status.put(rows, "g", vehicle_status.Row(question, "good", told_utc=0.0))
    assert "e" in rows


def test_without_a_chain_nothing_is_asked() -> None:
    site = Site()
    site.hear(VehicleConnected(1, 1, "fe80::1"))
    assert site.calls == []
