from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from orchestrator.spec.loading import SweepError, load_sweep
from orchestrator.spec.mistakes import findings
from orchestrator.spec.schedules import beyond, read, repeated
from workers.contracts import Schedule, Training

REWIND = Schedule(retraining="weight_rewinding", epoch=4)


@pytest.mark.parametrize(
    ("written", "schedule", "label"),
    [
        ("cascade", Schedule(order="cascade"), "cascade"),
        ("one_shot", Schedule(order="one_shot"), "one_shot"),
        ("{cascade: {rewind: 4}}", REWIND, "cascade-rewind-4"),
        (
            "{one_shot: {rewind: 0}}",
            Schedule(order="one_shot", retraining="weight_rewinding", epoch=0),
            "one_shot-rewind-0",
        ),
        (
            "{cascade: {finetune: 0.01}}",
            Schedule(retraining="finetuning", lr=0.01),
            "cascade-finetune-0.01",
        ),
        (
            "{one_shot: {finetune: 1}}",
            Schedule(order="one_shot", retraining="finetuning", lr=1.0),
            "one_shot-finetune-1",
        ),
        ("{cascade: scratch}", Schedule(retraining="scratch"), "cascade-scratch"),
    ],
)
def test_a_schedule_is_an_order_and_how_to_retrain(written, schedule, label):
    assert read(yaml.safe_load(written)) == schedule
    assert schedule.label == label


HOW = "expected scratch, or a mapping with rewind or finetune"
ORDER = "expected cascade or one_shot, or one of them with how to retrain"


@pytest.mark.parametrize(
    ("written", "path", "what"),
    [
        ("cascad", (), "unknown schedule 'cascad', did you mean 'cascade'?"),
        ("twice", (), "unknown schedule 'twice', expected one of cascade, one_shot"),
        ("4", (), f"{ORDER}, found 4"),
        ("", (), f"{ORDER}, found nothing"),
        ("{}", (), "expected either cascade or one_shot"),
        ("{cascade: scratch, one_shot: scratch}", (), "expected either cascade or one_shot"),
        ("{oneshot: scratch}", ("oneshot",), "unknown key 'oneshot', did you mean 'one_shot'?"),
        ("{cascade: scrach}", ("cascade",), f"{HOW}, found 'scrach'"),
        ("{cascade: }", ("cascade",), f"{HOW}, found nothing"),
        ("{cascade: {}}", ("cascade",), "expected either rewind or finetune"),
        (
            "{cascade: {rewind: 1, finetune: 1}}",
            ("cascade",),
            "expected either rewind or finetune",
        ),
        (
            "{cascade: {rewnd: 1}}",
            ("cascade", "rewnd"),
            "unknown key 'rewnd', did you mean 'rewind'?",
        ),
        (
            "{one_shot: {rewind: 1.5}}",
            ("one_shot", "rewind"),
            "expected a whole number, found 1.5",
        ),
        (
            "{cascade: {rewind: -1}}",
            ("cascade", "rewind"),
            "expected a number of at least 0, found -1",
        ),
        (
            "{cascade: {finetune: 0}}",
            ("cascade", "finetune"),
            "expected a number above 0, found 0",
        ),
    ],
)
def test_a_mistake_is_told_where_it_is(written, path, what):
    with pytest.raises(ValidationError) as failure:
        read(yaml.safe_load(written))
    assert findings(failure.value) == [(path, what)]


def test_labels_tell_schedules_apart():
    schedules = [REWIND, Schedule(), REWIND, Schedule(order="one_shot"), Schedule()]
    assert list(repeated(schedules)) == [
        ((2,), "duplicate schedule 'cascade-rewind-4'"),
        ((4,), "duplicate schedule 'cascade'"),
    ]


@pytest.mark.parametrize(
    ("training", "retraining", "what"),
    [
        (5, 5, None),
        (5, 4, "epoch 4 is not within the 4 epochs of retraining of 'net'"),
        (3, 5, "epoch 4 is not within the 3 epochs of training of 'net'"),
        (4, 4, "epoch 4 is not within the 4 epochs of retraining of 'net'"),
    ],
)
def test_an_epoch_to_rewind_to_is_within_both_recipes(training, retraining, what):
    recipes = {"retraining": Training(epochs=retraining), "training": Training(epochs=training)}
    told = list(beyond([Schedule(), REWIND, Schedule(retraining="scratch")], "net", recipes))
    assert told == ([((1, "cascade", "rewind"), what)] if what else [])


def refused(tiny, schedule):
    file = Path(tiny(schedule="SCHEDULE"))
    file.write_text(file.read_text().replace("SCHEDULE", schedule))
    with pytest.raises(SweepError) as failure:
        load_sweep(file)
    return [line.partition("schedule")[2] for line in failure.value.lines]


def test_a_mistake_in_a_lone_schedule_or_in_one_of_several_is_told_at_its_place(tiny):
    too_far = "epoch 1 is not within the 1 epochs of retraining of 'resnet8-4-digits'"
    assert refused(tiny, "{cascade: {rewind: 1}}") == [f".cascade.rewind: {too_far}"]
    assert refused(tiny, "[cascade, {one_shot: {rewind: 1}}]") == [
        f"[1].one_shot.rewind: {too_far}"
    ]
    assert refused(tiny, "{cascade: {finetune: fast}}") == [
        ".cascade.finetune: expected a number, found 'fast'"
    ]
    assert refused(tiny, "[{cascade: {finetune: 0.1}}, {cascade: {finetune: 0.10}}]") == [
        "[1]: duplicate schedule 'cascade-finetune-0.1'"
    ]


def test_every_network_must_reach_the_epoch_that_is_rewound_to(tiny):
    short = {"model": "resnet8", "data": "digits", "training": {"epochs": 2}}
    long = {**short, "name": "long", "training": {"epochs": 9}}
    file = tiny(networks=[short, long], schedule=["cascade", {"cascade": {"rewind": 4}}])
    with pytest.raises(SweepError) as failure:
        load_sweep(file)
    (line,) = failure.value.lines
    assert line.endswith(
        "schedule[1].cascade.rewind: epoch 4 is not within the 2 epochs of retraining of"
        " 'resnet8-digits'"
    )
    assert load_sweep(tiny(networks=[long], schedule={"cascade": {"rewind": 4}})).schedules == (
        REWIND,
    )
