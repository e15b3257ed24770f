"""The vocabulary that orchestrator and workers share, free of torch."""

from workers.contracts.attack import GRADIENT_PASSES, Attack
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
from workers.contracts.corruption import Corruption
from workers.contracts.data import DataSet, Images, Split
from workers.contracts.errors import DataError, MissingNetworkError, PermanentError
from workers.contracts.measure import Measure, MeasureCell, Probe, Reading, Subject
from workers.contracts.method import Allocation, Method, Samples, Spared, Unit
from workers.contracts.model import Model
from workers.contracts.plug_in import Component, PlugIn
from workers.contracts.recipe import Training
from workers.contracts.runtime import Cost, Event, Record, Report, Runtime, Scratch, Store
from workers.contracts.suite import Suite
from workers.contracts.task import Task

__all__ = [
    "GRADIENT_PASSES",
    "Allocation",
    "Attack",
    "Chain",
    "Checkpoint",
    "Component",
    "Corruption",
    "Cost",
    "DataError",
    "DataSet",
    "Event",
    "Images",
    "Level",
    "Measure",
    "MeasureCell",
    "Method",
    "MissingNetworkError",
    "Model",
    "Parity",
    "PermanentError",
    "PlugIn",
    "Probe",
    "Reading",
    "Record",
    "Report",
    "Runtime",
    "Samples",
    "Schedule",
    "Scratch",
    "Spared",
    "Split",
    "Store",
    "Subject",
    "Suite",
    "Task",
    "TaskCell",
    "Training",
    "Unit",
    "evaluation_key",
    "suite_key",
]
