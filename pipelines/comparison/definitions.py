"""How every figure of a comparison is defined: the one place, for reports and for `etude methods`."""

import re
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import NamedTuple

from etude.pipelines.comparison.learning_curves import ALPHA, SMALLEST_FALL, WINDOW
from etude.pipelines.comparison.statistics.bootstrap import NUM_RESAMPLES
from etude.pipelines.comparison.statistics.significance import NUM_SAMPLES
from etude.pipelines.comparison.words import MELODIES, Words


class Definition(NamedTuple):
    """What a figure is.

    Attributes:
      term: its name.
      text: in words.
      formula: in LaTeX; empty where the words say it all.
      sources: names of entries in references.bib.
    """

    term: str
    text: str
    formula: str = ""
    sources: tuple[str, ...] = ()


EVENT_STEP = (
    "At every step a melody has one event: a note begins, the sounding note ends, or nothing new happens (“no event”). The "
    "first event of a melody is given; all others are predicted."
)
_NO_EVENT = "Event and no-event accuracy are those at steps whose true label is, or is not, another than “no event”. "
_NO_EVENT_RULE = " “No event” gives every other event no probability, so that only its accuracy means anything."

PIECES = (
    Definition(
        "Nats a piece",
        "Minus the logarithm of the probability of all predicted tokens of a piece, on average over pieces: comparable "
        "between representations that cover the same of a piece. Intervals and tests are over pieces. Bits a note: the same, "
        "in bits, over the notes of the pieces, which are counted once for all representations.",
        r"-\frac{1}{M} \sum_{m=1}^{M} \sum_{t=2}^{T_m} \ln p(x_{m,t} \mid x_{m,1}, \ldots, x_{m,t-1})",
        ("shannon1948",),
    ),
)

TUNES = (
    Definition(
        "Bits a note of tunes",
        "Over the tunes that all representations carry exactly (one voice, one metre and key, notes on sixteenths, whole "
        "bars), repeats played out, in C. Metre, mode and the pitch of the first note are given to every model; S are the "
        "tokens that pay for the rest: in a text those after the first pitch, in a melody the events after the first note up "
        "to the last one, with the counted pickup and end below. N counts notes. In nats, on average: nats a tune. Without "
        "the end: up to the pitch of the last note, without its length and the end. (Characters also pay that no octave mark "
        "follows the first letter.)",
        r"-\frac{\sum_m \sum_{t \in S_m} \log_2 p(x_{m,t} \mid x_{m,1}, \ldots, x_{m,t-1})}{\sum_m (N_m - 1)}",
        ("shannon1948",),
    ),
    Definition(
        "Pickup and end of melodies",
        "A melody's events do not say where it ends. Counted on train, c: the silence of l steps before the first note, in "
        "bars of B steps; at every note in place q (metre, number of the bar, place in the bar) whether it is the last, "
        "mixed with the share h of all notes that are; and the length of the last note, of its place mixed with its metre, "
        "mixed with a geometric distribution.",
        r"p(l) = \frac{c(l) + 1/B}{c + 1}, \quad p(\mathrm{end} \mid q) = \frac{c(\mathrm{end}, q) + h}{c(q) + 1}, \quad "
        r"h = \frac{c(\mathrm{end}) + 1}{c + 2}",
    ),
    Definition(
        "Floors: n-grams",
        "Counted on train for each representation, of 1 to 5 tokens, smoothed after Kneser and Ney; they pay for the same.",
        r"p(x \mid u) = \frac{c(u x) - D}{c(u)} + \frac{D\,T(u)}{c(u)}\,p(x \mid u')",
    ),
    Definition(
        "Floors: xz",
        "By how many bytes a tune makes the compressed train split longer, beyond what its given part g does; the "
        "dictionary covers all of it, a token is a byte (two, where there are more than 255); of some tunes, evenly taken.",
        r"8\,(|\mathrm{xz}(\mathrm{train} \cdot x)| - |\mathrm{xz}(\mathrm{train} \cdot g)|)",
    ),
    Definition(
        "Samples that are not canonical",
        "The share of what a model generated that is not in the one form in which likelihoods are counted: texts that are "
        "not the canonical text of what they play, melodies that end notes where none sounds. Music has at least the "
        "likelihood of its canonical form. Wilson's interval.",
    ),
)

RATING = (
    Definition(
        "Rating: log-likelihood a symbol",
        "The logarithm of the probability that a bigram model with Laplace smoothing, counted on the train split, gives a "
        "piece's symbols but the first, over their number; c counts, V is the number of symbols.",
        r"\frac{1}{T-1} \sum_{t=2}^{T} \ln \frac{c(x_{t-1} x_t) + 1}{c(x_{t-1}) + V}",
    ),
    Definition(
        "Rating: divergence",
        "The Kullback-Leibler divergence, in nats, of a piece's shares of symbols p from the average q of the train pieces' "
        "shares and of one piece more that uses every symbol equally often.",
        r"D(p \parallel q) = \sum_v p_v \ln \frac{p_v}{q_v}",
        ("kullback1951",),
    ),
    Definition("Rating: percentile", "How many percent of the real pieces that were held out have a lower value."),
)


