"""Tables: complete, consistent, reachable, drawable; and each of these can be seen to fail."""

import enum

import pytest

from iso15118.machine import Refused, Table, TableError, Transition, Undecided, on, refuse, rest_refused, stay, step


class S(enum.Enum):
    IDLE = "idle"
    BUSY = "busy"
    GONE = "gone"


class E(enum.Enum):
    START = "start"
    STOP = "stop"


ENTRIES = (
    *on(S.IDLE, E.START, to=S.BUSY, do=("ring", "light"), source="clause 1"),
    *on(S.BUSY, E.STOP, to=S.IDLE),
    *stay(S.BUSY, E.START),
    *refuse(S.IDLE, E.STOP, why="nothing runs"),
    *stay(S.GONE, (E.START, E.STOP)),
)


def table(*entries: Transition[S, E]) -> Table[S, E]:
    return Table("shop", S, E, S.IDLE, entries or ENTRIES)


def test_step_gives_the_entry() -> None:
    entry = step(table(), S.IDLE, E.START)
    assert (entry.to, entry.do, entry.source) == (S.BUSY, ("ring", "light"), "clause 1")


def test_a_refused_event_names_place_and_reason() -> None:
    with pytest.raises(Refused, match="shop: stop in idle refused: nothing runs"):
        step(table(), S.IDLE, E.STOP)


def test_a_hole_is_undecided() -> None:
    holed = table(*ENTRIES[1:])
    assert holed.undecided() == ((S.IDLE, E.START),)
    with pytest.raises(Undecided, match="start does in idle"):
        step(holed, S.IDLE, E.START)


def test_a_whole_table_has_no_hole_and_knows_what_is_out_of_reach() -> None:
    assert table().undecided() == ()
    assert table().reachable() == {S.IDLE, S.BUSY}


def test_refused_entries_lead_nowhere() -> None:
    assert table(*refuse(S.IDLE, E.START, why="closed")).reachable() == {S.IDLE}


def test_what_nothing_decides_is_refused_and_the_rest_stays() -> None:
    whole = table(*rest_refused(S, E, ENTRIES[:2], why="not here"))
    assert whole.undecided() == ()
    assert [whole.entries[each.state, each.event] for each in ENTRIES[:2]] == list(ENTRIES[:2])
    assert {each.source for each in whole.entries.values() if each.refused} == {"not here"}
    assert sum(each.refused for each in whole.entries.values()) == 4
    with pytest.raises(TableError, match="decided twice"):
        table(*rest_refused(S, E, ENTRIES[:1] * 2, why="not here"))


def test_deciding_twice_is_an_error_of_the_table() -> None:
    with pytest.raises(TableError, match="decided twice"):
        table(*ENTRIES, *stay(S.IDLE, E.START))


def test_unknown_states_are_errors_of_the_table() -> None:
    with pytest.raises(TableError, match="does not declare"):
        Table("shop", (S.IDLE,), E, S.IDLE, on(S.IDLE, E.START, to=S.BUSY))
    with pytest.raises(TableError, match="initial state"):
        Table("shop", (S.BUSY,), E, S.IDLE, ())


def test_replaced_changes_one_entry_only() -> None:
    changed = table().replaced(Transition(S.IDLE, E.START, S.GONE))
    assert step(changed, S.IDLE, E.START).to is S.GONE
    assert step(changed, S.BUSY, E.STOP) == step(table(), S.BUSY, E.STOP)
    assert changed.reachable() == {S.IDLE, S.GONE}


def test_the_drawing_shows_moves_and_actions_and_nothing_else() -> None:
    assert table().to_mermaid() == ("stateDiagram-v2\n    [*] --> idle\n    idle --> busy: start / ring, light\n    busy --> idle: stop\n")


def test_classes_and_texts_may_be_states_and_events() -> None:
    words: Table[str, type] = Table("words", ("a b", "c"), (int, str), "a b", on("a b", int, to="c"))
    assert "a_b --> c: int" in words.to_mermaid()
