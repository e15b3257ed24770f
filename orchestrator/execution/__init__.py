"""Runs what is missing: executors, the order of chains, progress, one run from end to end."""