def definitions(words: Words = MELODIES) -> list[Definition]:
    """The figures of a comparison of sequences that are called so."""
    token, step, one, several = words.token, words.step, words.sequence, words.sequences
    found = [
        Definition(
            f"{token.capitalize()} loss (nats a {step})",
            f"Minus the natural logarithm of the probability of the true {token}, on average over all predicted "
            f"{words.steps}. Where several labels of an encoding stand for one {token}, their probabilities are added. "
            "Comparable between configurations; this is what ranks them.",
            r"L = -\frac{\sum_m \sum_{t=2}^{T_m} \ln p_{m,t}}{\sum_m (T_m - 1)}, \quad "
            r"p_{m,t} = \sum_{\ell \in \mathcal{L}(x_{m,t})} p(\ell \mid x_{m,1}, \ldots, x_{m,t-1})",
            ("shannon1948", "waite2016"),
        ),
        Definition(
            "Bits a note",
            f"The same, summed over all {words.steps}, in bits, divided by the number of notes that begin.",
            r"-\frac{\sum_m \sum_{t=2}^{T_m} \log_2 p_{m,t}}{N_{\mathrm{notes}}}",
        ),
        Definition(
            "Accuracy",
            f"How often the {token} with the highest probability is the true one.",
            r"\frac{\sum_m \sum_{t=2}^{T_m} [\arg\max_x p(x \mid x_{m,1}, \ldots, x_{m,t-1}) = x_{m,t}]}{\sum_m (T_m - 1)}",
        ),
        Definition(
            f"Log-likelihood a {one}",
            f"The sum of the logarithms over a {one}, on average over {several}, in nats.",
            r"\frac{1}{M} \sum_{m=1}^{M} \sum_{t=2}^{T_m} \ln p_{m,t}",
        ),
        Definition(
            "Label figures",
            "Loss, perplexity and accuracy over the labels of the encoding as Magenta defines them, with dropout off and "
            f"every {one} counted once. {_NO_EVENT if words.are_melodies else ''}Mean inverse probability is what Magenta "
            "called perplexity until 2017.",
            r"\mathrm{perplexity} = e^{L}",
            ("waite2016",),
        ),
        Definition(
            "95% interval",
            f"Of {NUM_RESAMPLES:,} resamples, each with as many {several} drawn with replacement and, where a configuration "
            f"was trained with several seeds, as many seeds, the middle 95%. The same {several} are drawn for all "
            "configurations, so that the interval of a difference is that of paired figures. With few seeds it says little "
            "about seeds.",
            sources=("efron1979",),
        ),
        Definition(
            "Corrected p",
            f"If neither configuration were better, the difference on each {one} could as well have the other sign: the "
            f"share of sign patterns ({NUM_SAMPLES:,} drawn, or all where {several} are few) with a difference at least as "
            "large, two-sided, on the mean log-likelihood over seeds. Corrected for the number of pairs after Holm.",
            r"p = \frac{1 + \#\{b : |\sum_m s_{b,m} d_m| \geq |\sum_m d_m|\}}{1 + B}, \quad s_{b,m} \in \{-1, 1\}",
            ("fisher1935", "phipson2010", "holm1979"),
        ),
        Definition(
            "Told apart",
            "The corrected p is below 0.05 and the interval of the difference does not hold zero. Otherwise this data does "
            "not say which is better.",
        ),
        Definition(
            "Simple rules (baselines)",
            f"Fitted on the training {several} and scored on the very same {words.steps}."
            + (_NO_EVENT_RULE if words.are_melodies else ""),
        ),
        Definition(
            "Not converged",
            f"The {token} loss of the last {WINDOW} evaluations of a run falls along a straight line (slope test, one-sided, "
            f"p below {ALPHA}) by at least {SMALLEST_FALL} nats, so that training was ended before its time.",
        ),
    ]
    return [*found, _REPEATED_BARS] if words.are_melodies else found


_REPEATED_BARS = Definition(
    "New and repeated bars", "A bar is repeated if the melody had the very same bar, event for event, before."
)


def references(names: Iterable[str] | None = None) -> str:
    """BibTeX of these sources, or of all, in the order of references.bib.

    Raises:
      KeyError: if there is no such source.
    """
    entries = _entries()
    wanted = set(entries if names is None else names)
    if missing := wanted - entries.keys():
        raise KeyError(f"references.bib has no {', '.join(sorted(missing))}")
    return "\n\n".join(entry for name, entry in entries.items() if name in wanted)


def as_markdown(title: str, defined: Sequence[Definition]) -> str:
    """Definitions as a section of a page, with their formulas."""
    parts = [f"## {title}"]
    for one in defined:
        parts.append(f"**{one.term}.** {one.text}" + "".join(f" [@{source}]" for source in one.sources))
        if one.formula:
            parts.append(f"$${one.formula}$$")
    return "\n\n".join(parts)


def _entries() -> dict[str, str]:
    text = (resources.files("etude.pipelines.comparison") / "references.bib").read_text(encoding="utf-8")
    return {match[1]: match[0] for match in re.finditer(r"^@\w+\{(\w+),.*?^\}", text, re.MULTILINE | re.DOTALL)}
