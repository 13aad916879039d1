"""The store of certificates in the heap of moments: as the port has it, in virtual time, over several lives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.heap import Heap
from certs.store import Subject
from certs.store.files import FileStore
from chargepoint.commands import AdoptChain, InstallRoot, MakeCsr
from chargepoint.events import CertificatesRead, CertificateStored, CsrMade
from tests.replay.stories import configured, world_of
from tests.unit.certs.store_rig import Ca, QuickDisk

ca = Ca()
USE: Any = "ChargingStationCertificate"


def test_two_lives(tmp_path: Path) -> None:
    config = configured()
    heap = Heap(config, world_of(config))
    heard: list[Any] = []
    heap.hears.append(heard.append)
    heap.certificates = lambda: FileStore(tmp_path / "store", disk=QuickDisk())
    heap.start()
    assert [each for each in heard if isinstance(each, CertificatesRead)] == [CertificatesRead()]
    heap._carry_out(MakeCsr("1", USE, Subject("CP")))
    heap.run(1)
    (made,) = [each for each in heard if isinstance(each, CsrMade)]
    heap._carry_out(AdoptChain("2", made.slot, ca.chain_for(made.pem, days=20)))
    heap.run(1)
    assert CertificateStored("2") in heard
    heap.cut()
    heap.start()
    assert heap.station is not None
    assert [each.slot for each in heap.station.wiring.context.certificates.active(USE)] == [made.slot]
    heap.run(1)
    logs = [each for each in heap.commands if getattr(each, "key", "") == "certificate.expiring"]
    assert [each.values["days"] for each in logs] == [20.0, 20.0]  # type: ignore[attr-defined]


def test_without_a_store_there_is_an_answer_too() -> None:
    config = configured()
    heap = Heap(config, world_of(config))
    heard: list[Any] = []
    heap.hears.append(heard.append)
    heap.start()
    heap._carry_out(InstallRoot("1", "MORootCertificate", ca.root_pem))
    heap.run(1)
    (answer,) = [each for each in heard if isinstance(each, CertificateStored)]
    assert (answer.token, answer.error) == ("1", "Unsupported")
