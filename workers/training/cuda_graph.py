"""A training step as one CUDA graph: small networks wait for kernel launches, not for kernels."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from workers.training.step import Step

WARM_UP = 3


class Recorder(Protocol):
    """Runs work aside, and records it to be replayed."""

    def aside(self, work: Callable[[], Tensor]) -> Tensor:
        """Run ``work`` as it will be recorded."""
        ...

    def record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], object], Tensor]:
        """Record ``work`` without running it; return its replay, and where that leaves its result.

        Raises:
            RuntimeError: it does something that cannot be recorded.

        """
        ...


class CudaRecorder:
    """Records CUDA graphs on a stream of its own."""

    def __init__(self, device: torch.device) -> None:
        """Make the stream."""
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def aside(self, work: Callable[[], Tensor]) -> Tensor:
        """Run ``work`` on the stream, between what precedes and what follows it on the current."""
        current = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            result = work()
        current.wait_stream(self._stream)
        return result

    def record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], object], Tensor]:
        """Capture the kernels of ``work``."""
        graph = torch.cuda.CUDAGraph()
        # The outer stream comes back even if ending a failed capture raises in its turn. Only this
        # thread is watched for what cannot be captured: others may pin memory meanwhile.
        with (
            torch.cuda.stream(self._stream),
            torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"),
        ):
            result = work()
        return graph.replay, result


class GraphedStep:
    """Takes the steps of ``step``, those with batches of the usual shape as one recording.

    The first few are taken as they are and warm up; if the next cannot be recorded, all are taken
    as they are. The returned loss is overwritten by the following step.
    """

    def __init__(self, step: Step, recorder: Recorder) -> None:
        """Record nothing yet."""
        self._step = step
        self._recorder: Recorder | None = recorder
        self._taken = 0
        self._images = self._labels = torch.empty(0)
        self._loss = torch.empty(0)
        self._replay: Callable[[], object] | None = None

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        """Take one step and return the mean loss of the batch before it."""
        if self._taken == 0:
            self._images, self._labels = images.clone(), labels.clone()
        if self._recorder is None or images.shape != self._images.shape:
            return self._step(images, labels)
        self._taken += 1
        if self._taken <= WARM_UP:
            return self._recorder.aside(lambda: self._step(images, labels))
        if self._replay is None:
            self._replay = self._recorded(self._recorder)
        if self._replay is None:
            return self._step(images, labels)
        self._images.copy_(images)
        self._labels.copy_(labels)
        self._replay()
        return self._loss

    def _recorded(self, recorder: Recorder) -> Callable[[], object] | None:
        self._step.optimizer.zero_grad()
        try:
            replay, self._loss = recorder.record(lambda: self._step(self._images, self._labels))
        except RuntimeError as error:
            self._recorder = None
            warnings.warn(f"training goes on without a CUDA graph: {error}", stacklevel=2)
            return None
        return replay
