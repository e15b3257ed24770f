"""What a sweep asks for: chains and tasks with content keys, their state, and their cost."""

from orchestrator.plan.plan import Plan, make_plan

__all__ = ["Plan", "make_plan"]
