"""Standardised variables of blocks C and D: there, readable, and honoured or refused as their limits say."""

from __future__ import annotations

import pytest

from tests.octt.states import station
from tests.octt.system import TestSystem

BOTH = ("true", "false")
SWITCHES = [
    "AuthCtrlr.Enabled",
    "AuthCtrlr.AuthorizeRemoteStart",
    "AuthCtrlr.DisableRemoteAuthorization",
    "AuthCtrlr.LocalAuthorizeOffline",
    "AuthCtrlr.LocalPreAuthorize",
    "AuthCtrlr.OfflineTxForUnknownIdEnabled",
    "AuthCacheCtrlr.Enabled",
    "AuthCacheCtrlr.DisablePostAuthorize",
    "LocalAuthListCtrlr.Enabled",
    "LocalAuthListCtrlr.DisablePostAuthorize",
]
FIXED = {
    "AuthCtrlr.AdditionalInfoItemsPerMessage": "10",
    "AuthCacheCtrlr.Available": "true",
    "AuthCacheCtrlr.Policy": "LRU",
    "AuthCacheCtrlr.Storage": "0",
    "LocalAuthListCtrlr.Available": "true",
    "LocalAuthListCtrlr.Entries": "0",
    "LocalAuthListCtrlr.ItemsPerMessage": "250",
    "LocalAuthListCtrlr.BytesPerMessage": "131072",
    "LocalAuthListCtrlr.Storage": "0",
    "LocalAuthListCtrlr.SupportsExpiryDateTime": "true",
}


@pytest.fixture
def it() -> TestSystem:
    return station()


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_is_set_and_outlives_a_restart(it: TestSystem, name: str) -> None:
    other = BOTH[BOTH.index(it.get(name)) - 1]
    assert it.set(name, "perhaps") == "Rejected"
    assert it.set(name, other) == "Accepted"
    it.power_loss()
    it.wait(3.0)
    assert it.get(name) == other


@pytest.mark.parametrize(("name", "value"), FIXED.items())
def test_what_the_station_says_of_itself_is_read_only(it: TestSystem, name: str, value: str) -> None:
    assert it.get(name) == value
    assert it.set(name, value) == "Rejected"
    assert it.get(name) == value


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("AuthCacheCtrlr.LifeTime", ("0", "86400"), ("-1", "1.5", "soon", "")),
        ("AuthCtrlr.MasterPassGroupId", ("", "POLICE", "x" * 255), ("x" * 256,)),
        ("TxCtrlr.EVConnectionTimeOut", ("1", "600"), ("0", "-5", "never")),
        ("TxCtrlr.MaxEnergyOnInvalidId", ("0", "500"), ("-1", "much")),
    ],
)
def test_values_within_their_limits(it: TestSystem, name: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    for value in bad:
        before = it.get(name)
        assert it.set(name, value) == "Rejected", value
        assert it.get(name) == before
    for value in good:
        assert it.set(name, value) == "Accepted", value
        assert it.get(name) == value


def test_the_types_of_tokens_that_can_be_used(it: TestSystem) -> None:
    found = it.get("AuthCtrlr.SupportedIdTokenTypes").split(",")
    assert {"Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization"} <= set(found)
    assert it.set("AuthCtrlr.SupportedIdTokenTypes", "ISO14443") == "Rejected"
