"""Reads study files: TOML, every key checked, errors with file and line."""

import dataclasses
import itertools
import json
import math
import pathlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any, TypeVar

from etude.models.configuration import Configuration
from etude.models.errors import EtudeError, did_you_mean
from etude.models.family import Family
from etude.models.generation import GenerationOptions
from etude.models.hyperparameters import Hyperparameters, override
from etude.models.melodies.extraction import ExtractionOptions
from etude.models.melodies.melody import as_events
from etude.models.melodies.pitches import parse_pitch_class
from etude.models.registry import FAMILIES, configure, family
from etude.models.representations.registry import (
    find_representation,
    make_representation,
    representation_class,
)
from etude.models.sequences.domain import MELODIC, MELODY
from etude.models.training.schedule import Schedule
from etude.pipelines.comparison.presentation import Sampling, Sweep
from etude.pipelines.generation.generate import Rendering
from etude.pipelines.sequences.split_rule import EVAL, SplitRule
from etude.pipelines.studies.study import Study, StudyConfiguration

MAX_BYTES = 1 << 20
MAX_MINUTES = 1_000_000

BUILT_IN = (
    *("demo", "published", "bars", "magenta-all", "abc-cells", "abc-sweeps", "abc-sampling", "folk-rnn"),
    *("representations", "chorales", "piano"),
)

Made = TypeVar("Made")

_FLAG = "true or false"
_WORD, _WHOLE, _NUMBER, _WORDS, _WHOLES, _PAIRS, _OPTIONS = (
    "a text",
    "a whole number",
    "a number",
    "a list of texts",
    "a list of whole numbers",
    "a list of pairs of texts",
    "a list of tables",
)

_TOP = {
    "title": _WORD,
    "question": _WORD,
    "sources": _WORDS,
    "seeds": _WHOLES,
    "num_steps": _WHOLE,
    "num_epochs": _WHOLE,
    "minutes": _NUMBER,
    "eval_every": _WHOLE,
    "early_stopping": _WHOLE,
    "expected_minutes": _NUMBER,
    "split": _WORD,
    "checkpoint": _WORD,
    "notes": _WORDS,
    "contrasts": _PAIRS,
    "floor": _WORD,
}
_SPLIT = {"eval_ratio": _NUMBER, "test_ratio": _NUMBER, "salt": _WORD}
_EXTRACTION = {
    "steps_per_quarter": _WHOLE,
    "min_bars": _NUMBER,
    "max_steps": _WHOLE,
    "min_unique_pitches": _WHOLE,
    "gap_bars": _NUMBER,
    "polyphony": _WORD,
}
_GENERATE = {
    "num_outputs": _WHOLE,
    "num_steps": _WHOLE,
    "temperature": _NUMBER,
    "top_k": _WHOLE,
    "top_p": _NUMBER,
    "seed": _WHOLE,
    "search": _WORD,
    "beam_size": _WHOLE,
    "branch_factor": _WHOLE,
    "steps_per_iteration": _WHOLE,
    "steps_per_bar": _WHOLE,
}
_GENERATE_ALL = {**_GENERATE, "primer_melody": _WHOLES, "qpm": _NUMBER}
_CONFIGURATION = {
    "config": _WORD,
    "title": _WORD,
    "representation": _WORD,
    "primer_text": _WORD,
    "key": _WORD,
    "as_many_parameters_as": _WORD,
}
_SAMPLINGS = {"num_tunes": _WHOLE, "num_steps": _WHOLE, "settings": _OPTIONS}
_SWEEP = {"title": _WORD, "of": _WORD, "values": _OPTIONS}
_PUBLISHED = {"accuracy": _NUMBER, "loss": _NUMBER, "perplexity": _NUMBER, "path_log_likelihood": _NUMBER}
_RESERVED = ("train", "eval", "test", "no_event", "unigram", "bigram", "repeat_bar")
"""Names that stand for something else in results."""

_TABLES = ("dataset", "generate", "hparams", "configurations", "sweeps", "samplings", "representations", "published")

LARGE = "large"
"""The table of what is otherwise in the large version of a study."""


