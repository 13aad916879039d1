"""Transactions and a store that refuses for a while (F-2)."""

import pytest

from chargepoint.events import TransactionNotStored, TransactionStarted
from chargepoint.transaction_ledger import TABLE
from chargepoint.transaction_state import TransactionVoid
from tests.unit.ocpp.transaction_rig import ChargeRig


@pytest.mark.req("F-2")
def test_a_transaction_whose_start_was_not_stored_has_never_been() -> None:
    """A row of it that reached the disk all the same is removed as soon as the store takes writes: a start would end it again."""
    rig = ChargeRig(start="EVConnected", stop="EVConnected", online=False, stores=False)
    rig.plug()
    (started,) = [each for each in rig.log if isinstance(each, TransactionStarted)]
    assert [each for each in rig.log if isinstance(each, TransactionVoid)] == [TransactionVoid(started.transaction_id)]
    assert [each for each in rig.log if isinstance(each, TransactionNotStored)] == [TransactionNotStored(1)]
    rig.store[TABLE] = {started.transaction_id: {"late": True}}
    rig.stores = True
    rig.unplug()
    rig.plug()
    rig.unplug()
    assert rig.store[TABLE] == {}
    rig.go_online()
    rig.advance(60)
    ids = {sent["transactionInfo"]["transactionId"] for sent in rig.sent}
    assert len(ids) == 1, "the one that was stored"
    assert started.transaction_id not in ids
