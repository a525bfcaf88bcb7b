"""Generates melodies from a model, as MIDI files with their likelihoods.

examples:
  etude generate runs/lookback --output melodies
  etude generate runs/lookback --output melodies --primer-melody "[60,-2,62,-2]" --num-steps 256 --temperature 0.9
  etude generate runs/lookback --output melodies --primer-midi start.mid --search beam --beam-size 10 --num-outputs 3

searches:
  stochastic  Magenta's: samples; with --beam-size and --branch-factor the likeliest of many samples is kept
  beam        the likeliest melodies that a beam of --beam-size finds, all different; always the same ones
  greedy      the likeliest next event at every step

Each line of generated.jsonl holds a melody's events, likelihoods (in nats) and settings.
"""

import argparse
import pathlib
import secrets

from scripts.commands.common import MODEL_HELP, add_model_options, load_model
from scripts.console import Console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for the melodies; made if need be")
    parser.add_argument("--num-outputs", type=int, default=10, help="number of melodies (default 10)")
    parser.add_argument(
        "--num-steps", type=int, default=128, help="their length in steps, primer included (default 128)"
    )
    parser.add_argument(
        "--new-steps", type=int, metavar="N", help="the number of steps to add to the primer, instead of --num-steps"
    )
    primer = parser.add_mutually_exclusive_group()
    primer.add_argument("--primer-melody", metavar="LIST", help='events to continue (default "[60]", middle C)')
    primer.add_argument("--primer-midi", metavar="FILE", help="music file whose first melody is continued")
    parser.add_argument("--exclude-primer", action="store_true", help="leave the primer out of the MIDI files")
    parser.add_argument(
        "--temperature", type=float, default=1.0, help="above 1 for more surprise, below for less (default 1.0)"
    )
    parser.add_argument("--seed", type=int, help="the same seed gives the same melodies (default: a new one each time)")
    parser.add_argument("--search", default="stochastic", metavar="stochastic|beam|greedy", help="see below")
    parser.add_argument("--beam-size", type=int, default=1, help="melodies kept in a beam (default 1)")
    parser.add_argument("--branch-factor", type=int, default=1, help="samples of each of them (default 1)")
    parser.add_argument(
        "--steps-per-iteration", type=int, default=1, help="steps between two cuts of the beam (default 1)"
    )
    parser.add_argument("--qpm", type=float, help="tempo in quarter notes a minute (default: the primer's, or 120)")
    parser.add_argument("--program", type=int, default=0, help="General MIDI instrument, 0 to 127 (default 0, piano)")
    add_model_options(parser)


def run(options: argparse.Namespace, console: Console) -> None:
    """Generates."""
    from models.generation import GenerationOptions, generate
    from pipelines.generate import check_midi_settings, write_melodies
    from pipelines.primer import default_primer, parse_primer, read_primer

    check_midi_settings(options.qpm, options.program)
    model = load_model(options.model, options)
    if options.primer_midi:
        primer = read_primer(options.primer_midi, model.configuration.steps_per_quarter)
    elif options.primer_melody:
        primer = parse_primer(options.primer_melody)
    else:
        primer = default_primer()
    num_steps = options.num_steps if options.new_steps is None else len(primer.events) + options.new_steps
    settings = GenerationOptions(
        num_outputs=options.num_outputs,
        num_steps=num_steps,
        temperature=options.temperature,
        seed=secrets.randbelow(1 << 31) if options.seed is None else options.seed,
        search=options.search,
        beam_size=options.beam_size,
        branch_factor=options.branch_factor,
        steps_per_iteration=options.steps_per_iteration,
        steps_per_bar=primer.steps_per_bar,
    )
    melodies = generate(model, primer.events, settings)
    lines = write_melodies(
        model,
        melodies,
        settings,
        pathlib.Path(options.output),
        qpm=options.qpm or primer.qpm,
        program=options.program,
        exclude_primer=options.exclude_primer,
    )
    for line in lines:
        likelihoods = f"log-likelihood {line['log_likelihood']:.3f}, of events {line['event_log_likelihood']:.3f}"
        if line["path_log_likelihood"] is not None:
            likelihoods += f", of the sampled path {line['path_log_likelihood']:.3f}"
        console.say(f"{line['file']}: {likelihoods}")
    console.say(f"{len(lines)} melodies in {options.output}, with generated.jsonl")
