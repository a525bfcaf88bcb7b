"""What the units of a network do on pieces, and what of the music they follow."""

import dataclasses
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from etude.models.dataset import DESCRIPTION_FILE, find_split, read_for_model
from etude.models.errors import EtudeError, UsageError
from etude.models.inspection.activations import Activations, Part, activations
from etude.models.inspection.following import SHUFFLES, Following, Ranking
from etude.models.melodies.melody import STEPS_PER_BAR, STEPS_PER_QUARTER, Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.model import Model
from etude.models.networks.network import Network
from etude.models.progress import Progress, silent
from etude.models.representations.sequence import Tokens, pack
from etude.models.sequences.domain import LEAD_SHEET, MELODIC
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.storage.files import write_whole
from etude.models.storage.run_directory import RunDirectory
from etude.pipelines.evaluation.score import read_melodies, read_sequences
from etude.pipelines.files.dataset_folder import open_folder

PIECES = 50
"""Pieces that are taken of a split."""

FEW_PIECES = 10
"""Of fewer, chance does so well that hardly a unit is clear of it."""

SHOWN_PIECES = 4
SHOWN_NUMBERS = 6_000_000
"""At most so many values are shown: 8 MB of a page."""


@dataclasses.dataclass(frozen=True)
class InspectedPiece:
    """A piece as a network read it.

    Attributes:
      name: of the piece.
      tokens: in the model's domain, [steps]; the first ones of a piece that is too long to be shown.
      is_whole: whether these are all of its tokens.
      steps_per_bar: of a melody; 0 of others.
      activations: of the network.
    """

    name: str
    tokens: Tokens
    is_whole: bool
    steps_per_bar: int
    activations: Activations


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What was seen of a model.

    Attributes:
      model: the model.
      pieces: those that are shown.
      following: which units follow what, over all pieces.
      num_pieces: how many these are.
      num_tokens: of all of them.
      shuffles: how often chance was tried.
    """

    model: Model
    pieces: tuple[InspectedPiece, ...]
    following: tuple[Following, ...]
    num_pieces: int
    num_tokens: int
    shuffles: int

    def figures(self) -> dict[str, Any]:
        """What `etude inspect --json` writes."""
        return {
            "model": str(self.model.path),
            "config": self.model.configuration.config,
            "step": self.model.step,
            "num_pieces": self.num_pieces,
            "num_tokens": self.num_tokens,
            "shuffles": self.shuffles,
            "features": [
                {
                    "feature": one.feature,
                    "chance_95": one.chance,
                    "units": [
                        {
                            **found.part._asdict(),
                            "unit": found.unit,
                            "correlation": found.correlation,
                            "p": found.p_value,
                        }
                        for found in one.followers
                    ],
                }
                for one in self.following
            ],
        }


def network_of(model: Model) -> Network:
    """The network of a model.

    Raises:
      EtudeError: if it has none.
    """
    network = model.network
    if not isinstance(network, Network):
        raise EtudeError(
            f"{model.path} is a model of {model.configuration.config}, which counts and has no units to look at; name a "
            "model that is a network"
        )
    return network


def given_pieces(
    model: Model, sources: Sequence[str], report: Callable[[str], None], progress: Progress = silent
) -> SequenceSet:
    """The pieces of music files, as a model reads them.

    Args:
      model: the model.
      sources: files, folders, globs, archives and `corpus:NAME`.
      report: told of whatever gave no piece, and why.
      progress: called after every file.

    Raises:
      EtudeError: if a source names nothing, or there is no piece that the model reads.
    """
    configuration = model.configuration
    if configuration.representation in MELODIC:
        has_chords = configuration.representation == LEAD_SHEET
        melodies = read_melodies(sources, configuration.steps_per_quarter, report, progress, with_chords=has_chords)
        read = MelodySet.of(_named(one) for one in melodies if len(one.events))
        found: SequenceSet = model.domain.enter_all(read)
    else:
        found = pack(one for one in read_sequences(sources, configuration, report, progress) if len(one))
    if not len(found):
        raise EtudeError(f"nothing to inspect: there is no {model.domain.noun} in {', '.join(sources)}")
    return found


def held_out_pieces(model: Model, dataset: str, split: str, most: int, seed: int) -> SequenceSet:
    """Some pieces of a split, drawn at random, as a model reads them.

    Args:
      model: the model.
      dataset: a dataset folder; empty for the one that the model was trained on.
      split: which split.
      most: how many pieces at most.
      seed: of the draw.

    Raises:
      UsageError: if no dataset is named, and that of the model is not known or not here.
      EtudeError: if there is no such dataset or split, or it does not fit the model.
    """
    trained_on = RunDirectory(model.path).read().dataset.path if model.path.is_dir() else ""
    folder = open_folder(dataset or trained_on)
    if not dataset and not (trained_on and folder.exists(DESCRIPTION_FILE)):
        found = (
            f"was trained on {trained_on}, which is not here" if trained_on else "does not say what it was trained on"
        )
        raise UsageError(f"{model.path} {found}: name PIECES, or give --dataset DATASET")
    find_split(folder, split)
    sequences = read_for_model(folder, split, model.configuration)
    chosen = np.random.default_rng(seed).permutation(len(sequences))[:most]
    return sequences.select(np.sort(chosen))


def inspect(
    model: Model,
    sequences: SequenceSet,
    shuffles: int = SHUFFLES,
    seed: int = 0,
    shown: int = SHOWN_PIECES,
    progress: Progress = silent,
) -> Inspection:
    """Reads pieces with a network, and holds every unit against what the pieces have.

    Args:
      model: the model.
      sequences: the pieces, as the model reads them; at least one token each.
      shuffles: how often chance is tried.
      seed: of the shuffles.
      shown: how many pieces are kept with all their values: the first ones.
      progress: called after every piece.

    Raises:
      EtudeError: if the model is no network.
    """
    network = network_of(model)
    ranking = Ranking(shuffles, seed)
    pieces: list[InspectedPiece] = []
    room = SHOWN_NUMBERS
    for index in range(len(sequences)):
        progress(index, len(sequences))
        batch = sequences.batch(np.array([index]), model.encoding.padding)
        tokens, attributes = batch.tokens[0], batch.attributes
        found = activations(network, model.encoding, tokens, attributes)
        known = {name: int(values[0]) for name, values in attributes.items() if values.ndim == 1}
        known.setdefault(STEPS_PER_QUARTER, model.configuration.steps_per_quarter)
        ranking.add(found.bounded(), model.domain.features(tokens, known))
        numbers_per_step = sum(values.shape[1] for values in found.values.values())
        steps = min(len(tokens), room // numbers_per_step)
        if len(pieces) < shown and (steps == len(tokens) or not pieces):
            room -= steps * numbers_per_step
            cut = Activations(
                {part: values[:steps] for part, values in found.values.items()}, found.probabilities[:steps]
            )
            name = sequences.sources[index] or sequences.ids[index]
            is_whole = steps == len(tokens)
            pieces.append(InspectedPiece(name, tokens[:steps], is_whole, known.get(STEPS_PER_BAR, 0), cut))
    progress(len(sequences), len(sequences))
    ranked = tuple(ranking.rank())
    return Inspection(model, tuple(pieces), ranked, len(sequences), int(sequences.lengths.sum()), shuffles)


def find_unit(inspection: Inspection, text: str) -> tuple[Part, int]:
    """The unit that a user named, LAYER/KIND/UNIT; or, without a name, the clearest one, or the first.

    Raises:
      UsageError: if there is none of that name; the message says which there are.
    """
    sizes = {part: values.shape[1] for part, values in inspection.pieces[0].activations.values.items()}
    if not text:
        best = max(inspection.following, key=lambda one: one.margin, default=None)
        return (best.followers[0].part, best.followers[0].unit) if best else (next(iter(sizes)), 0)
    for part, size in sizes.items():
        for unit in range(size):
            if text == unit_name(part, unit):
                return part, unit
    known = ", ".join(unit_name(part, size - 1) for part, size in sizes.items())
    raise UsageError(f"there is no unit {text!r}: units are named LAYER/KIND/UNIT, from 0; the last ones are {known}")


def unit_name(part: Part, unit: int) -> str:
    """How a unit is named: 0/hidden/17."""
    return f"{part.layer}/{part.kind}/{unit}"


def _named(melody: Melody) -> Melody:
    return dataclasses.replace(melody, id=melody.id or melody.source)


def write_values(path: pathlib.Path, inspection: Inspection) -> None:
    """Writes the values of the pieces that are shown, whole or not at all, as NumPy reads them.

    For each piece N, from 0: `N/tokens`, and `N/LAYER/KIND` of every part, float32 [steps, units], unbounded as they are.
    """
    arrays: dict[str, Any] = {}
    for number, piece in enumerate(inspection.pieces):
        arrays[f"{number}/tokens"] = piece.tokens
        arrays |= {f"{number}/{part.layer}/{part.kind}": values for part, values in piece.activations.values.items()}
    with write_whole(path) as file:
        np.savez_compressed(file, **arrays)
