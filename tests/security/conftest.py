"""The command line in this process, as the tests of it have it."""

from tests.cli.conftest import prunesweep, untouched

__all__ = ["prunesweep", "untouched"]
