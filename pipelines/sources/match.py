"""`MatchMusic`: patterns to the music files that they stand for, as a dataflow."""

import dataclasses
import hashlib
import marshal
import operator
import struct
from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam
from apache_beam.coders import Coder, registry

from etude.pipelines.records.counts import Counts, SumCounts
from etude.pipelines.running.progress import UNCOUNTED, Tally
from etude.pipelines.sources.find import find
from etude.pipelines.sources.member import Packing
from etude.pipelines.sources.names import collection_names, number_names, place
from etude.pipelines.sources.source import Source

_NAMES = [field.name for field in dataclasses.fields(Source) if field.name != "packing"]
_fields = operator.attrgetter(*_NAMES, "packing")


class SourceCoder(Coder):  # type: ignore[misc]
    """A source as few bytes: runners keep all of them."""

    def encode(self, value: Source) -> bytes:
        """The values of its fields."""
        *before, packing = _fields(value)
        return marshal.dumps((*before, packing and tuple(packing)))

    def decode(self, encoded: bytes) -> Source:
        """The source again."""
        *before, packing = marshal.loads(encoded)
        return Source(**dict(zip(_NAMES, before, strict=True)), packing=packing and Packing(*packing))

    def is_deterministic(self) -> bool:
        """One source has one encoding."""
        return True


registry.register_coder(Source, SourceCoder)


@dataclasses.dataclass
class MatchMusic(beam.PTransform):  # type: ignore[misc]
    """Finds music files, each once and under a name of its own.

    In: the start of a pipeline. Out: `PCollection[Source]`.

    Attributes:
      patterns: files, folders, globs, archives and `corpus:NAME`; SCHEME://... where Beam has a file system for it.
      tally: counts every file that was found.
    """

    patterns: Sequence[str]
    tally: Tally = UNCOUNTED

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection[Source]:
        """Finds, drops what is found twice, and names collections and files apart."""
        found = (
            begin | beam.Create(list(enumerate(self.patterns)), reshuffle=False) | "Find" >> beam.FlatMap(find_numbered)
        )
        names = found | "NameCollections" >> beam.CombineGlobally(NameCollections()).without_defaults()
        return (
            found
            | "ByPlace" >> beam.Map(by_place).with_output_types(tuple[bytes, tuple[int, Source]])
            | "GroupPlaces" >> beam.GroupByKey()
            | "FirstAtPlace" >> beam.ParDo(FirstAtPlace(self.tally)).with_output_types(Source)
            | "ByName" >> beam.Map(by_name, beam.pvalue.AsSingleton(names, {})).with_output_types(tuple[str, Source])
            | "GroupNames" >> beam.GroupByKey()
            | "Number" >> beam.FlatMap(number_group).with_output_types(Source)
        )


def find_numbered(pattern: tuple[int, str]) -> Iterator[tuple[int, Source]]:
    """The files that one pattern stands for, with the pattern's number."""
    number, argument = pattern
    for source in find(argument):
        yield number, source


class NameCollections(beam.CombineFn):  # type: ignore[misc]
    """The names of all collections, by path."""

    def create_accumulator(self) -> dict[str, int]:
        """No collection; for each, the first pattern that it was found by."""
        return {}

    def add_input(self, mutable_accumulator: dict[str, int], element: tuple[int, Source]) -> dict[str, int]:
        """Adds the collection of a source."""
        number, source = element
        mutable_accumulator[source.root] = min(number, mutable_accumulator.get(source.root, number))
        return mutable_accumulator

    def merge_accumulators(self, accumulators: Iterable[dict[str, int]]) -> dict[str, int]:
        """Brings collections together."""
        first: dict[str, int] = {}
        for accumulator in accumulators:
            for root, number in accumulator.items():
                first[root] = min(number, first.get(root, number))
        return first

    def extract_output(self, accumulator: dict[str, int]) -> dict[str, str]:
        """Names them."""
        return collection_names((number, root) for root, number in accumulator.items())


def by_place(found: tuple[int, Source]) -> tuple[bytes, tuple[int, Source]]:
    """A found source under its place."""
    return hashlib.sha256(place(found[1]).encode("utf-8", "surrogateescape")).digest()[:16], found


class FirstAtPlace(beam.DoFn):  # type: ignore[misc]
    """Of the names for one file that of the first pattern; files are told to a tally, a bundle at a time."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def start_bundle(self) -> None:
        """Starts with nothing."""
        self._number = 0

    def process(self, element: tuple[bytes, Iterable[tuple[int, Source]]]) -> Iterator[Source]:
        """Yields one source."""
        self._number += 1
        yield first_at_place(element)

    def finish_bundle(self) -> None:
        """Tells how many there were."""
        self._tally.add(self._number)


def first_at_place(group: tuple[bytes, Iterable[tuple[int, Source]]]) -> Source:
    """Of the names for one file that of the first pattern."""
    return min(group[1], key=lambda found: (found[0], found[1].root, found[1].name))[1]


def by_name(source: Source, names: dict[str, str]) -> tuple[str, Source]:
    """A source with its collection, under its name."""
    named = dataclasses.replace(source, collection=names[source.root])
    return named.full_name, named


def number_group(group: tuple[str, Iterable[Source]]) -> Iterator[Source]:
    """Sources of one name, told apart by numbers."""
    return number_names(group[1])


@dataclasses.dataclass
class CountSources(beam.PTransform):  # type: ignore[misc]
    """How many sources there are, their bytes, and what tells them from others, whatever their order.

    In: `PCollection[Source]`. Out: one element if there is any source, `Counts` with the groups "sources" and "sources-hash".
    """

    def expand(self, sources: beam.PCollection[Source]) -> beam.PCollection[Counts]:
        """Counts each and adds up."""
        return sources | beam.Map(count_source) | beam.CombineGlobally(SumCounts()).without_defaults()


def count_source(source: Source) -> Counts:
    """The counts of one source. Hashes add up to one that does not depend on their order."""
    identity = f"{source.full_name}\0{source.size}\0{source.modified}".encode("utf-8", "surrogateescape")
    # Four numbers of 32 bits, since counts have to stay below 64.
    parts = struct.unpack_from("<4I", hashlib.sha256(identity).digest())
    return {
        ("sources", "number"): 1,
        ("sources", "bytes"): source.size,
        **{("sources-hash", str(index)): part for index, part in enumerate(parts)},
    }
