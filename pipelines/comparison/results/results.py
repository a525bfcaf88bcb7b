"""What a comparison finds, as data."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from etude.models.sequences.domain import MELODY
from etude.pipelines.comparison.statistics.figures import Estimate
from etude.pipelines.comparison.statistics.set_distances import Similarity
from etude.pipelines.comparison.words import MELODIES, Words

Figures = Mapping[str, Estimate]
"""Figures by name; a dot separates the group from the figure, such as `event.loss`."""


@dataclasses.dataclass(frozen=True)
class Spread:
    """A figure over the seeds of a configuration: their mean, standard deviation (of a sample), least and greatest."""

    mean: float
    standard_deviation: float | None
    min: float
    max: float


@dataclasses.dataclass(frozen=True)
class RunResult:
    """The figures of one trained model.

    Attributes:
      name: of its folder.
      path: as given.
      seed: None if unknown.
      step: the training step of the weights.
      training_fingerprint: empty if unknown.
      figures: over all melodies.
    """

    name: str
    path: str
    seed: int | None
    step: int
    training_fingerprint: str
    figures: Figures


@dataclasses.dataclass(frozen=True)
class ConfigurationResult:
    """The figures of a configuration: means over its seeds.

    Attributes:
      name: short.
      title: in words.
      config: its family.
      domain: what its models know, such as key and range of melodies; figures compare within one.
      hyperparameters: all of them.
      changed: the names of those that are not the family's defaults.
      num_training_steps: None if unknown, or not the same for all seeds.
      figures: means over the seeds, with intervals.
      spread: over the seeds; empty for one seed.
      best_baseline: the name of the baseline with the lowest event loss.
      nats_over_baseline: by how much its event loss is lower than that baseline's; negative where it is higher.
      runs: one a seed.
      words: how its sequences are called.
      representation: what they are of.
    """

    name: str
    title: str
    config: str
    domain: str
    hyperparameters: Mapping[str, Any]
    changed: Sequence[str]
    num_training_steps: int | None
    figures: Figures
    spread: Mapping[str, Spread]
    best_baseline: str
    nats_over_baseline: Estimate
    runs: Sequence[RunResult]
    words: Words = MELODIES
    representation: str = MELODY

    @property
    def loss(self) -> Estimate:
        """What ranks."""
        return self.figures[self.words.loss]


@dataclasses.dataclass(frozen=True)
class BaselineResult:
    """The figures of a baseline on the same steps."""

    name: str
    title: str
    summary: str
    domain: str
    figures: Figures
    words: Words = MELODIES
    representation: str = MELODY

    @property
    def loss(self) -> Estimate:
        """What ranks; of no value where it gives some tokens no probability."""
        return self.figures[self.words.loss]


@dataclasses.dataclass(frozen=True)
class PairResult:
    """Two configurations side by side; the first has the lower event loss.

    Attributes:
      first: name of the better one.
      second: name of the other.
      nats_per_step: by how much the first is better, in event loss.
      bits_per_note: by how much the first is better.
      p_value: of the paired test on melodies.
      p_value_corrected: for the number of pairs in the same domain (Holm).
      is_exact: whether the test tried all signs.
      is_told_apart: whether the corrected p-value is below 0.05 and the interval does not hold 0.
    """

    first: str
    second: str
    domain: str
    nats_per_step: Estimate
    bits_per_note: Estimate
    p_value: float
    p_value_corrected: float
    is_exact: bool
    is_told_apart: bool


@dataclasses.dataclass(frozen=True)
class CategoryResult:
    """The steps of one category: how many, and the event loss and accuracy of each configuration and baseline by name."""

    category: str
    num_steps: int
    loss: Figures
    accuracy: Figures


@dataclasses.dataclass(frozen=True)
class BreakdownResult:
    """Figures by category."""

    name: str
    title: str
    domain: str
    categories: Sequence[CategoryResult]


@dataclasses.dataclass(frozen=True)
class MusicSetResult:
    """What a set of melodies is like.

    Attributes:
      name: of the configuration that made them; "eval" and "train" are real melodies of those splits.
      num_melodies: in the set.
      measures: means over melodies; see `music_measures.SCALARS`.
      relative: by measure of Yang and Lerch, how the distances to the eval melodies compare with those among them.
      distributions: how pooled distributions compare with those of the eval melodies.
      copied: by number of notes, the share of such runs that the training melodies hold, too; None where there are none.
      likelihoods: means over melodies, under the model that made each.
    """

    name: str
    num_melodies: int
    measures: Figures
    relative: Mapping[str, Similarity]
    distributions: Mapping[str, Similarity]
    copied: Mapping[int, float | None]
    likelihoods: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class MusicResult:
    """The generated melodies of a domain beside real ones, which are cut to the same number of steps."""

    domain: str
    num_steps: int
    sets: Sequence[MusicSetResult]


@dataclasses.dataclass(frozen=True)
class PiecesPair:
    """Two configurations over whole pieces; the first needs less.

    Attributes:
      first: name of the better one.
      second: name of the other.
      nats_per_piece: by how much the first is better.
      bits_per_note: by how much the first is better; of no value where notes are unknown.
      p_value: of the paired test on pieces.
      p_value_corrected: for the number of pairs (Holm).
      is_told_apart: whether the corrected p-value is below 0.05 and the interval does not hold 0.
    """

    first: str
    second: str
    nats_per_piece: Estimate
    bits_per_note: Estimate
    p_value: float
    p_value_corrected: float
    is_told_apart: bool


@dataclasses.dataclass(frozen=True)
class Coverage:
    """How many pieces are compared, and why others are not.

    Attributes:
      num_read: pieces, before any was left out.
      num_exact: those that every representation carries exactly.
      left_out: the others, by reason.
      not_compared: pieces of the evaluated split that are exact and not compared all the same, by reason.
    """

    num_read: int
    num_exact: int
    left_out: Mapping[str, int]
    not_compared: Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class ApartPiece:
    """A piece that one configuration predicts far better than another of another representation.

    Attributes:
      piece: its name.
      better: name of the configuration that needs less.
      worse: name of the other.
      bits_better: bits a note of this piece, the mean over seeds.
      bits_worse: of the other.
    """

    piece: str
    better: str
    worse: str
    bits_better: float
    bits_worse: float


@dataclasses.dataclass(frozen=True)
class FloorResult:
    """What a counted model or a compressor needs for the same pieces, which any model should beat.

    Attributes:
      title: in words.
      representation: of what it reads.
      num_pieces: that it was tried on, evenly taken.
      figures: as those of configurations.
    """

    title: str
    representation: str
    num_pieces: int
    figures: Figures


@dataclasses.dataclass(frozen=True)
class PiecesResult:
    """Configurations of several representations that cover the same of a piece, by what whole pieces cost them.

    Attributes:
      covers: what of a piece they cover.
      representations: their names.
      num_pieces: that all of them have.
      num_left_out: pieces that only some of them have.
      num_notes: of these pieces, as the first representation that knows notes counts them; 0 where none does.
      figures: by name of the configuration: `nats_per_piece` and, where notes are known, `bits_per_note`; of tunes also
        `bits_per_note_without_end`, up to where the last note begins.
      pairs: every two configurations.
      coverage: of exact tunes; None of other pieces.
      floors: of exact tunes.
      not_canonical: by name of the configuration, the share of what it generated that is not in the one form in which its
        likelihood is counted.
      apart: tunes that one representation predicts better than another by most.
    """

    covers: str
    representations: Sequence[str]
    num_pieces: int
    num_left_out: int
    num_notes: int
    figures: Mapping[str, Figures]
    pairs: Sequence[PiecesPair]
    coverage: Coverage | None = None
    floors: Sequence[FloorResult] = ()
    not_canonical: Mapping[str, Estimate] = dataclasses.field(default_factory=dict)
    apart: Sequence[ApartPiece] = ()


@dataclasses.dataclass(frozen=True)
class SamplesResult:
    """Tunes that a configuration wrote in one way of sampling, or real ones beside them.

    Attributes:
      label: of the way of sampling.
      configuration: its name.
      num_tunes: of each run.
      figures: shares, by the names of `etude.pipelines.comparison.music.samples.MEASURES`.
    """

    label: str
    configuration: str
    num_tunes: int
    figures: Figures


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The answer in words: the first sentence, how sure it is, and what there is to add."""

    headline: str
    sureness: str
    sentences: Sequence[str]


