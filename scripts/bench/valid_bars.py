"""How many generated tunes have whole bars, with and without `--valid-bars`, and what likelihood that costs.

    python -m scripts.bench.valid_bars MODEL... [--num-outputs 1000] [--num-steps 400] [--random-weights]

Tunes are sampled at temperature 1. A tune is whole if every bar adds up, pickup and endings included, and its repeats are
balanced (`etude.models.abc.validity`). Likelihoods are in nats a token after the primer: of the samples under the model as it
is, and of all that was allowed at each step.
"""

import argparse
import dataclasses
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from etude.models.abc.validity import shares, validity
from etude.models.generation import GenerationOptions, generate
from etude.models.model import Model, load

DEVIATION = 0.3
"""Of random weights."""


def with_random_weights(model: Model) -> Model:
    """A model that has learnt nothing."""
    source = np.random.default_rng(0)
    weights = {
        name: source.normal(0, DEVIATION, array.shape).astype(np.float32) for name, array in model.weights.items()
    }
    return dataclasses.replace(model, weights=weights)


def main() -> None:
    """Prints a table a model; ends with 1 if a tune has a bar that is not whole in spite of the rules."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--num-outputs", type=int, default=1000)
    parser.add_argument("--num-steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--random-weights", action="store_true", help="in place of those of the model")
    arguments = parser.parse_args()
    num_broken = 0
    for path in arguments.models:
        model = with_random_weights(load(path)) if arguments.random_weights else load(path)
        for valid_bars in (False, True):
            options = GenerationOptions(
                arguments.num_outputs, arguments.num_steps, seed=arguments.seed, valid_bars=valid_bars
            )
            started = time.monotonic()
            tunes = generate(model, None, options)
            seconds = time.monotonic() - started
            found = [validity(tune.text or "") for tune in tunes]
            is_whole = [one.parses and bool(one.bars) and bool(one.repeats) for one in found]
            num_broken += valid_bars and len(tunes) - sum(is_whole)
            num_new = sum(len(tune.tokens) - tune.num_primer_tokens for tune in tunes)
            nats = sum(tune.log_likelihood - tune.primer_log_likelihood for tune in tunes) / num_new
            allowed = sum(tune.allowed_log_probability or 0.0 for tune in tunes) / num_new
            ladder = ", ".join(f"{rung} {share:.1%}" for rung, share in shares(found).items())
            num_cut = sum(len(tune.tokens) == arguments.num_steps for tune in tunes)
            print(f"{path}, valid bars {valid_bars}: {sum(is_whole):,} of {len(tunes):,} tunes are whole; {ladder}")
            print(
                f"  {num_cut:,} as long as they may be; {nats:.4f} nats a token, of which what was allowed {allowed:.4f}; "
                f"{seconds:.0f} s",
                flush=True,
            )
    sys.exit(bool(num_broken))


if __name__ == "__main__":
    main()
