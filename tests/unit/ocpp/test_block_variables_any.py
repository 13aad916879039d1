"""Whatever a CSMS may ask within the schemas, it gets one answer, and the station goes on (S-5, S-7)."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargepoint.ocpp.messages import Answer, AnswerError, CallReceived
from tests.unit.ocpp.block_rig import BlockRig
from tests.unit.ocpp.test_block_reports import BLOCKS

_STATION = BlockRig(BLOCKS)
_KNOWN = (
    sorted({place.component for place in _STATION.context.model.rows}),
    sorted({place.variable for place in _STATION.context.model.rows}),
)

texts = st.text(max_size=50) | st.sampled_from(["", "\ud800", "a.b", "[x]", "%s", "'; drop table", "\x00", "٣", "x" * 50])
numbers = st.sampled_from([0, 1, 2, 3, 2**31, 2**63, 10**30])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def without_none(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value is not None}


evses = st.fixed_dictionaries({"id": numbers, "connectorId": maybe(numbers)}).map(without_none)
components = st.fixed_dictionaries({"name": st.sampled_from(_KNOWN[0]) | texts, "instance": maybe(texts), "evse": maybe(evses)}).map(
    without_none
)
variables = st.fixed_dictionaries(
    {"name": st.sampled_from(_KNOWN[1]) | texts, "instance": maybe(st.sampled_from(["GetReport", "SetVariables"]) | texts)}
).map(without_none)
attributes = maybe(st.sampled_from(["Actual", "Target", "MinSet", "MaxSet"]))
values = texts | st.sampled_from(["true", "1", "-1", "1e9", "a,b", "9" * 2500, "2026-11-24T12:00:00Z"]) | st.integers().map(str)
get_item = st.fixed_dictionaries({"component": components, "variable": variables, "attributeType": attributes}).map(without_none)
set_item = st.fixed_dictionaries(
    {"component": components, "variable": variables, "attributeType": attributes, "attributeValue": values}
).map(without_none)
report_item = st.fixed_dictionaries({"component": components, "variable": maybe(variables)}).map(without_none)
criteria = st.lists(st.sampled_from(["Active", "Available", "Enabled", "Problem"]), min_size=1, max_size=4)

CALLS = st.one_of(
    st.tuples(st.just("GetVariables"), st.fixed_dictionaries({"getVariableData": st.lists(get_item, min_size=1, max_size=5)})),
    st.tuples(st.just("SetVariables"), st.fixed_dictionaries({"setVariableData": st.lists(set_item, min_size=1, max_size=5)})),
    st.tuples(
        st.just("GetReport"),
        st.fixed_dictionaries(
            {
                "requestId": st.integers(),
                "componentVariable": maybe(st.lists(report_item, min_size=1, max_size=3)),
                "componentCriteria": maybe(criteria),
            }
        ).map(without_none),
    ),
    st.tuples(
        st.just("GetBaseReport"),
        st.fixed_dictionaries(
            {"requestId": st.integers(), "reportBase": st.sampled_from(["FullInventory", "SummaryInventory", "ConfigurationInventory"])}
        ),
    ),
    st.tuples(
        st.just("ChangeAvailability"),
        st.fixed_dictionaries({"operationalStatus": st.sampled_from(["Operative", "Inoperative"]), "evse": maybe(evses)}).map(without_none),
    ),
    st.tuples(
        st.just("Reset"),
        st.fixed_dictionaries({"type": st.sampled_from(["Immediate", "OnIdle", "ImmediateAndResume"]), "evseId": maybe(numbers)}).map(
            without_none
        ),
    ),
    st.tuples(
        st.just("DataTransfer"), st.fixed_dictionaries({"vendorId": texts, "data": st.recursive(st.none() | texts, st.lists, max_leaves=5)})
    ),
)


@pytest.mark.req("S-5", "S-7")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CALLS, min_size=1, max_size=6))
def test_any_request_gets_one_answer(calls: list[tuple[str, dict[str, Any]]]) -> None:
    station = BlockRig(BLOCKS)
    station.boot()
    for number, (action, payload) in enumerate(calls):
        out = station.hear(CallReceived(str(number), action, payload))
        answers = [result for result in out if isinstance(result, (Answer, AnswerError))]
        assert len(answers) == 1
        json.dumps(answers[0].payload if isinstance(answers[0], Answer) else answers[0].description)
        station.advance(1.0)
    again = station.restart()
    again.power_up()
    assert {place: value for place, value in again.context.model.values.items() if place.component == "OCPPCommCtrlr"} == {
        place: value for place, value in station.context.model.values.items() if place.component == "OCPPCommCtrlr"
    }