def find_study(name: str) -> pathlib.Path:
    """The file of a study: a path, or the name of a built-in study.

    Raises:
      EtudeError: if there is neither.
    """
    if name in BUILT_IN:
        return pathlib.Path(str(resources.files("etude.pipelines.studies") / f"{name}.toml"))
    if not pathlib.Path(name).is_file():
        hint = did_you_mean(name, BUILT_IN)
        raise EtudeError(f"there is no study file {name}{hint or ';'} built-in studies are: {', '.join(BUILT_IN)}")
    return pathlib.Path(name)


def read_study(path: pathlib.Path, *, sources: Sequence[str] = (), is_large: bool = False) -> Study:
    """Reads and checks a study file.

    Args:
      path: the file.
      sources: music to take in place of the file's.
      is_large: whether what its table `large` says replaces what the rest says.

    Raises:
      EtudeError: if the file is missing, is no TOML, has an unknown key or a bad value (the message gives the line), or has
        no large version that was asked for.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise EtudeError(f"cannot read the study {path}: it is larger than {MAX_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise EtudeError(f"cannot read the study {path}: {error}") from error
    try:
        values = tomllib.loads(text)
    except RecursionError as error:
        raise EtudeError(f"{path} is no study: its lists or tables are nested too deep") from error
    except ValueError as error:
        raise EtudeError(f"{path} is no valid TOML: {error}") from error
    large = values.pop(LARGE, None)
    if is_large and not isinstance(large, dict):
        raise EtudeError(f"{path} has no large version: a table [{LARGE}] with what is otherwise in it")
    if is_large and isinstance(large, dict):
        values = _merged(values, large)
    if sources:
        values["sources"] = list(sources)
    return _Reader(path, key_lines(text)).study(values)


def _merged(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Values with others in their place, tables merged key by key."""
    both = {
        name: _merged(values[name], other) if isinstance(other, dict) and isinstance(values.get(name), dict) else other
        for name, other in others.items()
    }
    return {**values, **both}


