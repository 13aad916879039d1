"""Tokens for tests, as fixtures: softhsm2, and tpm2-pkcs11 over a software TPM. One each for a process: these libraries read once where theirs lie."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from certs.store.pkcs11 import Token
from chargepoint.runtime.certificate_store import use_token

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
TPM2 = next((each for each in Path("/usr/lib").glob("*/pkcs11/libtpm2_pkcs11.so")), Path("/nowhere"))


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory, oracle: Callable[[str], str]) -> Iterator[Token]:
    tool = oracle("softhsm2-util")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    subprocess.run([tool, "--init-token", "--free", "--label", "t", "--pin", "1234", "--so-pin", "5678"], check=True, capture_output=True)
    use_token(str(SOFTHSM))
    yield Token(str(SOFTHSM), "pkcs11:token=t", _pin(folder))
    del os.environ["SOFTHSM2_CONF"]


@pytest.fixture(scope="session")
def tpm(tmp_path_factory: pytest.TempPathFactory, oracle: Callable[[str], str]) -> Iterator[Token]:
    """A software TPM, without a resource manager: what the library leaves open in it, it lacks."""
    swtpm, pkcs11_tool = oracle("swtpm"), oracle("pkcs11-tool")
    if not TPM2.exists():
        pytest.skip("libtpm2-pkcs11-1 is not installed: make oracles")
    folder = tmp_path_factory.mktemp("tpm")
    (folder / "store").mkdir()
    port = _two_free_ports()
    command = [swtpm, "socket", "--tpm2", "--tpmstate", f"dir={folder}", "--flags", "not-need-init,startup-clear"]
    server = subprocess.Popen([*command, "--server", f"type=tcp,port={port}", "--ctrl", f"type=tcp,port={port + 1}"])
    os.environ |= {"TPM2_PKCS11_TCTI": f"swtpm:port={port}", "TPM2_PKCS11_STORE": f"{folder}/store", "TSS2_LOG": "all+NONE"}
    try:
        tool = [pkcs11_tool, "--module", str(TPM2)]
        _until(
            lambda: (
                subprocess.run(
                    [*tool, "--slot-index", "0", "--init-token", "--label", "tpm", "--so-pin", "5678"], capture_output=True, check=False
                ).returncode
                == 0
            )
        )
        subprocess.run([*tool, "--token-label", "tpm", "--init-pin", "--so-pin", "5678", "--pin", "1234"], check=True, capture_output=True)
        use_token(str(TPM2))
        yield Token(str(TPM2), "pkcs11:token=tpm", _pin(folder))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)


def _pin(folder: Path) -> str:
    (folder / "pin").write_text("1234")
    return str(folder / "pin")


def _two_free_ports() -> int:
    with socket.socket() as first, socket.socket() as second:
        for port in range(23300, 23900, 2):
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise AssertionError("no ports")


def _until(done: Any) -> None:
    for _ in range(50):
        if done():
            return
        time.sleep(0.1)
    raise AssertionError("never")
