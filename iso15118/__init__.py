"""The vehicle's language: ISO 15118-20, ISO 15118-2 and DIN SPEC 70121, EV side and EVSE side; no I/O, no clock.

Importing it raises ImportError where the PyPI distribution `iso15118` is installed in the same environment: both write
into one folder, and which file wins depends on the order of installation.
"""

import os
import sys


def _names_it(folder: str) -> bool:
    """Whether a folder of the import path may hold the namesake's metadata."""
    try:
        return any(
            name.lower().startswith("iso15118") and name.endswith(("-info", ".egg", ".egg-link"))
            for name in os.listdir(folder or ".")  # noqa: PTH208 pathlib takes 3 ms to import
        )
    except OSError:
        return os.path.isfile(folder)  # noqa: PTH113 an archive


def _refuse_namesake() -> None:
    if not any(_names_it(folder) for folder in sys.path):
        return
    from importlib import metadata  # noqa: PLC0415 it takes 30 ms to import

    try:
        other = metadata.distribution("iso15118")
    except metadata.PackageNotFoundError:
        return
    message = (
        f"the PyPI distribution 'iso15118' {other.version} is installed in this environment and has the same import name as chargepoint's "
        "package 'iso15118'; the two cannot live together. Remedy: 'pip uninstall iso15118', then "
        "'pip install --force-reinstall --no-deps chargepoint'; or a separate venv for each."
    )
    raise ImportError(message, name=__name__)


_refuse_namesake()