def key_lines(text: str) -> dict[str, int]:
    """The line, from 1, of every key and table header of a TOML text, by its dotted name."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
        key = re.match(r"""\s*([\w."'-]+(?:\s*\.\s*[\w"'-]+)*)\s*=""", line)
        if header:
            table = _plain(header[1])
            lines.setdefault(table, number)
        elif key:
            lines.setdefault(".".join(filter(None, [table, _plain(key[1])])), number)
    return lines


def _plain(key: str) -> str:
    return re.sub(r"""["'\s]""", "", key)


class _Reader:
    """Turns the values of one file into a study."""

    def __init__(self, path: pathlib.Path, lines: Mapping[str, int]) -> None:
        self._path = path
        self._lines = lines

    def study(self, values: Mapping[str, Any]) -> Study:
        self._check(values, "", {**_TOP, **dict.fromkeys(_TABLES, "a table")})
        dataset = self._table(values, "dataset", {**_SPLIT, **_EXTRACTION, "exact_tunes": _FLAG})
        generation = self._table(values, "generate", _GENERATE_ALL)
        extraction = self._make("dataset", ExtractionOptions, **_part(dataset, _EXTRACTION))
        named = self._configurations(values, extraction.steps_per_quarter)
        configurations, sweeps = self._sweeps(values, named)
        names = [configuration.name for configuration in configurations]
        if not values.get("sources"):
            raise self._error("", "the study names no sources, such as sources = ['corpus:ryansMammoth', 'my/folder']")
        if sum(name in values for name in ("num_steps", "num_epochs", "minutes")) != 1:
            raise self._error("", "a study needs one of num_steps, num_epochs and minutes for each run")
        if "eval_every" not in values and "num_epochs" in values:
            values = {**values, "eval_every": 0}
        if values.get("eval_every") == 0 and "num_epochs" not in values:
            raise self._error("eval_every", "eval_every = 0, once an epoch, goes with num_epochs")
        if not 0 < values.get("minutes", 1) <= MAX_MINUTES:
            raise self._error("minutes", f"minutes must be above 0 and at most {MAX_MINUTES:,}")
        for name in ("num_steps", "num_epochs", "eval_every", "early_stopping"):
            if name in values:
                self._make(name, Schedule, **{name: values[name]})
        seeds = tuple(values.get("seeds", (0,)))
        if not seeds or len(set(seeds)) < len(seeds):
            raise self._error("seeds", "seeds must hold at least one number, and none twice")
        for seed in seeds:
            self._make("seeds", Schedule, seed=seed)
        split_rule = self._split_rule(values, dataset)
        checkpoint = values.get("checkpoint", Study.checkpoint)
        checkpoints = ["best", "latest", *([str(values["num_steps"])] if "num_steps" in values else [])]
        if checkpoint not in checkpoints:
            raise self._error("checkpoint", f"checkpoint must be one of {', '.join(checkpoints)}, not {checkpoint!r}")
        rendering = self._make("generate.qpm", Rendering, float(generation.get("qpm", Study.qpm)))
        search = self._make("generate", GenerationOptions, **_part(generation, _GENERATE))
        primer = self._make("generate.primer_melody", as_events, generation.get("primer_melody", Study.primer))
        if not 0 < len(primer) < search.num_steps:
            raise self._error(
                "generate.primer_melody", f"the primer needs from 1 to {search.num_steps - 1} events, not {len(primer)}"
            )
        published = self._published(self._table(values, "published", None), names)
        for place, others in {"floor": values.get("floor", names[0]), "contrasts": values.get("contrasts", [])}.items():
            for name in [others] if isinstance(others, str) else itertools.chain(*others):
                self._known(place, name, names)
                self._check_comparable(place, configurations, name)
        return Study(
            title=values.get("title", self._path.stem),
            question=values.get("question", Study.question),
            sources=tuple(values["sources"]),
            configurations=configurations,
            seeds=seeds,
            num_steps=values.get("num_steps", 0),
            num_epochs=values.get("num_epochs", 0),
            minutes=float(values.get("minutes", 0)),
            eval_every=values.get("eval_every", Study.eval_every),
            early_stopping=values.get("early_stopping", 0),
            split=values.get("split", Study.split),
            checkpoint=checkpoint,
            split_rule=split_rule,
            extraction=extraction,
            generation=search,
            primer=tuple(primer.tolist()),
            representation_options=self._representation_options(values, configurations),
            qpm=rendering.qpm,
            published=published,
            notes=tuple(values.get("notes", ())),
            contrasts=tuple((first, second) for first, second in values.get("contrasts", ())),
            sweeps=sweeps,
            samplings=self._samplings(self._table(values, "samplings", _SAMPLINGS)),
            floor=values.get("floor", ""),
            exact_tunes=dataset.get("exact_tunes", False),
            expected_minutes=float(values.get("expected_minutes", 0)),
        )

    def _split_rule(self, values: Mapping[str, Any], dataset: Mapping[str, Any]) -> SplitRule:
        rule = self._make("dataset", SplitRule, **_part(dataset, _SPLIT))
        if EVAL not in rule.splits:
            raise self._error("dataset.eval_ratio", "eval_ratio must be above 0: training needs an eval split")
        if values.get("split", Study.split) not in rule.splits:
            raise self._error("split", f"split must be one of {', '.join(rule.splits)}, not {values['split']!r}")
        return rule

    def _configurations(self, values: Mapping[str, Any], steps_per_quarter: int) -> tuple[StudyConfiguration, ...]:
        tables, shared = self._table(values, "configurations", None), self._table(values, "hparams", None)
        if not tables:
            raise self._error("", f"the study has no configurations, such as [configurations.{next(iter(FAMILIES))}]")
        result: list[StudyConfiguration] = []
        for name in tables:
            place = f"configurations.{name}"
            if not re.fullmatch(r"[\w-]{1,50}", name) or name in _RESERVED:
                raise self._error(
                    place, f"{name!r} cannot name a configuration; use at most 50 letters, digits and hyphens"
                )
            table = self._table(tables, name, {**_CONFIGURATION, "hparams": "a table"}, place)
            own = self._table(table, "hparams", None, f"{place}.hparams")
            config = table.get("config", name)
            found = self._make(f"{place}.config", family, config)
            # Those of all networks; a counted model has others altogether.
            common = {} if found.counting else shared
            # One after the other: what one may be can depend on those before.
            checked: dict[str, Any] = {}
            for where, overrides in (("hparams", common), (f"{place}.hparams", own)):
                for key, value in overrides.items():
                    checked[key] = value
                    self._make(f"{where}.{key}", configure, config, checked)
            fields = {"steps_per_quarter": steps_per_quarter, **self._key(place, table)}
            configuration = self._make(place, configure, config, {**common, **own}, **fields)
            representation = self._representation(place, table, found)
            equal = table.get("as_many_parameters_as", "")
            if equal:
                self._known(f"{place}.as_many_parameters_as", equal, [one.name for one in result])
                self._check_layers(place, configuration)
            title, primer_text = table.get("title", ""), table.get("primer_text", "")
            result.append(StudyConfiguration(name, title, configuration, representation, primer_text, equal))
        return tuple(result)

    def _key(self, place: str, table: Mapping[str, Any]) -> dict[str, int | None]:
        """The key that melodies are transposed into, where the file says it: a major key, or "own" for none."""
        if "key" not in table:
            return {}
        key = parse_pitch_class(table["key"])
        if key is None and table["key"] != "own":
            raise self._error(f"{place}.key", f'key takes the name of a major key, or "own", not {table["key"]!r}')
        return {"transpose_to_key": key}

    def _check_layers(self, place: str, configuration: Configuration) -> None:
        if not isinstance(configuration.hyperparameters, Hyperparameters):
            raise self._error(place, f"{configuration.config} is counted: it has no layers whose size could be chosen")

    def _sweeps(
        self, values: Mapping[str, Any], configurations: Sequence[StudyConfiguration]
    ) -> tuple[tuple[StudyConfiguration, ...], tuple[Sweep, ...]]:
        """The configurations with those of the sweeps, and the sweeps."""
        tables = self._table(values, "sweeps", None)
        known = {one.name: one for one in configurations}
        sweeps = []
        for name in tables:
            place = f"sweeps.{name}"
            table = self._table(tables, name, _SWEEP, place)
            base = known[self._known(f"{place}.of", table.get("of", configurations[0].name), list(known))]
            title = table.get("title", name.capitalize())
            points = []
            for overrides in table.get("values", ()):
                hyperparameters = self._make(f"{place}.values", override, base.configuration.hyperparameters, overrides)
                configuration = dataclasses.replace(base.configuration, hyperparameters=hyperparameters)
                label = _label(overrides)
                point = f"{name}-{re.sub(r'[^A-Za-z0-9.]+', '-', label).strip('-')}"
                if configuration == base.configuration:
                    point = base.name
                elif point in known and known[point].configuration != configuration:
                    raise self._error(f"{place}.values", f"two values of {name} are called {label}")
                else:
                    words = f"{base.title or base.name}, {title[:1].lower()}{title[1:]} {label}"
                    known[point] = dataclasses.replace(base, name=point, title=words, configuration=configuration)
                points.append((label, point))
            if len(points) < 2:
                raise self._error(place, "a sweep takes values = [{ NAME = VALUE }, ...] of two settings or more")
            sweeps.append(Sweep(title, tuple(points)))
        return tuple(known.values()), tuple(sweeps)

    def _samplings(self, table: Mapping[str, Any]) -> tuple[Sampling, ...]:
        place = "samplings.settings"
        result: list[Sampling] = []
        for setting in table.get("settings", ()):
            self._check(setting, place, {**_GENERATE, "label": _WORD})
            others = {name: value for name, value in setting.items() if name != "label"}
            num_steps = {"num_steps": table["num_steps"]} if "num_steps" in table else {}
            options = self._make(place, GenerationOptions, **{"num_outputs": 1, **num_steps, **others})
            label = setting.get("label") or ", ".join(f"{name} {value}" for name, value in others.items())
            result.append(Sampling(label, table.get("num_tunes", 100), options))
        if len({one.label for one in result}) < len(result):
            raise self._error(place, "two settings have the same label")
        return tuple(result)

    def _check_comparable(self, place: str, configurations: Sequence[StudyConfiguration], name: str) -> None:
        first, other = configurations[0], next(one for one in configurations if one.name == name)
        if other.representation != first.representation:
            raise self._error(place, f"{name} is of another representation than {first.name}: they cannot be compared")

    def _known(self, place: str, name: str, names: Sequence[str]) -> str:
        if name not in names:
            hint = did_you_mean(name, names) or ";"
            raise self._error(
                place, f"there is no configuration {name!r}{hint} those known here are: {', '.join(names)}"
            )
        return name

    def _representation(self, place: str, table: Mapping[str, Any], found: Family) -> str:
        """What the dataset of a configuration is of: what its family reads, or, where that takes any, what the file says."""
        if "representation" not in table:
            return found.representation or MELODY
        named = self._make(f"{place}.representation", find_representation, table["representation"])
        is_melody = found.representation == MELODY and named in MELODIC
        if found.representation not in ("", named) and not is_melody:
            raise self._error(
                f"{place}.representation", f"{found.name} reads {representation_class(found.representation).name} only"
            )
        return named

    def _representation_options(
        self, values: Mapping[str, Any], configurations: Sequence[StudyConfiguration]
    ) -> dict[str, dict[str, str]]:
        """Options of representations other than melodies, by their names, each as JSON."""
        typed = {representation_class(one.representation).name: one.representation for one in configurations}
        tables = self._table(values, "representations", {name: "a table" for name in typed if name != MELODY})
        result = {}
        for name, table in tables.items():
            options = {
                key: self._make(f"representations.{name}.{key}", json.dumps, value) for key, value in table.items()
            }
            self._make(f"representations.{name}", make_representation, typed[name], options)
            result[name] = options
        return result

    def _published(self, tables: Mapping[str, Any], names: Sequence[str]) -> dict[str, dict[str, float]]:
        self._check(tables, "published", dict.fromkeys(names, "a table"))
        found = {name: self._table(tables, name, _PUBLISHED, f"published.{name}") for name in tables}
        return {name: {key: float(value) for key, value in table.items()} for name, table in found.items()}

    def _table(
        self, values: Mapping[str, Any], name: str, keys: Mapping[str, str] | None, place: str = ""
    ) -> Mapping[str, Any]:
        table = values.get(name, {})
        if not isinstance(table, dict):
            raise self._error(place or name, f"{name} must be a table, [{place or name}]")
        if keys is not None:
            self._check(table, place or name, keys)
        return table

    def _check(self, values: Mapping[str, Any], place: str, keys: Mapping[str, str]) -> None:
        for name, value in values.items():
            where = f"{place}.{name}" if place else name
            if name not in keys:
                inside = f" in [{place}]" if place else ""
                hint = did_you_mean(name, keys)
                raise self._error(
                    where, f"unknown key {name!r}{inside}{hint or ';'} the valid ones are: {', '.join(keys)}"
                )
            if not _is(value, keys[name]):
                raise self._error(where, f"{name} takes {keys[name]}, not {_shown(value)}")

    def _make(self, place: str, make: Callable[..., Made], *arguments: Any, **named: Any) -> Made:
        """What `make` returns; an error of its own becomes one at this place in the file."""
        try:
            return make(*arguments, **named)
        except (EtudeError, ValueError) as error:
            raise self._error(place, str(error)) from error

    def _error(self, place: str, message: str) -> EtudeError:
        """An error at a key, or at the closest table around it that has a line."""
        while place and place not in self._lines:
            place = place.rpartition(".")[0]
        return EtudeError(f"{self._path}, line {self._lines.get(place, 1)}: {message}")


def _part(values: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in keys}


def _label(overrides: Mapping[str, Any]) -> str:
    """What a value of a sweep is called: its first setting alone, since the others go with it."""
    value = next(iter(overrides.values()), "base")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _is(value: Any, kind: str) -> bool:
    if kind in (_WORDS, _WHOLES):
        item = _WORD if kind == _WORDS else _WHOLE
        return isinstance(value, list) and all(_is(one, item) for one in value)
    if kind == _PAIRS:
        return isinstance(value, list) and all(_is(one, _WORDS) and len(one) == 2 for one in value)
    if kind == _OPTIONS:
        return isinstance(value, list) and all(isinstance(one, dict) for one in value)
    # What does not fit into eight bytes is out of every range.
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63
    return {
        _WORD: isinstance(value, str),
        _FLAG: isinstance(value, bool),
        _WHOLE: whole,
        _NUMBER: whole or (isinstance(value, float) and math.isfinite(value)),
    }.get(kind, isinstance(value, dict))


def _shown(value: Any) -> str:
    """A value as it is shown in a message: not all of it, if it is endless."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # whole numbers of thousands of digits
        return "what is there"
    return text if len(text) < 100 else f"{text[:100]}..."
