"""The store's port: one answer for each command whatever the disk does, what is there before it, and no private key through the door (F-1, F-2)."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from certs.store import Contents, Identity, OwnChain, StoreError, Subject
from certs.store.files import FileStore
from chargepoint.commands import AdoptChain, Command, DeleteOwn, DeleteRoot, InstallRoot, MakeCsr, RollBack
from chargepoint.events import CertificatesRead, CertificateStored, CsrMade
from chargepoint.journal import Entry, entry_line
from chargepoint.runtime.ports.certificates import CertificatesPort, Held, Keeper
from chargepoint.runtime.virtual import run_virtual
from chargepoint.tick import Tick
from tests.unit.certs.store_rig import Ca, FailingDisk, QuickDisk

USE: Any = "ChargingStationCertificate"
SUBJECT = Subject("CP-1", "ICE")
ca = Ca()


class Rig:
    """The port on a store in a folder; commands are given one after the other."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.told: list[Any] = []
        self.news = asyncio.Event()
        self.threads: set[str] = set()
        self.disk: QuickDisk = QuickDisk()
        self.port = CertificatesPort(self._tell, lambda: self._open(folder), **options)

    def _open(self, folder: Path) -> FileStore:
        self.threads.add(threading.current_thread().name)
        return FileStore(folder, disk=self.disk)

    def _tell(self, event: object) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.told.append(event)
        self.news.set()

    async def answers(self, number: int) -> list[Any]:
        """So many, once they are there; and no more."""
        while len(found := [each for each in self.told if isinstance(each, CertificateStored | CsrMade)]) < number:
            self.news.clear()
            await self.news.wait()
        await asyncio.sleep(0.01)
        return found

    async def do(self, command: Command) -> Any:
        """Its one answer; nothing comes from inside of the call."""
        before = len(self.told)
        self.port.carry_out(command)
        assert len(self.told) == before
        await self.answers(len([each for each in self.told if isinstance(each, CertificateStored | CsrMade)]) + 1)
        *reads, answer = self.told[before:]
        assert all(isinstance(each, CertificatesRead) for each in reads)
        assert len(reads) <= 1
        assert answer.token == getattr(command, "token", "")
        return answer


def run(threaded: bool, main: Callable[[], Any]) -> Any:
    return asyncio.run(main()) if threaded else run_virtual(main())


@pytest.mark.parametrize("threaded", [True, False])
def test_a_life_through_the_port(tmp_path: Path, threaded: bool) -> None:
    async def main() -> Rig:
        rig = Rig(tmp_path / "store", threaded=threaded)
        seen: list[Held] = []
        rig.port.watchers.append(seen.append)
        await rig.port.start()
        assert rig.told == []
        rig.port.release()
        assert rig.told == []
        await asyncio.sleep(0.01)
        assert rig.told == [CertificatesRead()]
        assert await rig.do(InstallRoot("1", "CSMSRootCertificate", ca.root_pem)) == CertificateStored("1")
        assert rig.told[-2].roots == rig.port.held.contents.roots
        assert rig.port.held.roots("CSMSRootCertificate") == ca.root_pem
        assert rig.port.held.roots("MORootCertificate") == ""
        made = await rig.do(MakeCsr("2", USE, SUBJECT))
        assert (made.error, made.slot) == ("", f"{USE}-p256-000001")
        assert rig.told[-2].own[0].csr == made.pem
        assert rig.port.held.active(USE) == ()
        assert await rig.do(AdoptChain("3", made.slot, ca.chain_for(made.pem))) == CertificateStored("3")
        (identity,) = rig.port.held.active(USE)
        assert b"PRIVATE KEY" in identity.key
        assert rig.port.held.identity(made.slot) == identity
        assert rig.port.held.identity("another") is None
        assert (await rig.do(RollBack("4", USE))).error == "NotFound"
        again = await rig.do(MakeCsr("5", USE, SUBJECT, "p521"))
        assert await rig.do(DeleteOwn("6", again.slot)) == CertificateStored("6")
        assert await rig.do(DeleteRoot("7", rig.port.held.contents.roots[0].fingerprint)) == CertificateStored("7")
        assert [each.slot for each in rig.told[-2].own] == [made.slot]
        assert seen[-1] == rig.port.held
        assert len(seen) == len([each for each in rig.told if isinstance(each, CertificatesRead)])
        await rig.port.stop()
        return rig

    rig = run(threaded, main)
    assert threading.main_thread().name not in rig.threads or not threaded
    lines = "".join(entry_line(Entry(Tick(0.0, 0.0), each)) for each in rig.told)
    key = rig.port.held.identities[0].key.decode()
    secret = "".join(key.splitlines()[1:-1])
    assert "PRIVATE" not in lines
    for part in (secret[:40], secret[-40:]):
        assert part not in lines + repr(rig.told) + repr(rig.port.held) + repr(rig.port)
    assert json.loads(entry_line(Entry(Tick(0.0, 0.0), rig.told[-1])))


