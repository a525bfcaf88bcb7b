"""Tunes that a model goes on with from headers of held-out ones, at several settings: what is judged of sampling."""

import dataclasses
import json
import pathlib
from collections.abc import Iterator, Sequence

from etude.models.abc.tune_domain import HEADER_ATTRIBUTE
from etude.models.dataset import read_for_model
from etude.models.errors import EtudeError
from etude.models.generation import generate
from etude.models.model import Model
from etude.models.progress import Progress, silent
from etude.models.sequences.batch import Tokens
from etude.models.storage.files import write_text
from etude.pipelines.comparison.music.samples import SAMPLES_SUFFIX, evenly
from etude.pipelines.comparison.presentation import Sampling


def write_samples(
    model: Model,
    dataset: pathlib.Path,
    split: str,
    samplings: Sequence[Sampling],
    folder: pathlib.Path,
    name: str,
    progress: Progress = silent,
) -> pathlib.Path:
    """Writes a line for every sample of a run: all of them or none.

    Args:
      model: the run's.
      dataset: that it was trained on.
      split: whose headers are taken.
      samplings: the settings; tunes of each are at most as many as the split has.
      folder: where to.
      name: of the run.
      progress: called after every tune.

    Raises:
      EtudeError: if the sequences of the dataset have no headers.
    """
    tunes = read_for_model(dataset, split, model.configuration)
    if HEADER_ATTRIBUTE not in tunes.attributes:
        raise EtudeError(f"{dataset} holds no tunes as text: samplings are of models that read ABC")
    headers = tunes.attributes[HEADER_ATTRIBUTE]
    primers = [tunes.tokens(index)[: headers[index]] for index in range(len(tunes))]
    lines: list[str] = []
    total = sum(min(one.num_tunes, len(tunes)) for one in samplings)
    for line in _samples(model, samplings, primers):
        lines.append(json.dumps(line) + "\n")
        progress(len(lines), total)
    path = folder / f"{name}{SAMPLES_SUFFIX}"
    write_text(path, "".join(lines))
    return path


def _samples(model: Model, samplings: Sequence[Sampling], primers: Sequence[Tokens]) -> Iterator[dict[str, object]]:
    for sampling in samplings:
        for number in evenly(len(primers), sampling.num_tunes):
            primer, seed = primers[number], sampling.options.seed + number
            room = len(primer) + sampling.options.num_steps
            options = dataclasses.replace(sampling.options, num_outputs=1, num_steps=room, seed=seed)
            (found,) = generate(model, primer.tolist(), options)
            yield {
                "sampling": sampling.label,
                "tokens": found.tokens.tolist(),
                "num_primer_tokens": found.num_primer_tokens,
                "text": found.text,
                "is_ended": len(found.tokens) < room,
            }
