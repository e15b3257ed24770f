"""Runs one chain: makes and evaluates every network of it that the store lacks."""

from workers.run.walk import release, run_chain

__all__ = ["release", "run_chain"]
