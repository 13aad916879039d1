"""How much of what comes in from the power line is told, and who the own modem is (S-8, S-13)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chargepoint.runtime.ports import plc_line as module
from chargepoint.runtime.ports.plc_line import (
    FAITHFUL_S,
    LASTING_FREE,
    MODEM_MOST,
    NEW_MOST,
    NEW_PER_S,
    OTHERS_MOST,
    OTHERS_PER_S,
    SOURCE_MOST,
    SOURCES,
    SPOKEN,
    Door,
)
from iso15118.slac import mme, vendor
from iso15118.slac.mme import LOCAL
from tests.unit.runtime.plc_rig import MODEM, PARM_REQ, RUN_ID, STRANGER, frame, version

OWN = bytes.fromhex("020000000001")


def door() -> Door:
    """The own modem has answered."""
    made = Door(OWN, 0.0)
    made.sent(frame(vendor.VsSwVerReq(), to=LOCAL, source=OWN), 0.0)
    assert made.takes(version(OWN), 0.1, serves=False)
    assert made.modem == MODEM
    return made


def many(made: Door, octets: bytes, count: int, now_s: float = 1.0) -> int:
    return sum(made.takes(octets, now_s, serves=True) for _ in range(count))


@pytest.mark.req("S-13")
def test_while_nobody_is_served_only_answers_of_the_own_modem_are_told() -> None:
    made = door()
    profile = mme.AttenProfileInd(pev_mac=STRANGER, aag=bytes(58))
    for octets in (frame(PARM_REQ), frame(PARM_REQ, to=OWN), version(OWN, source=STRANGER), frame(profile, to=OWN, source=MODEM)):
        assert not made.takes(octets, 1.0, serves=False)
        assert made.takes(octets, 1.0, serves=True)
    assert made.takes(version(OWN), 1.0, serves=False)


def test_an_answer_that_nobody_has_asked_for_makes_no_modem() -> None:
    made = Door(OWN, 0.0)
    assert not made.takes(version(OWN), 0.1, serves=False)
    made.sent(frame(PARM_REQ, source=OWN), 0.2)
    made.sent(frame(vendor.NscmGetVersionReq(), to=LOCAL, source=OWN), 0.2)
    assert not made.takes(version(OWN), 0.3, serves=False)
    assert not made.takes(frame(mme.SlacParmCnf(forwarding_sta=OWN, run_id=RUN_ID), to=OWN), 0.3, serves=False), "asked of all"
    assert made.modem is None
    made.sent(frame(vendor.VsSwVerReq(), to=LOCAL, source=OWN), 0.4)
    assert not made.takes(version(OWN), 0.5 + module.ASKED_S, serves=False), "too late"
    assert not made.takes(version(STRANGER), 0.5, serves=False), "for another host"
    assert made.takes(version(OWN), 0.5, serves=False)


def test_another_modem_takes_the_place_of_the_own_one_only_when_that_is_silent() -> None:
    made = door()
    for at in (1.0, 1.0 + FAITHFUL_S):
        made.sent(frame(vendor.VsSwVerReq(), to=LOCAL, source=OWN), at)
    assert not made.takes(version(OWN, source=STRANGER), 2.0, serves=False)
    assert made.modem == MODEM
    assert made.takes(version(OWN, source=STRANGER), 2.0 + FAITHFUL_S, serves=False)
    assert made.modem == STRANGER


@pytest.mark.req("S-13")
def test_however_long_nobody_has_asked_it_anything_the_modem_is_who_it_was() -> None:
    """A stranger that answers before it does is not it."""
    made = door()
    made.sent(frame(vendor.VsSwVerReq(), to=LOCAL, source=OWN), 5000.0)
    assert not made.takes(version(OWN, source=STRANGER), 5000.1, serves=False)
    assert made.takes(version(OWN), 5000.2, serves=False)
    assert made.modem == MODEM


@pytest.mark.req("S-13")
def test_where_the_modem_s_address_is_configured_nobody_else_passes_for_it_by_answering_first() -> None:
    made = Door(OWN, 0.0, MODEM)
    made.sent(frame(vendor.VsSwVerReq(), to=LOCAL, source=OWN), 0.0)
    assert not made.takes(version(OWN, source=STRANGER), 0.1, serves=False)
    assert made.takes(version(OWN), 0.2, serves=False)
    assert not made.takes(version(OWN, source=STRANGER), 0.2 + FAITHFUL_S, serves=False), "nor when it is silent"
    assert made.modem == MODEM


@pytest.mark.req("S-8")
def test_a_stranger_has_a_share_and_the_own_modem_is_apart_from_all_of_them() -> None:
    made = door()
    assert many(made, frame(PARM_REQ), 20_000) == SOURCE_MOST
    assert many(made, frame(PARM_REQ, source=OWN[:5] + b"\x99"), 25) == 25, "somebody else"
    told = sum(many(made, frame(PARM_REQ, source=number.to_bytes(6, "big")), 20) for number in range(2000))
    assert NEW_MOST < told < OTHERS_MOST - SOURCE_MOST - 25, "some is left for others"
    assert len(made._of_source) == SOURCES
    profile = frame(mme.AttenProfileInd(pev_mac=STRANGER, aag=bytes(58)), to=OWN, source=MODEM)
    assert many(made, profile, 320) == 320, "32 matchings"
    assert many(made, profile, 20_000) == MODEM_MOST - 320, "its address can be forged"
    assert made.takes(frame(PARM_REQ, source=STRANGER[:5] + b"\x01"), 1.1, serves=True), "a tenth of a second later"


EV = bytes.fromhex("0200000000EE")
FLOODS = {"ever new": lambda number: number, "each twice": lambda number: number // 2, "32 who are known": lambda number: number % 32}
"""Whose the frame of this number is."""


def under_flood(made: Door, whose: Callable[[int], int], *, answers: bool) -> tuple[int, int]:
    """2000 frames a second for 3 s; the vehicle's among them, one each 50 ms. How many of its own are told, and of all."""
    honest = total = 0
    for number in range(6000):
        now_s = 1.0 + number / 2000
        stranger = (0x0200_0000_0000 + whose(number)).to_bytes(6, "big")
        total += made.takes(frame(PARM_REQ, source=stranger), now_s, serves=True)
        if answers and number % 10 == 0:
            made.sent(frame(mme.SlacParmCnf(forwarding_sta=stranger, run_id=RUN_ID), to=stranger, source=OWN), now_s)
        if number % 100 == 99:
            honest += made.takes(frame(PARM_REQ, source=EV), now_s, serves=True)
    return honest, total + honest


