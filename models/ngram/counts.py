"""Counts of n-grams: which tokens followed which contexts, for contexts of every length below the order.

Contexts form a tree that is read backwards from the token that is predicted: a context's parent is the same context
without its oldest token. So what a model of lower order knows of a context is what is stored of its parent. Before the
start of a sequence stands a boundary, the number after the last token.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Level:
    """The contexts of one length, and what followed them.

    Attributes:
      contexts: parent x (num_tokens + 1) + oldest token, of each context, ascending; [0] for the empty context.
      successors: context x num_tokens + token, of each pair that occurs, ascending.
      counts: of each pair.
    """

    contexts: Integers
    successors: Integers
    counts: Integers


def histories(tokens: Integers, length: int, boundary: int) -> Integers:
    """The tokens up to and including each step, latest first: [batch, steps, length] from [batch, steps]."""
    batch, steps = tokens.shape
    result = np.full((batch, steps, length), boundary, np.int64)
    for back in range(min(length, steps)):
        result[:, back:, back] = tokens[:, : steps - back]
    return result


def count(before: Integers, tokens: Integers, num_tokens: int) -> list[Level]:
    """Counts of every length of context.

    Args:
      before: what stood before each step, latest first, [steps, order - 1].
      tokens: what came, [steps].
      num_tokens: size of the vocabulary.

    Returns:
      A level for each length from 0 to order - 1.
    """
    context = np.zeros(len(tokens), np.int64)
    contexts = np.zeros(1, np.int64)
    levels = []
    for length in range(before.shape[1] + 1):
        if length:
            contexts, context = np.unique(context * (num_tokens + 1) + before[:, length - 1], return_inverse=True)
        successors, counts = np.unique(context * num_tokens + tokens, return_counts=True)
        levels.append(Level(contexts, successors, counts.astype(np.int64)))
    return levels


def continuation_counts(levels: list[Level], num_tokens: int) -> list[Level]:
    """The levels with Kneser and Ney's counts below the longest contexts: before how many different tokens a pair occurs.

    What begins at the start of a sequence keeps its count, as only the boundary can stand before it.
    """
    result = levels[-1:]
    for shorter, longer in zip(reversed(levels[:-1]), reversed(levels[1:]), strict=True):
        context, token = np.divmod(longer.successors, num_tokens)
        pair = longer.contexts[context] // (num_tokens + 1) * num_tokens + token
        different = np.bincount(np.searchsorted(shorter.successors, pair), minlength=len(shorter.successors))
        at_start = shorter.contexts[shorter.successors // num_tokens] % (num_tokens + 1) == num_tokens
        result.insert(0, dataclasses.replace(shorter, counts=np.where(at_start, shorter.counts, different)))
    return result


def to_arrays(levels: list[Level]) -> dict[str, Integers]:
    """The arrays that store levels, `sizes` first: [order, 2], the numbers of contexts and of successors."""
    sizes = np.array([[len(level.contexts), len(level.successors)] for level in levels], np.int64)
    arrays = {"sizes": sizes}
    for length, level in enumerate(levels):
        arrays |= {f"{name}/{length}": values for name, values in dataclasses.asdict(level).items()}
    return arrays


def array_shapes(sizes: Integers) -> dict[str, tuple[int, ...]]:
    """The shape of every other array, from `sizes`.

    Raises:
      ValueError: if these are no sizes.
    """
    if sizes.min(initial=0) < 0:
        raise ValueError("it has arrays of negative sizes")
    shapes: dict[str, tuple[int, ...]] = {}
    for length, (num_contexts, num_successors) in enumerate(sizes.tolist()):
        shapes[f"contexts/{length}"] = (num_contexts,)
        shapes[f"successors/{length}"] = shapes[f"counts/{length}"] = (num_successors,)
    return shapes


def from_arrays(arrays: Mapping[str, npt.NDArray[np.generic]], order: int, num_tokens: int) -> list[Level]:
    """The levels that `to_arrays` stored.

    Raises:
      ValueError: if they are not counts of this order and vocabulary.
    """
    levels: list[Level] = []
    num_parents = 1
    for length in range(order):
        names = ("contexts", "successors", "counts")
        found = [arrays[f"{name}/{length}"] for name in names]
        if any(array.dtype != np.int64 for array in found) or len(found[1]) != len(found[2]):
            raise ValueError(f"its counts after {length} tokens are damaged")
        level = Level(*(np.asarray(array, np.int64) for array in found))
        limits = num_parents * (num_tokens + 1) if length else 1, len(level.contexts) * num_tokens
        for keys, limit in zip((level.contexts, level.successors), limits, strict=True):
            if not (len(keys) and keys[0] >= 0 and keys[-1] < limit and (np.diff(keys) > 0).all()):
                raise ValueError(f"its contexts of {length} tokens are damaged")
        if (
            level.counts.min(initial=0) < 0
            or not level.counts.all()
            or len(np.unique(level.successors // num_tokens)) < len(level.contexts)
        ):
            raise ValueError(f"its counts after {length} tokens are damaged")
        levels.append(level)
        num_parents = len(level.contexts)
    return levels
