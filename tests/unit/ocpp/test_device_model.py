"""The device model: what a value may be, where it stands, what stays over a restart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargepoint import codec
from chargepoint.commands import Delete, Persist, Put
from chargepoint.ocpp.device_model import (
    BadValue,
    DataType,
    DeviceModel,
    Limits,
    Missing,
    ModelState,
    Mutability,
    Place,
    Variable,
    VariableChanged,
    parse_place,
    place_of,
    seeds,
)
from chargepoint.ocpp.variable_values import checked
from chargepoint.tick import Tick

NOW = Tick(0.0, 0.0)
RW = Mutability.READ_WRITE
NUMBER = Variable("TestCtrlr", "Number", "integer", "5", "a number", mutability=RW, min=1, max=10, key16="TheNumber")
NAME = Variable("TestCtrlr", "Name", "string", "", "a text", mutability=RW, max_length=5)
LATER = Variable("TestCtrlr", "Later", "integer", "1", "counts after a restart", mutability=RW, reboot_required=True)
HIDDEN = Variable("TestCtrlr", "Hidden", "string", None, "a secret", mutability=Mutability.WRITE_ONLY, secret=True)
PER_EVSE = Variable("EVSE", "Limit", "decimal", "1.5", "one for each EVSE", per="evse", mutability=RW, attributes=("Actual", "MaxSet"))
PER_CONNECTOR = Variable("Connector", "Kind", "string", "x", "one for each connector", per="connector")
SLOT = Variable("Slotted", "Url", "string", "u", "by instance", instance="b", component_instance="2", mutability=RW)
ROWS = (NUMBER, NAME, LATER, HIDDEN, PER_EVSE, PER_CONNECTOR, SLOT)


def model() -> DeviceModel:
    return DeviceModel(ROWS, (1, 2))


@pytest.mark.req("B05.FR.07", "B05.FR.08")
@pytest.mark.parametrize(
    ("kind", "value", "limits", "reason"),
    [
        ("integer", "1.5", Limits(), "InvalidValue"),
        ("integer", "", Limits(), "InvalidValue"),
        ("integer", "0x10", Limits(), "InvalidValue"),
        ("integer", "1_000", Limits(), "InvalidValue"),
        ("integer", "٣", Limits(), "InvalidValue"),
        ("integer", "9" * 2000, Limits(), "InvalidValue"),
        ("integer", "0", Limits(min=1), "ValueTooLow"),
        ("integer", "11", Limits(max=10), "ValueTooHigh"),
        ("decimal", "nan", Limits(), "InvalidValue"),
        ("decimal", "1e999", Limits(), "InvalidValue"),
        ("decimal", "-0.1", Limits(min=0), "ValueTooLow"),
        ("boolean", "1", Limits(), "InvalidValue"),
        ("boolean", "yes", Limits(), "InvalidValue"),
        ("dateTime", "yesterday", Limits(), "InvalidValue"),
        ("dateTime", "1970-01-01T00:00:00Z", Limits(), "InvalidValue"),
        ("OptionList", "C", Limits(values=("A", "B")), "InvalidValue"),
        ("MemberList", "A,C", Limits(values=("A", "B")), "InvalidValue"),
        ("MemberList", "A,,B", Limits(), "InvalidValue"),
        ("SequenceList", "A,A", Limits(), "InvalidValue"),
        ("SequenceList", "A,B", Limits(max_elements=1), "TooManyElements"),
        ("string", "too long", Limits(max=5), "TooLargeElement"),
        ("string", "ab", Limits(min=3), "InvalidValue"),
        ("string", "a\nb", Limits(), "InvalidValue"),
        ("string", "\ud800", Limits(), "InvalidValue"),
        ("string", "x" * 65536, Limits(), "TooLargeElement"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_reason(kind: DataType, value: str, limits: Limits, reason: str) -> None:
    with pytest.raises(BadValue) as caught:
        checked(kind, value, limits)
    assert caught.value.reason == reason
    assert value == "" or value not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "value", "limits", "spelled"),
    [
        ("integer", " +7 ", Limits(), "7"),
        ("integer", "-7", Limits(), "-7"),
        ("decimal", "1.50", Limits(), "1.50"),
        ("boolean", "True", Limits(), "true"),
        ("dateTime", "2026-11-24T12:00:00.123+01:00", Limits(), "2026-11-24T12:00:00.123+01:00"),
        ("OptionList", "b", Limits(values=("A", "B")), "B"),
        ("MemberList", "", Limits(values=("A",)), ""),
        (
            "MemberList",
            "Energy.Active.Import.Register,\nPower.Active.Import",
            Limits(),
            "Energy.Active.Import.Register,Power.Active.Import",
        ),
    ],
)
def test_a_good_value_gets_its_one_spelling(kind: DataType, value: str, limits: Limits, spelled: str) -> None:
    assert checked(kind, value, limits) == spelled


@pytest.mark.req("S-5")
@given(
    kind=st.sampled_from(["string", "decimal", "integer", "dateTime", "boolean", "OptionList", "SequenceList", "MemberList"]),
    value=st.text(),
)
def test_any_text_is_taken_or_refused_and_once_taken_stays_as_it_is(kind: DataType, value: str) -> None:
    try:
        spelled = checked(kind, value)
    except BadValue:
        return
    assert checked(kind, spelled) == spelled


names = st.text(st.characters(codec="ascii", exclude_characters=".[]@/", exclude_categories=["Cc"]), min_size=1, max_size=8)


@given(
    st.builds(
        Place,
        names,
        names,
        st.just("") | names,
        st.just("") | names,
        st.integers(0, 99),
        st.just(0),
        st.sampled_from(["Actual", "Target", "MinSet", "MaxSet"]),
    )
)
def test_a_key_names_its_place(place: Place) -> None:
    assert parse_place(place.key) == place


def test_a_connector_has_a_key_too() -> None:
    place = place_of(PER_CONNECTOR, 2)
    assert place.key == "Connector@2.1.Kind"
    assert parse_place(place.key) == place


@pytest.mark.parametrize("key", ["", "NoVariable", "A.B.C", "A.[b]", "A[1.B", "A@x.B"])
def test_a_key_of_another_shape_is_named(key: str) -> None:
    with pytest.raises(ValueError, match="not shaped"):
        parse_place(key)


@pytest.mark.req("B06.FR.06", "B06.FR.07", "B06.FR.08", "S-7")
@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        (Place("NoCtrlr", "Number"), "UnknownComponent"),
        (Place("TestCtrlr", "Nothing"), "UnknownVariable"),
        (Place("TestCtrlr", "Number", "x"), "UnknownVariable"),
        (Place("TestCtrlr", "Number", attribute="MaxSet"), "NotSupportedAttributeType"),
        (Place("TestCtrlr", "Number", component_instance="x"), "UnknownComponent"),
        (Place("EVSE", "Limit"), "UnknownComponent"),
        (Place("EVSE", "Limit", evse_id=3), "UnknownComponent"),
        (Place("EVSE", "Limit", evse_id=1, attribute="Target"), "NotSupportedAttributeType"),
        (Place("Connector", "Kind", evse_id=1), "UnknownComponent"),
        (Place("Connector", "Kind", evse_id=1, connector_id=2), "UnknownComponent"),
    ],
)
def test_what_is_not_there_is_called_by_what_is_missing(wanted: Place, status: Any) -> None:
    assert model().find(wanted) == Missing(status)


def test_names_are_found_in_any_case() -> None:
    assert model().find(Place("testctrlr", "NUMBER")) == place_of(NUMBER)
    assert model().find(Place("slotted", "url", "B", "2")) == place_of(SLOT)


def test_two_rows_for_one_place_are_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match=r"TestCtrlr\.Number is declared twice"):
        DeviceModel((NUMBER, NUMBER), (1,))


def test_a_change_is_kept_and_told_once() -> None:
    device = model()
    place = place_of(NUMBER)
    assert device.change(place, "6") == [Persist((Put("variables", "TestCtrlr.Number", "6"),)), VariableChanged(place, "5", "6")]
    assert device.change(place, "6") == []
    assert device.integer(NUMBER) == 6


def test_a_secret_is_in_no_event() -> None:
    device = model()
    assert device.change(place_of(HIDDEN), "geheim")[1] == VariableChanged(place_of(HIDDEN), "", "")
    assert device.text(HIDDEN) == "geheim"


@pytest.mark.req("B05.FR.09")
def test_what_needs_a_restart_counts_after_it() -> None:
    device = model()
    written = device.change(place_of(LATER), "2")
    assert written == [Persist((Put("variables", "TestCtrlr.Later", "2"),))]
    assert (device.integer(LATER), device.shown(NOW, place_of(LATER))) == (1, "2")
    restarted = model()
    restarted.load({"TestCtrlr.Later": "2"})
    assert restarted.integer(LATER) == 2


def test_taking_back_what_waits_for_a_restart_leaves_the_old_value() -> None:
    device = model()
    device.change(place_of(LATER), "2")
    assert device.change(place_of(LATER), "1") == [Persist((Put("variables", "TestCtrlr.Later", "1"),))]
    assert device.shown(NOW, place_of(LATER)) == "1"


def test_a_removed_variable_is_not_there_but_its_reader_has_the_default() -> None:
    device = model()
    device.change(place_of(NUMBER), "9")
    assert device.remove(place_of(NUMBER))[0] == Persist((Put("variables", "TestCtrlr.Number", None),))
    assert device.find(place_of(NUMBER)) == Missing("UnknownVariable")
    assert device.integer(NUMBER) == 5
    again = model()
    again.load({"TestCtrlr.Number": None})
    assert again.find(place_of(NUMBER)) == Missing("UnknownVariable")
    again.change(place_of(NUMBER), "7")
    assert again.integer(NUMBER) == 7


def test_forgetting_goes_back_to_the_default() -> None:
    device = model()
    device.change(place_of(NUMBER), "9")
    assert device.forget(place_of(NUMBER)) == [
        Persist((Delete("variables", "TestCtrlr.Number"),)),
        VariableChanged(place_of(NUMBER), "9", "5"),
    ]


def test_the_store_wins_over_the_configuration_and_each_names_what_it_cannot_use() -> None:
    device = model()
    assert device.seed(
        {"TestCtrlr.Number": "3", "TestCtrlr.Name": "abc", "testctrlr.later": "4", "Gone.Row": "1", "TestCtrlr.Hidden": "s"}
    ) == ["Gone.Row: UnknownComponent"]
    assert device.load({"TestCtrlr.Number": "8", "TestCtrlr.Name": "too long for it"}) == ["TestCtrlr.Name: longer than 5 characters"]
    assert (device.integer(NUMBER), device.text(NAME), device.integer(LATER), device.text(HIDDEN)) == (8, "abc", 4, "s")
    assert len(device.problems) == 2


def test_the_owner_narrows_limits_and_guards() -> None:
    device = model()
    device.bound(NUMBER, Limits(max=6))

    def even(value: str) -> None:
        if int(value) % 2:
            raise BadValue("InvalidValue", "not even")

    device.guard(NUMBER, even)
    assert device.checked(place_of(NUMBER), "6") == "6"
    for wrong in ("5", "8"):
        with pytest.raises(BadValue):
            device.checked(place_of(NUMBER), wrong)


def test_a_snapshot_brings_everything_back() -> None:
    device = model()
    device.change(place_of(NUMBER), "6")
    device.change(place_of(LATER), "2")
    device.remove(place_of(NAME))
    kept = codec.dump(ModelState, device.state)
    other = model()
    other.state = codec.load(ModelState, kept)
    assert (other.values, other.pending, other.removed) == (device.values, device.pending, device.removed)


def test_lists_and_flags_are_read_as_such() -> None:
    rows = (
        Variable("A", "Flag", "boolean", "true", ""),
        Variable("A", "List", "MemberList", "a, b", ""),
        Variable("A", "Decimal", "decimal", "1.5", ""),
    )
    device = DeviceModel(rows, ())
    assert (device.flag(rows[0]), device.members(rows[1]), device.decimal(rows[2])) == (True, ("a", "b"), 1.5)


def test_the_16_key_finds_its_row() -> None:
    assert model().by_key16("thenumber") == place_of(NUMBER)
    assert model().by_key16("") is None


def test_rows_of_a_bench_file_become_seeds() -> None:
    entries: list[dict[str, Any]] = [
        {
            "component": "TestCtrlr",
            "variable": "Number",
            "value": "4",
            "data_type": "integer",
            "mutability": "ReadOnly",
            "is_default": False,
        },
        {
            "component": "EVSE",
            "evse_id": 2,
            "connector_id": None,
            "variable": "Limit",
            "attribute": "MaxSet",
            "value": "9.5",
            "variable_instance": None,
        },
        {"component": "Slotted", "component_instance": "2", "variable": "Url", "variable_instance": "b", "value": "ws://x"},
        {"component": "TestCtrlr", "variable": "Name", "value": None},
    ]
    device = model()
    assert device.seed(seeds(entries)) == []
    assert (device.integer(NUMBER), device.text(SLOT), device.text(NAME)) == (4, "ws://x", "")
    assert device.shown(NOW, Place("EVSE", "Limit", evse_id=2, attribute="MaxSet")) == "9.5"
    assert device.decimal(PER_EVSE, 2) == 1.5


def test_each_attribute_is_computed_by_itself() -> None:
    one = model()
    one.compute(PER_EVSE, lambda _: "2.5", 1, "MaxSet")
    shown = [one.shown(NOW, place_of(PER_EVSE, evse_id, attribute)) for evse_id in (1, 2) for attribute in ("Actual", "MaxSet")]
    assert shown == ["1.5", "2.5", "1.5", "1.5"]


def test_a_row_that_an_evse_cannot_have_is_unknown_there_and_in_every_list() -> None:
    one = model()
    one.undeclare((PER_EVSE,), 2)
    assert one.find(Place("EVSE", "Limit", evse_id=2)) == Missing("UnknownComponent")
    assert one.find(Place("EVSE", "Limit", evse_id=1)) == Place("EVSE", "Limit", evse_id=1)
    assert one.text(PER_EVSE, 2) == ""
    assert [place for place in one.visible() if place.component == "EVSE" and place.evse_id == 2] == []
    assert one.load({"EVSE@2.Limit": "2.0"}) == ["EVSE@2.Limit: UnknownComponent"]
