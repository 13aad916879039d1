"""A session of ISO 15118-20 as plain values: kept in every state of every way of energy transfer, and gone on with by the same rules."""

from __future__ import annotations

from typing import Any

import pytest

from bench.v2g.pair import Pair
from chargepoint import codec
from iso15118.connection import Unexpected
from iso15118.evcc.terms import EvWish
from iso15118.secc.iso20.dialect import CABLE, Iso20, SavedIso20
from iso15118.secc.iso20.others import RULES
from iso15118.secc.iso20.table import S
from iso15118.terms import Energy
from tests.behaviour.iso20_rig import ask, make

EVERY = {Energy.AC: CABLE, Energy.DC: CABLE, **RULES}
in_every_way = pytest.mark.parametrize("energy", EVERY, ids=str)


def kept(dialect: Iso20, rules: Any) -> Iso20:
    saved = codec.load(SavedIso20, codec.dump(SavedIso20, dialect.saved()))
    return Iso20.restored(saved, dialect.talk.facts, rules)


@in_every_way
def test_a_session_is_kept_in_every_state(energy: Energy) -> None:
    rules, dialect = EVERY[energy], make(energy).session().dialect
    assert dialect is not None
    for dialect.state in rules.table.states:
        again = kept(dialect, rules)
        assert again.state is dialect.state
        assert again.saved() == dialect.saved()
        assert again.confirms is dialect.confirms is (again.state in rules.loops)
        assert again.stands_by is dialect.stands_by is again.state.value.endswith("standby")
    assert len({each.value for each in rules.table.states}) == len(rules.table.states)


@in_every_way
def test_it_goes_on_at_any_request(energy: Energy) -> None:
    """Kept and taken up again at every request, it comes to the same end; and can be asked to confirm the meter, and to come out of standby."""
    pair = make(energy, loops=40)
    found: set[str] = set()
    asked = 0

    def restart(pair: Pair) -> None:
        nonlocal asked
        dialect = pair.dialect
        if dialect is None or pair.secc._pending is not None or len(pair.messages) == asked:
            return
        asked = len(pair.messages)
        found.update(word for word, holds in (("confirms", dialect.confirms), ("stands by", dialect.stands_by)) if holds)
        pair.dialect = pair.secc.dialect = kept(dialect, EVERY[energy])

    pair.watches.append(restart)
    ask(pair, "vehicle", 10, EvWish.STANDBY, None)
    ask(pair, "vehicle", 25, EvWish.RESUME, None)
    pair.session()
    assert pair.evse_over is not None
    assert pair.evse_over.why == "SessionStop"
    assert found == {"confirms", "stands by"}


def test_no_state_of_these_rules() -> None:
    dialect = make(Energy.WPT).session().dialect
    assert dialect is not None
    with pytest.raises(Unexpected, match="has no state WPT"):
        dialect.state = next(each for each in RULES[Energy.WPT].table.states if each.value == "WPT loop")
        Iso20.restored(dialect.saved(), dialect.talk.facts)
    over = make(Energy.AC).session().dialect
    assert over is not None
    assert Iso20.restored(over.saved(), dialect.talk.facts).state is S.OVER
