"""What is committed stands on its own: no path of somebody's machine, no address of a package mirror."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.house import rules

# Put together here so that this file does not hold what it looks for.
FORBIDDEN = re.compile(
    "|".join(
        (
            r"(?<![\w.-])/" + r"work/(main|shared|\.)",
            r"/tmp/" + r"bash_jobs",
            r"registry\." + r"(npmjs|yarnpkg)",
            r"files\." + r"pythonhosted",
            r"pypi\.org/" + r"simple",
            r"(extra-)?index-" + r"url\s*=",
            r"file:///" + r"opt",
        )
    )
)


def committed() -> list[str]:
    """Files that git has or would take."""
    git = ["git", "-c", "safe.directory=*", "-C", str(rules.ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in listed.split("\0") if name and (rules.ROOT / name).is_file())


def test_no_path_of_a_machine_and_no_mirror() -> None:
    found = []
    for name in committed():
        text = (rules.ROOT / name).read_bytes().decode("utf-8", "replace")
        found += [f"{name}:{n}: {line.strip()[:120]}" for n, line in enumerate(text.splitlines(), 1) if FORBIDDEN.search(line)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("line", ["see /" + "work/main/x", "https://registry." + "npmjs.org/ws", "--extra-index-" + "url = x"])
def test_such_a_line_is_seen(line: str) -> None:
    assert FORBIDDEN.search(line)


def test_the_lock_file_names_no_host_and_every_hash() -> None:
    lock = json.loads((rules.ROOT / "tests/peers/ocpp_rpc/package-lock.json").read_text("utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert all("resolved" not in entry and entry["integrity"].startswith("sha512-") for entry in packages.values())
