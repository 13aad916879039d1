"""The vehicle's language: ISO 15118-20, ISO 15118-2 and DIN SPEC 70121, EV side and EVSE side; no I/O, no clock.

Importing it raises ImportError where the PyPI distribution `iso15118` is installed in the same environment: both write
into one folder, and which file wins depends on the order of installation.
"""

from importlib import metadata


def _refuse_namesake() -> None:
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
