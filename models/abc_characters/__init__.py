"""ABC characters: reads and writes ABC notation, one character after the other."""

from etude.models.configuration import Configuration
from etude.models.family import Family
from etude.models.hyperparameters import Hyperparameters
from etude.models.sequences.domain import Domain


def _make_domain(configuration: Configuration) -> Domain:
    # What reads ABC takes a tenth of a second to import.
    from etude.models.abc_characters.domain import CharacterDomain

    return CharacterDomain.of(configuration)


FAMILY = Family(
    name="abc-characters",
    title="ABC characters",
    summary="Reads ABC notation, headers too, and predicts the next character.",
    defaults=Configuration(
        "abc-characters",
        hyperparameters=Hyperparameters(
            rnn_layer_sizes=(256,),
            forget_bias=0.0,
            initial_forget_bias=1.0,
            dropout_keep_prob=0.8,
            batches="stream",
            chunk_steps=100,
            batch_size=32,
            clip_by="global_norm",
            clip_norm=5.0,
            learning_rate=0.003,
        ),
    ),
    make_domain=_make_domain,
    representation="abc_characters",
)
