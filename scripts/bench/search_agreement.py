"""Holds stochastic search against Magenta's: melodies of both from the same bundles, and whether they differ.

Examples:
  python -m scripts.bench.search_agreement basic.mag attention.mag --magenta ~/magenta
  python -m scripts.bench.search_agreement basic.mag --magenta ~/magenta --only "beam 1" --json samples.json

For each bundle and setting, both make as many melodies from the primer [60, -1, -2], as many drum tracks from a bass drum, a
silent step and a hi-hat, or as many polyphonic sequences of so many events from nothing. Printed are p-values of the
hypothesis that they are of one kind: of the log-likelihood of the sampled path (Kolmogorov-Smirnov), and of how often each
pitch, each interval and each duration occurs after the primer (chi-square; the notes of one melody depend on each other, so
its p-value is that of exchanging whole melodies between the two). At temperature 1 a wide beam finds the same few melodies
again and again, which says little; at temperature 3 nearly all of them differ.
"""

import argparse
import dataclasses
import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.bench.magenta_agreement import LIBRARIES, THEIR_NAMES

PRIMERS: dict[str, list[Any]] = {
    "melody": [60, -1, -2],
    "drums": [[36], [], [42]],
    "one_drum": [[36], [], [42]],
    "polyphony": [[0, None]],
}
"""By representation."""

SILENT = {"melody": -2, "drums": 0, "one_drum": 0, "polyphony": 2}
"""The token between whose absences steps are counted: no event, no drum; the end of a step."""

EXCHANGES = 2000
SAMPLES_AT_ONCE = 50
MOST_TOKENS = 512

METHODS = {
    "melody_rnn": "generate_melody",
    "drums_rnn": "generate_drum_track",
    "polyphony_rnn": "generate_polyphonic_sequence",
}
"""Of Magenta's models, by library."""

MAGENTA = """
import json, logging, re, sys
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
import note_seq
import importlib
from magenta.models.shared import sequence_generator_bundle
job = json.loads(sys.argv[1])
library = job['library']
prefix = library if library != 'polyphony_rnn' else 'polyphony'
models, generators = (importlib.import_module('magenta.models.%s.%s_%s' % (library, prefix, part))
                      for part in ('model', 'sequence_generator'))
name = ''.join(part.capitalize() for part in library.split('_'))
def primer():
    given = job['primer']
    if library == 'melody_rnn':
        return note_seq.Melody(given)
    if library == 'drums_rnn':
        return note_seq.DrumTrack([frozenset(step) for step in given])
    from magenta.models.polyphony_rnn import polyphony_lib
    return polyphony_lib.PolyphonicSequence(steps_per_quarter=4)
def tokens(sequence):
    if library == 'melody_rnn':
        return [int(event) for event in sequence]
    return [int(config.encoder_decoder.events_to_label(sequence, place)) for place in range(len(sequence))]
logged = []
class Handler(logging.Handler):
    def emit(self, record):
        found = re.search('log-likelihood: (-?[0-9.]+)', record.getMessage())
        if found:
            logged.append(float(found[1]))
logger = tf.get_logger()
logger.setLevel(logging.INFO)
logger.handlers, logger.propagate = [Handler()], False
config = models.default_configs[job['config']]
config.hparams.parse(job['hparams'])
config.hparams.batch_size = 1
generator = getattr(generators, name + 'SequenceGenerator')(
    model=getattr(models, name + 'Model')(config), details=config.details, steps_per_quarter=config.steps_per_quarter,
    bundle=sequence_generator_bundle.read_bundle_file(job['bundle']))
generator.initialize()
result = []
for setting in job['settings']:
    np.random.seed(1)
    logged.clear()
    melodies = [
        getattr(generator._model, job['method'])(
            setting['num_steps'], primer(), temperature=setting['temperature'],
            beam_size=setting['beam_size'], branch_factor=setting['branch_factor'], steps_per_iteration=1)
        for _ in range(job['number'])]
    assert len(logged) == len(melodies)
    result.append({'log_likelihood': list(logged), 'events': [tokens(melody) for melody in melodies]})
json.dump(result, open(job['output'], 'w'))
"""


