"""The store in a folder: `index.json` (see `index`), `roots/`, `own/`, and `aside/` for what nobody here has written.

New files come first, under names that nothing refers to yet; then the index is replaced, which is the change; then what it no longer
refers to is removed. After a crash between any two of these steps the folder is as before or as after, and is swept when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from certs.reading import fingerprint
from certs.store import Contents, Identity, InstalledRoot, KeyKind, OwnChain, OwnUse, RootUse, StoreError, Subject, configured, index, sweep
from certs.store.configured import NOTHING, Configured, OwnRead
from certs.store.disk import Disk, ReadOnlyDisk
from certs.store.index import Index, Root, Slot
from certs.store.keys import FileKeys, Keys, signer
from certs.store.layout import CHAIN, INDEX, OWN, REQUEST, ROOT, ROOTS
from certs.store.reading import (
    MOST_IN_CHAIN,
    certificates,
    digest_of,
    one_line,
    pem_of,
    private_key,
    root_of,
    validity,
)

MOST_ROOTS = 64
"""That may be installed (ours)."""


class FileStore:
    """`certs.store.Store`. With `keys` the private ones lie somewhere else. `read_only`: beside a station that is running, to look."""

    def __init__(
        self,
        folder: Path,
        given: Configured = NOTHING,
        *,
        keys: Callable[[Path, Disk], Keys] = FileKeys,
        disk: Disk | None = None,
        read_only: bool = False,
    ) -> None:
        self.folder, self._disk = folder, ReadOnlyDisk() if read_only else disk or Disk()
        self._notes: list[str] = []
        with _told(folder):
            self._keys = keys(folder / OWN, self._disk)
            if read_only:
                self._index = sweep.looked(folder)
            else:
                for each in (folder, folder / ROOTS, folder / OWN):
                    self._disk.make_folder(each)
                self._index = sweep.opened(folder, self._keys, self._disk, self._notes)
        self._given_roots = configured.roots(given, self._notes)
        self._given_own: list[OwnRead] = list(configured.own(given, self._notes))
        if not read_only:
            self._named_by_content()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    # ---- what there is

    def contents(self) -> Contents:
        with _told(self.folder):
            return Contents(tuple(self._roots()), (*map(self._own, self._index.slots), *self._configured_own()))

    def _roots(self) -> Iterator[InstalledRoot]:
        for each in self._index.roots:
            (certificate,) = certificates((self.folder / ROOTS / f"{each.name}{ROOT}").read_bytes(), most=1)
            yield root_of(each.use, certificate)
        installed = {(each.use, each.fingerprint) for each in self._index.roots}
        for given in self._given_roots:
            name = Root(given.use, given.fingerprint).name
            if (given.use, given.fingerprint) not in installed and name not in self._index.passed_over:
                yield given

    def _own(self, slot: Slot) -> OwnChain:
        csr = (self._path(slot, REQUEST)).read_text("ascii")
        if slot.state == "pending":
            return OwnChain(slot.use, slot.name, slot.state, slot.kind, csr=csr)
        chain = certificates(self._path(slot, CHAIN).read_bytes(), most=MOST_IN_CHAIN)
        return OwnChain(slot.use, slot.name, slot.state, slot.kind, pem_of(chain), csr, one_line(chain[0]), *validity(chain))

    def _configured_own(self) -> Iterator[OwnChain]:
        """Below what was adopted: in use while that is not there, else kept to go back to."""
        for given in self._given_own:
            chain = given.chain
            if chain.slot in self._index.passed_over:
                continue
            yield replace(chain, state="previous") if self._index.in_state("active", chain.use, chain.kind) else chain

    # ---- roots

    def install_root(self, use: RootUse, pem: str) -> None:
        (certificate,) = certificates(pem.encode(), most=1)
        root = Root(use, fingerprint(certificate))
        shown = tuple(each for each in self._index.passed_over if each != root.name)
        if root in self._index.roots:
            return
        if len(self._index.roots) >= MOST_ROOTS:
            raise StoreError("Full", f"{MOST_ROOTS} roots are installed, and there is room for no more")
        with _told(self.folder):
            self._disk.place(self.folder / ROOTS / f"{root.name}{ROOT}", pem_of((certificate,)).encode())
            self._commit(replace(self._index, roots=(*self._index.roots, root), passed_over=shown))

    def delete_root(self, fingerprint: str) -> None:
        gone = [each for each in self._index.roots if each.fingerprint == fingerprint]
        given = [Root(each.use, each.fingerprint).name for each in self._given_roots if each.fingerprint == fingerprint]
        passed_over = [each for each in given if each not in self._index.passed_over]
        if not gone and not passed_over:
            raise StoreError("NotFound", f"no root has the fingerprint {fingerprint[:64]}")
        with _told(self.folder):
            kept = tuple(each for each in self._index.roots if each not in gone)
            self._commit(replace(self._index, roots=kept, passed_over=(*self._index.passed_over, *passed_over)))

    # ---- own chains

    def make_request(self, use: OwnUse, kind: KeyKind, subject: Subject) -> tuple[str, str]:
        if kind not in self._keys.kinds:
            raise StoreError("Unsupported", f"keys are {', '.join(self._keys.kinds)} here, not {kind}")
        slot = Slot(use, kind, self._index.next_number)
        name = _name(subject)
        with _told(self.folder):
            key = self._keys.make(slot.name, kind)
            request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, digest_of(kind))
            pem = request.public_bytes(Encoding.PEM).decode("ascii")
            self._disk.place(self._path(slot, REQUEST), pem.encode())
            before = self._index.without(self._index.in_state("pending", use, kind))
            self._commit(replace(before, slots=(*before.slots, slot), next_number=slot.number + 1))
        return slot.name, pem

    def adopt(self, slot: str, pem: str) -> None:
        waiting = self._index.slot(slot)
        if waiting is None or waiting.state != "pending":
            raise StoreError("NotFound", f"{slot[:80]}: no slot of this name waits for a chain")
        chain = certificates(pem.encode(), most=MOST_IN_CHAIN)
        with _told(self.folder):
            request = x509.load_pem_x509_csr(self._path(waiting, REQUEST).read_bytes())
            if request.public_key() != chain[0].public_key():
                raise StoreError("KeyMismatch", f"the first certificate is not for the key of {slot}")
            self._disk.place(self._path(waiting, CHAIN), pem_of(chain).encode())
            changed = self._index.without(self._index.in_state("previous", waiting.use, waiting.kind))
            if active := changed.in_state("active", waiting.use, waiting.kind):
                changed = changed.changed(active, "previous")
            self._commit(changed.changed(waiting, "active"))

    def roll_back(self, use: OwnUse) -> None:
        below = {each.chain.kind for each in self._given_own if each.chain.use == use and each.chain.slot not in self._index.passed_over}
        active = [each for each in self._index.slots if each.use == use and each.state == "active"]
        last = max(active, key=lambda each: each.number, default=None)
        before = last and self._index.in_state("previous", use, last.kind)
        if last is None or (before is None and last.kind not in below):
            raise StoreError("NotFound", f"{use}: there is nothing to go back to")
        with _told(self.folder):
            changed = self._index.without(last)
            self._commit(changed.changed(before, "active") if before else changed)

    def delete_own(self, slot: str) -> None:
        gone = self._index.slot(slot)
        with _told(self.folder):
            if gone is not None:
                self._commit(self._index.without(gone))
            elif any(each.slot == slot for each in self._configured_own()):
                of = configured.place_of(slot)
                kept = (each for each in self._index.passed_over if configured.place_of(each) != of)
                self._commit(replace(self._index, passed_over=(*kept, slot)))
            else:
                raise StoreError("NotFound", f"{slot[:80]}: there is no such slot")

    def _named_by_content(self) -> None:
        """Version 1 of the index passed over whatever a place in the configuration held: what it holds now stays passed over, and what comes later counts."""
        if self._index.version >= index.VERSION:
            return
        now = {configured.place_of(each.chain.slot): each.chain.slot for each in self._given_own}
        changed = replace(self._index, passed_over=tuple(now.get(each, each) for each in self._index.passed_over), version=index.VERSION)
        try:
            self._commit(changed)
        except OSError as error:  # a full disk is no reason to have no store
            self._index = changed
            self._notes.append(f"{self.folder}: it is not of version {index.VERSION} on disk yet: {error.strerror or error}")

    # ---- keys

    def identity(self, slot: str) -> Identity:
        given = self._given(slot)
        if given is not None:
            return Identity(slot, given.chain.kind, given.chain.pem.encode(), given.key)
        own = self._index.slot(slot)
        if own is None or own.state == "pending":
            raise StoreError("NotFound", f"{slot[:80]}: there is no such slot with a chain")
        with _told(self.folder):
            return Identity(slot, own.kind, self._path(own, CHAIN).read_bytes(), self._keys.reference(slot))

    def signer(self, slot: str) -> Callable[[bytes], bytes]:
        given = self._given(slot)
        if given is not None:
            return signer(private_key(given.key))
        if self._index.slot(slot) is None:
            raise StoreError("NotFound", f"{slot[:80]}: there is no such slot")
        with _told(self.folder):
            return signer(self._keys.load(slot))

    def _given(self, slot: str) -> OwnRead | None:
        return next((each for each in self._given_own if each.chain.slot == slot and slot not in self._index.passed_over), None)

    # ---- the change

    def _path(self, slot: Slot, suffix: str) -> Path:
        return self.folder / OWN / f"{slot.name}{suffix}"

    def _commit(self, changed: Index) -> None:
        """It is made once the index is on disk. Where that fails, what was is put back; what is left of the new files is swept at the next opening."""
        before, path = self._index, self.folder / INDEX
        try:
            self._disk.place(path, changed.text())
        except OSError:
            try:
                self._disk.place(path, before.text())
            except OSError:
                self._index = index.read(path.read_bytes())  # whichever of the two it is
            raise
        self._index = changed
        try:
            sweep.remove(self.folder, before, changed, self._keys, self._disk)
        except (OSError, StoreError) as error:
            self._notes.append(f"{self.folder}: what was given up is not removed yet: {error}")


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """What the disk says, as StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError("Failed", f"{error.filename or folder}: {error.strerror or error}") from None
    except (ValueError, TypeError) as error:
        raise StoreError("Failed", f"{folder}: {type(error).__name__}") from None


def _name(subject: Subject) -> x509.Name:
    fields = (
        (NameOID.COMMON_NAME, subject.common_name),
        (NameOID.ORGANIZATION_NAME, subject.organization),
        (NameOID.COUNTRY_NAME, subject.country),
        (NameOID.DOMAIN_COMPONENT, subject.domain_component),
    )
    try:
        return x509.Name([x509.NameAttribute(of, text) for of, text in fields if text])
    except ValueError as error:
        raise StoreError("Invalid", f"subject: {error}") from None
