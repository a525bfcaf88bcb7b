"""What is to be said before anybody is asked."""

import math

from etude.pipelines.listening.design import NUM_CATCHES, Key
from etude.pipelines.listening.statistics import ALPHA, POWER, TRUE_SHARE, answers_needed, power


def planned(key: Key) -> list[str]:
    """How many listeners a test takes, and what it can find."""
    each, needed = key.answers_of_a_model(), answers_needed()
    num_listeners = math.ceil(needed / each)
    several = len(key.models) > 1
    return [
        f"{len(key.trials)} trials of {key.seconds:g} seconds a clip, {NUM_CATCHES} of them catch trials; each listener "
        f"gives {each} answers about {'each of ' if several else ''}{', '.join(key.models)}",
        f"to find with {POWER:.0%} power that listeners are right {TRUE_SHARE:.0%} of the time takes {needed} answers "
        f"(two-sided exact binomial test, {ALPHA:.0%}): {num_listeners} listeners, which give {num_listeners * each} answers "
        f"and {power(num_listeners * each):.0%} power"
        + (" for each model; correcting for several models takes more" if several else ""),
        "this takes answers for independent: where listeners or pieces differ much, more of both are needed",
    ]
