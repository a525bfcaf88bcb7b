"""`EvaluateSequences`: the sums of a model over sequences, as a dataflow."""

import dataclasses
import math
from collections.abc import Iterable, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from apache_beam.pvalue import AsSingleton

from etude.models.dataset import read_file_for_model
from etude.models.model import Model
from etude.models.registry import USED, use_families
from etude.models.sequences.sequence_set import SequenceSet
from etude.models.storage.folder import Folder
from etude.pipelines.evaluation.totals import totals_of
from etude.pipelines.files import file_systems
from etude.pipelines.files.temporary_folder import temporary_folder
from etude.pipelines.records.results import WriteResult, read_result
from etude.pipelines.records.write import attempt_name
from etude.pipelines.running.runner import Resources, Watch, run

Total = dict[str, float]
"""Sums by name, `num_sequences` among them."""


@dataclasses.dataclass
class EvaluateSequences(beam.PTransform):  # type: ignore[misc]
    """Evaluates a model on sets of sequences.

    In: `PCollection[tuple[str, SequenceSet]]`, each set under a name of its own, as the model knows them: melodies in its
    key and range. Out: one element, `dict[str, float]`: the totals of `Sums` over all sequences. It does not depend on the
    order of the sets.

    Attributes:
      model: the model.
    """

    model: Model

    def expand(self, sets: beam.PCollection[tuple[str, SequenceSet]]) -> beam.PCollection[Total]:
        """Sums each set, and adds up."""
        return (
            sets
            | "Evaluate" >> beam.Map(total_of, self.model, tuple(USED))
            | "Sum" >> beam.CombineGlobally(SumTotals())
        )


class SumTotals(beam.CombineFn):  # type: ignore[misc]
    """Adds named totals without rounding in between, so that their order does not matter."""

    def create_accumulator(self) -> dict[str, Total]:
        """Nothing."""
        return {}

    def add_input(self, mutable_accumulator: dict[str, Total], element: tuple[str, Total]) -> dict[str, Total]:
        """Adds the total of a set."""
        return {**mutable_accumulator, element[0]: element[1]}

    def merge_accumulators(self, accumulators: Iterable[dict[str, Total]]) -> dict[str, Total]:
        """Brings totals together."""
        return {name: total for totals in accumulators for name, total in totals.items()}

    def extract_output(self, accumulator: dict[str, Total]) -> Total:
        """The sums."""
        names = next(iter(accumulator.values()), {})
        return {name: math.fsum(total[name] for total in accumulator.values()) for name in names}


def total_of(named: tuple[str, SequenceSet], model: Model, families: Sequence[str] = ()) -> tuple[str, Total]:
    """The sums over one set; `families` of other packages are imported first, where this is another process."""
    use_families(families)
    name, sequences = named
    return name, totals_of(model, sequences)


def read_set(name: str, dataset: Folder, model: Model, families: Sequence[str]) -> tuple[str, SequenceSet]:
    """The sequences of one file of a dataset."""
    use_families(families)
    return name, read_file_for_model(dataset, name, model.configuration)


def total_of_files(model: Model, dataset: Folder, files: Sequence[str], resources: Resources) -> Total:
    """The sums over the sequences of some of a dataset's files.

    Args:
      model: the model.
      dataset: the dataset.
      files: names of its files.
      resources: what may be used; results go by Beam's `--temp_location`, if that is given, else over this machine's disk.
    """
    options = PipelineOptions(list(resources.beam_options)).view_as(GoogleCloudOptions)
    with temporary_folder() as local:
        result = file_systems.join(options.temp_location or local, attempt_name("evaluation.json").rpartition("/")[2])

        def build(pipeline: beam.Pipeline) -> None:
            sets = pipeline | beam.Create(list(files)) | "Read" >> beam.Map(read_set, dataset, model, tuple(USED))
            total = sets | EvaluateSequences(model)
            pipeline | "WriteResult" >> WriteResult(result, {"total": AsSingleton(total)})

        run(build, resources, Watch("evaluating"))
        total: Total = read_result(result)["total"]
        file_systems.delete(result)
        return total
