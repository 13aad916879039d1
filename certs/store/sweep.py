"""Opening a folder: what a crash has left is cleared away, what is broken or foreign is set aside and named, and a lost index is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cryptography import x509

from certs.reading import fingerprint
from certs.store import StoreError, index
from certs.store.disk import FILE_MODE, UNFINISHED, Disk
from certs.store.index import Index, Root, Slot, root_named, slot_named
from certs.store.keys import Keys
from certs.store.layout import ASIDE, CHAIN, INDEX, KEY, OWN, REQUEST, ROOT, ROOTS
from certs.store.reading import MOST_IN_CHAIN, certificates


def opened(folder: Path, keys: Keys, disk: Disk, notes: list[str]) -> Index:
    """The index of this folder, which afterwards holds what the index says and nothing else. Raises StoreError, OSError."""
    found, damaged = _read(folder, disk, notes)
    good = _checked(folder, _again(folder) if found is None else found, keys, disk, notes)
    _tidy(folder, good, disk, notes, everything_known=not damaged)
    if good != found:
        disk.place(folder / INDEX, good.text())
    return good


def looked(folder: Path) -> Index:
    """The index as it stands, and nothing is touched. Raises StoreError, OSError."""
    try:
        return index.read((folder / INDEX).read_bytes())
    except FileNotFoundError:
        return Index()
    except ValueError as error:
        raise StoreError("Failed", f"{folder / INDEX}: {error}") from None


def remove(folder: Path, before: Index, after: Index, keys: Keys, disk: Disk) -> None:
    """What the one refers to and the other no longer does."""
    for root in before.roots:
        if root not in after.roots:
            disk.remove(folder / ROOTS / f"{root.name}{ROOT}")
    for slot in before.slots:
        if after.slot(slot.name) is None:
            keys.drop(slot.name)
            for suffix in (CHAIN, REQUEST):
                disk.remove(folder / OWN / f"{slot.name}{suffix}")
    for name in (ROOTS, OWN):
        disk.sync(folder / name)


def _read(folder: Path, disk: Disk, notes: list[str]) -> tuple[Index | None, bool]:
    """None where there is none; and whether there was one that is damaged."""
    path = folder / INDEX
    try:
        return index.read(path.read_bytes()), False
    except FileNotFoundError:
        return None, False
    except StoreError as error:
        raise StoreError(error.problem, f"{path}: {error}") from None
    except ValueError as error:
        aside = disk.set_aside(path, folder / ASIDE)
        notes.append(f"{path}: {error}; kept as {aside}; it is made anew of the files that are there")
        return None, True


def _again(folder: Path) -> Index:
    """What the files themselves say: of each use and kind the newest chain is in use, the one before is kept, and a newer request waits."""
    roots = tuple(root for each in sorted((folder / ROOTS).iterdir()) if each.suffix == ROOT and (root := root_named(each.stem)))
    files = {each.name for each in (folder / OWN).iterdir()}
    slots = [slot for name in files if name.endswith(REQUEST) and (slot := slot_named(name.removesuffix(REQUEST)))]
    kept: list[Slot] = []
    for slot in sorted(slots, key=lambda each: -each.number):
        states = {each.state for each in kept if (each.use, each.kind) == (slot.use, slot.kind)}
        if f"{slot.name}{CHAIN}" not in files:
            if not states:
                kept.append(slot)
        elif "active" not in states:
            kept.append(replace(slot, state="active"))
        elif "previous" not in states:
            kept.append(replace(slot, state="previous"))
    return Index(roots, tuple(reversed(kept)), (), max((each.number for each in slots), default=0) + 1)


def _checked(folder: Path, found: Index, keys: Keys, disk: Disk, notes: list[str]) -> Index:
    """Without what cannot be used."""
    roots, slots = list(found.roots), list(found.slots)
    for root in found.roots:
        path = folder / ROOTS / f"{root.name}{ROOT}"
        if wrong := _wrong_root(path, root):
            roots.remove(root)
            notes.append(f"{path}: {wrong}{_moved(path, folder, disk)}")
    for slot in found.slots:
        at = folder / OWN / slot.name
        if wrong := _wrong_slot(folder, slot, keys):
            slots.remove(slot)
            kept = [_moved(at.with_name(f"{slot.name}{suffix}"), folder, disk) for suffix in (KEY, REQUEST, CHAIN)]
            notes.append(f"{at}: {wrong}{''.join(kept)}")
    broken = [each for each in found.slots if each not in slots and each.state == "active"]
    return _back(replace(found, roots=tuple(roots), slots=tuple(slots)), broken, notes)


def _back(found: Index, broken: list[Slot], notes: list[str]) -> Index:
    """Where the chain in use is broken, the one before is better than none."""
    for each in broken:
        if before := found.in_state("previous", each.use, each.kind):
            found = found.changed(before, "active")
            notes.append(f"{before.name}: in use again, as {each.name} is broken")
    return found


def _wrong_root(path: Path, root: Root) -> str:
    try:
        (certificate,) = certificates(path.read_bytes(), most=1)
    except FileNotFoundError:
        return "is not there"
    except StoreError as error:
        return str(error)
    return "" if fingerprint(certificate) == root.fingerprint else "is another certificate than its name says"


def _wrong_slot(folder: Path, slot: Slot, keys: Keys) -> str:
    at = folder / OWN / slot.name
    try:
        public = x509.load_pem_x509_csr(at.with_name(f"{slot.name}{REQUEST}").read_bytes()).public_key()
        if slot.state != "pending":
            chain = certificates(at.with_name(f"{slot.name}{CHAIN}").read_bytes(), most=MOST_IN_CHAIN)
            if chain[0].public_key() != public:
                return "chain and request are of different keys"
    except FileNotFoundError as error:
        return f"{error.filename} is not there"
    except StoreError as error:
        return str(error)
    except ValueError:
        return "its request cannot be read"
    return keys.broken(slot.name, public)


def _moved(path: Path, folder: Path, disk: Disk) -> str:
    if not path.exists() and not path.is_symlink():
        return ""
    return f"; kept as {disk.set_aside(path, folder / ASIDE)}"


def _tidy(folder: Path, good: Index, disk: Disk, notes: list[str], *, everything_known: bool) -> None:
    """Every file is the index's, a crash's, or foreign."""
    wanted = {folder / INDEX, folder / ROOTS, folder / OWN, folder / ASIDE}
    wanted |= {folder / ROOTS / f"{each.name}{ROOT}" for each in good.roots}
    wanted |= {folder / OWN / f"{each.name}{suffix}" for each in good.slots for suffix in _suffixes(each)}
    for path in list(_files(folder)):
        if path in wanted:
            _own_mode(path, notes)
        elif everything_known and _left_by_crash(path, good):
            disk.remove(path)
        else:
            notes.append(f"{path}: not of this store{_moved(path, folder, disk)}")


def _suffixes(slot: Slot) -> tuple[str, ...]:
    return (KEY, REQUEST) if slot.state == "pending" else (KEY, REQUEST, CHAIN)


def _files(folder: Path) -> Iterator[Path]:
    for each in (folder, folder / ROOTS, folder / OWN):
        yield from sorted(each.iterdir())


def _left_by_crash(path: Path, good: Index) -> bool:
    """Of a change that was not made, or of one that was and has not been cleared up: nobody was told of it, or everybody that it is gone."""
    name = path.name.removesuffix(UNFINISHED)
    if name == INDEX:
        return path.name != INDEX
    stem, dot, suffix = name.partition(".")
    if path.parent.name == ROOTS:
        return f"{dot}{suffix}" == ROOT and root_named(stem) is not None
    slot = slot_named(stem) if path.parent.name == OWN and f"{dot}{suffix}" in (KEY, REQUEST, CHAIN) else None
    return slot is not None and slot.number <= good.next_number


def _own_mode(path: Path, notes: list[str]) -> None:
    """Somebody may have copied it here."""
    mode = path.lstat().st_mode & 0o777
    if path.is_file() and mode != FILE_MODE:
        path.chmod(FILE_MODE)
        notes.append(f"{path}: had the mode {mode:o}, has {FILE_MODE:o} now")
