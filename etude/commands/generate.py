"""Generates melodies from models, as MIDI files with their likelihoods.

examples:
  etude generate runs/lookback --output melodies
  etude generate runs/lookback --output melodies --primer-melody "[60,-2,62,-2]" --bars 16 --temperature 0.9
  etude generate runs/lookback --output melodies --primer "tunes.abc#12" --primer-bars 2 --abc --svg --wav
  etude generate runs/lookback --output melodies --scale "D dorian" --min-pitch A3 --max-pitch A5 --end-on-tonic
  etude generate runs/lookback --output melodies --search beam --beam-size 10 --num-outputs 3
  etude generate runs/* --output melodies --seed 1
  etude generate runs/improv --output melodies --backing-chords "C G Am F" --render-chords

searches:
  stochastic  Magenta's: samples; with --beam-size and --branch-factor the likeliest of many samples is kept
  beam        the likeliest melodies that a beam of --beam-size finds, all different; always the same ones
  greedy      the likeliest next event at every step

Keyboard pieces start with nothing, or with what --primer-pitches, --primer-note, --primer-dataset or a file say; they end
after --num-steps, --bars or --num-tokens, or where the model ends them.

Drums and polyphony start with what --primer-drums or --primer-pitches say, or with a file's drums, or all its notes.

A primer from a file is its first track with a melody, silences included; of notes that start together the highest is
taken. Its tempo, metre and key are carried over. Constraints hold for the notes after the primer, as they sound. With
several models, each has a folder of its own in DIR, and all start from the same primer and seed.

Each line of generated.jsonl holds a melody's events, likelihoods (in nats), settings, and the share of its runs of 4 and
of 8 notes (intervals and durations) that occur in the model's training melodies (null where those are not there).
"""

import argparse
import os
import pathlib
import secrets
from typing import TYPE_CHECKING

from etude.commands import generate_text
from etude.commands.common import MODEL_HELP, add_backing_chords, add_model_options, load_model, whole
from etude.commands.output_folder import check_output
from etude.console import Console

NUM_STEPS = 128
INTERRUPTED = "a model's melodies are written once all of them are made: run the same command again"

