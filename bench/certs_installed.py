"""`chargepoint certs list` and `install`: the store of certificates of a station that `chargepoint run` uses."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs import chain
from certs.pki_files import PkiError
from certs.profiles import PROFILES
from certs.store import ROOT_USES, RootUse, StoreError
from chargepoint.config import StationConfig
from chargepoint.config_file import read
from chargepoint.runtime.certificate_store import open_store
from chargepoint.runtime.main import alone

SHORT: dict[str, RootUse] = {
    "csms": "CSMSRootCertificate",
    "mo": "MORootCertificate",
    "v2g": "V2GRootCertificate",
    "manufacturer": "ManufacturerRootCertificate",
    "oem": "OEMRootCertificate",
}
JUDGED: dict[RootUse, tuple[str, ...]] = {
    "CSMSRootCertificate": ("csms",),
    "MORootCertificate": ("contract20", "contract2"),
    "V2GRootCertificate": ("secc20", "secc2"),
    "OEMRootCertificate": ("oem20", "oem2"),
}
"""A root is taken when it is right for one of these profiles."""
Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_to(add: Add) -> None:
    """Both commands."""
    listed = add("list", _list, "what a station trusts, and what it shows of itself")
    installed = add("install", _install, "trust a root certificate, too; the station must not be running")
    installed.add_argument("use", metavar="USE", help=f"{', '.join(SHORT)}; or as OCPP says it: {ROOT_USES[0]}, ...")
    installed.add_argument("file", type=Path, metavar="FILE", help="one certificate, PEM or DER")
    for each in (listed, installed):
        each.add_argument("--config", type=Path, default=Path("/etc/chargepoint/chargepoint.toml"), metavar="FILE")


def _list(given: argparse.Namespace) -> int:
    config = read(given.config)
    try:
        store = open_store(config, Path(config.state_dir), read_only=True)
        contents = store.contents()
    except StoreError as error:
        raise PkiError(str(error)) from None
    now = dt.datetime.now(dt.UTC).timestamp()
    for root in contents.roots:
        print(f"{root.use:28} {root.subject}, {_until(root.not_after_utc, now)}{', of the configuration' if root.configured else ''}")
        print(f"{'':28} {root.fingerprint}")
    for own in contents.own:
        what = f"{own.subject}, {_until(own.not_after_utc, now)}" if own.pem else "waits for its certificate"
        print(f"{own.use:28} {own.state}, {own.kind}: {what}{', of the configuration' if own.configured else ''}")
        print(f"{'':28} {own.slot}")
    for note in store.notes:
        print(f"! {note}")
    return 0


def _until(end_utc: float, now: float) -> str:
    """Its end."""
    return f"{'until' if end_utc > now else 'expired'} {dt.datetime.fromtimestamp(end_utc, dt.UTC):%Y-%m-%d}"


def _install(given: argparse.Namespace) -> int:
    config, use = read(given.config), _use(given.use)
    try:
        (certificate,) = chain.load(given.file.read_bytes())
    except OSError as error:
        raise PkiError(f"{given.file}: {error.strerror}") from None
    except (chain.CertificateError, ValueError) as error:
        raise PkiError(
            f"{given.file}: {error if isinstance(error, chain.CertificateError) else 'holds more than one certificate'}"
        ) from None
    wrong = list(_wrong(use, certificate))
    if JUDGED.get(use) and len(wrong) == len(JUDGED[use]):
        raise PkiError(f"{given.file}: {wrong[0]}")
    _put(config, use, chain_pem(certificate))
    return 0


def _use(word: str) -> RootUse:
    for use in ROOT_USES:
        if word.lower() in (use.lower(), *(short for short, of in SHORT.items() if of == use)):
            return use
    raise PkiError(f"{word}: not one of {', '.join(SHORT)}")


def _wrong(use: RootUse, certificate: x509.Certificate) -> Iterator[str]:
    now = dt.datetime.now(dt.UTC)
    for name in JUDGED.get(use, ()):
        verdict = chain.validate_root(certificate, now, PROFILES[name])
        if not verdict.ok:
            yield verdict.why


def chain_pem(certificate: x509.Certificate) -> str:
    """As PEM."""
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _put(config: StationConfig, use: RootUse, pem: str) -> None:
    with alone(Path(config.state_dir)):
        try:
            open_store(config, Path(config.state_dir)).install_root(use, pem)
        except StoreError as error:
            raise PkiError(str(error)) from None
