"""NoteSequences to a dataset of melodies."""

import dataclasses
import json
import pathlib
from collections.abc import Sequence

from etude.models import registry
from etude.models.configuration import Configuration
from etude.models.dataset import read_description
from etude.models.errors import UsageError
from etude.models.progress import Progress, silent
from etude.models.storage import dataset_pb2
from etude.models.storage.files import write_text
from etude.models.storage.messages import as_dict
from etude.pipelines.jobs import job as jobs
from etude.pipelines.jobs.shards import Slice
from etude.pipelines.sequences import melody_slices
from etude.pipelines.sequences.dataset_totals import add_statistics, decide, join_dense
from etude.pipelines.sequences.extraction import MAGENTA_OPTIONS, ExtractionOptions
from etude.pipelines.sequences.melody_slices import ExtractSlice, WriteSlice
from etude.pipelines.sequences.note_files import expand_note_files
from etude.pipelines.sequences.split import SplitRule

DESCRIPTION = "dataset.json"
ETUDE = "etude"
MAGENTA = "magenta"
FORMATS = (ETUDE, MAGENTA)
MAGENTA_FILES = {
    "train": "training_melodies.tfrecord",
    "eval": "eval_melodies.tfrecord",
    "test": "test_melodies.tfrecord",
}


def create_dataset(
    notes: Sequence[pathlib.Path | str],
    output: pathlib.Path | str,
    *,
    eval_ratio: float = 0.1,
    test_ratio: float = 0.0,
    salt: str = "",
    extraction: ExtractionOptions = MAGENTA_OPTIONS,
    transpositions: Sequence[int] = (0,),
    dedupe: bool = False,
    format: str = ETUDE,
    config: str = "",
    workers: int = 1,
    beam_options: Sequence[str] = (),
    overwrite: bool = False,
    progress: Progress = silent,
) -> dataset_pb2.DatasetDescription:
    """Extracts the melodies of NoteSequences and splits them.

    Writes `SPLIT-SSSSS-of-NNNNN.tfrecord` for every split (or, in Magenta's form, `training_melodies.tfrecord` and
    `eval_melodies.tfrecord`), `rejected.jsonl` (why tracks gave no melody) and, last, `dataset.json`. The bytes depend
    on the NoteSequences and the options alone. A job that was killed goes on where it was; on a complete folder it does
    nothing.

    Args:
      notes: folders that `etude convert` wrote, and TFRecord files of NoteSequences, Magenta's too.
      output: the folder to write.
      eval_ratio: the share of pieces that evaluate.
      test_ratio: the share of pieces that are kept for a last test.
      salt: another salt gives another split.
      extraction: what makes a melody.
      transpositions: semitones by which copies of training melodies are moved; 0 is the melody itself.
      dedupe: whether melodies are dropped whose intervals and rhythm an earlier one has; they are counted in any case.
      format: "etude" for one dataset that serves every configuration, "magenta" for dense records of one.
      config: the configuration that a dataset in Magenta's form is encoded for.
      workers: processes.
      beam_options: Beam's own options, if it is to run elsewhere than here.
      overwrite: whether the results of another job in the folder are to be replaced.
      progress: called with the count of finished slices.

    Returns:
      What the dataset holds.

    Raises:
      EtudeError: if there are no NoteSequences or no melodies, a split would be empty, or the folder cannot be written.
      UsageError: if an option is out of range or does not go with another.
    """
    rule = SplitRule(eval_ratio, test_ratio, salt)
    configuration = _configuration(format, config, extraction)
    _check_transpositions(transpositions, configuration)
    files = expand_note_files(notes)
    parts = [Slice(index, len(files), (file,)) for index, file in enumerate(files)]
    inputs = [
        [format, config, list(transpositions), dedupe],
        [dataclasses.asdict(rule), dataclasses.asdict(extraction)],
        [[file.name, file.size, file.modified] for file in files],
    ]
    job = jobs.make_job("dataset", output, DESCRIPTION, inputs)
    resources = jobs.Resources(workers, beam_options, progress)
    with jobs.claim(job, overwrite) as is_complete:
        if is_complete:
            progress(len(parts), len(parts), f"{job.output} is complete already")
        else:
            extract = ExtractSlice(job, extraction, rule)
            jobs.run_phase(job, melody_slices.EXTRACT, extract, parts, [], resources, "extracting melodies")
            decide(job, parts, rule, dedupe)
            shards = [] if configuration else rule.splits
            write = WriteSlice(job, rule.splits, extraction.steps_per_quarter, tuple(transpositions), configuration)
            jobs.run_phase(job, melody_slices.WRITE, write, parts, shards, resources, "writing the splits")
            description = dataset_pb2.DatasetDescription(
                format=format,
                config=configuration.config if configuration else "",
                version=jobs.version(),
                split_rule=dataset_pb2.SplitRule(**dataclasses.asdict(rule)),
                extraction=dataset_pb2.Extraction(**dataclasses.asdict(extraction)),
                transpositions=transpositions,
                duplicates_dropped=dedupe,
            )
            add_statistics(description, job, parts, rule)
            for split in description.splits:
                if configuration:
                    split.files.append(MAGENTA_FILES[split.name])
                    join_dense(job, split.name, len(parts), job.output / MAGENTA_FILES[split.name])
                else:
                    split.files.extend(part.shard(split.name) for part in parts)
            write_text(job.output / DESCRIPTION, json.dumps(as_dict(description), indent=2) + "\n")
    return read_description(job.output)


def _configuration(format: str, config: str, extraction: ExtractionOptions) -> Configuration | None:
    if format not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, not {format!r}")
    if format == ETUDE:
        if config:
            raise UsageError(
                "--config goes with --format magenta; a dataset in Etude's form serves every configuration"
            )
        return None
    if not config:
        raise UsageError("--format magenta needs --config NAME: its records are encoded for one configuration")
    configuration = registry.configure(config)
    if configuration.steps_per_quarter != extraction.steps_per_quarter:
        raise UsageError(
            f"{config} has {configuration.steps_per_quarter} steps per quarter note; "
            f"--steps-per-quarter {extraction.steps_per_quarter} does not go with --format magenta"
        )
    return configuration


def _check_transpositions(transpositions: Sequence[int], configuration: Configuration | None) -> None:
    if len(set(transpositions)) < len(transpositions) or 0 not in transpositions:
        raise UsageError(f"transpositions must hold 0 and no number twice, not {list(transpositions)}")
    if len(transpositions) > 1 and configuration and configuration.transpose_to_key is not None:
        raise UsageError(
            f"{configuration.config} brings every melody into one key, which undoes transposition; "
            "transpose for configurations that keep absolute pitch (mono)"
        )
