"""The power goes, or the disk says no, at every single step of every change: afterwards the store is as before or as after, never half (F-1, F-2)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certs.store import Contents, StoreError, Subject
from certs.store.disk import Disk
from certs.store.files import FileStore
from tests.unit.certs.store_rig import Ca, Crash, FailingDisk, QuickDisk

USE: Any = "V2G20Certificate"
SUBJECT = Subject("DE*ICE*E1")
ca = Ca()
other = Ca("Other")


def opened(folder: Path) -> FileStore:
    return FileStore(folder, disk=QuickDisk())


def prepared(folder: Path) -> tuple[FileStore, str]:
    store = opened(folder)
    for _ in range(2):
        slot, csr = store.make_request(USE, "p256", SUBJECT)
        store.adopt(slot, ca.chain_for(csr))
    store.install_root("V2GRootCertificate", ca.root_pem)
    _, csr = store.make_request(USE, "p256", SUBJECT)
    return opened(folder), ca.chain_for(csr)


def use(store: FileStore, disk: Disk) -> FileStore:
    """From now on it writes there."""
    keys: Any = store._keys
    store._disk = keys._disk = disk
    return store


def waiting(store: FileStore) -> str:
    return next(each.slot for each in store.contents().own if each.state == "pending")


CHANGES: dict[str, Callable[[FileStore, str], object]] = {
    "install": lambda store, _: store.install_root("MORootCertificate", other.root_pem),
    "delete_root": lambda store, _: store.delete_root(store.contents().roots[0].fingerprint),
    "request": lambda store, _: store.make_request(USE, "p256", SUBJECT),
    "adopt": lambda store, chain: store.adopt(waiting(store), chain),
    "roll_back": lambda store, _: store.roll_back(USE),
    "delete_own": lambda store, _: store.delete_own(waiting(store)),
}


def shape(contents: Contents) -> object:
    """Without what is drawn anew each time."""
    return [each.fingerprint for each in contents.roots], [(each.slot, each.state, each.pem) for each in contents.own]


def files(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*"))


def whole(store: FileStore) -> None:
    for each in store.contents().own:
        store.signer(each.slot)(b"it signs")


@pytest.mark.req("F-1")
@pytest.mark.parametrize("name", CHANGES)
def test_a_crash_at_any_step_leaves_the_old_or_the_new(tmp_path: Path, name: str) -> None:
    seen = set()
    for at in itertools.count(1):
        folder = tmp_path / str(at)
        store, chain = prepared(folder)
        before = shape(store.contents())
        use(store, FailingDisk(at))
        try:
            CHANGES[name](store, chain)
        except Crash:
            again = opened(folder)
            assert again.notes == ()
            whole(again)
            seen.add(shape(again.contents()) == before)
            opened(folder)
            assert not [each for each in files(folder) if "unfinished" in each or "aside" in each]
            # Nothing is left that nothing refers to, and the same change can be made now.
            assert len(files(folder)) == 3 + len(again.contents().roots) + sum(2 + bool(each.pem) for each in again.contents().own)
            if shape(again.contents()) == before:
                CHANGES[name](again, chain)
                whole(again)
            continue
        assert at > 4
        break
    assert seen == {True, False}


@pytest.mark.req("F-2")
@pytest.mark.parametrize("lasts", [1, 2, 1000])
@pytest.mark.parametrize("name", CHANGES)
def test_a_disk_that_says_no_is_told_and_the_store_goes_on(tmp_path: Path, name: str, lasts: int) -> None:
    for at in itertools.count(1):
        folder = tmp_path / str(at)
        store, chain = prepared(folder)
        before = shape(store.contents())
        disk = FailingDisk(at, OSError(28, "No space left on device"), lasts)
        use(store, disk)
        try:
            CHANGES[name](store, chain)
        except StoreError as error:
            told = (error.problem, "No space left" in str(error))
            assert told == ("Failed", True)
            assert lasts > 1 or shape(store.contents()) == before
        believed = shape(store.contents())
        whole(store)
        again = opened(folder)
        assert shape(again.contents()) == believed
        assert again.notes == ()
        if disk.steps < at:
            break
        if believed == before:
            use(store, FailingDisk(0))
            CHANGES[name](store, chain)
            assert shape(opened(folder).contents()) == shape(store.contents()) != before


@pytest.mark.req("F-1")
def test_a_crash_while_it_is_opened_does_no_harm(tmp_path: Path) -> None:
    """With everything that opening may have to do: a damaged index, a broken slot, a foreign file."""
    for at in itertools.count(1):
        folder = tmp_path / str(at)
        store, _ = prepared(folder)
        slot, contents = waiting(store), store.contents()
        (folder / "index.json").write_text("damaged")
        (folder / "own" / f"{slot}.key").write_text("broken")
        (folder / "foreign").write_text("x")
        expected = [each.slot for each in contents.own if each.slot != slot]
        try:
            FileStore(folder, disk=FailingDisk(at))
        except Crash:
            again = opened(folder)
            assert [each.slot for each in again.contents().own] == expected
            assert again.contents().roots == contents.roots
            whole(again)
            continue
        break
    assert at > 10
