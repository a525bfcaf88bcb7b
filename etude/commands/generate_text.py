"""`etude generate` with models whose sequences are text."""

import argparse
import dataclasses
import pathlib
from typing import TYPE_CHECKING, Any

from etude.console import Console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etude.models.generation import GenerationOptions
    from etude.models.model import Model

NUM_STEPS = 1000
"""How long a text may become unless something else is asked for, in tokens; most end before."""

_HELD_OUT = 200
"""Real tunes that are judged beside the generated ones, at most."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only models of text take."""
    group = parser.add_argument_group("tunes as text (abc-characters, abc-tokens)")
    group.add_argument("--key", metavar="KEY", help="start with a header of this key, such as Edor; with --metre")
    group.add_argument(
        "--title", metavar="TEXT", help="start with a header of this title, for models that write titles"
    )
    group.add_argument(
        "--valid-bars", action="store_true", help="only what leaves every bar complete; says what likelihood that costs"
    )


def is_text(model: "Model") -> bool:
    """Whether a model's sequences are text."""
    return not model.domain.has_notes


def refuse_for_melodies(model: "Model", options: argparse.Namespace) -> None:
    """Checks that no option of texts is given for a model that makes none.

    Raises:
      UsageError: if one is.
    """
    from etude.models.errors import UsageError

    given = [name for name in ("key", "title", "valid_bars") if getattr(options, name)]
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(f"{model.path} makes {model.domain.plural}: {flags} is for models of tunes as text")


def generate_texts(
    model: "Model", options: argparse.Namespace, settings: "GenerationOptions", folder: pathlib.Path, console: Console
) -> None:
    """Generates from a model whose sequences are text.

    Args:
      model: the model.
      options: the command's.
      settings: those of the search.
      folder: where to write to.
      console: where to report.
    """
    from etude.models.generation import generate
    from etude.pipelines.generation.ngram_overlap import training_ngrams
    from etude.pipelines.generation.texts import TuneRendering, write_texts

    _check(model, options)
    primer = _primer(model, options)
    num_steps = NUM_STEPS if options.num_steps is None else options.num_steps
    if options.new_steps is not None:
        num_steps = len(model.domain.default_primer if primer is None else primer) + options.new_steps
    settings = dataclasses.replace(settings, num_steps=num_steps, valid_bars=options.valid_bars)
    formats = frozenset(name for name in ("svg", "wav") if getattr(options, name))
    rendering = TuneRendering(options.qpm, options.program, formats)
    with console.progress("generating") as progress:
        progress(0, settings.num_outputs)
        sequences = generate(model, primer, settings, progress)
    with console.progress("writing") as progress:
        known = training_ngrams(model)
        lines = write_texts(
            model, sequences, settings, folder, rendering=rendering, known=known, primer_source=options.primer or "",
            progress=progress, say=console.say,
        )  # fmt: skip
    for line in lines:
        problem = f"; no MIDI: {line['problem']}" if line.get("problem") else ""
        console.say(
            f"{line['file']}: log-likelihood {line['log_likelihood']:.3f}, {len(line['tokens'])} tokens{problem}"
        )
    _summarise(model, lines, console)
    console.say(f"{len(lines)} {model.domain.plural} in {folder}, with generated.jsonl")


def _check(model: "Model", options: argparse.Namespace) -> None:
    from etude.models.errors import UsageError

    if model.domain.render(model.domain.default_primer) is None:
        raise UsageError(f"{model.path} makes {model.domain.plural}, which cannot be written as text")
    others = ("primer_melody", "primer_drums", "primer_pitches", "primer_note", "primer_dataset")
    given = [name for name in others if getattr(options, name, None)]
    if given or options.bars is not None:
        raise UsageError(
            f"{model.path} makes text: use --primer-text, --primer FILE, or --metre and --key for what it starts with, and "
            "--num-steps for its length in tokens"
        )
    if options.exclude_primer:
        raise UsageError(f"{model.path} makes text, which is not whole without its start: leave out --exclude-primer")
    if any((options.metre, options.key, options.title)) and (options.primer or options.primer_text):
        raise UsageError("--metre, --key and --title write a header; a primer has its own: give one or the other")


def _primer(model: "Model", options: argparse.Namespace) -> "Sequence[int] | None":
    """The tokens to start with; None for the model's own."""
    from etude.models.abc.tune_domain import TuneDomain
    from etude.models.errors import UsageError
    from etude.models.sequences.domain import parse_given

    domain, configuration = model.domain, model.configuration
    if options.primer_text:
        return [int(token) for token in parse_given(domain, options.primer_text, "--primer-text")]
    if not any((options.primer, options.metre, options.key, options.title)):
        return None
    if not isinstance(domain, TuneDomain):
        raise UsageError(f"{model.path} makes {domain.plural}: give --primer-text alone for what they start with")
    from etude.pipelines.generation.text_primer import header, read_opening

    if options.primer:
        return [int(token) for token in read_opening(options.primer, configuration, domain, options.primer_bars)]
    fields = {name: getattr(options, name) or "" for name in ("metre", "key", "title")}
    return [int(token) for token in header(configuration, domain, **fields)]


def _summarise(model: "Model", lines: "Sequence[dict[str, Any]]", console: Console) -> None:
    """How far the tunes are valid, beside real ones that training did not see; and what valid bars cost."""
    from etude.pipelines.generation.texts import held_out_ladder, ladder

    made = ladder(lines)
    if not made:
        return
    real = held_out_ladder(model, _HELD_OUT)
    console.say(f"{'share of tunes':16} {'generated':>9} {'held out' if real else '':>8}")
    for name, share in made.items():
        console.say(f"{name:16} {share:9.1%} {format(real[name], '8.1%') if name in real else ''}".rstrip())
    costs = [line["allowed_log_probability"] for line in lines if line["allowed_log_probability"] is not None]
    if costs:
        num_new = sum(len(line["tokens"]) - line["num_primer_tokens"] for line in lines)
        nats = sum(line["log_likelihood"] - line["primer_log_likelihood"] for line in lines)
        console.say(
            f"valid bars cost {-sum(costs) / num_new:.4f} nats a token: log-likelihood {nats / num_new:.4f} a token as the "
            f"model has it, {(nats - sum(costs)) / num_new:.4f} among what was allowed"
        )
