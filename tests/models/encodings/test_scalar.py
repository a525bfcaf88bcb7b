import numpy as np
import pytest

from etude.models.encodings.scalar import ScalarEncoding


def test_a_token_is_its_place():
    """As `network_input / n_vocab`; and the same token by token."""
    encoding = ScalarEncoding(8, end_token=2)
    tokens = np.array([[0, 3, 7], [1, 2, 4]])
    inputs = encoding.inputs(tokens, {})
    np.testing.assert_array_equal(inputs, np.float32(tokens[..., None] / 8))
    stream = encoding.stream(2, {})
    for step in range(3):
        np.testing.assert_array_equal(stream.append(tokens[:, step]), inputs[:, step])
    assert encoding.labels(tokens, {}).tolist() == tokens.tolist()
    with pytest.raises(ValueError, match="outside the vocabulary"):
        encoding.inputs(np.array([[8]]), {})
