"""The vocabulary that orchestrator and workers share, free of torch."""

from workers.contracts.chain import (
    Chain,
    Checkpoint,
    Level,
    Parity,
    Schedule,
    TaskCell,
    evaluation_key,
    suite_key,
)
from workers.contracts.plug_ins import (
    Allocation,
    Component,
    DataError,
    DataSet,
    Images,
    Method,
    Model,
    PermanentError,
    PlugIn,
    Samples,
    Split,
    Task,
)
from workers.contracts.recipe import Training
from workers.contracts.runtime import Cost, Event, Record, Report, Runtime, Scratch, Store

__all__ = [
    "Allocation",
    "Chain",
    "Checkpoint",
    "Component",
    "Cost",
    "DataError",
    "DataSet",
    "Event",
    "Images",
    "Level",
    "Method",
    "Model",
    "Parity",
    "PermanentError",
    "PlugIn",
    "Record",
    "Report",
    "Runtime",
    "Samples",
    "Schedule",
    "Scratch",
    "Split",
    "Store",
    "Task",
    "TaskCell",
    "Training",
    "evaluation_key",
    "suite_key",
]
