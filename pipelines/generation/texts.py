"""Generated texts on disk: tunes also as MIDI and what else they are asked for, and how far they are valid."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from etude.models.abc.problems import AbcError
from etude.models.abc.reading import read_text
from etude.models.abc.tune_domain import TuneDomain
from etude.models.abc.validity import Validity, shares, validity
from etude.models.dataset import read_for_model
from etude.models.errors import EtudeError, UsageError
from etude.models.generation import GeneratedSequence, GenerationOptions
from etude.models.model import Model
from etude.models.progress import Progress, silent
from etude.pipelines.generation.generate import Rendering, figures_of, file_name, search_settings, write_sequences
from etude.pipelines.generation.ngram_overlap import TrainingNgrams, mean_overlap, training_dataset, training_ngrams
from etude.pipelines.rendering.abc2midi import ask_abc2midi, find_abc2midi
from etude.pipelines.rendering.midi import to_midi
from etude.pipelines.rendering.music import DEFAULT_QPM, Music
from etude.pipelines.rendering.tunes import tune_music


@dataclasses.dataclass(frozen=True)
class TuneRendering:
    """How tunes are written to files.

    Attributes:
      qpm: quarter notes a minute; None for those of the tune, or 120.
      program: General MIDI instrument, 0 to 127.
      formats: besides ABC and MIDI: "svg", "wav".
    """

    qpm: float | None = None
    program: int = 0
    formats: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Checks tempo, instrument and formats.

        Raises:
          UsageError: if tempo or instrument cannot stand in a MIDI file, or a format is unknown.
        """
        Rendering(DEFAULT_QPM if self.qpm is None else self.qpm, self.program, formats=self.formats)


@dataclasses.dataclass(frozen=True)
class Judged:
    """A text, how far it is valid, and what it plays.

    Attributes:
      validity: of the text.
      music: what it plays; None if it cannot be read.
      problem: why there is no music; empty if there is.
    """

    validity: Validity
    music: Music | None
    problem: str = ""


def judge(text: str, rendering: TuneRendering, abc2midi: str) -> Judged:
    """Reads a text as a tune.

    Args:
      text: of one tune.
      rendering: how it is to be played.
      abc2midi: the path of the program; empty if it is not installed.
    """
    found = validity(text, ask_abc2midi(text, abc2midi).is_clean if abc2midi else None)
    if not found.parses:
        return Judged(found, None, found.problem)
    try:
        return Judged(found, tune_music(read_text(text), qpm=rendering.qpm, program=rendering.program))
    except AbcError as error:
        return Judged(found, None, error.message)


def write_texts(
    model: Model,
    sequences: Sequence[GeneratedSequence],
    options: GenerationOptions,
    folder: pathlib.Path,
    *,
    rendering: TuneRendering | None = None,
    known: TrainingNgrams | None = None,
    primer_source: str = "",
    progress: Progress = silent,
    say: Callable[[str], None] = lambda message: None,
) -> list[dict[str, Any]]:
    """Writes sequences that are text as text files, tunes as ABC and MIDI; otherwise as `write_melodies`.

    The lines of tunes have their validity (`etude.models.abc.validity`); a tune that cannot be read has no MIDI file, and
    its line says why.

    Args:
      model: the model that they are from.
      sequences: what it generated.
      options: how.
      folder: where to; made if need be.
      rendering: how tunes are written; None for ABC and MIDI alone.
      known: what the model was trained on; None where that is unknown.
      primer_source: the file that the primer is from.
      progress: called after every text.
      say: called if a number was added to the names.

    Returns:
      The lines of these texts.

    Raises:
      EtudeError: if the folder cannot be written to, or another process is writing to it.
      UsageError: if a form of music is asked for, and the texts are no tunes.
    """
    is_tune = isinstance(model.domain, TuneDomain)
    rendering = rendering or TuneRendering()
    if rendering.formats and not is_tune:
        raise UsageError(f"{model.path} makes {model.domain.plural}, which have no music: leave out --svg and --wav")
    abc2midi = find_abc2midi() if is_tune else ""
    judged: list[Judged | None] = []
    contents = []
    for sequence in sequences:
        one = judge(sequence.text or "", rendering, abc2midi) if is_tune else None
        judged.append(one)
        overlap = None if known is None else known.overlap(sequence.tokens[sequence.num_primer_tokens :])
        of_tune = {} if one is None else {"validity": dataclasses.asdict(one.validity), "problem": one.problem or None}
        contents.append(
            {
                **figures_of(sequence),
                **of_tune,
                "ngram_overlap": overlap,
                **search_settings(model, options),
                "valid_bars": options.valid_bars,
                "allowed_log_probability": sequence.allowed_log_probability,
                "primer": primer_source or None,
            }
        )
    music = iter(judged)

    def files(sequence: GeneratedSequence, title: str) -> Iterator[tuple[str, bytes]]:
        yield model.domain.suffix, (sequence.text or "").encode()
        one = next(music)
        if one is not None and one.music is not None:
            yield "mid", to_midi(one.music)
            yield from other_files(one.music, title, rendering.formats)

    return write_sequences(folder, file_name(model, options), model.domain, sequences, contents, files, progress, say)


def other_files(music: Music, title: str, formats: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    """Suffix and content of the pictures and the sound that are asked for."""
    if "svg" in formats:
        from etude.pipelines.rendering.pictures import to_svg

        yield "svg", to_svg(music, title=title).encode()
    if "wav" in formats:
        from etude.pipelines.rendering.audio import to_wav

        yield "wav", to_wav(music)


def held_out_ladder(model: Model, most: int) -> dict[str, float]:
    """The same of tunes that the model's training did not see: of its dataset's eval split, evenly taken.

    Empty if the dataset is gone, or its tunes have no text.

    Args:
      model: of tunes.
      most: tunes to take.
    """
    folder, known = training_dataset(model), training_ngrams(model)
    if folder is None or known is None or not isinstance(model.domain, TuneDomain):
        return {}
    try:
        tunes = read_for_model(folder, "eval", model.configuration)
    except EtudeError:
        return {}
    chosen = [tunes.tokens(index) for index in range(0, len(tunes), -(-len(tunes) // most))]
    abc2midi, plain = find_abc2midi(), TuneRendering()
    return ladder(
        {
            "validity": dataclasses.asdict(judge(model.domain.render(tokens) or "", plain, abc2midi).validity),
            "ngram_overlap": known.overlap(tokens[1:]),
        }
        for tokens in chosen
    )


def ladder(lines: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The share of generated tunes on which each rung of the ladder holds, and of their runs that occur in training.

    Args:
      lines: of generated.jsonl, of tunes.

    Returns:
      By name: the rungs, then `runs of 4` and `runs of 8`, without what is unknown.
    """
    lines = list(lines)
    rungs = shares(Validity(**line["validity"]) for line in lines if "validity" in line)
    return {**rungs, **mean_overlap([line["ngram_overlap"] for line in lines])}
