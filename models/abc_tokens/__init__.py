"""ABC tokens: reads and writes ABC notation in folk-rnn's tokens."""

from etude.models.configuration import Configuration
from etude.models.family import Family
from etude.models.hyperparameters import Hyperparameters
from etude.models.sequences.domain import Domain


def _make_domain(configuration: Configuration) -> Domain:
    # What reads ABC takes a tenth of a second to import.
    from etude.models.abc_tokens.domain import TokenDomain

    return TokenDomain.of(configuration)


FAMILY = Family(
    name="abc-tokens",
    title="ABC tokens",
    summary="Reads ABC notation in tokens of metre, key, pitch, length and bar, and predicts the next one.",
    defaults=Configuration(
        "abc-tokens",
        # folk-rnn's own, but for its peepholes.
        hyperparameters=Hyperparameters(
            rnn_layer_sizes=(512, 512, 512),
            forget_bias=0.0,
            dropout_keep_prob=0.5,
            batches="sequences",
            batch_size=64,
            clip_by="value",
            clip_norm=5.0,
            optimiser="rmsprop",
            learning_rate=0.003,
            learning_rate_epoch_factor=0.97,
            learning_rate_epochs=20,
        ),
    ),
    make_domain=_make_domain,
    representation="abc_tokens",
)