@dataclasses.dataclass(frozen=True)
class Setting:
    """How melodies are searched for."""

    beam_size: int
    branch_factor: int
    temperature: float
    num_steps: int

    @property
    def name(self) -> str:
        """For people."""
        return f"beam {self.beam_size} branch {self.branch_factor} temperature {self.temperature:g}"


SETTINGS = (Setting(1, 1, 1.0, 64), Setting(8, 4, 1.0, 64), Setting(8, 4, 3.0, 32))


@dataclasses.dataclass(frozen=True)
class Sample:
    """Melodies [melodies, steps], and the log-likelihood of each one's path after the primer, [melodies]."""

    events: npt.NDArray[np.int64]
    log_likelihood: npt.NDArray[np.float64]


def main() -> int:
    """Prints p-values; returns 1 if one is below 0.001."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "bundles", nargs="+", type=pathlib.Path, metavar="BUNDLE", help="bundles of any of the families"
    )
    parser.add_argument("--magenta", type=pathlib.Path, required=True, metavar="DIR", help="where Magenta is installed")
    parser.add_argument("--number", type=int, default=200, help="melodies of Magenta's for each setting (default 200)")
    parser.add_argument("--ours", type=int, default=2000, help="melodies of ours (default 2000)")
    parser.add_argument("--only", default="", metavar="TEXT", help="settings whose name holds this")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write all melodies here")
    options = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from scipy.stats import ks_2samp

    settings = [setting for setting in SETTINGS if options.only in setting.name]
    written, lowest = [], 1.0
    for bundle in options.bundles:
        ours = [sample(bundle, setting, options.ours) for setting in settings]
        theirs = magenta_samples(bundle, settings, options.number, options.magenta)
        print(f"{bundle}: p-values, {options.ours} melodies of ours, {options.number} of Magenta's")
        for setting, mine, other in zip(settings, ours, theirs, strict=True):
            # The log has six decimals, float32 fewer.
            paths = ks_2samp(np.round(mine.log_likelihood, 2), np.round(other.log_likelihood, 2)).pvalue
            values = {"path": float(paths)}
            num_primer, silent = _parsed(bundle)[1].size, SILENT[_parsed(bundle)[0].configuration.representation]
            measures = {
                "pitches": functools.partial(pitches, num_primer=num_primer),
                "intervals": functools.partial(intervals, silent=silent),
                "durations": functools.partial(durations, silent=silent),
            }
            values |= {name: exchange_p_value(mine.events, other.events, one) for name, one in measures.items()}
            different = [len(np.unique(one.events, axis=0)) for one in (mine, other)]
            figures = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
            print(f"  {setting.name:32} {figures}; different melodies: {different[0]} ours, {different[1]} Magenta's")
            lowest = min(lowest, *values.values())
            written.append(
                {
                    "bundle": str(bundle),
                    **dataclasses.asdict(setting),
                    "p_values": values,
                    **{
                        who: {"log_likelihood": one.log_likelihood.tolist(), "events": one.events.tolist()}
                        for who, one in (("ours", mine), ("magenta", other))
                    },
                }
            )
        sys.stdout.flush()
    if options.json:
        options.json.write_text(json.dumps(written) + "\n")
    return int(lowest < 0.001)


def sample(bundle: pathlib.Path, setting: Setting, number: int) -> Sample:
    """Our melodies."""
    from etude.models.melodies.melody import metres
    from etude.models.search.continuation import Continuation
    from etude.models.search.stochastic import stochastic_search

    model, primer = _parsed(bundle)
    options = dataclasses.asdict(setting)
    num_steps = options.pop("num_steps") - primer.size
    samples = []
    for first in range(0, number, SAMPLES_AT_ONCE):
        continuation = Continuation(model.encoding, model.network, primer, metres(16))
        many = min(SAMPLES_AT_ONCE, number - first)
        samples.append(stochastic_search(continuation, many, num_steps, seed=1, first_output=first, **options))
    return Sample(
        np.concatenate([one.paths.tokens for one in samples]), np.concatenate([one.scores for one in samples])
    )


def _parsed(bundle: pathlib.Path) -> tuple[Any, npt.NDArray[np.int64]]:
    """The model and its primer, in its key."""
    from etude import load

    model = load(bundle)
    return model, model.domain.enter(model.domain.parse(PRIMERS[model.configuration.representation]))[0]


def magenta_samples(
    bundle: pathlib.Path, settings: Sequence[Setting], number: int, magenta: pathlib.Path
) -> list[Sample]:
    """Magenta's melodies."""
    from etude import load

    configuration = load(bundle).configuration
    hyperparameters = configuration.hyperparameters
    sizes, length = ",".join(map(str, hyperparameters.rnn_layer_sizes)), hyperparameters.attn_length
    with tempfile.TemporaryDirectory() as folder:
        job: dict[str, Any] = {
            "config": THEIR_NAMES.get(configuration.config, f"{configuration.config}_rnn"),
            "library": LIBRARIES[configuration.representation].name,
            "method": METHODS[LIBRARIES[configuration.representation].name],
            "hparams": f"rnn_layer_sizes=[{sizes}]" + (f",attn_length={length}" if length else ""),
            "bundle": str(bundle.resolve()),
            "settings": [dataclasses.asdict(setting) for setting in settings],
            "primer": PRIMERS[configuration.representation],
            "number": number,
            "output": f"{folder}/samples.json",
        }
        words = [str(magenta / "bin" / "python"), "-c", MAGENTA, json.dumps(job)]
        # Magenta's environment is its own: nothing of this one on its path.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(words, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise SystemExit(done.stderr)
        found = json.loads(pathlib.Path(job["output"]).read_text())
    return [
        Sample(np.array(one["events"]), np.array(one["log_likelihood"]) - primer_share(bundle, setting.temperature))
        for setting, one in zip(settings, found, strict=True)
    ]


