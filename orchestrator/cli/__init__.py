"""The ``prunesweep`` command: thin, and each subcommand imports what it needs when it runs."""

from orchestrator.cli.app import main

__all__ = ["main"]
