"""Counts how many generated keyboard pieces end in a loop, by arg-max and by sampling.

Example:
  python -m scripts.bench.keyboard_loops runs/published runs/piano --dataset data-published data-musical

Every piece starts with a random place of the eval split, the same for both ways. A piece ends in a loop if at most eight of
its last words stand there four times in a row; one that the model ends by itself before its last token does not.
"""

import argparse
import pathlib

NUM_PIECES, PRIMER_TOKENS, NUM_TOKENS = 20, 50, 250


def main() -> None:
    """Prints a line a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=pathlib.Path, metavar="RUN")
    parser.add_argument(
        "--dataset", nargs="+", required=True, type=pathlib.Path, help="that each was trained on, in order"
    )
    options = parser.parse_args()
    print(f"{'':40} arg-max  sampling  (of {NUM_PIECES})")
    for run, dataset in zip(options.runs, options.dataset, strict=True):
        print(f"{run!s:40} {count(run, dataset, 'greedy'):7} {count(run, dataset, 'stochastic'):9}", flush=True)


def count(run: pathlib.Path, dataset: pathlib.Path, search: str) -> int:
    """How many pieces of a model end in a loop."""
    from etude import load
    from etude.models.generation import STEPS_AT_ONCE, GenerationOptions, generate
    from etude.pipelines.comparison.music.polyphony import ends_in_loop
    from etude.pipelines.generation.notes_primer import dataset_primer

    model = load(run)
    found = 0
    for seed in range(NUM_PIECES):
        primer = dataset_primer(model, dataset, PRIMER_TOKENS, seed)
        settings = GenerationOptions(
            num_outputs=1, num_steps=STEPS_AT_ONCE, num_tokens=NUM_TOKENS, search=search, seed=seed
        )
        (piece,) = generate(model, primer.events, settings)
        found += ends_in_loop(piece.tokens)
    return found


if __name__ == "__main__":
    main()