def primer_share(bundle: pathlib.Path, temperature: float) -> float:
    """What Magenta's figure holds of the primer: its log-likelihood, at the temperature too."""
    from etude.models.melodies.melody import metres
    from etude.models.networks.network import log_softmax

    model, primer = _parsed(bundle)
    events, bars = primer[None], metres(16)
    logits = model.network.logits(model.encoding.inputs(events[:, :-1], bars))
    labels = model.encoding.labels(events, bars)[:, 1:]
    return float(np.take_along_axis(log_softmax(logits / temperature), labels[..., None], axis=-1).sum())


def pitches(events: npt.NDArray[np.int64], num_primer: int) -> npt.NDArray[np.int64]:
    """How often each pitch begins, or each token occurs, after the primer: [512]."""
    after = events[num_primer:]
    return np.bincount(after[after >= 0], minlength=MOST_TOKENS)


def intervals(events: npt.NDArray[np.int64], silent: int) -> npt.NDArray[np.int64]:
    """How often each interval follows, or each difference of tokens: [1023]."""
    kept = events[(events >= 0) & (events != silent)]
    return np.bincount(np.diff(kept) + MOST_TOKENS - 1, minlength=2 * MOST_TOKENS - 1)


def durations(events: npt.NDArray[np.int64], silent: int) -> npt.NDArray[np.int64]:
    """How often so many steps lie between two events: [128]."""
    return np.bincount(np.diff(np.flatnonzero(events != silent)), minlength=128)


def exchange_p_value(
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    measure: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]],
) -> float:
    """The share of random exchanges of melodies between two sets after which their counts differ as much or more."""
    counts = np.array([measure(events) for events in (*first, *second)], np.float64)
    counts = counts[:, counts.any(axis=0)]
    total = counts.sum(axis=0)

    def difference(is_first: npt.NDArray[np.bool_]) -> float:
        own = counts[is_first].sum(axis=0)
        expected = total * (own.sum() / total.sum())
        return float(((own - expected) ** 2 / expected).sum() / (1 - own.sum() / total.sum()))

    is_first = np.arange(len(counts)) < len(first)
    found = difference(is_first)
    random = np.random.default_rng(0)
    as_much = sum(difference(random.permutation(is_first)) >= found - 1e-9 for _ in range(EXCHANGES))
    return (as_much + 1) / (EXCHANGES + 1)


if __name__ == "__main__":
    sys.exit(main())
