"""What the tests with a cable share: one foreign environment and one pair of namespaces a worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import wheel
from bench.v2g.cable import Cable, NoNamespaces, cable, foreign, fresh_pki

# The Java machines of peers live for seconds: what a second compiler and a parallel collector do for them is not worth its while (half of the time of these tests).
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto")


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The python of the PyPI distribution `iso15118`."""
    return foreign(tmp_path_factory.mktemp("pypi") / "venv")


@pytest.fixture(scope="session")
def wheel_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the PyPI wheel `iso15118`, fetched once a run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "wheel"
    try:
        wheel.wheel(folder)
    except wheel.NoWheel as error:
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="session")
def link() -> Iterator[Cable]:
    try:
        with cable(os.getpid() % 10_000) as made:
            yield made
    except NoNamespaces as error:
        pytest.skip(str(error))


@pytest.fixture
def own_link() -> Iterator[Cable]:
    """A cable for one test, which may break it."""
    try:
        with cable(10_000 + os.getpid() % 10_000) as made:
            yield made
    except NoNamespaces as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for --pki."""
    folder = tmp_path_factory.mktemp("pki") / "pki"
    fresh_pki(folder)
    return folder
