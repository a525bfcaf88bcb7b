"""What a student would write: the same layers, dropout, loss and optimiser in plain Keras and in plain PyTorch.

A function that takes a training step on a batch of ours, for `scripts.bench.training`. Where the batches are a stream, the
state is carried from one to the next, and zeros where a sequence begins.
"""

import itertools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etude.models.encodings.encoding import Encoding
    from etude.models.hyperparameters import Hyperparameters
    from etude.models.training.examples import Example

Step = Callable[["Example"], object]


def keras(hyperparameters: "Hyperparameters", encoding: "Encoding") -> Step:
    """In one graph for all shapes. Keras has no such attention as ours."""
    import tensorflow as tf

    kinds = {"lstm": tf.keras.layers.LSTM, "gru": tf.keras.layers.GRU, "rnn": tf.keras.layers.SimpleRNN}
    sizes, is_stream = hyperparameters.rnn_layer_sizes, hyperparameters.batches == "stream"
    num_states = 2 if hyperparameters.cell == "lstm" else 1
    layers = [kinds[hyperparameters.cell](units, return_sequences=True, return_state=True) for units in sizes]
    dropouts = [tf.keras.layers.Dropout(1 - hyperparameters.dropout_keep_prob) for _ in sizes]
    head = tf.keras.layers.Dense(encoding.num_labels)
    embeds = hyperparameters.embedding_size > 0
    vectors, states = tf.keras.layers.Input((None,) if embeds else (None, encoding.input_size)), []
    outputs = (
        tf.keras.layers.Embedding(encoding.input_size, hyperparameters.embedding_size)(vectors) if embeds else vectors
    )
    for layer, dropout, units in zip(layers, dropouts, sizes, strict=True):
        begin = [tf.keras.layers.Input((units,)) for _ in range(num_states)] if is_stream else None
        outputs, *after = layer(outputs, initial_state=begin)
        outputs = dropout(outputs)
        states.append((begin, after))
    learns_last = hyperparameters.window_labels == "last"
    if learns_last:
        outputs = outputs[:, -1:]
    if hyperparameters.dense_size:
        outputs = tf.keras.layers.Dense(hyperparameters.dense_size, "relu")(outputs)
        outputs = tf.keras.layers.Dropout(1 - hyperparameters.dropout_keep_prob)(outputs)
    begins = [one for begin, _ in states for one in begin or []]
    ends = [one for _, after in states for one in after]
    model = tf.keras.Model([vectors, *begins], [head(outputs), *ends])
    carried = [tf.Variable(tf.zeros([hyperparameters.batch_size, one.shape[-1]]), trainable=False) for one in begins]
    optimiser = tf.keras.optimizers.Adam(
        hyperparameters.learning_rate, epsilon=1e-8, clipnorm=hyperparameters.clip_norm
    )
    signature = [
        tf.TensorSpec([None, None], tf.int64)
        if encoding.is_indexed
        else tf.TensorSpec([None, None, encoding.input_size], tf.float32),
        tf.TensorSpec([None, None], tf.int64),
        tf.TensorSpec([None], tf.int64),
        tf.TensorSpec([None], tf.bool),
    ]

    @tf.function(input_signature=signature)
    def step(inputs: Any, labels: Any, lengths: Any, is_first: Any) -> Any:
        is_real = tf.sequence_mask(lengths, tf.shape(inputs)[1], tf.float32)
        if learns_last:
            # Shorter windows than others are few.
            labels, is_real = labels[:, -1:], is_real[:, -1:]
        state = [tf.where(is_first[:, None], 0.0, one) for one in carried]
        with tf.GradientTape() as tape:
            given = tf.one_hot(inputs, encoding.input_size) if encoding.is_indexed and not embeds else inputs
            logits, *after = model([given, *state], training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_sum(losses * is_real) / tf.reduce_sum(is_real)
        for variable, value in zip(carried, after, strict=False):
            variable.assign(value)
        optimiser.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return lambda example: float(step(example.inputs, example.labels, example.lengths, example.begins))


def torch(hyperparameters: "Hyperparameters", encoding: "Encoding") -> Step:
    """On all processors where a batch has several rows.

    Raises:
      ValueError: if there is to be an embedding or a dense layer, or the last step alone is to be learnt.
    """
    if hyperparameters.embedding_size or hyperparameters.dense_size or hyperparameters.window_labels == "last":
        raise ValueError("this network stands here in Keras alone")
    import torch

    # Threads that wait for each other cost more than they bring where there is one row.
    torch.set_num_threads(1 if hyperparameters.batch_size == 1 else os.cpu_count() or 1)
    kinds = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
    sizes = (encoding.input_size, *hyperparameters.rnn_layer_sizes)
    layers = torch.nn.ModuleList(
        kinds[hyperparameters.cell](width, units, batch_first=True) for width, units in itertools.pairwise(sizes)
    )
    head = torch.nn.Linear(sizes[-1], encoding.num_labels)
    dropout = torch.nn.Dropout(1 - hyperparameters.dropout_keep_prob)
    parameters = [*layers.parameters(), *head.parameters()]
    optimiser = torch.optim.Adam(parameters, hyperparameters.learning_rate, eps=1e-8)
    carried: list[Any] = [None] * len(layers)

    def step(example: "Example") -> None:
        inputs, labels = torch.from_numpy(example.inputs), torch.from_numpy(example.labels)
        lengths, goes_on = torch.from_numpy(example.lengths), torch.from_numpy(~example.begins).float()[None, :, None]
        outputs = torch.nn.functional.one_hot(inputs, sizes[0]).float() if encoding.is_indexed else inputs
        for number, layer in enumerate(layers):
            before = carried[number]
            if before is not None:
                before = tuple(one * goes_on for one in before) if isinstance(before, tuple) else before * goes_on
            outputs, after = layer(outputs, before)
            if hyperparameters.batches == "stream":
                carried[number] = tuple(x.detach() for x in after) if isinstance(after, tuple) else after.detach()
            outputs = dropout(outputs)
        is_real = torch.arange(inputs.shape[1])[None] < lengths[:, None]
        loss = torch.nn.functional.cross_entropy(head(outputs)[is_real], labels[is_real])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, hyperparameters.clip_norm)
        optimiser.step()
        loss.item()

    return step
