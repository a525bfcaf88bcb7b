"""Magenta's form of a dataset: the dense inputs and labels of one configuration."""

from etude.models import registry
from etude.models.configuration import Configuration
from etude.models.encodings.encoding import Encoding, as_vectors
from etude.models.melodies.melody import Melody, metres, squash
from etude.models.sequences.batch import Attributes, Tokens
from etude.models.sequences.domain import MELODY
from etude.models.storage.sequence_examples import decode_melody, decode_sequence, encode_inputs_and_labels


class DenseRecords:
    """From stored melodies to Magenta's records, which are a thousand times larger, so that only those are passed on."""

    def __init__(self, configuration: Configuration) -> None:
        """Encodes for a configuration."""
        self._configuration = configuration

    def __call__(self, record: bytes) -> bytes:
        """The dense record of a stored sequence."""
        encoding = registry.make_encoding(self._configuration)
        if self._configuration.representation != MELODY:
            return dense_record(encoding, decode_sequence(record)[0], {})
        return encode_dense(decode_melody(record), self._configuration, encoding)


def encode_dense(melody: Melody, configuration: Configuration, encoding: Encoding) -> bytes:
    """Magenta's record of a melody: squashed, the input at each step beside the label of the next."""
    events, _ = squash(melody.events, configuration.min_note, configuration.max_note, configuration.transpose_to_key)
    return dense_record(encoding, events, metres(melody.steps_per_bar))


def dense_record(encoding: Encoding, tokens: Tokens, attributes: Attributes) -> bytes:
    """Magenta's record of a sequence: the input at each step beside the label of the next."""
    inputs = as_vectors(encoding.inputs(tokens[None], attributes)[0, :-1], encoding.input_size)
    labels = encoding.labels(tokens[None], attributes)[0, 1:]
    return encode_inputs_and_labels(inputs, labels)
