"""Failures that would happen again."""

from __future__ import annotations


class PermanentError(Exception):
    """A failure that would happen again: reported with its cause, never retried."""


class DataError(PermanentError):
    """Data are missing or unreadable; the message says what was looked for and what to do."""


class MissingNetworkError(PermanentError):
    """A network that another chain makes is not there, as when that chain failed."""
