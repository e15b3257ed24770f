"""sweep.yaml: its schema, how it is read, and what is wrong with it at which line and column."""

from orchestrator.spec.model import (
    AnalysisSpec,
    Distribution,
    MeasureSpec,
    NetworkSpec,
    ResourcesSpec,
    Rung,
    SweepSpec,
    TaskSpec,
    TrackingSpec,
)
from orchestrator.spec.section import Section

__all__ = [
    "AnalysisSpec",
    "Distribution",
    "MeasureSpec",
    "NetworkSpec",
    "ResourcesSpec",
    "Rung",
    "Section",
    "SweepSpec",
    "TaskSpec",
    "TrackingSpec",
]
