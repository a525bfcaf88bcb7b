import collections
import random

import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to

from etude.pipelines.records.counts import CountEach, SumCounts


def count_letters(word, group):
    letters = {(group, letter): count for letter, count in collections.Counter(word).items()}
    return letters | {("max-length", group): len(word)}


def test_counts_of_bundles_add_up_to_those_of_all_elements():
    chooser = random.Random(0)
    words = ["".join(chooser.choices("abcd", k=chooser.randrange(1, 9))) for _ in range(500)]
    letters = collections.Counter("".join(words))
    expected = {("letters", letter): count for letter, count in letters.items()}
    expected["max-length", "letters"] = max(map(len, words))
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        sums = pipeline | beam.Create(words) | beam.ParDo(CountEach(count_letters, "letters"))
        total = sums | beam.CombineGlobally(SumCounts()).without_defaults()
        assert_that(total, equal_to([expected]), "total")
        # What is passed on does not grow with the elements.
        number = sums | beam.combiners.Count.Globally() | beam.Map(lambda count: count < 50)
        assert_that(number, equal_to([True]), "number")
