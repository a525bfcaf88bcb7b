"""`ReadNotes`: files of NoteSequences to pieces, as a dataflow."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam

from etude.models.errors import EtudeError
from etude.models.storage.records import read_records
from etude.models.storage.texts import Text
from etude.pipelines.files import file_systems
from etude.pipelines.readers.note_files import NoteFile
from etude.pipelines.readers.note_sequences import NoteSequence, parse_note_sequence, piece_name
from etude.pipelines.readers.piece_coder import Piece
from etude.pipelines.running.progress import UNCOUNTED, Tally


@dataclasses.dataclass
class ReadNotes(beam.PTransform):  # type: ignore[misc]
    """Reads NoteSequences that were stored before.

    In: the start of a pipeline. Out: `PCollection[Piece]`, each under a name of its own.

    Attributes:
      files: TFRecord files, compressed or not, on any file system.
      with_texts: whether what pieces were written as is wanted.
      are_named_apart: whether the names of pieces are known to differ, as those of one conversion do.
      tally: counts every file that was read.
    """

    files: Sequence[NoteFile]
    with_texts: bool = True
    are_named_apart: bool = False
    tally: Tally = UNCOUNTED

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection[Piece]:
        """Reads each file, and names pieces apart."""
        files = begin | beam.Create(
            [(file.path, file.texts if self.with_texts else "") for file in self.files], reshuffle=False
        )
        pieces = files | "Read" >> beam.FlatMap(read_pieces, self.tally).with_output_types(Piece)
        if self.are_named_apart:
            return pieces
        return (
            pieces
            | "ByName" >> beam.WithKeys(piece_id).with_output_types(tuple[str, Piece])
            | "GroupNames" >> beam.GroupByKey()
            | "NumberNames" >> beam.FlatMap(name_apart).with_output_types(Piece)
        )


def read_pieces(file: tuple[str, str], tally: Tally) -> Iterator[Piece]:
    """The pieces of one file, with what they were written as; one without a name is called after the file.

    Raises:
      EtudeError: if the file is damaged.
    """
    path, texts_path = file
    name = NoteFile(path).name
    texts = read_texts(texts_path) if texts_path else iter(())
    text = next(texts, None)
    for number, record in enumerate(read_records(path, file_systems.open_to_read), start=1):
        sequence = parse_note_sequence(record, path, number)
        sequence.id = piece_name(sequence) or f"{name}:{number}"
        if text is not None and text.id == sequence.id:
            yield Piece(sequence, text)
            text = next(texts, None)
        else:
            yield Piece(sequence)
    if text is not None:
        raise EtudeError(f"{texts_path} holds {text.id}, which {path} does not; convert the music again")
    tally.add()


def read_texts(path: str) -> Iterator[Text]:
    """The texts of one file.

    Raises:
      EtudeError: if the file is damaged.
    """
    for number, record in enumerate(read_records(path, file_systems.open_to_read), start=1):
        try:
            yield Text.decode(record)
        except ValueError as error:
            raise EtudeError(f"{path}: record {number}: {error}; convert the music again") from error


def piece_id(piece: Piece) -> str:
    """The name of a piece."""
    return piece.id


def name_apart(group: tuple[str, Iterable[Piece]]) -> Iterator[Piece]:
    """Pieces of one name, told apart by numbers; their notes decide the order."""
    name, pieces = group
    serialised = sorted(
        ((piece.sequence.SerializeToString(deterministic=True), piece.text) for piece in pieces), key=_first
    )
    for number, (notes, text) in enumerate(serialised, start=1):
        sequence = NoteSequence.FromString(notes)
        sequence.id = name if number == 1 else f"{name}~{number}"
        yield Piece(sequence, text)


def _first(pair: tuple[bytes, Text | None]) -> bytes:
    return pair[0]
