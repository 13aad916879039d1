"""What no type can say of where certificates and keys lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from certs.store import gnutls
from chargepoint.config import CertificatesConfig
from chargepoint.config_file.reader import Finding


def broken(certificates: CertificatesConfig) -> Iterator[Finding]:
    """Every rule that this section breaks."""
    at = "certificates"
    if certificates.tree and not Path(certificates.tree).is_dir():
        yield Finding((at, "tree"), f"{certificates.tree}: there is no such folder")
    if certificates.backend == "files":
        return
    if wrong := gnutls.missing():
        yield Finding((at, "backend"), f"{certificates.backend!r}: {wrong}; nor can TLS use them without it, towards vehicles or the CSMS")
    needed = ("module", "token", "pin_file") if certificates.backend == "pkcs11" else ("token", "pin_file")
    for key in needed:
        if not getattr(certificates, key):
            yield Finding((at, key), f"is needed with backend = {certificates.backend!r}")
    if certificates.module and not Path(certificates.module).is_file():
        yield Finding((at, "module"), f"{certificates.module}: there is no such file")
    if "pin-" in certificates.token:
        yield Finding((at, "token"), "no PIN stands in it, nor where it is: say pin_file")
    if certificates.pin_file and (wrong := _pin_file(Path(certificates.pin_file))):
        yield Finding((at, "pin_file"), wrong)


def _pin_file(path: Path) -> str:
    """What is wrong with it; never what stands in it."""
    if not path.is_absolute():
        return f"{path}: is no absolute path"
    try:
        mode, octets = path.stat().st_mode & 0o777, path.read_bytes()
    except OSError as error:
        return f"{path}: {error.strerror or error}"
    if mode & 0o077:
        return f"{path}: others than its owner may read or write it (mode {mode:o}); it has to be 600 or less"
    if not octets or octets[-1:] in (b"\n", b"\r"):
        return f"{path}: holds the PIN and nothing else, no end of line either (printf %s PIN > FILE)"
    return ""
