"""Vendor extensions of other distributions."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from chargepoint.ocpp.vendors import Vendor
from chargepoint.runtime import vendors
from chargepoint.runtime.port import StartError

LAMP = Vendor("org.example.lamp")
NO_VENDOR = "org.example.lamp"


def named(monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    found = [EntryPoint("lamp", value, vendors.GROUP) for value in values]
    monkeypatch.setattr(vendors, "entry_points", lambda group: found if group == vendors.GROUP else [])


def test_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert vendors.installed() == ()
    named(monkeypatch, f"{__name__}:LAMP")
    assert vendors.installed() == (LAMP,)


@pytest.mark.parametrize("value", ["no_such_module:LAMP", f"{__name__}:NOTHING", f"{__name__}:NO_VENDOR"])
def test_what_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    named(monkeypatch, value)
    with pytest.raises(StartError, match="vendor extension 'lamp'"):
        vendors.installed()
