"""What the tests of a vehicle's side of ISO 15118-20 share."""

from __future__ import annotations

import pytest

from chargepoint.tick import Tick
from iso15118.evcc.iso20.dialect import Iso20
from iso15118.evcc.iso20.table import S
from tests.unit.iso15118.evcc_places import all_places


@pytest.fixture(scope="session")
def places() -> dict[S, tuple[Iso20, Tick]]:
    """The vehicle in every state; whoever uses one takes a copy."""
    return all_places()
