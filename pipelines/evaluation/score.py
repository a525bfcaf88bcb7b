"""The log-likelihoods of given music under a model."""

from collections.abc import Callable, Sequence
from typing import Any

from etude.models.melodies.extraction import explain, extract, whole_track_options
from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.model import Model
from etude.models.progress import Progress, silent
from etude.pipelines.readers.pieces import read_pieces


def read_melodies(
    sources: Sequence[str], steps_per_quarter: int, report: Callable[[str], None], progress: Progress = silent
) -> list[Melody]:
    """Every track of every file as a melody, with the highest note of a chord.

    Args:
      sources: files, folders, globs, archives and `corpus:NAME`.
      steps_per_quarter: the model's.
      report: told of each piece that gave no melody, and why.
      progress: told after every file.

    Raises:
      EtudeError: if a source names nothing.
    """
    options = whole_track_options(steps_per_quarter, gap_bars=float("inf"))
    melodies = []
    for piece in read_pieces(sources, progress):
        if piece.sequence is None:
            if piece.rejected:
                report(f"{piece.name}: {explain(piece.rejected)}")
            continue
        extraction = extract(piece.sequence, options)
        for rejection in extraction.rejections:
            report(f"{piece.name}: {explain(rejection)}")
        for melody in extraction.melodies:
            name = f"{piece.name}:{melody.instrument}"
            melodies.append(Melody(melody.events, source=name, steps_per_bar=melody.steps_per_bar))
    return melodies


def score(model: Model, melodies: Sequence[Melody], squash: bool = True) -> list[dict[str, Any]]:
    """What `etude score` prints of each melody.

    Args:
      model: the model.
      melodies: at least one event each.
      squash: bring them into the model's key and range first.

    Raises:
      EtudeError: if, without `squash`, a pitch is outside the model's range.
    """
    if not melodies:
        return []
    sums = model.evaluate(MelodySet.of(melodies), squash)
    return [
        {
            "source": melody.source,
            "num_steps": len(melody.events),
            "log_likelihood": float(sums.log_likelihood[index]),
            "event_log_likelihood": float(sums.event_log_likelihood[index]),
        }
        for index, melody in enumerate(melodies)
    ]
