"""Segmentation: pixels counted by image and class, and their Parquet form."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor, nn

from workers.contracts import Component, Images, Runtime, TaskCell
from workers.evaluation import evaluate as module
from workers.evaluation.evaluate import evaluate
from workers.evaluation.pixel_counts import PixelCounts, pixel_counts
from workers.evaluation.results import to_parquet

NOMINAL = TaskCell(key="k0", label="nominal", task=Component("nominal"))
CONTRAST = TaskCell(key="k1", label="contrast", task=Component("contrast", {"severity": 5}))
NOISE = TaskCell(key="k2", label="noise", task=Component("uniform_input_noise", {"level": 0.5}))


class Levels(nn.Module):
    """Predicts as many classes as the first channel has levels of 100, and knows nothing else."""

    seen: list[int]

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        self.seen.append(len(batch))
        level = (batch[:, 0] * 255 / 100).long().clamp(0, 2)
        out = nn.functional.one_hot(level, 3).permute(0, 3, 1, 2).float()
        return {"out": out, "aux": torch.zeros_like(out)}


def counted(test: Images, *tasks: TaskCell, tmp_path) -> tuple[list[PixelCounts], Levels]:
    network = Levels()
    network.seen = []
    results = evaluate(
        network,
        tasks,
        test,
        mean=torch.zeros(1),
        std=torch.ones(1),
        fingerprint="f",
        runtime=Runtime(cache=tmp_path),
        device="cpu",
    )
    return list(results), network


def some_images(count: int) -> Images:
    draw = np.random.default_rng(0)
    labels = draw.choice(np.array([0, 1, 2, 255], np.uint8), (count, 6, 5))
    return Images(draw.integers(0, 256, (count, 6, 5, 1), dtype=np.uint8), labels)


def test_counts_by_hand(tmp_path):
    pixels = np.array([[[0, 0, 150], [150, 250, 250]]], np.uint8)[..., None]
    labels = np.array([[[0, 1, 1], [255, 2, 0]]], np.uint8)
    ((made,), _) = counted(Images(pixels, labels), NOMINAL, tmp_path=tmp_path)
    assert made.task == "k0"
    # Predicted 0 0 1 / 1 2 2; the fourth pixel is of no class.
    assert made.true_positive.tolist() == [[1, 1, 1]]
    assert made.predicted.tolist() == [[2, 1, 2]]
    assert made.labelled.tolist() == [[2, 2, 1]]


def test_counts_equal_a_confusion_matrix_per_image(tmp_path):
    test = some_images(300)
    ((made,), _) = counted(test, NOMINAL, tmp_path=tmp_path)
    for index, (pixels, labels) in enumerate(zip(test.pixels, test.labels, strict=True)):
        known = labels != 255
        predicted = np.minimum(pixels[known, 0] // 100, 2)
        matrix = np.zeros((3, 3), int)
        np.add.at(matrix, (labels[known], predicted), 1)
        assert made.true_positive[index].tolist() == np.diag(matrix).tolist()
        assert made.predicted[index].tolist() == matrix.sum(0).tolist()
        assert made.labelled[index].tolist() == matrix.sum(1).tolist()
    assert made.true_positive.dtype == made.predicted.dtype == made.labelled.dtype == np.int32


def test_tasks_change_the_image_and_not_its_labels(tmp_path):
    (made, _) = counted(some_images(20), NOMINAL, CONTRAST, NOISE, tmp_path=tmp_path)
    for other in made[1:]:
        np.testing.assert_array_equal(other.labelled, made[0].labelled)
        assert (other.predicted != made[0].predicted).any()


def test_large_images_pass_a_few_at_a_time_with_the_same_noise(tmp_path, monkeypatch):
    test = some_images(300)
    ((whole,), network) = counted(test, NOISE, tmp_path=tmp_path)
    assert network.seen == [256, 44]
    monkeypatch.setattr(module, "CPU_PIXELS", 100 * 6 * 5)
    ((parted,), network) = counted(test, NOISE, tmp_path=tmp_path)
    assert network.seen == [100, 100, 56, 44]
    np.testing.assert_array_equal(parted.predicted, whole.predicted)


def test_parquet_has_a_row_for_each_class_that_an_image_shows():
    logits = torch.zeros(2, 3, 2, 2)
    logits[0, 1, 0] = 1  # the upper row of the first image is predicted as 1
    labels = np.array([[[1, 1], [2, 255]], [[255, 255], [255, 255]]], np.uint8)
    counts = [pixel_counts(name, [logits[:1], logits[1:]], labels) for name in ("a", "b")]
    table = pq.read_table(pa.BufferReader(to_parquet(counts)))
    assert table.schema.types == [
        pa.dictionary(pa.int32(), pa.string()),
        pa.int32(),
        pa.int16(),
        pa.int32(),
        pa.int32(),
        pa.int32(),
    ]
    rows = [tuple(row.values()) for row in table.to_pylist()]
    assert table.schema.names[1:] == ["image", "class", "true_positive", "predicted", "labelled"]
    # The second image has no pixel of any class: its row says that it is there.
    first = [(0, 0, 0, 1, 0), (0, 1, 2, 2, 2), (0, 2, 0, 0, 1), (1, 0, 0, 0, 0)]
    assert rows == [(task, *row) for task in ("a", "b") for row in first]
