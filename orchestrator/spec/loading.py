"""A sweep file, what it extends and what the command line overrides, made into a SweepSpec."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from orchestrator.spec.document import Node, line, parse
from orchestrator.spec.expect import misnamed
from orchestrator.spec.labels import label
from orchestrator.spec.layers import recipe_mistakes, retraining_of, training_of
from orchestrator.spec.mistakes import Mistake, SweepError, findings, found
from orchestrator.spec.model import Distribution, MeasureSpec, NetworkSpec, SweepSpec, TaskSpec
from orchestrator.spec.named_code import told
from orchestrator.spec.overrides import from_environment, merge, override
from orchestrator.spec.sweep_file import NetworkSection, SweepFile
from workers.contracts import Component

__all__ = ["SweepError", "load_sweep"]

MAX_BYTES = 2**18
FOLDERS = ("store", "data_root")


def load_sweep(
    path: Path, overrides: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> SweepSpec:
    """Read, merge, check and expand a sweep file.

    Relative paths start from the file that they are written in, those of ``overrides`` and of the
    environment (``PRUNESWEEP_STORE``, ``PRUNESWEEP_DATA``) from the current directory. Overrides
    win over the environment, which wins over the file. That a sweep names code to import is told on
    stderr first.

    Args:
        path: the YAML file.
        overrides: ``key.path=value`` each, as in ``networks.0.training.epochs=3``; values are YAML.
        environment: the variables, by default those of this process.

    Raises:
        SweepError: one line for every mistake, with the place of the value that is wrong.

    """
    text = _read(path, f"{path}:1:1")
    reader = _Reader()
    variables = os.environ if environment is None else environment
    root = from_environment(reader.extended(path, text), variables)
    for assignment in overrides:
        root = override(root, assignment)
    plain = root.plain()
    if line_on_code := told(plain):
        # Now, because to check the sweep is to import what it names.
        print(line_on_code, file=sys.stderr, flush=True)
    try:
        file = SweepFile.model_validate(plain)
    except ValidationError as error:
        raise _failure(root, findings(error)) from None
    if mistakes := list(_misfits(file)):
        raise _failure(root, mistakes)
    return _spec(file, root, path, text, tuple(reader.files))


def _failure(root: Node, mistakes: Sequence[Mistake]) -> SweepError:
    return SweepError(*dict.fromkeys(root.complain(path, what) for path, what in mistakes))


def _read(path: Path, place: str) -> str:
    try:
        if path.exists() and not path.is_file():
            raise OSError(None, "not a file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise OSError(None, f"larger than {MAX_BYTES // 1024} KiB")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SweepError(line(place, (), f"'{path}' is not UTF-8 text")) from None
    except OSError as error:
        raise SweepError(line(place, (), f"cannot read '{path}': {error.strerror}")) from None
    except ValueError as error:
        raise SweepError(line(place, (), f"cannot read '{path}': {error}")) from None


class _Reader:
    """Reads every file once, however often it is extended."""

    def __init__(self) -> None:
        self.done: dict[Path, Node] = {}
        self.files: list[Path] = []

    def extended(self, path: Path, text: str, trail: tuple[Path, ...] = ()) -> Node:
        """Parse ``text``, the content of ``path``, and lay it over what it extends."""
        root = parse(text, str(path))
        if not isinstance(root.value, dict):
            raise SweepError(root.complain((), f"expected a mapping, found {found(root.plain())}"))
        own = {key: _anchored(key, node, path.parent) for key, node in root.value.items()}
        extends = own.pop("extends", Node([], root.place))
        base = Node({}, root.place)
        for named in extends.value if isinstance(extends.value, list) else [extends]:
            base = merge(base, self._base(path, named, (*trail, path.resolve())))
        return merge(base, Node(own, root.place))

    def _base(self, path: Path, named: Node, trail: tuple[Path, ...]) -> Node:
        if not isinstance(named.value, str):
            what = f"expected the path of a file, found {found(named.plain())}"
            raise SweepError(line(named.place, ("extends",), what))
        base = path.parent / named.value
        text = _read(base, line(named.place, ("extends",), ""))
        if (real := base.resolve()) in trail:
            what = f"'{named.value}' extends this file in turn"
            raise SweepError(line(named.place, ("extends",), what))
        if real not in self.done:
            self.done[real] = self.extended(base, text, trail)
            self.files.append(Path(os.path.normpath(base.absolute())))
        return self.done[real]


def _anchored(key: str, node: Node, folder: Path) -> Node:
    if key not in FOLDERS or not isinstance(node.value, str):
        return node
    return Node(str(_located(node.value, folder)), node.place)


def _located(location: str, folder: Path) -> Path | str:
    if re.match(r"\w+://", location):
        return location
    return Path(os.path.normpath(folder.absolute() / location))


def _misfits(file: SweepFile) -> Iterator[Mistake]:
    names: set[str] = set()
    for index, network in enumerate(file.networks):
        if (name := _name(network)) in names:
            yield ("networks", index), f"duplicate network '{name}', give it a name of its own"
        names.add(name)
        yield from recipe_mistakes(file, index, name)
    methods = {label(method) for several in file.methods for method in several}
    tasks = {label(t) for several in (*file.tasks.train, *file.tasks.test) for t in several}
    yield from ((("expect", *path), what) for path, what in misnamed(file.expect, methods, tasks))


def _name(network: NetworkSection) -> str:
    # The options of data are mostly paths, which make no name.
    default = f"{label(network.model)}-{label(Component(network.data.name))}"
    return network.name or re.sub(r"[^\w.+-]+", "_", default)


def _networks(file: SweepFile, root: Node) -> Iterator[NetworkSpec]:
    for index, network in enumerate(file.networks):
        yield NetworkSpec(
            name=_name(network),
            model=network.model,
            data=network.data,
            training=training_of(file, index),
            retraining=retraining_of(file, index),
            place=root.complain(("networks", index, "data"), ""),
        )


def _tasks(file: SweepFile, root: Node) -> Iterator[TaskSpec]:
    sides: tuple[tuple[Distribution, list[list[Component]]], ...] = (
        ("train", file.tasks.train),
        ("test", file.tasks.test),
        ("other", file.tasks.other),
    )
    for distribution, tasks in sides:
        for index, variants in enumerate(tasks):
            place = root.complain(("tasks", distribution, index), "")
            for task in variants:
                yield TaskSpec(label=label(task), task=task, distribution=distribution, place=place)


def _measures(file: SweepFile, root: Node) -> Iterator[MeasureSpec]:
    for index, variants in enumerate(file.measures):
        place = root.complain(("measures", index), "")
        for measure in variants:
            yield MeasureSpec(label=label(measure), measure=measure, place=place)


def _spec(
    file: SweepFile, root: Node, path: Path, text: str, extended: tuple[Path, ...]
) -> SweepSpec:
    here = Path.cwd()
    return SweepSpec(
        name=file.name,
        networks=tuple(_networks(file, root)),
        seeds=tuple(file.seeds),
        methods=tuple(chain.from_iterable(file.methods)),
        schedules=tuple(file.schedule),
        parity=file.parity,
        ladder=file.ratios,
        tasks=tuple(_tasks(file, root)),
        measures=tuple(_measures(file, root)),
        analysis=file.analysis,
        resources=file.resources,
        tracking=file.tracking,
        expect=file.expect,
        store=_located(file.store or "store", here),
        data_root=Path(_located(file.data_root or "data", here)),
        source=Path(os.path.normpath(path.absolute())),
        extended=extended,
        text=text,
    )
