"""Magenta's form of a dataset: the dense inputs and labels of one configuration."""

import numpy as np

from etude.models import registry
from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding, as_vectors
from etude.models.melodies.melody import Melody
from etude.models.melodies.melody_set import MelodySet
from etude.models.sequences.batch import Attributes, Tokens
from etude.models.sequences.domain import MELODIC
from etude.models.storage.sequence_examples import decode_melody, decode_sequence, encode_inputs_and_labels


class DenseRecords:
    """From stored melodies to Magenta's records, which are a thousand times larger, so that only those are passed on."""

    def __init__(self, configuration: Configuration) -> None:
        """Encodes for a configuration."""
        self._configuration = configuration

    def __call__(self, record: bytes) -> bytes:
        """The dense record of a stored sequence."""
        encoding = registry.make_encoding(self._configuration)
        if self._configuration.representation not in MELODIC:
            return dense_record(encoding, decode_sequence(record)[0], {})
        return encode_dense(decode_melody(record), self._configuration, encoding)


def encode_dense(melody: Melody, configuration: Configuration, encoding: Encoding) -> bytes:
    """Magenta's record of a melody: squashed, the input at each step beside the label of the next."""
    batch = registry.make_domain(configuration).enter_all(MelodySet.of([melody])).batch(np.zeros(1, np.int64))
    return dense_record(encoding, batch.tokens[0], batch.attributes)


def dense_record(encoding: Encoding, tokens: Tokens, attributes: Attributes) -> bytes:
    """Magenta's record of a sequence: the input at each step beside the label of the next."""
    inputs = as_vectors(encoding.inputs(tokens[None, :-1], attributes)[0], encoding.input_size)
    labels = encoding.labels(tokens[None], attributes)[0, 1:]
    return encode_inputs_and_labels(inputs, labels)
