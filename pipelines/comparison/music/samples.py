"""How tunes that models of text wrote differ by how they were sampled: valid, in a loop, copied from training."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from etude.models.abc.tune_domain import HEADER_ATTRIBUTE
from etude.models.abc.validity import validity
from etude.models.errors import EtudeError
from etude.models.melodies.content import Hashes, hash_runs
from etude.models.sequences.batch import Tokens
from etude.pipelines.comparison.configurations import ComparedConfiguration
from etude.pipelines.comparison.datasets import Splits
from etude.pipelines.comparison.results.results import Figures, SamplesResult
from etude.pipelines.comparison.statistics.bootstrap import Values, resampled_sums
from etude.pipelines.comparison.statistics.figures import Resampled, over_seeds

SAMPLES_SUFFIX = "-samples.jsonl"

COPIED_RUNS = (10, 20, 40)
"""Tokens in runs that are looked up in training."""

MEASURES = {
    "parses": "Can be read",
    "bars": "Every bar whole",
    "repeats": "Repeats balanced",
    "ended": "Ends by itself",
    "loops": "Ends in a loop",
    "whole": "Whole tunes: all of this, and no loop",
    "tonic": "Ends on the tonic",
    **{f"copied_{size}": f"Runs of {size} copied" for size in COPIED_RUNS},
}
"""Shares, and what they are called: of tunes, and of runs of tokens that occur in training."""

LOOP_REPEATS, LOOP_TOKENS, LONGEST_LOOP = 3, 60, 250
"""A text ends in a loop if its end is the same run of tokens so often at least, and so long at least."""

REAL = "Real tunes"

_SEED = 20160603


def evenly(count: int, most: int) -> list[int]:
    """At most so many of a number of places, evenly taken."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int)).tolist()


@dataclasses.dataclass(frozen=True)
class _Sample:
    """A tune: its text, its tokens after the header, and whether it came to an end."""

    text: str
    body: Tokens
    is_ended: bool


def judge_samples(
    configurations: Sequence[ComparedConfiguration], samples: Mapping[str, pathlib.Path], data: Mapping[str, Splits]
) -> list[SamplesResult]:
    """Shares for every configuration and setting, and for the real tunes whose headers were taken.

    Args:
      configurations: all that are compared.
      samples: the file of each run, by its name; configurations without are left out.
      data: the sequences of each representation.

    Raises:
      EtudeError: if a file is damaged.
    """
    results = []
    for configuration in configurations:
        files = [samples[run.name] for run in configuration.runs if run.name in samples]
        if not files:
            continue
        splits = data[configuration.configuration.representation]
        known = _known(splits)
        by_run = [_read(path) for path in files]
        for label in by_run[0]:
            found = [_sums(run[label], known) for run in by_run]
            results.append(SamplesResult(label, configuration.name, len(found[0]), _shares(found)))
        count = max(result.num_tunes for result in results if result.configuration == configuration.name)
        tunes, headers = splits.evaluated, splits.evaluated.attributes[HEADER_ATTRIBUTE]
        real = [
            _Sample(configuration.domain.render(tunes.tokens(index)) or "", tunes.tokens(index)[headers[index] :], True)
            for index in evenly(len(tunes), count)
        ]
        results.append(SamplesResult(REAL, configuration.name, len(real), _shares([_sums(real, known)])))
    return results


def ends_in_loop(tokens: Tokens) -> bool:
    """Whether the end of a sequence is one run of tokens again and again."""
    for period in range(1, min(LONGEST_LOOP, len(tokens) // LOOP_REPEATS) + 1):
        length = max(LOOP_REPEATS * period, LOOP_TOKENS)
        if length <= len(tokens) and (tokens[-length + period :] == tokens[-length:-period]).all():
            return True
    return False


def _known(splits: Splits) -> dict[int, Hashes]:
    """The runs of the training tunes, sorted, by their length."""
    sequences = [splits.train.tokens(index).astype(np.uint64) for index in range(len(splits.train))]
    return {size: np.unique(hash_runs(sequences, size)) for size in COPIED_RUNS}


def _read(path: pathlib.Path) -> dict[str, list[_Sample]]:
    """The samples of a run by how they were sampled, in the order of the file."""
    found: dict[str, list[_Sample]] = {}
    try:
        for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            body = np.array(line["tokens"][line["num_primer_tokens"] :], np.int64)
            found.setdefault(line["sampling"], []).append(_Sample(line["text"], body, line["is_ended"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EtudeError(f"{path} is damaged: {error!r}; remove it, and the study samples again") from error
    return found


def _sums(samples: Sequence[_Sample], known: Mapping[int, Hashes]) -> Values:
    """Numerators and denominators of all measures, [samples, 2 x measures]."""
    rows = []
    for sample in samples:
        found = validity(sample.text)
        holding = [bool(rung) for rung in (found.parses, found.bars, found.repeats)] + [sample.is_ended]
        loops = ends_in_loop(sample.body)
        shares = [*holding, loops, all(holding) and not loops, bool(found.tonic)]
        numerators, denominators = [float(share) for share in shares], [1.0] * len(shares)
        for size in COPIED_RUNS:
            runs = hash_runs([sample.body.astype(np.uint64)], size)
            numerators.append(float(np.isin(runs, known[size]).sum()))
            denominators.append(float(len(runs)))
        rows.append([*numerators, *denominators])
    return np.array(rows)


def _shares(by_seed: Sequence[Values]) -> Figures:
    """Every measure with its interval, over tunes and seeds."""
    drawn = [_resampled(sums, _SEED + seed) for seed, sums in enumerate(by_seed)]
    return {name: one.estimate() for name, one in over_seeds(drawn, stream=0).items()}


def _resampled(sums: Values, seed: int) -> dict[str, Resampled]:
    numerators, denominators = np.split(resampled_sums(sums, seed=seed), 2, axis=1)
    above, below = np.split(sums.sum(axis=0), 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        values, shares = above / below, numerators / denominators
    return {name: Resampled(values[index], shares[:, index]) for index, name in enumerate(MEASURES)}
