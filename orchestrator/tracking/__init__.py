"""MLflow shows the sweep: one writer, in the driver, fed from committed records.

What MLflow holds can be rebuilt at any time from the plan and the store; nothing reads it back.
"""

from orchestrator.tracking.background import BackgroundTracker
from orchestrator.tracking.location import TrackingError, artifact_root, resolve_uri
from orchestrator.tracking.progress import Progress
from orchestrator.tracking.tracker import Tracker

__all__ = [
    "BackgroundTracker",
    "Progress",
    "Tracker",
    "TrackingError",
    "artifact_root",
    "resolve_uri",
]
