"""The store of certificates that a configuration describes: its folder, its keys, and what the station begins with."""

from __future__ import annotations

import threading
from pathlib import Path

from certs.store import Store
from chargepoint.config import StationConfig

TPM2_MODULES = (
    "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so",
    "/usr/lib/aarch64-linux-gnu/pkcs11/libtpm2_pkcs11.so",
    "/usr/lib/arm-linux-gnueabihf/pkcs11/libtpm2_pkcs11.so",
    "/usr/lib/riscv64-linux-gnu/pkcs11/libtpm2_pkcs11.so",
)
LOAD_S = 5.0
"""A library that takes longer hangs. Ours."""


def folder_of(config: StationConfig, state_dir: Path) -> Path:
    """Where it lies."""
    return Path(config.certificates.folder) if config.certificates.folder else state_dir / "certificates"


def worth_opening(config: StationConfig, state_dir: Path) -> bool:
    """Whether anything can be in it: reading it takes what a station without certificates need not carry."""
    csms, certificates = config.csms, config.certificates
    named = (csms.ca_file, csms.client_cert_file, certificates.tree, *(evse.v2g.pki_dir for evse in config.evses))
    return any(named) or folder_of(config, state_dir).exists()


def token_module(config: StationConfig) -> str:
    """The PKCS#11 library that keys in a token need."""
    return config.certificates.module or next((each for each in TPM2_MODULES if Path(each).exists()), TPM2_MODULES[0])


def use_token(module: str) -> None:
    """Load this PKCS#11 library, once. Raises StoreError.

    In a thread of its own: softhsm2 leaves errors of OpenSSL in the thread that loads it, where a connection of Python's `ssl` takes them for its own and breaks.
    """
    from certs.store import StoreError, gnutls

    failed: list[StoreError] = []

    def load() -> None:
        try:
            gnutls.use(module)
        except StoreError as error:
            failed.append(error)

    thread = threading.Thread(target=load, name="token", daemon=True)
    thread.start()
    thread.join(LOAD_S)
    if thread.is_alive():
        raise StoreError("Failed", f"{module}: the token does not answer")
    if failed:
        raise failed[0]


def open_store(config: StationConfig, state_dir: Path, *, read_only: bool = False) -> Store:
    """One process at a time opens it but to look. Raises StoreError."""
    from certs.store.configured import NOTHING, Configured, OwnFiles, of_pki_folder, of_tree
    from certs.store.files import FileStore
    from certs.store.keys import FileKeys

    csms, certificates = config.csms, config.certificates
    given = NOTHING
    if csms.ca_file:
        given += Configured(roots=(("CSMSRootCertificate", Path(csms.ca_file)),))
    if csms.client_cert_file:
        key = Path(csms.client_key_file or csms.client_cert_file)
        given += Configured(own=(OwnFiles("ChargingStationCertificate", Path(csms.client_cert_file), key),))
    for name in dict.fromkeys(evse.v2g.pki_dir for evse in config.evses if evse.v2g.pki_dir):
        given += of_pki_folder(Path(name))
    if certificates.tree:
        given += of_tree(Path(certificates.tree))
    folder = folder_of(config, state_dir)
    if certificates.backend == "files":
        return FileStore(folder, given, keys=FileKeys, read_only=read_only)
    from certs.store.pkcs11 import ANY_CURVE, P256_ONLY, Token, token_keys

    is_tpm = certificates.backend == "tpm2"
    token = Token(token_module(config), certificates.token, certificates.pin_file)
    return FileStore(folder, given, keys=token_keys(token, P256_ONLY if is_tpm else ANY_CURVE), read_only=read_only)
