"""The house's rules that a syntax tree shows, for what we ship: `violations(path, source)` names each breach with its line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("chargepoint", "iso15118", "hal", "certs", "bench")

# Rooms that are no cores; pyproject.toml exempts the same ones from banned-api and from the contract "cores".
OUTER = ("bench/**", "chargepoint/runtime/**", "hal/conformance.py", "hal/conformance/**", "hal/drivers/**", "hal/sim/ports.py")
# A pytest kit: its asserts are its work.
PYTEST_KITS = ("hal/conformance.py", "hal/conformance/**")

BANNED_MODULES = frozenset(
    {
        "asyncio", "concurrent", "logging", "multiprocessing", "random", "secrets", "socket", "ssl", "subprocess", "threading", "time",
        "websockets",
    }
)  # fmt: skip
# A call by its last two names, whatever the first one is bound to (`datetime.now`, `dt.datetime.now`).
BANNED_CALLS = frozenset(
    {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid.uuid1", "uuid.uuid4", "os.urandom", "os.getrandom"}
)
BANNED_NAMES = frozenset({"uuid1", "uuid4", "urandom", "getrandom", "open", "print", "input", "__import__"})
SHELLS = frozenset(
    {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell", "pty.spawn"}
)
SHELL_NAMES = frozenset({"create_subprocess_shell", "getoutput", "getstatusoutput", "popen", "subprocess_shell"})


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a path relative to the root lies under one of the patterns (`x/**` or a file)."""
    return any(path.startswith(p.removesuffix("**")) if p.endswith("**") else path == p for p in patterns)


def shipped() -> list[Path]:
    """Every Python file of the distribution."""
    return sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a chain of names, its last two parts; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    return ".".join(reversed(parts[:2]))


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _everywhere(node: ast.AST, path: str) -> Iterator[str]:
    if isinstance(node, ast.Assert) and not matches(path, PYTEST_KITS):
        yield "assert: python -O takes it away; raise instead"
    if isinstance(node, ast.Call):
        name = dotted(node.func)
        if name in SHELLS or name.rpartition(".")[2] in SHELL_NAMES:
            yield f"{name}: starts a shell"
        if any(k.arg == "shell" and not (isinstance(k.value, ast.Constant) and k.value.value is False) for k in node.keywords):
            yield "shell=: give a list"


def _in_cores(node: ast.AST) -> Iterator[str]:
    for imported in _imports(node):
        if imported.partition(".")[0] in BANNED_MODULES or ".".join(imported.split(".")[-2:]) in BANNED_CALLS:
            yield f"a core imports {imported}"
    if isinstance(node, ast.Call):
        name = dotted(node.func)
        if name in BANNED_CALLS or name in BANNED_NAMES:
            yield f"a core calls {name}"


def violations(path: str, source: str) -> list[str]:
    """Breaches in one file, `path:line: what`; the path is relative to the root and decides whether the file is a core."""
    core = not matches(path, OUTER)
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        words = [*_everywhere(node, path), *(_in_cores(node) if core else ())]
        found += [f"{path}:{getattr(node, 'lineno', 0)}: {word}" for word in words]
    return found
