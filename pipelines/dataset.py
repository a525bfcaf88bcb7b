"""NoteSequences to a dataset: the sequences of a representation, split into train and eval (and test)."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton

from etude.models import registry
from etude.models.configuration import Configuration
from etude.models.dataset import read_description
from etude.models.errors import EtudeError, UsageError
from etude.models.magenta.records import THINGS
from etude.models.melodies.content import NGRAM_SIZES
from etude.models.melodies.extraction import ExtractionOptions
from etude.models.progress import Progress, silent
from etude.models.representations.melody import MelodyRepresentation
from etude.models.representations.registry import make_representation
from etude.models.representations.representation import TUNE, Representation
from etude.models.sequences.domain import MELODIC, MELODY
from etude.models.storage import dataset_pb2
from etude.models.storage.messages import as_dict
from etude.pipelines.files import file_systems
from etude.pipelines.files.dataset_folder import open_folder
from etude.pipelines.files.output_folder import WORK_FOLDER, OutputFolder, fingerprint, version
from etude.pipelines.files.temporary_folder import temporary_folder
from etude.pipelines.readers.note_files import NoteFile, expand_note_files
from etude.pipelines.readers.notes import ReadNotes
from etude.pipelines.reasons import describe_most_frequent
from etude.pipelines.records.counts import CountEach, Counts, SumCounts, group
from etude.pipelines.records.results import WriteResult, as_counts, as_rows, read_result
from etude.pipelines.records.shards import num_shards
from etude.pipelines.records.write import WriteRecords, listed
from etude.pipelines.running.progress import Tally
from etude.pipelines.running.runner import Resources, Watch, run
from etude.pipelines.sequences import dataset_records as records
from etude.pipelines.sequences.dense import DenseRecords
from etude.pipelines.sequences.exact_tunes import EXACT, LEFT_OUT, WHOLE_MELODY, KeepExactTunes
from etude.pipelines.sequences.extract import COUNTS, REJECTED, SEQUENCES, ExtractPieces, ListSequences, Transpose
from etude.pipelines.sequences.leaks import DROPPED, KEPT, DropDuplicates, DropLeaks
from etude.pipelines.sequences.overlap import CountSharedRuns
from etude.pipelines.sequences.split import SplitByContent
from etude.pipelines.sequences.split_rule import EVAL, TRAIN, SplitRule
from etude.pipelines.sequences.vocabulary import FitVocabulary, number

DESCRIPTION = "dataset.json"
ETUDE = "etude"
MAGENTA = "magenta"
FORMATS = (ETUDE, MAGENTA)
_EXPANSION = 10.0
"""Bytes of records for a byte of compressed NoteSequences, roughly."""


def create_dataset(
    notes: Sequence[pathlib.Path | str],
    output: pathlib.Path | str,
    *,
    representation: str = MELODY,
    options: dict[str, str] | None = None,
    eval_ratio: float = 0.1,
    test_ratio: float = 0.0,
    salt: str = "",
    extraction: ExtractionOptions | Mapping[str, Any] | None = None,
    transpositions: Sequence[int] | None = None,
    dedupe: bool = False,
    exact_tunes: bool = False,
    format: str = ETUDE,
    config: str = "",
    shards: int = 0,
    workers: int = 1,
    beam_options: Sequence[str] = (),
    overwrite: bool = False,
    progress: Progress = silent,
) -> dataset_pb2.DatasetDescription:
    """Makes the sequences of a representation of NoteSequences, and splits them.

    Writes `SPLIT-SSSSS-of-NNNNN.tfrecord` for every split (or, in Magenta's form, `training_melodies.tfrecord` and
    `eval_melodies.tfrecord`), `rejected.jsonl` (why music gave no sequence, if some did not) and, last, `dataset.json`. The
    bytes depend on the NoteSequences and the options alone. A job that was killed starts again; on a complete folder it does
    nothing.

    Args:
      notes: folders that `etude convert` wrote, and TFRecord files of NoteSequences, Magenta's too; on any file system.
      output: the folder to write, on any file system.
      representation: what pieces become, see `etude.models.representations.registry`.
      options: the options of a representation other than melodies, each as JSON.
      eval_ratio: the share of pieces that evaluate.
      test_ratio: the share of pieces that are kept for a last test.
      salt: another salt gives another split.
      extraction: what makes a melody: all of it, or what is not usual in the representation.
      transpositions: semitones by which copies of training sequences are moved; 0 is the sequence itself. None for what is
        usual in the representation.
      dedupe: whether pieces are dropped whose notes another one has; they are counted in any case.
      exact_tunes: whether only pieces are kept that every representation of tunes carries exactly, each as one tune in C:
        what models of several representations are compared over. Melodies are whole then, whatever `extraction` says.
      format: "etude", or "magenta" for dense records.
      config: the configuration that a dataset in Magenta's form is encoded for.
      shards: files of each split; 0 makes it one for about every 64 MB.
      workers: processes.
      beam_options: Beam's own options, if it is to run elsewhere than here.
      overwrite: whether the results of another job in the folder are to be replaced.
      progress: called with the count of finished files.

    Returns:
      What the dataset holds.

    Raises:
      EtudeError: if there are no NoteSequences or no sequences, a split would be empty, or the folder cannot be written.
      UsageError: if an option is out of range or does not go with another.
    """
    rule = SplitRule(eval_ratio, test_ratio, salt)
    chosen = _representation(representation, options or {}, WHOLE_MELODY if exact_tunes else extraction)
    if exact_tunes and not chosen.carries_tunes:
        raise UsageError(f"--exact-tunes: sequences of {chosen.name} do not carry all of a tune")
    configuration = _configuration(format, config, chosen)
    moves = chosen.default_transpositions if transpositions is None else tuple(transpositions)
    _check_transpositions(moves, configuration)
    if shards < 0:
        raise UsageError(f"--shards must be at least 1, or 0 for one for every 64 MB, not {shards}")
    resources = Resources(workers, beam_options, progress)
    resources.check()
    if beam_options and any(map(file_systems.is_remote, (*map(str, notes), str(output)))):
        file_systems.set_options(beam_options)
    files, are_named_apart = expand_note_files(notes)
    made_of = fingerprint(
        "dataset",
        [
            [format, config, list(moves), dedupe, shards, *([EXACT] if exact_tunes else [])],
            [chosen.name, chosen.options(), dataclasses.asdict(rule)],
            [[file.name, file.size, file.modified] for file in files],
        ],
    )
    folder = OutputFolder.of(output, DESCRIPTION)
    with folder.claim():
        folder.check_free(overwrite, made_of)
        if folder.made_of() == made_of and folder.is_complete():
            progress(len(files), len(files), f"{folder.path} is complete already")
            return _read(folder)
        folder.start()
        flow = _Flow(
            files=files,
            are_named_apart=are_named_apart,
            folder=folder,
            representation=chosen,
            rule=rule,
            transpositions=moves,
            dedupe=dedupe,
            exact_tunes=exact_tunes,
            configuration=configuration,
            shards=shards or num_shards(sum(file.size for file in files), _EXPANSION),
        )
        try:
            result = flow.run(resources)
            description = _describe(flow, result)
            if not description.num_pieces:
                raise EtudeError(_no_pieces([file.path for file in files], description.left_out))
            problem = _problem(description, rule, folder)
            if problem:
                raise EtudeError(problem)
        except BaseException:
            folder.give_up()
            raise
        text = json.dumps(as_dict(description), indent=2) + "\n"
        folder.finish(made_of, text.encode())
        return description


_MOST_NAMED = 3
"""Files in a message."""


@dataclasses.dataclass(frozen=True)
class _Flow:
    """The dataflow of one job."""

    files: list[NoteFile]
    are_named_apart: bool
    folder: OutputFolder
    representation: Representation
    rule: SplitRule
    transpositions: tuple[int, ...]
    dedupe: bool
    exact_tunes: bool
    configuration: Configuration | None
    shards: int

    def run(self, resources: Resources) -> dict[str, Any]:
        """Runs it: everything but the description is written then."""
        result = self.folder.join(f"{WORK_FOLDER}/result.json")
        with temporary_folder() as name:
            done = Tally.in_folder(name, "done")
            note = "reading pieces"
            run(
                lambda pipeline: self.build(pipeline, result, done),
                resources,
                Watch(note, done, lambda: len(self.files)),
            )
        return read_result(result)

    def build(self, pipeline: beam.Pipeline, result: str, done: Tally) -> None:
        """Pieces are read, split and rid of leaks; what is left becomes sequences, which are written and counted."""
        reads_text = self.representation.reads_text or self.exact_tunes
        read = pipeline | ReadNotes(self.files, reads_text, self.are_named_apart, done)
        left_out = []
        if self.exact_tunes:
            exact = read | KeepExactTunes()
            read, left_out = exact[EXACT], [exact]
        pieces = read | SplitByContent(self.rule)
        copies = pieces | "DropDuplicates" >> DropDuplicates(keep=not self.dedupe)
        # What a piece gives is smaller than the piece: it is what waits until all leaks are known.
        leaks = copies[KEPT] | ExtractPieces(self.representation) | "DropLeaks" >> DropLeaks()
        extracted = leaks[KEPT] | ListSequences()
        symbols: Any = list(self.representation.fixed_symbols)
        sequences, counted = extracted[SEQUENCES], []
        if any(self.transpositions):
            moved = sequences | Transpose(self.representation, self.transpositions)
            sequences, counted = moved[SEQUENCES], [moved[COUNTS]]
        if self.representation.has_symbols:
            symbols = AsSingleton(sequences | FitVocabulary(self.representation), [])
            sequences = sequences | "Number" >> beam.Map(number, symbols)
        dense = None if self.configuration is None else DenseRecords(self.configuration)
        written = (
            sequences
            | "Records" >> beam.Map(records.sequence_record, self.representation, dense is not None)
            | "WriteSequences" >> WriteRecords(self.folder.path, self.shards, dense)
        )
        rejected = (
            (*(one[REJECTED] for one in left_out), extracted[REJECTED])
            | "AllRejected" >> beam.Flatten()
            | "Rejected" >> beam.Map(records.rejected_record)
            | "WriteRejected" >> WriteRecords(self.folder.path)
        )
        counts = (
            (
                pieces | "CountPieces" >> beam.ParDo(CountEach(records.count_piece)),
                copies[DROPPED] | "CountCopies" >> beam.ParDo(CountEach(records.count_copy)),
                leaks[DROPPED] | "CountLeaks" >> beam.ParDo(CountEach(records.count_leak)),
                extracted[COUNTS],
                *counted,
                *(one[COUNTS] for one in left_out),
                sequences | "CountSequences" >> beam.ParDo(CountEach(records.count_sequence, self.representation)),
                extracted[SEQUENCES] | CountSharedRuns(self.representation, self.shards),
            )
            | "AllCounts" >> beam.Flatten()
            | "Sum" >> beam.CombineGlobally(SumCounts()).without_defaults()
            | "Rows" >> beam.Map(as_rows)
        )
        values = {
            "counts": AsSingleton(counts, []),
            "written": AsList(written),
            "rejected": AsList(rejected),
            "symbols": symbols,
        }
        pipeline | "WriteResult" >> WriteResult(result, values)


def _describe(flow: _Flow, result: dict[str, Any]) -> dataset_pb2.DatasetDescription:
    """What `dataset.json` says."""
    counts: Counts = as_counts(result["counts"])
    copies = group(counts, "copies")
    description = dataset_pb2.DatasetDescription(
        format=MAGENTA if flow.configuration else ETUDE,
        config=flow.configuration.config if flow.configuration else "",
        version=version(),
        fingerprint=records.total_digest(counts, "sequences"),
        pieces_fingerprint=records.total_digest(counts, "pieces"),
        representation=dataset_pb2.Representation(
            name=flow.representation.name,
            unit=flow.representation.unit,
            options=flow.representation.options(),
            vocabulary=result["symbols"],
            covers=TUNE if flow.exact_tunes else flow.representation.covers,
        ),
        split_rule=dataset_pb2.SplitRule(**dataclasses.asdict(flow.rule)),
        transpositions=flow.transpositions,
        duplicates_dropped=flow.dedupe,
        num_pieces=counts.get(("all", "pieces"), 0),
        num_truncated_melodies=counts.get(("sequences", "truncated"), 0),
        num_leaked_pieces_dropped=counts.get(("leaked", "pieces"), 0),
        num_leaked_melodies_dropped=counts.get(("leaked", "sequences"), 0),
        num_duplicate_pieces=copies.get("exact", 0),
        num_transposed_duplicate_pieces=copies.get("transposed", 0),
        rejected=group(counts, "rejected"),
        left_out=group(counts, LEFT_OUT),
        remarks=group(counts, "remarks"),
    )
    if isinstance(flow.representation, MelodyRepresentation):
        description.extraction.CopyFrom(dataset_pb2.Extraction(**_values(ExtractionOptions, flow.representation)))
    for name in flow.rule.splits:
        description.splits.add(
            name=name,
            num_melodies=counts.get(("number", name), 0),
            num_steps=counts.get(("tokens", name), 0),
            num_notes=counts.get(("notes", name), 0),
            max_steps=counts.get(("max-tokens", name), 0),
            melodies_by_steps_per_bar={int(bar): count for bar, count in group(counts, f"bars {name}").items()},
            files=listed(
                result["written"],
                records.output_name(name, flow.configuration.representation if flow.configuration else None),
            ),
        )
    if EVAL in flow.rule.splits:
        for n in NGRAM_SIZES:
            runs = counts.get(("runs", str(n)), 0)
            if runs:
                description.eval_ngram_overlap[n] = counts.get(("shared-runs", str(n)), 0) / runs
    return description


def _no_pieces(paths: Sequence[str], left_out: Mapping[str, int]) -> str:
    """Says that there is no piece in some files, or none that is not left out."""
    if left_out:
        return f"none of the {sum(left_out.values()):,} pieces is an exact tune:\n{describe_most_frequent(left_out)}"
    others = f" and {len(paths) - _MOST_NAMED:,} other files" if len(paths) > _MOST_NAMED else ""
    named = ", ".join(paths[:_MOST_NAMED])
    return f"there are no pieces in {named}{others}; make some with 'etude convert SOURCE --output NOTES'"


def _problem(description: dataset_pb2.DatasetDescription, rule: SplitRule, folder: OutputFolder) -> str:
    """What is wrong if there is no sequence, or a split has none; empty if all have one."""
    is_melodic = description.representation.name in MELODIC
    name, plural = ("melody", "melodies") if is_melodic else ("sequence", "sequences")
    total = sum(split.num_melodies for split in description.splits)
    if not total:
        problem = f"none of the {description.num_pieces:,} pieces has a {name}"
        if description.rejected:
            problem += f":\n{describe_most_frequent(description.rejected)}\n"
            problem += f"{folder.join(records.REJECTED)} says why for each track"
        return problem
    for split in description.splits:
        if not split.num_melodies:
            ratios = f"--eval-ratio {rule.eval_ratio:g} --test-ratio {rule.test_ratio:g} --salt {rule.salt!r}"
            remedy = "a smaller --eval-ratio" if split.name == TRAIN else f"a larger --{split.name}-ratio"
            return (
                f"the {split.name} split is empty: {total:,} {plural} out of {description.num_pieces:,} pieces, {ratios}; "
                f"give more music, {remedy}, or another --salt"
            )
    return ""


def _read(folder: OutputFolder) -> dataset_pb2.DatasetDescription:
    return read_description(open_folder(folder.path))


def _representation(
    name: str, options: dict[str, str], extraction: ExtractionOptions | Mapping[str, Any] | None
) -> Representation:
    made = make_representation(name, options)
    if not isinstance(made, MelodyRepresentation):
        return made
    if name == MELODY and options:
        raise UsageError("--option goes with representations other than melodies, which have flags of their own")
    flags = {field.name for field in dataclasses.fields(ExtractionOptions)} & set(options)
    if flags:
        raise UsageError(f"--option {flags.pop()}: melodies have a flag of this name")
    if isinstance(extraction, ExtractionOptions):
        extraction = _values(ExtractionOptions, extraction)
    return dataclasses.replace(made, **(extraction or {}))


def _values(kind: type[ExtractionOptions], options: ExtractionOptions) -> dict[str, Any]:
    """The values of the fields of a dataclass that another one derives from."""
    return {field.name: getattr(options, field.name) for field in dataclasses.fields(kind)}


def _configuration(format: str, config: str, representation: Representation) -> Configuration | None:
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
    if representation.name not in THINGS:
        raise UsageError(f"--format magenta is for what Magenta has, not for {representation.name}")
    if configuration.representation != representation.name:
        raise UsageError(
            f"--config {config} reads {configuration.representation}, so --format magenta needs --representation "
            f"{configuration.representation}"
        )
    steps = getattr(representation, "steps_per_quarter", 0)
    if configuration.steps_per_quarter != steps:
        raise UsageError(
            f"{config} has {configuration.steps_per_quarter} steps per quarter note; "
            f"--steps-per-quarter {steps} does not go with --format magenta"
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
