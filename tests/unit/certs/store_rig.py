"""A CA and a disk that fails, for the tests of the store."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from certs.store.disk import Disk

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Ca:
    """Issues for requests, and for keys of its own."""

    def __init__(self, name: str = "Root") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = name
        self.root = self.issue(self.key.public_key(), name)
        self.root_pem = pem(self.root)

    def issue(self, public_key: Any, name: str, days: int = 90) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(self.name))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW)
            .not_valid_after(NOW + dt.timedelta(days=days))
            .sign(self.key, hashes.SHA256())
        )

    def chain_for(self, csr_pem: str, days: int = 90) -> str:
        """The leaf that a request asks for."""
        request = x509.load_pem_x509_csr(csr_pem.encode())
        assert request.is_signature_valid
        return pem(self.issue(request.public_key(), "leaf", days))

    def write_own(self, folder: Path, chain: str = "chain.pem", key: str = "leaf.key") -> tuple[Path, Path]:
        """A chain and its key as files of a configuration."""
        folder.mkdir(parents=True, exist_ok=True)
        private = ec.generate_private_key(ec.SECP256R1())
        (folder / chain).write_text(pem(self.issue(private.public_key(), "configured")))
        (folder / key).write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return folder / chain, folder / key


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


class QuickDisk(Disk):
    """Waits for no disk: for tests that make hundreds of changes."""

    def write(self, path: Path, octets: bytes) -> None:
        path.touch(mode=0o600)
        path.write_bytes(octets)

    def sync(self, folder: Path) -> None:
        pass


class Crash(BaseException):
    """The power goes."""


class FailingDisk(QuickDisk):
    """At the step of this number it raises; a write is half done then."""

    def __init__(self, at: int, error: BaseException | None = None, lasts: int = 1) -> None:
        self.steps, self.at, self.lasts = 0, at, lasts
        self.error = error or Crash()

    def _step(self) -> bool:
        self.steps += 1
        return self.at <= self.steps < self.at + self.lasts

    def write(self, path: Path, octets: bytes) -> None:
        if self._step():
            super().write(path, octets[: len(octets) // 2])
            raise self.error
        super().write(path, octets)

    def rename(self, path: Path, to: Path) -> None:
        if self._step():
            raise self.error
        super().rename(path, to)

    def sync(self, folder: Path) -> None:
        if self._step():
            raise self.error
        super().sync(folder)

    def remove(self, path: Path) -> None:
        if self._step():
            raise self.error
        super().remove(path)
