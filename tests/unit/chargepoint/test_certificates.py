"""What the station knows of its certificates, and what it says ahead of their end: by whatever clock it has (F-3, F-9)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.heap import info_of
from certs.store import InstalledRoot, OwnChain
from chargepoint import codec
from chargepoint.certificates import DAY_S, CertificatesMachine, CertificatesState
from chargepoint.clock import WallClock
from chargepoint.commands import Log
from chargepoint.events import CertificateExpiring, CertificatesRead, PoweredUp, TimerExpired, TimeSet
from chargepoint.facts import CertificateFacts
from chargepoint.station import Station
from chargepoint.tick import Tick
from tests.replay.stories import configured, world_of

UTC = 1_767_225_600.0


def own(slot: str, days: float, state: Any = "active") -> OwnChain:
    return OwnChain("V2G20Certificate", slot, state, "p521", "PEM", not_after_utc=UTC + days * DAY_S)


def root(days: float) -> InstalledRoot:
    return InstalledRoot("V2GRootCertificate", "PEM", "f1", "CN=Root", UTC - DAY_S, UTC + days * DAY_S)


class Rig:
    """The machine, through a snapshot each time, and its time."""

    def __init__(self, utc: float = UTC) -> None:
        self.clock, self.facts = WallClock(), CertificateFacts()
        self.machine = CertificatesMachine(self.facts, self.clock, 30)
        self.mono, self.offset, self.looks = 0.0, utc, 0

    @property
    def now(self) -> Tick:
        return Tick(self.mono, self.mono + self.offset)

    def tell(self, event: object) -> list[CertificateExpiring]:
        said = self.machine.handle(self.now, event)
        stored = json.loads(json.dumps(codec.dump(CertificatesState, self.machine.state)))
        self.machine.state = codec.load(CertificatesState, stored)
        told = [each for each in said if isinstance(each, CertificateExpiring)]
        assert len([each for each in said if isinstance(each, Log) and each.key.startswith("certificate.")]) == len(told)
        return told

    def days(self, days: float) -> list[tuple[float, str, float]]:
        """(day, slot, days left) of everything that is told meanwhile."""
        end, found = self.mono + days * DAY_S, []
        while (due := self.machine.deadline()) is not None and due <= end:
            self.mono = max(self.mono, due)
            self.looks += 1
            found += [(round(self.mono / DAY_S, 3), each.slot, each.days) for each in self.tell(TimerExpired())]
        self.mono = end
        return found


def test_facts_are_what_was_read_last() -> None:
    rig = Rig()
    assert rig.machine.deadline() is None
    contents = CertificatesRead((root(99),), (own("a", 99), own("b", 99, "previous"), own("c", 99, "pending")), ("something is odd",))
    said = rig.machine.handle(rig.now, contents)
    assert said == [Log("warning", "certificates.found", {"what": "something is odd"})]
    assert rig.facts.trusted("V2GRootCertificate") == (root(99),)
    assert rig.facts.trusted("MORootCertificate") == ()
    assert [each.slot for each in rig.facts.active("V2G20Certificate")] == ["a"]
    assert rig.facts.slot("b") == own("b", 99, "previous")
    assert rig.facts.slot("d") is None
    rig.tell(CertificatesRead())
    assert rig.facts == CertificateFacts(read=True)
    assert rig.machine.deadline() is None


@pytest.mark.req("F-9")
def test_what_ends_is_told_thirty_days_ahead_and_then_daily() -> None:
    rig = Rig()
    assert rig.tell(CertificatesRead((), (own("a", 32.5), own("b", 1, "previous"), own("c", 0, "pending")))) == []
    assert rig.days(5) == [(2.5, "a", 30.0), (3.5, "a", 29.0), (4.5, "a", 28.0)]
    assert rig.looks <= 5 * 25
    assert rig.days(29)[-3:] == [(31.5, "a", 1.0), (32.5, "a", 0.0), (33.5, "a", -1.0)]
    assert rig.tell(CertificatesRead((), (own("new", 90),))) == []
    assert rig.days(20) == []


def test_a_root_is_told_until_it_has_ended() -> None:
    rig = Rig()
    assert rig.tell(CertificatesRead((root(1.5),), ())) == [CertificateExpiring("V2GRootCertificate", "f1", 1.5)]
    assert [days for _, _, days in rig.days(9)] == [1.0, 0.0, -1.0]


def test_reading_the_same_again_tells_nothing_again() -> None:
    rig = Rig()
    read = CertificatesRead((), (own("a", 10),))
    assert len(rig.tell(read)) == 1
    assert rig.tell(read) == []


@pytest.mark.req("F-3")
def test_before_the_clock_is_set_no_date_is_judged_and_afterwards_at_once() -> None:
    rig = Rig(utc=0.0)
    ended = OwnChain("V2GCertificate", "old", "active", "p256", "PEM", not_after_utc=10 * DAY_S)
    assert rig.tell(CertificatesRead((), (own("a", 10), ended))) == []
    assert rig.days(40) == []
    assert rig.tell(CertificatesRead((), (own("a", 10),))) == []
    rig.clock.set(rig.now, UTC)
    assert rig.tell(TimeSet(0.0, 1.0)) == [CertificateExpiring("V2G20Certificate", "a", 10.0)]


@pytest.mark.req("F-3", "F-9")
def test_when_the_clock_steps_it_is_judged_anew() -> None:
    rig = Rig()
    assert rig.tell(CertificatesRead((), (own("a", 300),))) == []
    rig.clock.set(rig.now, UTC + 365 * DAY_S)
    assert [each.days for each in rig.tell(TimeSet(0.0, 1.0))] == [-65.0]
    rig.clock.set(rig.now, UTC + 280 * DAY_S)
    assert [each.days for each in rig.tell(TimeSet(0.0, 1.0))] == [20.0]
    for days, told in ((0, []), (280, [20.0]), (0, [])):
        rig.clock.set(rig.now, UTC + days * DAY_S)
        assert [each.days for each in rig.tell(TimeSet(0.0, 1.0))] == told
    assert rig.days(2) == []
    rig.offset += 275 * DAY_S
    assert [days for _, _, days in rig.days(1 / 20)] == [pytest.approx(23, abs=0.1)]


def test_a_station_carries_it_in_its_snapshot() -> None:
    config = configured()
    board, now = info_of(world_of(config)), Tick(1.0, UTC)
    station = Station(config, board)
    station.handle(now, PoweredUp("PowerUp", "00", {}))
    commands = station.handle(now, CertificatesRead((root(99),), (own("a", 10),)))
    assert Log("warning", "certificate.expiring", {"use": "V2G20Certificate", "slot": "a", "days": 10.0}) in commands
    again = Station(config, board)
    again.restore(json.loads(json.dumps(station.snapshot())))
    assert again.wiring.context.certificates == station.wiring.context.certificates
    assert again.wiring.context.certificates.own == (own("a", 10),)
    assert again.deadline() == station.deadline()
