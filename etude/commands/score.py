"""Prints the log-likelihood of given music under a model, one JSON line a melody or text.

examples:
  etude score runs/lookback --events "[60,-2,62,-2,64,-2,65,-2]"
  etude score runs/lookback tunes/ more.mid
  etude score runs/lookback --no-squash --events "[60,-2,62,-2]"
  etude score runs/letters --text tune.txt --text other.txt

Every track of a file is scored by a model of melodies, with the highest note of a chord, whatever its length; other models
score what their representation makes of a piece. Likelihoods are in nats, given the first event. log_likelihood counts the
model's canonical labels, as Magenta's melody_log_likelihood does; event_log_likelihood (token_log_likelihood of others) sums
over all labels that stand for the same event. A text is one whole sequence as 'etude generate' writes it, its end included.
"""

import argparse
import json
import pathlib
import sys
from typing import TYPE_CHECKING

from etude.commands.common import MODEL_HELP, add_backing_chords, add_model_options, load_model
from etude.console import Console

if TYPE_CHECKING:
    from etude.models.melodies.melody import Events
    from etude.models.model import Model
    from etude.models.sequences.domain import Columns

INTERRUPTED = "run the same command again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="files, folders, archives or corpus:NAME")
    parser.add_argument(
        "--events", action="append", default=[], metavar="LIST",
        help="a melody as a list: -2 no event, -1 note-off, 0 to 127 note-on; or quarter notes by name, 'C4 D4 E4'; of drums "
        "'[[36, 42], []]', of polyphony '[[0, null], [3, 60], [2, null]]'; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--text", action="append", default=[], metavar="FILE",
        help="a text, for models that read text; - for standard input; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--no-squash", action="store_true", help="take the events as they are, in the model's key and range"
    )
    add_backing_chords(parser, "of --events, for models of melodies over chords (default: none)")
    add_model_options(parser)


def run(options: argparse.Namespace, console: Console) -> None:
    """Scores."""
    from etude.models.errors import EtudeError, UsageError
    from etude.models.melodies.melody import Melody
    from etude.models.sequences.domain import LEAD_SHEET, MELODIC
    from etude.pipelines.evaluation.score import (
        read_list,
        read_melodies,
        read_sequences,
        read_text,
        score,
        score_sequences,
    )
    from etude.pipelines.sequences.event_lists import parse_events

    if not options.sources and not options.events and not options.text:
        raise UsageError("nothing to score: name a SOURCE, or give --events or --text")
    model = load_model(options.model, options)
    if model.configuration.representation not in MELODIC:
        if options.no_squash or (options.events and not model.domain.has_notes):
            things = f"sequences of {model.configuration.representation}"
            raise UsageError(f"{model.path} reads {things}, not events: name a SOURCE, or give --text FILE")
        sequences = [read_list(model, text) for text in options.events]
        sequences += [read_text(model, path, _text(path)) for path in options.text]
        if options.sources:
            with console.progress("reading") as progress:
                sequences += read_sequences(options.sources, model.configuration, console.say, progress)
        if not sequences:
            raise EtudeError(f"nothing to score: there is no {model.domain.noun} in {', '.join(options.sources)}")
        for line in score_sequences(model, sequences):
            console.result(json.dumps(line))
        return
    if options.text:
        raise UsageError(f"{model.path} reads melodies, not text: name a SOURCE, or give --events")
    steps, bar = model.configuration.steps_per_quarter, model.configuration.steps_per_whole_note
    melodies = [
        Melody(events, source=text, steps_per_quarter=steps, steps_per_bar=bar, columns=_chords(model, options, events))
        for text in options.events
        for events in [parse_events(text, "--events", steps)]
    ]
    if options.sources:
        has_chords = model.configuration.representation == LEAD_SHEET
        with console.progress("reading") as progress:
            melodies += read_melodies(options.sources, steps, console.say, progress, with_chords=has_chords)
    if not melodies:
        raise EtudeError(f"nothing to score: there is no melody in {', '.join(options.sources)}")
    for line in score(model, melodies, squash=not options.no_squash, report=console.say):
        console.result(json.dumps(line))


def _chords(model: "Model", options: argparse.Namespace, events: "Events") -> "Columns":
    """The chords under events that were typed."""
    from etude.models.chords.backing import backing_chords
    from etude.models.sequences.domain import LEAD_SHEET

    if model.configuration.representation != LEAD_SHEET:
        return {}
    return backing_chords(options.backing_chords or "N.C.", options.steps_per_chord).columns(len(events))


def _text(path: str) -> str:
    from etude.models.errors import EtudeError

    try:
        return sys.stdin.read() if path == "-" else pathlib.Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EtudeError(f"cannot read the text {path}: {reason}; name a file of UTF-8 text") from error
