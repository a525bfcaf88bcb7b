"""Every model and every floor, evaluated on the very same steps."""

import dataclasses
from collections.abc import Sequence

from etude.models.dataset import squash_all
from etude.models.encodings.one_hot import OneHotEncoding
from etude.models.melodies.melody_set import MelodySet
from etude.models.progress import Progress, silent
from etude.pipelines.comparison.breakdowns import Breakdown, breakdowns
from etude.pipelines.comparison.detailed_evaluation import DetailedSums, evaluate_floor, evaluate_model
from etude.pipelines.comparison.entrants import Entry, Space, spaces
from etude.pipelines.comparison.floors import Floor, fit_floors


@dataclasses.dataclass(frozen=True)
class EntryMeasurement:
    """A configuration and the sums of each of its models, in the order of its entrants."""

    entry: Entry
    sums: tuple[DetailedSums, ...]


@dataclasses.dataclass(frozen=True)
class FloorMeasurement:
    """A floor and its sums."""

    floor: Floor
    sums: DetailedSums


@dataclasses.dataclass(frozen=True)
class SpaceMeasurement:
    """All that was measured on melodies in one key and range.

    Attributes:
      space: the key and range.
      melodies: of the split that is evaluated, in this space.
      train: the training melodies, in this space.
      breakdowns: how steps were put into categories.
      entries: the configurations.
      floors: fitted on `train`.
    """

    space: Space
    melodies: MelodySet
    train: MelodySet
    breakdowns: Sequence[Breakdown]
    entries: Sequence[EntryMeasurement]
    floors: Sequence[FloorMeasurement]


def measure(
    entries: Sequence[Entry], melodies: MelodySet, train: MelodySet, progress: Progress = silent
) -> list[SpaceMeasurement]:
    """Evaluates all models of all configurations and all floors.

    Args:
      entries: the configurations.
      melodies: to evaluate on, as extracted.
      train: to fit floors on, as extracted.
      progress: told after every batch of every model.
    """
    num_models = sum(len(entry.entrants) for entry in entries)
    done = 0
    result = []
    for space in spaces(entries):
        members = [entry for entry in entries if entry.space == space]
        squashed, squashed_train = (squash_all(one, members[0].configuration) for one in (melodies, train))
        divisions = breakdowns(squashed)
        measured = []
        for entry in members:
            sums = []
            for entrant in entry.entrants:
                told = _part(progress, done, num_models, len(melodies), f"evaluating {entrant.path}")
                model = entrant.model
                sums.append(evaluate_model(model.encoding, squashed, model.log_probabilities, divisions, told))
                done += 1
            measured.append(EntryMeasurement(entry, tuple(sums)))
        encoding = OneHotEncoding(space.min_note, space.max_note)
        floors = [
            FloorMeasurement(floor, evaluate_floor(encoding, squashed, floor, divisions))
            for floor in fit_floors(encoding, squashed_train)
        ]
        result.append(SpaceMeasurement(space, squashed, squashed_train, divisions, measured, floors))
    return result


def _part(progress: Progress, models_done: int, num_models: int, num_melodies: int, remark: str) -> Progress:
    """Progress within one of several models, in melodies over all of them."""

    def told(done: int, total: int, note: str = "") -> None:
        progress(models_done * num_melodies + done, num_models * num_melodies, remark)

    return told