@pytest.mark.req("S-8")
@pytest.mark.parametrize("flood", FLOODS)
def test_a_vehicle_that_is_spoken_with_is_heard_whoever_else_floods(flood: str) -> None:
    made = door()
    made.sent(frame(mme.SlacParmCnf(forwarding_sta=EV, run_id=RUN_ID), to=EV, source=OWN), 0.9)
    honest, total = under_flood(made, FLOODS[flood], answers=True)
    assert honest == 60
    assert total <= OTHERS_MOST + 3 * OTHERS_PER_S, "no more than before is told"
    assert len(made._spoken) <= SPOKEN


@pytest.mark.req("S-8")
@pytest.mark.parametrize(("addresses", "per_s"), [(64, 1000), (100, 2000), (200, 2000), (240, 4000)])
def test_many_who_are_all_spoken_with_and_keep_to_their_share_have_had_theirs_in_a_while(addresses: int, per_s: int) -> None:
    """Until then a vehicle that matches is one of them; and then it is heard to the end, and so is the next one."""
    made = door()
    strangers = [(0x0200_0001_0000 + number).to_bytes(6, "big") for number in range(addresses)]
    for number, stranger in enumerate(strangers):
        made.takes(frame(PARM_REQ, source=stranger), 1.0 + number / 40, serves=True)
        made.sent(frame(mme.SlacParmCnf(forwarding_sta=stranger, run_id=RUN_ID), to=stranger, source=OWN), 1.0 + number / 40)
    begins_s = 10.0
    over_s = begins_s + addresses * 1.5 * LASTING_FREE / OTHERS_PER_S + 1
    heard = {}
    for vehicle in range(2):
        ev = EV[:5] + bytes((vehicle,))
        made.sent(frame(mme.SlacParmCnf(forwarding_sta=ev, run_id=RUN_ID), to=ev, source=OWN), over_s)
        heard[ev] = 0
    for number in range(int(per_s * (over_s - begins_s + 4))):
        now_s = begins_s + number / per_s
        made.takes(frame(PARM_REQ, source=strangers[number % addresses]), now_s, serves=True)
        since = now_s - over_s
        if since > 0 and int(since * 20) != int((since - 1 / per_s) * 20):
            ev = EV[:5] + bytes((int(since) // 2,))
            heard[ev] = heard.get(ev, 0) + made.takes(frame(PARM_REQ, source=ev), now_s, serves=True)
    assert all(count >= 38 for count in heard.values()), heard


@pytest.mark.req("S-8")
@pytest.mark.parametrize(("flood", "least"), [("ever new", 59), ("32 who are known", 40)])
def test_one_that_comes_during_a_flood_is_heard_when_it_asks_again(flood: str, least: int) -> None:
    """The first time it is as new as they are; those who send all the time have used what they have within a second."""
    honest, total = under_flood(door(), FLOODS[flood], answers=False)
    assert honest >= least
    assert total <= honest + (NEW_MOST + 3 * NEW_PER_S if flood == "ever new" else OTHERS_MOST + 3 * OTHERS_PER_S)
