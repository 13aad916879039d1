"""The store in files: modes, slots, roots, what the configuration names below it; foreign and broken files (S-16, F-1, F-2)."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_pem_x509_certificate

from certs.store import Contents, StoreError, Subject
from certs.store.configured import Configured, OwnFiles
from certs.store.disk import Disk
from certs.store.files import MOST_ROOTS, FileStore
from tests.unit.certs.store_rig import Ca, QuickDisk

USE: Any = "V2G20Certificate"
SUBJECT = Subject("DE*ICE*E1", "ICE", "DE", "CPO")


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certs.store.files.Disk", QuickDisk)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "certificates"


def states(store: FileStore) -> dict[str, str]:
    return {each.slot: each.state for each in store.contents().own}


def adopted(store: FileStore, ca: Ca, use: Any = USE, kind: Any = "p256") -> str:
    slot, csr = store.make_request(use, kind, SUBJECT)
    store.adopt(slot, ca.chain_for(csr))
    return slot


def problem(call: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(StoreError) as raised:
        call(*arguments)
    assert "PRIVATE" not in str(raised.value)
    return raised.value.problem


def test_everything_is_for_the_owner_only_whatever_the_umask(folder: Path, ca: Ca) -> None:
    before = os.umask(0)
    try:
        store = FileStore(folder, disk=Disk())
        adopted(store, ca)
        store.install_root("V2GRootCertificate", ca.root_pem)
    finally:
        os.umask(before)
    found = {each: stat.S_IMODE(each.stat().st_mode) for each in (folder, *folder.rglob("*"))}
    assert len(found) == 8
    assert {mode for each, mode in found.items() if each.is_dir()} == {0o700}
    assert {mode for each, mode in found.items() if each.is_file()} == {0o600}


@pytest.mark.req("F-1")
def test_a_file_is_synced_before_it_is_renamed_and_its_folder_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(file: int) -> None:
        steps.append(f"sync {Path(f'/proc/self/fd/{file}').readlink().name}")
        sync(file)

    def replaced(path: Path, to: Path) -> Path:
        steps.append(f"{path.name} to {to.name}")
        return replace(path, to)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    Disk().place(tmp_path / "x", b"octets")
    assert steps == ["sync x.unfinished", "x.unfinished to x", f"sync {tmp_path.name}"]
    assert (tmp_path / "x").read_bytes() == b"octets"


@pytest.mark.parametrize("kind", ["p256", "p521", "ed448"])
def test_a_key_is_made_certified_and_signs(folder: Path, ca: Ca, kind: Any) -> None:
    store = FileStore(folder)
    slot, csr = store.make_request(USE, kind, SUBJECT)
    (waiting,) = store.contents().own
    assert (waiting.slot, waiting.state, waiting.kind, waiting.csr, waiting.pem) == (slot, "pending", kind, csr, "")
    assert problem(store.identity, slot) == "NotFound"
    chain = ca.chain_for(csr)
    store.adopt(slot, chain)
    for each in (store, FileStore(folder)):
        (own,) = each.contents().own
        assert (own.state, own.pem, own.subject, own.configured) == ("active", chain, "CN=leaf", False)
        assert own.not_after_utc - own.not_before_utc == 90 * 86400
        public: Any = load_pem_x509_certificate(chain.encode()).public_key()
        signature = each.signer(slot)(b"octets")
        if kind == "ed448":
            public.verify(signature, b"octets")
        else:
            public.verify(signature, b"octets", ec.ECDSA(hashes.SHA256() if kind == "p256" else hashes.SHA512()))
        identity = each.identity(slot)
        assert b"PRIVATE KEY" in identity.key
        assert not identity.in_token
        assert "PRIVATE" not in repr(identity) + repr(each.contents())


def test_slots_go_from_pending_to_active_to_previous_and_back(folder: Path, ca: Ca) -> None:
    store = FileStore(folder)
    first, second, third = adopted(store, ca), adopted(store, ca), adopted(store, ca)
    assert states(store) == {second: "previous", third: "active"}
    given_up, _ = store.make_request(USE, "p256", SUBJECT)
    waiting, _ = store.make_request(USE, "p256", SUBJECT)
    assert states(store) == {second: "previous", third: "active", waiting: "pending"}
    assert problem(store.adopt, given_up, ca.root_pem) == "NotFound"
    store.roll_back(USE)
    assert states(store) == {second: "active", waiting: "pending"}
    assert problem(store.roll_back, USE) == "NotFound"
    assert states(FileStore(folder)) == states(store)
    assert not [*folder.rglob(f"*{first}*"), *folder.rglob(f"*{third}*")]
    store.delete_own(second)
    store.delete_own(waiting)
    assert states(store) == {}
    assert list((folder / "own").iterdir()) == []
    assert problem(store.delete_own, second) == "NotFound"


def test_kinds_of_one_use_stand_beside_each_other_and_the_last_adopted_goes_back(folder: Path, ca: Ca) -> None:
    store = FileStore(folder)
    old = {kind: adopted(store, ca, kind=kind) for kind in ("p521", "ed448")}
    new = {kind: adopted(store, ca, kind=kind) for kind in ("ed448", "p521")}
    store.roll_back(USE)
    assert states(store) == {old["p521"]: "active", old["ed448"]: "previous", new["ed448"]: "active"}


def test_a_deleted_chain_in_use_leaves_the_one_before_as_it_is(folder: Path, ca: Ca) -> None:
    store = FileStore(folder)
    first, second = adopted(store, ca), adopted(store, ca)
    store.delete_own(second)
    assert states(store) == states(FileStore(folder)) == {first: "previous"}


def test_a_chain_for_another_key_or_of_no_sense_is_not_taken(folder: Path, ca: Ca) -> None:
    store = FileStore(folder)
    slot, csr = store.make_request(USE, "p256", SUBJECT)
    assert problem(store.adopt, slot, ca.root_pem) == "KeyMismatch"
    for nonsense in (
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "x" * 100_000,
        ca.chain_for(csr) + ca.root_pem * 10,
    ):
        assert problem(store.adopt, slot, nonsense) == "Invalid"
    assert states(store) == {slot: "pending"}
    assert problem(store.make_request, USE, "rsa", SUBJECT) == "Unsupported"
    assert problem(store.make_request, USE, "p256", Subject("x" * 100)) == "Invalid"


def test_roots_come_and_go(folder: Path, ca: Ca) -> None:
    store = FileStore(folder)
    store.install_root("V2GRootCertificate", ca.root_pem)
    store.install_root("V2GRootCertificate", ca.root_pem)
    store.install_root("MORootCertificate", ca.root_pem)
    first, second = store.contents().roots
    assert (first.use, second.use, first.fingerprint) == (
        "V2GRootCertificate",
        "MORootCertificate",
        ca.root.fingerprint(hashes.SHA256()).hex(),
    )
    assert (first.subject, first.pem, first.configured) == ("CN=Root", ca.root_pem, False)
    assert FileStore(folder).contents() == store.contents()
    assert problem(store.install_root, "MORootCertificate", ca.root_pem * 2) == "Invalid"
    store.delete_root(first.fingerprint)
    assert store.contents().roots == FileStore(folder).contents().roots == ()
    assert list((folder / "roots").iterdir()) == []
    assert problem(store.delete_root, first.fingerprint) == "NotFound"


def test_roots_are_bounded(folder: Path, ca: Ca, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_ROOTS == 64
    monkeypatch.setattr("certs.store.files.MOST_ROOTS", 1)
    store = FileStore(folder)
    store.install_root("V2GRootCertificate", ca.root_pem)
    assert problem(store.install_root, "MORootCertificate", ca.root_pem) == "Full"


# ---- the configuration


@pytest.fixture
def given(tmp_path: Path, ca: Ca) -> Configured:
    roots = tmp_path / "roots.pem"
    roots.write_text(ca.root_pem + Ca("Other").root_pem)
    chain, key = ca.write_own(tmp_path / "own")
    return Configured((("CSMSRootCertificate", roots),), (OwnFiles("ChargingStationCertificate", chain, key),))


def test_what_the_configuration_names_is_there_and_never_changed(folder: Path, tmp_path: Path, given: Configured) -> None:
    before = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
    store = FileStore(folder, given)
    assert [each.subject for each in store.contents().roots if each.configured] == ["CN=Root", "CN=Other"]
    (own,) = store.contents().own
    assert (own.slot[:-16], own.state, own.configured) == ("configured-ChargingStationCertificate-p256-", "active", True)
    assert store.identity(own.slot).key == given.own[0].key.read_bytes()
    assert store.signer(own.slot)(b"x")
    store.delete_own(own.slot)
    for root in store.contents().roots:
        store.delete_root(root.fingerprint)
    assert {each: each.read_bytes() for each in before} == before
    for each in (store, FileStore(folder, given)):
        assert each.contents() == Contents()
        assert problem(each.identity, own.slot) == "NotFound"


def test_a_configured_root_that_was_deleted_comes_back_when_it_is_installed_for_that_use_only(
    folder: Path, given: Configured, ca: Ca
) -> None:
    both = given + Configured((("MORootCertificate", given.roots[0][1]),))
    store = FileStore(folder, both)
    store.delete_root(ca.root.fingerprint(hashes.SHA256()).hex())
    assert [each.subject for each in store.contents().roots] == ["CN=Other"] * 2
    store.install_root("CSMSRootCertificate", ca.root_pem)
    assert [(each.use, each.subject, each.configured) for each in FileStore(folder, both).contents().roots] == [
        ("CSMSRootCertificate", "CN=Root", False),
        ("CSMSRootCertificate", "CN=Other", True),
        ("MORootCertificate", "CN=Other", True),
    ]


def test_what_is_adopted_lies_above_the_configured_chain(folder: Path, given: Configured, ca: Ca) -> None:
    store = FileStore(folder, given)
    configured = store.contents().own[0].slot
    first = adopted(store, ca, "ChargingStationCertificate")
    assert states(store) == {first: "active", configured: "previous"}
    second = adopted(store, ca, "ChargingStationCertificate")
    assert states(store) == {first: "previous", second: "active", configured: "previous"}
    store.roll_back("ChargingStationCertificate")
    store.roll_back("ChargingStationCertificate")
    assert states(store) == {configured: "active"}
    assert problem(store.roll_back, "ChargingStationCertificate") == "NotFound"


def newer(given: Configured, ca: Ca, tmp_path: Path) -> Configured:
    """The operator has written other files to the same places."""
    chain, key = ca.write_own(tmp_path / "newer")
    given.own[0].chain.write_bytes(chain.read_bytes())
    given.own[0].key.write_bytes(key.read_bytes())
    return given


def test_a_configured_chain_that_was_deleted_is_passed_over_and_other_files_in_its_place_are_not(
    folder: Path, tmp_path: Path, given: Configured, ca: Ca
) -> None:
    store = FileStore(folder, given)
    (first,) = states(store)
    store.delete_own(first)
    (second,) = states(FileStore(folder, newer(given, ca, tmp_path)))
    assert second != first
    store = FileStore(folder, given)
    store.delete_own(second)
    assert states(FileStore(folder, given)) == {}
    assert json.loads((folder / "index.json").read_text())["passed_over"] == [second], "names do not heap up"


@pytest.mark.parametrize("full", [False, True])
def test_what_version_1_of_the_index_passes_over_stays_so_until_other_files_come(
    folder: Path, tmp_path: Path, given: Configured, ca: Ca, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(folder, given)
    before = json.loads((folder / "index.json").read_text())
    old = {**before, "version": 1, "passed_over": ["configured-ChargingStationCertificate-p256"]}
    (folder / "index.json").write_text(json.dumps(old))
    if full:
        monkeypatch.setattr(Disk, "place", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    store = FileStore(folder, given)
    assert states(store) == {}
    assert len(store.notes) == full
    monkeypatch.undo()
    assert states(FileStore(folder, given)) == {}
    assert len(states(FileStore(folder, newer(given, ca, tmp_path)))) == 1


def test_configured_files_that_cannot_be_used_are_named(folder: Path, tmp_path: Path, given: Configured, ca: Ca) -> None:
    (tmp_path / "no.pem").write_text("nothing")
    _, other_key = ca.write_own(tmp_path / "other")
    chain = given.own[0].chain
    wrong = Configured(
        (("CSMSRootCertificate", tmp_path / "no.pem"), ("CSMSRootCertificate", tmp_path / "missing.pem")),
        (OwnFiles("ChargingStationCertificate", chain, other_key), OwnFiles("V2GCertificate", chain, chain)),
    )
    store = FileStore(folder, wrong + given)
    assert len(store.notes) == 4
    assert all(path in note for path, note in zip(("no.pem", "missing.pem", str(other_key), "chain.pem"), store.notes, strict=True))
    assert len(store.contents().own) == 1
    another = Configured(own=(OwnFiles("ChargingStationCertificate", *ca.write_own(tmp_path / "third")),))
    assert "another chain of the configuration" in FileStore(folder, given + another).notes[0]


# ---- what is found


def test_foreign_and_broken_files_are_set_aside_and_named(folder: Path, ca: Ca) -> None:
    store = FileStore(folder)
    first, second = adopted(store, ca), adopted(store, ca)
    store.install_root("V2GRootCertificate", ca.root_pem)
    other = Ca("Other")
    store.install_root("V2GRootCertificate", other.root_pem)
    key = folder / "own" / f"{second}.key"
    key.write_text("-----BEGIN PRIVATE KEY-----\nSECRET")
    (folder / "roots" / f"V2GRootCertificate-{other.root.fingerprint(hashes.SHA256()).hex()}.pem").write_text(ca.root_pem)
    (folder / "notes.txt").write_text("by hand")
    (folder / "own" / "my.key").write_text("by hand")
    (folder / "own" / f"{USE}-p256-000099.key").write_text("of a later index")
    (folder / "roots" / "more").mkdir()
    (folder / "own" / f"{first}.csr").chmod(0o644)
    store = FileStore(folder)
    assert states(store) == {first: "active"}
    assert [each.subject for each in store.contents().roots] == ["CN=Root"]
    words = "\n".join(store.notes)
    for part in (
        "no unencrypted private key",
        "is another certificate",
        "notes.txt",
        "my.key",
        "000099.key",
        "roots/more",
        "mode 644",
        "in use again",
    ):
        assert part in words
    assert "SECRET" not in words
    assert (folder / "aside" / "my.key.1").read_text() == "by hand"
    assert (folder / "aside" / f"{second}.key.1").exists()
    assert FileStore(folder).notes == ()
    (folder / "notes.txt").write_text("again")
    assert FileStore(folder).notes != ()
    assert (folder / "aside" / "notes.txt.2").read_text() == "again"


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b'{"version": 1, "roots": 3}',
        b'{"version": 1, "next_number": 1, "roots": [], "slots": {"../x": "active"}, "passed_over": []}',
        b"[" * 5000,
    ],
)
def test_a_damaged_index_is_made_anew_of_the_files(folder: Path, ca: Ca, damage: bytes) -> None:
    store = FileStore(folder)
    adopted(store, ca)
    first, second = adopted(store, ca), adopted(store, ca)
    waiting, _ = store.make_request(USE, "p256", SUBJECT)
    store.install_root("V2GRootCertificate", ca.root_pem)
    (folder / "index.json").write_bytes(damage)
    again = FileStore(folder)
    assert states(again) == {first: "previous", second: "active", waiting: "pending"}
    assert again.contents().roots == store.contents().roots
    assert "index.json" in again.notes[0]
    assert (folder / "aside" / "index.json.1").read_bytes() == damage
    assert adopted(again, ca) > waiting


def test_a_folder_of_a_later_software_is_left_alone(folder: Path, ca: Ca) -> None:
    store = FileStore(folder)
    adopted(store, ca)
    (folder / "index.json").write_text('{"version": 3}')
    before = sorted(folder.rglob("*"))
    with pytest.raises(StoreError, match="later software"):
        FileStore(folder)
    assert sorted(folder.rglob("*")) == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Not a directory") as raised:
        FileStore(tmp_path / "file" / "certificates")
    assert raised.value.problem == "Failed"