@dataclasses.dataclass(frozen=True)
class DatasetResult:
    """What the models were compared on.

    Attributes:
      path: of the dataset folder.
      fingerprint: of the dataset.
      steps_per_quarter: steps in a quarter note, of melodies and of all their models.
      split: its name.
      num_melodies: in the split; or sequences of another representation.
      num_steps: predicted ones.
      num_notes: among the predicted steps.
      description: the whole of dataset.json.
      representation: what its sequences are of.
      words: how they are called.
    """

    path: str
    fingerprint: str
    steps_per_quarter: int
    split: str
    num_melodies: int
    num_steps: int
    num_notes: int
    description: Mapping[str, Any]
    representation: str = MELODY
    words: Words = MELODIES


@dataclasses.dataclass(frozen=True)
class Results:
    """All that a comparison found."""

    version: str
    command: str
    checkpoint: str
    datasets: Sequence[DatasetResult]
    verdict: Verdict
    configurations: Sequence[ConfigurationResult]
    baselines: Sequence[BaselineResult]
    pairs: Sequence[PairResult]
    breakdowns: Sequence[BreakdownResult]
    music: Sequence[MusicResult]
    published: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    pieces: Sequence[PiecesResult] = ()
    samples: Sequence[SamplesResult] = ()

    @property
    def dataset(self) -> DatasetResult:
        """The first dataset: with one representation, the only one."""
        return self.datasets[0]

    def words(self, domain: str) -> Words:
        """How the sequences of a domain are called."""
        return next(one.words for one in self.configurations if one.domain == domain)

    def dataset_of(self, domain: str) -> DatasetResult:
        """The dataset that the models of a domain were compared on."""
        representation = next(one.representation for one in self.configurations if one.domain == domain)
        return next(one for one in self.datasets if one.representation == representation)

    def domains(self) -> list[str]:
        """The domains of the configurations, in order."""
        return list(dict.fromkeys(configuration.domain for configuration in self.configurations))