if TYPE_CHECKING:
    from etude.models.chords.backing import BackingChords
    from etude.models.generation import GenerationOptions
    from etude.models.model import Model
    from etude.pipelines.generation.generate import Rendering
    from etude.pipelines.generation.primer import Primer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("models", nargs="+", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for the melodies; made if need be")
    parser.add_argument("--num-outputs", type=int, default=10, help="number of melodies (default 10)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--num-steps",
        type=int,
        help=f"their length in steps, primer included (default {NUM_STEPS}, or that of the chords; of text, at most 1000)",
    )
    length.add_argument("--new-steps", type=int, metavar="N", help="steps to add to the primer")
    length.add_argument("--bars", type=int, metavar="N", help="their length in bars, primer included")
    length.add_argument(
        "--num-tokens", type=int, default=0, metavar="N",
        help="the length of keyboard pieces at most, in tokens, primer included",
    )  # fmt: skip
    _add_primer(parser)
    _add_chords(parser)
    _add_search(parser)
    _add_constraints(parser)
    _add_files(parser)
    generate_text.add_arguments(parser)
    add_model_options(parser)


def _add_primer(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what they start with")
    primer = group.add_mutually_exclusive_group()
    primer.add_argument(
        "--primer-melody",
        metavar="LIST",
        help='events to continue, or quarter notes such as "C4 D4 E4" (default "[60]", middle C)',
    )
    primer.add_argument(
        "--primer",
        metavar="FILE[#N]",
        help="MIDI, ABC, MusicXML or NoteSequence file to continue; #N is the tune's number",
    )
    primer.add_argument("--primer-midi", metavar="FILE", dest="primer", help="the same, as Magenta calls it")
    primer.add_argument(
        "--primer-drums", metavar="LIST",
        help='pitches struck at each step, for drums: "[(36, 42), (), (42,)]" (default "[(36,)]", a bass drum)',
    )  # fmt: skip
    primer.add_argument(
        "--primer-pitches", metavar="LIST",
        help='pitches that sound together for a quarter note, for polyphony: "[60, 64, 67]" (default: no primer)',
    )  # fmt: skip
    primer.add_argument("--primer-note", action="store_true", help="one random note, for keyboard pieces")
    primer.add_argument(
        "--primer-dataset", metavar="DATASET",
        help="a random place of the eval split of a dataset, for keyboard pieces; see --primer-tokens",
    )  # fmt: skip
    primer.add_argument("--primer-text", metavar="TEXT", help="text to continue, for models that make text")
    group.add_argument(
        "--primer-tokens", type=whole(1, 1 << 16), default=100, metavar="N", help="of --primer-dataset (default 100)"
    )
    group.add_argument("--primer-bars", type=float, metavar="N", help="take the primer's first N bars only")
    group.add_argument(
        "--condition-on-primer", action="store_true",
        help="polyphony goes on from the primer; by default the model begins anew after it",
    )  # fmt: skip
    group.add_argument(
        "--inject-primer-during-generation", action=argparse.BooleanOptionalAction, default=True,
        help="polyphony after the primer is given the primer's notes once more, and sets other voices to them (the default)",
    )  # fmt: skip
    group.add_argument("--metre", metavar="N/D", help="time signature (default: the primer's, or none)")


def _add_chords(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what they are played over, for models of melodies over chords")
    add_backing_chords(group, "from the primer's start on, and again from their first where they are over")
    group.add_argument("--render-chords", action="store_true", help="let the chords sound in MIDI and WAV files")


def _add_search(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how they are found")
    group.add_argument("--search", default="stochastic", metavar="stochastic|beam|greedy", help="see below")
    group.add_argument("--seed", type=int, help="the same seed gives the same melodies (default: a new one each time)")
    group.add_argument(
        "--temperature", type=float, default=1.0, help="above 1 for more surprise, below for less (default 1.0)"
    )
    group.add_argument(
        "--top-k", type=int, default=0, metavar="K", help="sample from the K likeliest events (default: all)"
    )
    group.add_argument(
        "--top-p",
        type=float,
        default=1.0,
        metavar="P",
        help="sample from the likeliest events that together have probability P (nucleus; default 1)",
    )
    group.add_argument("--beam-size", type=int, default=1, help="melodies kept in a beam (default 1)")
    group.add_argument("--branch-factor", type=int, default=1, help="samples of each of them (default 1)")
    group.add_argument(
        "--steps-per-iteration", type=int, default=1, help="steps between two cuts of the beam (default 1)"
    )


def _add_constraints(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what they may be")
    group.add_argument("--min-pitch", metavar="PITCH", default="0", help="lowest pitch: C4 is middle C, or a number")
    group.add_argument("--max-pitch", metavar="PITCH", default="127", help="highest pitch")
    group.add_argument("--scale", metavar="SCALE", help="such as 'C major', 'D dorian', or notes: 'C D E G A'")
    group.add_argument("--no-note-offs", action="store_true", help="no rests: a note lasts until the next")
    group.add_argument(
        "--end-on-tonic",
        action="store_true",
        help="the note that sounds in the last quarter is the tonic: of --scale, or else of the primer's key",
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how they are written")
    group.add_argument("--exclude-primer", action="store_true", help="leave the primer out of the files")
    group.add_argument("--qpm", type=float, help="tempo in quarter notes a minute (default: the primer's, or 120)")
    group.add_argument("--program", type=int, default=0, help="General MIDI instrument, 0 to 127 (default 0, piano)")
    group.add_argument("--abc", action="store_true", help="also as ABC notation")
    group.add_argument("--svg", action="store_true", help="also as pictures: piano roll and score")
    group.add_argument("--wav", action="store_true", help="also as sound")


def run(options: argparse.Namespace, console: Console) -> None:
    """Generates."""
    # Many small matrix products: OpenBLAS is faster on one thread, and melodies share out the processors.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from etude.models.generation import generate, num_folded_notes
    from etude.pipelines.generation.generate import distinct_names, write_melodies
    from etude.pipelines.generation.ngram_overlap import training_ngrams

    seed = secrets.randbelow(1 << 31) if options.seed is None else options.seed
    output = pathlib.Path(options.output)
    names = distinct_names([pathlib.Path(path) for path in options.models])
    folders = [output / name for name in names] if len(names) > 1 else [output]
    # What is wrong with the options is said before anything is read: on the coarsest grid, where bars are shortest.
    typed = _typed_primer(options, steps_per_quarter=1)
    _settings(options, typed, seed, len(typed.events))
    check_output(output, "melodies")
    models = [load_model(path, options) for path in options.models]
    primers = [typed if generate_text.is_text(model) else _primer(options, model, seed) for model in models]
    for model, primer, folder in zip(models, primers, folders, strict=True):
        num_primer_steps = model.domain.num_given_steps(primer.events)
        settings, rendering = _settings(options, primer, seed, num_primer_steps, _backing(options, model))
        if generate_text.is_text(model):
            generate_text.generate_texts(model, options, settings, folder, console)
            continue
        generate_text.refuse_for_melodies(model, options)
        with console.progress("generating") as progress:
            progress(0, options.num_outputs)
            melodies = generate(model, primer.events, settings, progress)
        folded = num_folded_notes(primer.events, melodies[0]) if model.domain.noun == "melody" else 0
        if folded:
            console.say(
                f"{folded} notes of the primer are outside the range of {model.path} and were moved by octaves, as in Magenta"
            )
        with console.progress("writing") as progress:
            lines = write_melodies(
                model,
                melodies,
                settings,
                folder,
                rendering=rendering,
                known=training_ngrams(model),
                primer_source=primer.source,
                progress=progress,
                say=console.say,
            )
        for line in lines:
            likelihoods = f"log-likelihood {line['log_likelihood']:.3f}"
            if "event_log_likelihood" in line:
                likelihoods += f", of events {line['event_log_likelihood']:.3f}"
            if line["path_log_likelihood"] is not None:
                likelihoods += f", of the sampled path {line['path_log_likelihood']:.3f}"
            console.say(f"{line['file']}: {likelihoods}")
        console.say(f"{len(lines)} {model.domain.plural} in {folder}, with generated.jsonl")


def _backing(options: argparse.Namespace, model: "Model") -> "BackingChords | None":
    """The chords that a model makes melodies over; None for a model without."""
    from etude.models.chords.backing import DEFAULT_CHORDS, backing_chords
    from etude.models.errors import UsageError
    from etude.models.sequences.domain import LEAD_SHEET

    if model.configuration.representation == LEAD_SHEET:
        return backing_chords(options.backing_chords or DEFAULT_CHORDS, options.steps_per_chord)
    if options.backing_chords or options.render_chords:
        raise UsageError(
            f"{model.path} makes {model.domain.plural} without chords: leave out --backing-chords and --render-chords"
        )
    return None


def _settings(
    options: argparse.Namespace,
    primer: "Primer",
    seed: int,
    num_primer_steps: int,
    backing: "BackingChords | None" = None,
) -> tuple["GenerationOptions", "Rendering"]:
    """How a primer is continued, and how the melodies are written."""
    from etude.models.generation import STEPS_AT_ONCE, GenerationOptions
    from etude.models.melodies.melody import major_key
    from etude.models.melodies.pitches import parse_pitch
    from etude.models.melodies.scales import parse_scale
    from etude.models.search.constraints import Constraints
    from etude.pipelines.generation.generate import FORMATS, Rendering

    scale = parse_scale(options.scale) if options.scale else None
    tonic = scale.tonic if scale else primer.key.tonic if primer.key else major_key(primer.events)
    default = backing.num_steps if backing else NUM_STEPS
    num_steps = default if options.num_steps is None else options.num_steps
    if options.new_steps is not None:
        num_steps = num_primer_steps + options.new_steps
    elif options.bars is not None:
        num_steps = options.bars * primer.steps_per_bar
    elif options.num_tokens:
        num_steps = STEPS_AT_ONCE
    settings = GenerationOptions(
        num_outputs=options.num_outputs,
        num_steps=num_steps,
        num_tokens=options.num_tokens,
        temperature=options.temperature,
        seed=seed,
        search=options.search,
        beam_size=options.beam_size,
        branch_factor=options.branch_factor,
        steps_per_iteration=options.steps_per_iteration,
        steps_per_bar=primer.steps_per_bar,
        top_k=options.top_k,
        top_p=options.top_p,
        constraints=Constraints(
            min_pitch=parse_pitch(options.min_pitch),
            max_pitch=parse_pitch(options.max_pitch),
            pitch_classes=scale.pitch_classes if scale else None,
            note_offs=not options.no_note_offs,
            final_pitch_class=tonic if options.end_on_tonic else None,
        ),
        columns=backing.columns(num_steps) if backing else {},
        condition_on_primer=options.condition_on_primer,
        inject_primer=options.inject_primer_during_generation,
    )
    rendering = Rendering(
        qpm=primer.qpm if options.qpm is None else options.qpm,
        program=options.program,
        exclude_primer=options.exclude_primer,
        metre=primer.metre,
        key=primer.key or (scale.key if scale else None),
        formats=frozenset(name for name in FORMATS if getattr(options, name)),
        chords=tuple(backing.changes(num_steps)) if backing else (),
        render_chords=options.render_chords,
    )
    return settings, rendering


def _typed_primer(options: argparse.Namespace, steps_per_quarter: int) -> "Primer":
    from etude.pipelines.generation.primer import default_primer, parse_primer

    if options.primer_melody is None:
        return default_primer(steps_per_quarter)
    return parse_primer(options.primer_melody, steps_per_quarter)


def _primer(options: argparse.Namespace, model: "Model", seed: int) -> "Primer":
    from etude.models.errors import UsageError
    from etude.pipelines.generation.notes_primer import (
        dataset_primer,
        default_notes_primer,
        random_note_primer,
        read_notes_primer,
        typed_notes_primer,
    )
    from etude.pipelines.generation.primer import parse_metre, read_primer

    steps = model.configuration.steps_per_quarter
    typed = {option: text for option, text in _typed(options).items() if text is not None}
    if options.primer_note:
        primer = random_note_primer(model, seed)
    elif options.primer_dataset:
        primer = dataset_primer(model, options.primer_dataset, options.primer_tokens, seed)
    elif model.domain.has_notes and model.domain.noun != "melody":
        read = read_notes_primer(options.primer, model) if options.primer else default_notes_primer(model)
        primer = next((typed_notes_primer(model, option, text) for option, text in typed.items()), read)
    else:
        if typed.keys() - {"--primer-melody"}:
            raise UsageError(f"{model.path} makes {model.domain.plural}, which do not start with {', '.join(typed)}")
        primer = read_primer(options.primer, steps) if options.primer else _typed_primer(options, steps)
    if options.metre:
        primer = primer.in_metre(parse_metre(options.metre), steps)
    return primer if options.primer_bars is None else primer.first_bars(options.primer_bars, model.domain)


def _typed(options: argparse.Namespace) -> dict[str, str | None]:
    """Primers that are typed, but for texts, by their options."""
    return {
        "--primer-melody": options.primer_melody,
        "--primer-drums": options.primer_drums,
        "--primer-pitches": options.primer_pitches,
    }
