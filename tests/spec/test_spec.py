import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from orchestrator.spec import AnalysisSpec, NetworkSpec, ResourcesSpec, Rung, SweepSpec, TaskSpec
from orchestrator.spec.mistakes import findings
from workers.contracts import Component, Schedule, Training


def sweep(**changes):
    network = NetworkSpec(
        name="n",
        model=Component("resnet8"),
        data=Component("digits"),
        training=Training(epochs=1),
        retraining=Training(epochs=1),
    )
    nominal = TaskSpec(label="nominal", task=Component("nominal"), distribution="train")
    given = {
        "name": "s",
        "networks": (network,),
        "seeds": (0,),
        "methods": (Component("wt"),),
        "ladder": (Rung(ratio=0.5),),
        "tasks": (nominal,),
        "store": Path("/store"),
        "data_root": Path("/data"),
        "source": Path("/s.yaml"),
    }
    return SweepSpec(**(given | changes))


def test_defaults_are_the_papers():
    spec = sweep()
    assert spec.schedules == (Schedule(order="cascade", retraining="lr_rewinding"),)
    assert spec.parity == "paper"
    assert spec.analysis == AnalysisSpec(
        deltas=(0.005,), confidence=0.95, rule="any", resamples=2000
    )
    assert spec.resources == ResourcesSpec(
        cpus=1, gpus=0.0, workers=None, retries=2, threads=1, device="auto"
    )
    assert (spec.tracking.uri, spec.tracking.experiment) == (None, None)


def test_a_store_is_a_path_or_a_url():
    assert sweep().store == Path("/store")
    assert sweep(store="s3://bucket/x").store == "s3://bucket/x"


def test_a_spec_is_frozen_and_closed():
    with pytest.raises(ValidationError, match="frozen"):
        sweep().name = "other"
    with pytest.raises(ValidationError, match="extra"):
        sweep(colour="red")


@pytest.mark.parametrize(
    ("section", "given", "what"),
    [
        (
            ResourcesSpec,
            {"device": "gpu"},
            "expected auto, cpu, cuda or cuda:<index>, found 'gpu'",
        ),
        (ResourcesSpec, {"cpus": 0}, "expected a number of at least 1, found 0"),
        (ResourcesSpec, {"cpus": 1.5}, "expected a whole number, found 1.5"),
        (ResourcesSpec, {"gpus": -1}, "expected a number of at least 0, found -1"),
        (ResourcesSpec, {"worker": 2}, "unknown key 'worker', did you mean 'workers'?"),
        (AnalysisSpec, {"confidence": 1}, "expected a number below 1, found 1"),
        (AnalysisSpec, {"deltas": []}, "expected at least 1 element(s), found an empty list"),
        (AnalysisSpec, {"deltas": 0.1}, "expected a list, found 0.1"),
        (AnalysisSpec, {"rule": "all"}, "expected 'any' or 'contiguous', found 'all'"),
        (AnalysisSpec, {"resamples": "many"}, "expected a whole number, found 'many'"),
        (AnalysisSpec, {"rule": {}}, "expected 'any' or 'contiguous', found a mapping"),
    ],
)
def test_sections_word_their_mistakes(section, given, what):
    with pytest.raises(ValidationError) as failure:
        section.model_validate(given)
    assert [told for _, told in findings(failure.value)] == [what]


def test_one_device_of_many():
    assert ResourcesSpec(device="cuda:3").device == "cuda:3"


def test_importing_the_spec_and_the_loader_is_light():
    heavy = "{'torch', 'numpy', 'pandas', 'pyarrow', 'ray', 'mlflow', 'workers.tasks'}"
    code = f"import sys, orchestrator.spec.loading; print({heavy} & set(sys.modules))"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert printed.stdout.strip() == "set()"
