"""Reads study files: TOML, every key checked, errors with file and line."""

import json
import math
import pathlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any, TypeVar

from etude.models.errors import EtudeError, did_you_mean
from etude.models.family import Family
from etude.models.generation import GenerationOptions
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
from etude.pipelines.generation.generate import Rendering
from etude.pipelines.sequences.split_rule import EVAL, SplitRule
from etude.pipelines.studies.study import Study, StudyConfiguration

MAX_BYTES = 1 << 20
MAX_MINUTES = 1_000_000

BUILT_IN = ("demo", "published", "bars", "magenta-all")

Made = TypeVar("Made")

_WORD, _WHOLE, _NUMBER, _WORDS, _WHOLES = (
    "a text",
    "a whole number",
    "a number",
    "a list of texts",
    "a list of whole numbers",
)

_TOP = {
    "title": _WORD,
    "question": _WORD,
    "sources": _WORDS,
    "seeds": _WHOLES,
    "num_steps": _WHOLE,
    "minutes": _NUMBER,
    "eval_every": _WHOLE,
    "early_stopping": _WHOLE,
    "split": _WORD,
    "checkpoint": _WORD,
    "notes": _WORDS,
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
_CONFIGURATION = {"config": _WORD, "title": _WORD, "representation": _WORD, "primer_text": _WORD, "key": _WORD}
_PUBLISHED = {"accuracy": _NUMBER, "loss": _NUMBER, "perplexity": _NUMBER, "path_log_likelihood": _NUMBER}
_RESERVED = ("train", "eval", "test", "no_event", "unigram", "bigram", "repeat_bar")
"""Names that stand for something else in results."""

_TABLES = ("dataset", "generate", "hparams", "configurations", "representations", "published")


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


def read_study(path: pathlib.Path) -> Study:
    """Reads and checks a study file.

    Raises:
      EtudeError: if the file is missing, is no TOML, or has an unknown key or a bad value; the message gives the line.
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
    return _Reader(path, key_lines(text)).study(values)


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
        dataset = self._table(values, "dataset", {**_SPLIT, **_EXTRACTION})
        generation = self._table(values, "generate", _GENERATE_ALL)
        extraction = self._make("dataset", ExtractionOptions, **_part(dataset, _EXTRACTION))
        configurations = self._configurations(values, extraction.steps_per_quarter)
        if not values.get("sources"):
            raise self._error("", "the study names no sources, such as sources = ['corpus:ryansMammoth', 'my/folder']")
        if ("num_steps" in values) == ("minutes" in values):
            raise self._error("", "a study needs either num_steps or minutes for each run")
        if not 0 < values.get("minutes", 1) <= MAX_MINUTES:
            raise self._error("minutes", f"minutes must be above 0 and at most {MAX_MINUTES:,}")
        for name in ("num_steps", "eval_every", "early_stopping"):
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
        published = self._published(
            self._table(values, "published", None), [configuration.name for configuration in configurations]
        )
        return Study(
            title=values.get("title", self._path.stem),
            question=values.get("question", Study.question),
            sources=tuple(values["sources"]),
            configurations=configurations,
            seeds=seeds,
            num_steps=values.get("num_steps", 0),
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
        result = []
        for name in tables:
            place = f"configurations.{name}"
            if not re.fullmatch(r"[\w-]{1,50}", name) or name in _RESERVED:
                raise self._error(
                    place, f"{name!r} cannot name a configuration; use at most 50 letters, digits and hyphens"
                )
            table = self._table(tables, name, {**_CONFIGURATION, "hparams": "a table"}, place)
            own = self._table(table, "hparams", None, f"{place}.hparams")
            config = table.get("config", name)
            self._make(f"{place}.config", family, config)
            for where, overrides in (("hparams", shared), (f"{place}.hparams", own)):
                for key, value in overrides.items():
                    self._make(f"{where}.{key}", configure, config, {key: value})
            fields = {"steps_per_quarter": steps_per_quarter, **self._key(place, table)}
            configuration = self._make(place, configure, config, {**shared, **own}, **fields)
            representation = self._representation(place, table, family(config))
            primer_text = table.get("primer_text", "")
            result.append(StudyConfiguration(name, table.get("title", ""), configuration, representation, primer_text))
        return tuple(result)

    def _key(self, place: str, table: Mapping[str, Any]) -> dict[str, int | None]:
        """The key that melodies are transposed into, where the file says it: a major key, or "own" for none."""
        if "key" not in table:
            return {}
        key = parse_pitch_class(table["key"])
        if key is None and table["key"] != "own":
            raise self._error(f"{place}.key", f'key takes the name of a major key, or "own", not {table["key"]!r}')
        return {"transpose_to_key": key}

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


def _is(value: Any, kind: str) -> bool:
    if kind in (_WORDS, _WHOLES):
        item = _WORD if kind == _WORDS else _WHOLE
        return isinstance(value, list) and all(_is(one, item) for one in value)
    # What does not fit into eight bytes is out of every range.
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63
    return {
        _WORD: isinstance(value, str),
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
