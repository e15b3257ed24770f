import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.spec import Rung
from orchestrator.spec.loading import SweepError, load_sweep
from orchestrator.spec.sweep_file import SweepFile
from workers.contracts import Component, Schedule, Training

SWEEP = """\
name: small
networks:
  - model: resnet8
    data: digits
    training: {epochs: 20, lr: 0.05, milestones: [5, 8]}
    retraining: {epochs: 10}
seeds: [0, 1]
methods: [wt, {ft: {norm: [l1, l2]}}]
ratios:
  - geometric: {from: 0.5, to: 0.9375, count: 4}
  - 0.99
tasks:
  train: [nominal]
  test:
    - gaussian_noise: {severity: [1, 3]}
    - uniform_input_noise: {level: 0.1}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text, *overrides):
    Path("s.yaml").write_text(text)
    return load_sweep(Path("s.yaml"), overrides)


def refused(text, *overrides):
    with pytest.raises(SweepError) as failure:
        load(text, *overrides)
    return list(failure.value.lines)


def test_a_sweep_is_read_and_expanded(folder):
    spec = load(SWEEP)
    (network,) = spec.networks
    assert (spec.name, network.name, spec.seeds) == ("small", "resnet8-digits", (0, 1))
    assert network.model == Component("resnet8")
    assert network.training == Training(epochs=20, lr=0.05, milestones=(5, 8))
    assert network.retraining == Training(epochs=10, lr=0.05, milestones=(5, 8))
    assert spec.methods == (
        Component("wt"),
        Component("ft", {"norm": "l1"}),
        Component("ft", {"norm": "l2"}),
    )
    assert spec.schedules == (Schedule(),)
    assert spec.ladder == tuple(Rung(ratio=r) for r in (0.5, 0.75, 0.875, 0.9375, 0.99))
    assert [(task.label, task.distribution) for task in spec.tasks] == [
        ("nominal", "train"),
        ("gaussian_noise-1", "test"),
        ("gaussian_noise-3", "test"),
        ("uniform_input_noise-0.1", "test"),
    ]
    assert spec.text == SWEEP
    assert spec.source == folder / "s.yaml"


def test_retraining_repeats_the_training_unless_told(folder):
    (network,) = load(SWEEP.replace("    retraining: {epochs: 10}\n", "")).networks
    assert network.retraining == network.training


def test_recipes_of_the_sweep_lie_below_those_of_its_networks(folder):
    shared = "training: {batch_size: 32, lr: 1.0}\nretraining: {epochs: 15, lr: 0.01}\n"
    (network,) = load(SWEEP + shared).networks
    common = {"batch_size": 32, "milestones": (5, 8)}
    assert network.training == Training(epochs=20, lr=0.05, **common)
    assert network.retraining == Training(epochs=10, lr=0.01, **common)


def test_levels_can_be_grouped(folder):
    ladder = "ratios: {ladder: [0.1, 0.2, 0.3, 0.4, 0.5], retrained: 2}\ntasks:"
    head, _, tail = SWEEP.partition("ratios:")
    spec = load(head + ladder + tail.partition("tasks:")[2])
    assert spec.ladder == (Rung(ratio=0.3, steps=(0.1, 0.2)), Rung(ratio=0.5, steps=(0.4,)))


def test_schedules_may_be_several(folder):
    assert load(SWEEP + "schedule: [one_shot, cascade]").schedules == (
        Schedule(order="one_shot"),
        Schedule(order="cascade"),
    )


def test_tasks_and_data_know_where_they_were_written(folder):
    spec = load(SWEEP)
    assert [network.place for network in spec.networks] == ["s.yaml:4:5: networks[0].data"]
    assert [task.place for task in spec.tasks] == [
        "s.yaml:13:11: tasks.train[0]",
        "s.yaml:15:7: tasks.test[0]",
        "s.yaml:15:7: tasks.test[0]",
        "s.yaml:16:7: tasks.test[1]",
    ]


def test_the_latest_release_trains_in_half_precision_unless_told(folder):
    (network,) = load(SWEEP + "parity: latest").networks
    assert network.training == Training(epochs=20, lr=0.05, milestones=(5, 8), precision="fp16")
    assert network.retraining.precision == "fp16"
    (network,) = load(SWEEP + "parity: latest\nretraining: {precision: bf16}").networks
    assert (network.training.precision, network.retraining.precision) == ("fp16", "bf16")
    (network,) = load(SWEEP + "parity: latest\ntraining: {precision: fp32}").networks
    assert (network.training.precision, network.retraining.precision) == ("fp32", "fp32")
    spec = load(SWEEP + "parity: paper")
    assert (spec.parity, spec.networks[0].training.precision) == ("paper", "fp32")


def test_the_paths_of_data_stay_out_of_a_default_name(folder):
    data = "data: {parquet: {train: a/b.parquet, test: c.parquet}}"
    (network,) = load(SWEEP.replace("data: digits", data)).networks
    assert network.name == "resnet8-parquet"


def test_paths_start_from_the_file_that_they_are_written_in(folder):
    (folder / "sweeps").mkdir()
    (folder / "shared").mkdir()
    (folder / "shared/base.yaml").write_text(f"{SWEEP}data_root: data\nstore: base")
    path = folder / "sweeps/s.yaml"
    path.write_text("extends: ../shared/base.yaml\nstore: ../store")
    spec = load_sweep(path)
    assert (spec.store, spec.data_root) == (folder / "store", folder / "shared/data")
    assert load_sweep(path, ["store=here"]).store == folder / "here"
    assert load_sweep(path, ["store=s3://bucket/x"]).store == "s3://bucket/x"
    defaults = load(SWEEP)
    assert (defaults.store, defaults.data_root) == (folder / "store", folder / "data")


def test_a_file_lies_over_those_it_extends(folder):
    Path("a.yaml").write_text(SWEEP + "training: {lr: 0.3, crop: 2}\nresources: {cpus: 2}")
    Path("b.yaml").write_text("extends: a.yaml\nseeds: [4, 5, 6]\ntraining: {crop: 4}")
    Path("c.yaml").write_text("extends: a.yaml\nresources: {gpus: 1}")
    spec = load("extends: [b.yaml, c.yaml]\nname: top\n")
    assert (spec.name, spec.seeds) == ("top", (0, 1))
    assert spec.networks[0].training.crop == 2
    assert (spec.resources.cpus, spec.resources.gpus) == (2, 1.0)
    spec = load("extends: b.yaml\nname: top\n")
    assert (spec.seeds, spec.networks[0].training.crop) == ((4, 5, 6), 4)


def test_overrides_come_last_and_in_order(folder):
    spec = load(SWEEP, "seeds=[7]", "networks.0.training.epochs=30", "seeds.0=8")
    assert spec.seeds == (8,)
    assert spec.networks[0].training.epochs == 30


def changed(old, new):
    assert old in SWEEP
    return SWEEP.replace(old, new)


MISTAKES = """
lr: 0.05 -> lrr: 0.05
5:28: networks[0].training.lrr: unknown key 'lrr', did you mean 'lr'?
data: digits -> dat: digits
3:5: networks[0]: 'data' is missing
4:5: networks[0].dat: unknown key 'dat', did you mean 'data'?
[0, 1] -> [0, 1, 0]
7:15: seeds[2]: duplicate 0
[0, 1] -> [0, -1]
7:12: seeds[1]: expected a number of at least 0, found -1
[0, 1] -> 3
7:1: seeds: expected a list, found 3
wt, -> wt, ft, wt,
8:19: methods[2]: duplicate method 'wt'
wt, -> wtt,
8:11: methods[0]: unknown method 'wtt', did you mean 'wt'?
resnet8 -> resnet9
3:5: networks[0].model: unknown model 'resnet9', did you mean 'resnet8'?
data: digits -> data: digit
4:5: networks[0].data: unknown data set 'digit', did you mean 'digits'?
[nominal] -> [nomnal]
13:11: tasks.train[0]: unknown task 'nomnal', did you mean 'nominal'?
[nominal] -> [nominal, nominal]
13:20: tasks.train[1]: duplicate task 'nominal'
level: 0.1 -> levl: 0.1
16:29: tasks.test[1].uniform_input_noise.levl: unknown option 'levl', did you mean 'level'?
[1, 3] -> [1, 9]
15:38: tasks.test[0].gaussian_noise.severity[1]: expected 1, 2, 3, 4 or 5, found 9
- 0.99 -> - 0.9
11:5: ratios[1]: expected a ratio above the 0.9375 before it, found 0.9
- 0.99 -> - 1
11:5: ratios[1]: expected a number below 1, found 1
- 0.99 -> - 0.99999999
11:5: ratios[1]: expected a prune ratio above 0 and below 1, found 1
- 0.99 -> - {}
11:5: ratios[1]: expected either geometric or linear
from: 0.5 -> from: 0
10:17: ratios[0].geometric.from: expected a number above 0, found 0
count: 4 -> count: 1
10:40: ratios[0].geometric.count: expected a number of at least 2, found 1
count: 4 -> count: 4, linear: 3
10:50: ratios[0].geometric.linear: unknown key 'linear', expected one of count, from, to
epochs: 20 -> epochs: 7
5:37: networks[0].training.milestones: milestone 8 is not within the 7 epochs of training
epochs: 10 -> epochs: 6
5:38: networks[0].training.milestones: milestone 8 is not within the 6 epochs of retraining, \
give retraining milestones of its own
epochs: 20, -> warmup: 1,
5:5: networks[0].training: 'epochs' is missing from the recipe of training
name: small -> name: a/b
1:1: name: expected a name of letters, digits and . _ + -, found 'a/b'
name: small -> schedule: cascad
1:1: 'name' is missing
1:1: schedule: unknown schedule 'cascad', did you mean 'cascade'?
name: small -> parity: newest
1:1: 'name' is missing
1:1: parity: expected 'paper' or 'latest', found 'newest'
name: small -> name: !!python/name:os.system x
1:1: name: the tag tag:yaml.org,2002:python/name:os.system is not allowed here
name: small -> name: {a
2:9: not valid YAML: expected ',' or '}', but got ':'
"""


def cases():
    for case in re.findall(r"^(.+) -> (.+)\n((?:\d+:\d+: .+\n)+)", MISTAKES, re.MULTILINE):
        yield pytest.param(*case[:2], case[2].splitlines(), id=case[1])


@pytest.mark.parametrize(("old", "new", "lines"), list(cases()))
def test_a_mistake_is_told_with_its_place(folder, old, new, lines):
    assert refused(changed(old, new)) == [f"s.yaml:{line}" for line in lines]


def test_all_mistakes_of_a_file_are_told(folder):
    text = changed("wt,", "wtt,").replace("epochs: 20", "epochs: many").replace("0.99", "x")
    assert refused(f"{text}analysis: {{rule: all}}\ncolour: red") == [
        "s.yaml:5:16: networks[0].training.epochs: expected a whole number, found 'many'",
        "s.yaml:8:11: methods[0]: unknown method 'wtt', did you mean 'wt'?",
        "s.yaml:11:5: ratios[1]: expected a number, found 'x'",
        "s.yaml:17:12: analysis.rule: expected 'any' or 'contiguous', found 'all'",
        "s.yaml:18:1: colour: unknown key 'colour', expected one of analysis, data_root, expect,"
        " extends, measures, methods, name, networks, parity, ratios, resources, retraining,"
        " schedule, seeds, store, tasks, tracking, training",
    ]


def test_networks_need_names_of_their_own(folder):
    twin = "  - {model: resnet8, data: digits, training: {epochs: 1}}\nseeds"
    assert refused(changed("seeds", twin)) == [
        "s.yaml:7:5: networks[1]: duplicate network 'resnet8-digits', give it a name of its own"
    ]


def test_more_retrained_levels_than_ratios(folder):
    assert refused(SWEEP, "ratios={ladder: [0.5, 0.9], retrained: 3}") == [
        "--set ratios={ladder: [0.5, 0.9], retrained: 3}: ratios.retrained: expected at most the 2"
        " ratios of the ladder, found 3"
    ]
    assert refused(SWEEP, "ratios={ladder: [0.5, 0.5]}") == [
        "--set ratios={ladder: [0.5, 0.5]}: ratios.ladder[1]: expected a ratio above the 0.5"
        " before it, found 0.5"
    ]


def test_a_mistake_points_at_the_file_or_the_override_that_holds_it(folder):
    Path("base.yaml").write_text(changed("[0, 1]", "[0, 0]").replace("epochs: 20", "epochs: 0"))
    assert refused("extends: base.yaml\nschedule: twice") == [
        "base.yaml:5:16: networks[0].training.epochs: expected a number of at least 1, found 0",
        "base.yaml:7:12: seeds[1]: duplicate 0",
        "s.yaml:2:1: schedule: unknown schedule 'twice', expected one of cascade, one_shot",
    ]
    assert refused(SWEEP, "networks[0].training.epochs=0") == [
        "--set networks[0].training.epochs=0: networks[0].training.epochs: expected a number of at"
        " least 1, found 0"
    ]


def test_extended_files_must_exist_and_end_somewhere(folder):
    assert refused("name: x\nextends: [no.yaml]") == [
        "s.yaml:2:11: extends: cannot read 'no.yaml': No such file or directory"
    ]
    assert refused("extends: s.yaml") == ["s.yaml:1:1: extends: 's.yaml' extends this file in turn"]
    Path("other.yaml").write_text("extends: s.yaml")
    assert refused("extends: other.yaml") == [
        "other.yaml:1:1: extends: 's.yaml' extends this file in turn"
    ]
    assert refused("extends: {a: 1}") == [
        "s.yaml:1:1: extends: expected the path of a file, found a mapping"
    ]
    assert refused("extends: .") == ["s.yaml:1:1: extends: cannot read '.': not a file"]


def test_a_missing_sweep(folder):
    with pytest.raises(SweepError, match=r"^no\.yaml:1:1: cannot read 'no\.yaml': No such file"):
        load_sweep(Path("no.yaml"))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "s.yaml:1:1: expected a mapping, found nothing"),
        (b"- a", "s.yaml:1:1: expected a mapping, found a list"),
        (b"a", "s.yaml:1:1: expected a mapping, found 'a'"),
        (bytes(range(256)), "s.yaml:1:1: 's.yaml' is not UTF-8 text"),
        (b"x" * 10_000_000, "s.yaml:1:1: cannot read 's.yaml': larger than 256 KiB"),
    ],
)
def test_what_is_no_sweep_file_at_all(folder, content, line):
    (folder / "s.yaml").write_bytes(content)
    with pytest.raises(SweepError) as failure:
        load_sweep(Path("s.yaml"))
    assert str(failure.value) == line


def test_a_byte_order_mark_is_no_mistake(folder):
    (folder / "s.yaml").write_bytes(b"\xef\xbb\xbf" + SWEEP.encode())
    assert load_sweep(Path("s.yaml")).name == "small"


# ':' is left out of names, because package.module:name imports what it names.
words = st.sampled_from(
    [
        *"abc",
        "name",
        "wt",
        "ft",
        "norm",
        "l1",
        "epochs",
        "ladder",
        "geometric",
        "from",
        "to",
        "nominal",
    ]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | words
    | st.text("ab.é \n\0/", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
places = st.sampled_from(
    [
        *(name for name in SweepFile.model_fields if name != "extends"),
        *("networks.0.model", "networks.0.data", "networks.0.training.milestones"),
        *("methods.1", "methods.1.ft.norm", "ratios.0.geometric", "ratios.1", "tasks.test.0"),
    ]
)


def told(text, *overrides):
    """Return the lines of the refusal, none if the sweep is loaded."""
    try:
        load(text, *overrides)
    except SweepError as error:
        return error.lines
    return ()


fuzzing = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@fuzzing
@given(st.lists(st.tuples(places, values), min_size=1, max_size=3))
def test_any_values_are_loaded_or_refused(folder, changes):
    written = [f"{key}={yaml.safe_dump(value, default_flow_style=True)}" for key, value in changes]
    assert all(line.isprintable() for line in told(SWEEP, *written))


@fuzzing
@given(st.integers(0, len(SWEEP)), st.integers(0, 30), st.text("ab 0-[]{},:\n'\"&*!|.", max_size=6))
def test_any_edit_of_a_file_is_loaded_or_refused(folder, start, length, new):
    edited = SWEEP[:start] + new + SWEEP[start + length :]
    assert all(line.startswith("s.yaml:") for line in told(edited))
