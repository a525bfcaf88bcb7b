"""Times the encoding of a melody, ours and note-seq's, in one run, and checks that they agree.

Example:
  python -m scripts.bench.encodings --steps 430
"""

import argparse
import functools
import time
from collections.abc import Callable

import numpy as np

from etude.models.encodings.encoding import as_vectors
from etude.models.melodies.melody import metres
from etude.models.registry import configure, make_encoding


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=430, help="steps of the melody (default 430)")
    parser.add_argument("--batch", type=int, default=64, help="melodies that we encode together (default 64)")
    options = parser.parse_args()
    import note_seq

    encoders = {
        "basic": note_seq.OneHotEventSequenceEncoderDecoder(note_seq.MelodyOneHotEncoding(48, 84)),
        "mono": note_seq.OneHotEventSequenceEncoderDecoder(note_seq.MelodyOneHotEncoding(0, 128)),
        "lookback": note_seq.LookbackEventSequenceEncoderDecoder(note_seq.MelodyOneHotEncoding(48, 84)),
        "attention": note_seq.KeyMelodyEncoderDecoder(48, 84),
    }
    random = np.random.default_rng(0)
    events = np.where(random.random(options.steps) < 0.5, -2, random.integers(48, 84, options.steps))
    events[0] = 60
    batch = np.repeat(events[None], options.batch, axis=0)
    bars = metres(np.full(options.batch, 16))
    print(f"{'encoding':12} {'note-seq, ms':>14} {'ours, ms':>10} {'ours, us a step':>16} {'ratio':>10}")
    for name in encoders:
        encoding = make_encoding(configure(name))
        melody = note_seq.Melody(events.tolist())
        theirs = best(functools.partial(encoders[name].encode, melody), 1)
        ours = best(functools.partial(encoding.inputs, batch, bars), 5) / options.batch
        ours += best(functools.partial(encoding.labels, batch, bars), 5) / options.batch
        inputs, labels = encoders[name].encode(melody)
        assert np.array_equal(
            as_vectors(encoding.inputs(batch[:1], metres(16))[0, :-1], encoding.input_size),
            np.array(inputs, np.float32),
        )
        assert np.array_equal(encoding.labels(batch[:1], metres(16))[0, 1:], labels)
        per_step = ours / options.steps * 1e6
        print(f"{name:12} {theirs * 1e3:14.2f} {ours * 1e3:10.4f} {per_step:16.3f} {theirs / ours:10,.0f}")


def best(call: Callable[[], object], times: int) -> float:
    """The shortest of several runs, in seconds."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


if __name__ == "__main__":
    main()
