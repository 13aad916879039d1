"""What both sides of ISO 15118-20 share: the least messages, where they travel, wishes and their words, powers of phases, and what is waited for."""

from __future__ import annotations

from typing import get_args

import pytest

from chargepoint.tick import Tick
from iso15118 import exi
from iso15118.iso20.values import entry_W, rational, slots, total_W
from iso15118.iso20.wire import NOTIFICATIONS, RESPONSES, WISHES, least, payload_type
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_types as ct
from iso15118.terms import Slot, Wish
from iso15118.v2gtp import ISO20_AC, ISO20_DC, ISO20_MAIN, SCHEMA_SETS
from iso15118.waiting import Waiting


@pytest.mark.parametrize("kind", [each for pair in RESPONSES.items() for each in pair])
def test_the_least_message_travels(kind: type[Message]) -> None:
    message = least(kind, Header=ct.MessageHeaderType(SessionID=b"12345678", TimeStamp=1))
    number = payload_type(kind)
    assert number == {"AC": ISO20_AC, "DC": ISO20_DC}.get(kind.__name__.partition("_")[0], ISO20_MAIN)
    assert exi.decode(exi.encode(message, SCHEMA_SETS[number]), SCHEMA_SETS[number]) == message


def test_what_is_given_stays() -> None:
    mode = ac.Dynamic_AC_CLResControlMode(EVSETargetActivePower=rational(7))
    assert least(ac.AC_ChargeLoopRes, CLResControlMode=mode).CLResControlMode is mode
    assert least(dc.DC_ChargeLoopRes).CLResControlMode == dc.Scheduled_DC_CLResControlMode()


def test_every_wish_has_its_word() -> None:
    assert set(NOTIFICATIONS) == set(Wish)
    assert set(WISHES) == set(get_args(ct.evseNotificationType))
    assert all(WISHES[word] is wish for wish, word in NOTIFICATIONS.items())


@pytest.mark.parametrize(
    ("value", "exponent", "whole"),
    [
        (0, 0, 0), (-0.0, 0, 0), (400, 0, 400), (400.0, 0, 400), (-32767.0, 0, -32767), (32767, 0, 32767), (32767.4, 0, 32767), (32768, 1, 3277),
        (-40000, 1, -4000), (0.25, -2, 25), (1.5, -1, 15), (-0.0004, 0, 0), (3.1415926, -3, 3142), (32.767, -3, 32767), (32.7671, -3, 32767), (1e9, 5, 10000),
    ],
)  # fmt: skip
def test_numbers(value: float, exponent: int, whole: int) -> None:
    """With as few decimals as it takes, and as many as there is room for."""
    assert rational(value) == ct.RationalNumberType(Exponent=exponent, Value=whole)


def test_phases_add_up() -> None:
    entry = cs.PowerScheduleEntryType(Duration=60, Power=rational(1000), Power_L2=rational(200), Power_L3=rational(-30))
    assert total_W(entry, "Power") == entry_W(entry) == 1170.0
    assert total_W(entry, "EVMaximumDischargePower") is None, "it does not say"
    alone = cs.PowerScheduleEntryType(Duration=30, Power=rational(-500))
    assert slots((entry, alone)) == (Slot(0, 60, 1170.0), Slot(60, 30, -500.0))
    assert slots(()) == ()


def test_what_is_waited_for() -> None:
    waiting = Waiting()
    assert waiting.ongoing("schedule", Tick(1.0, 0.0), 2.0)
    assert waiting.ongoing("schedule", Tick(2.9, 0.0), 2.0)
    assert not waiting.ongoing("schedule", Tick(3.0, 0.0), 2.0)
    waiting.done("schedule")
    waiting.done("cable check")
    assert waiting.ongoing("schedule", Tick(9.0, 0.0), 2.0), "it begins anew"