def commands(waiting: str) -> Iterator[Any]:
    yield InstallRoot("install", "MORootCertificate", ca.root_pem)
    yield DeleteRoot("no root", "00")
    yield DeleteOwn("no slot", "x")
    yield MakeCsr("csr", USE, SUBJECT)
    yield AdoptChain("no chain", waiting, "nothing")
    yield RollBack("back", USE)


@pytest.mark.req("F-2")
@pytest.mark.parametrize("threaded", [True, False])
@pytest.mark.parametrize("lasts", [0, 1, 3, 10_000])
def test_every_token_is_answered_once_whatever_the_disk_does(tmp_path: Path, threaded: bool, lasts: int) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "store", threaded=threaded)
        await rig.port.start()
        made = await rig.do(MakeCsr("0", USE, SUBJECT))
        store: Any = rig.port._keeper._store
        store._disk = store._keys._disk = FailingDisk(1, OSError(28, "No space left on device"), lasts)
        given = list(commands(made.slot))
        for command in given:
            rig.port.carry_out(command)
        answers = await rig.answers(1 + len(given))
        await rig.port.stop()
        assert [each.token for each in answers] == ["0", *(each.token for each in given)]
        problems = {each.token: each.error for each in answers}
        assert problems["install"] == ("Failed" if lasts else "")
        assert problems["csr"] == ("Failed" if lasts > 1 else "")
        assert (problems["no root"], problems["no chain"]) == ("NotFound", "Invalid" if lasts > 1 else "NotFound")
        assert not lasts or "No space left" in answers[1].text

    run(threaded, main)


@pytest.mark.req("F-2")
def test_a_store_that_cannot_be_opened_costs_its_certificates_only_and_is_tried_again(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "file" / "store")
        (tmp_path / "file").write_text("in the way")
        await rig.port.start()
        rig.port.release()
        await asyncio.sleep(0.01)
        (read,) = rig.told
        assert "Not a directory" in read.notes[0]
        answer = await rig.do(InstallRoot("1", "MORootCertificate", ca.root_pem))
        assert (answer.error, "Not a directory" in answer.text) == ("Failed", True)
        (tmp_path / "file").unlink()
        assert (await rig.do(InstallRoot("2", "MORootCertificate", ca.root_pem))).error == ""
        assert rig.told[-2].notes == ()
        await rig.port.stop()

    asyncio.run(main())


class Odd:
    """A store with bugs."""

    notes = ("odd",)

    def __init__(self) -> None:
        self.own = (OwnChain(USE, "a", "active", "p256", "PEM"), OwnChain(USE, "b", "pending", "p256"))

    def contents(self) -> Contents:
        return Contents((), self.own)

    def identity(self, slot: str) -> Identity:
        raise StoreError("Failed", "the disk is gone")

    def install_root(self, use: str, pem: str) -> None:
        raise RuntimeError(f"with {pem} in it")


def test_a_bug_in_a_store_is_an_answer_too_and_says_no_content() -> None:
    keeper = Keeper(Odd)  # type: ignore[arg-type]
    assert keeper.read() == CertificatesRead((), Odd().own, ("odd", "a: the disk is gone"))
    read, answer = keeper.carry_out(InstallRoot("1", "MORootCertificate", "SECRET"))
    assert answer == CertificateStored("1", "Failed", "RuntimeError")
    assert read == CertificatesRead((), Odd().own, ("a: the disk is gone",))
    assert keeper.carry_out(RollBack("2", USE))[-1] == CertificateStored("2", "Failed", "AttributeError")
    assert keeper.carry_out(Command())[-1] == CertificateStored("", "Unsupported", "Command is no command of this port")


def test_where_nothing_can_be_there_nothing_is_read_until_it_is_wanted(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "store", worth_opening=False)
        await rig.port.start()
        rig.port.release()
        await asyncio.sleep(0.01)
        assert rig.told == [CertificatesRead()]
        assert not (tmp_path / "store").exists()
        assert (await rig.do(InstallRoot("1", "MORootCertificate", ca.root_pem))).error == ""
        await rig.port.stop()

    asyncio.run(main())


def test_what_is_given_before_the_end_is_done(tmp_path: Path) -> None:
    async def main() -> None:
        rig = Rig(tmp_path / "store")
        await rig.port.start()
        rig.port.carry_out(InstallRoot("1", "MORootCertificate", ca.root_pem))
        await rig.port.stop()

    asyncio.run(main())
    assert len(FileStore(tmp_path / "store").contents().roots) == 1


def test_all_commands_of_the_store_are_the_ports() -> None:
    from chargepoint import commands as all_commands

    named = {each for each in vars(all_commands).values() if isinstance(each, type) and issubclass(each, Command) and each is not Command}
    assert set(CertificatesPort.takes) == {each for each in named if "token" in getattr(each, "__dataclass_fields__", ())}
