"""How every figure of a listening test is defined."""

from etude.pipelines.comparison.definitions import Definition
from etude.pipelines.listening.sound import LOUDNESS
from etude.pipelines.listening.statistics import NUM_RESAMPLES, POWER, TRUE_SHARE, answers_needed


def definitions() -> list[Definition]:
    """The figures of a listening test."""
    return [
        Definition(
            "Trials",
            "A match is a real tune beside a generated piece. Single: each is heard by itself and taken for real or "
            "for generated. Pair: both are heard, and one is taken for the real one. Every listener has another order.",
        ),
        Definition(
            "Clips",
            "Beginnings of pieces from their first note, on one synthesiser, with one tempo, velocity and length, "
            "transposed so that the major key that holds most of the notes is C and their mean pitch lies within half an "
            f"octave of G4, {LOUDNESS:g} LUFS loud or as loud as the one with the highest peak allows.",
            sources=("itu1770", "steinmetz2021"),
        ),
        Definition(
            "What counts",
            "Listeners who got both catch trials right (a nursery tune is real, random notes are not); of these, matches "
            "in which the listener knows no tune and heard the minimum of every clip.",
        ),
        Definition(
            "Share right",
            "Right answers k of n. Where both sides of a match are answered by themselves, both or none count, so that "
            "chance is one half whatever a listener's leaning.",
            r"\hat{\pi} = k / n",
        ),
        Definition(
            "Wilson interval",
            "As if all answers were independent; z is the normal quantile of 97.5%.",
            r"\frac{1}{1 + z^2 / n} \left( \hat{\pi} + \frac{z^2}{2n} \pm z "
            r"\sqrt{\frac{\hat{\pi} (1 - \hat{\pi})}{n} + \frac{z^2}{4 n^2}} \right)",
            ("wilson1927",),
        ),
        Definition(
            "Exact binomial p",
            "Two-sided against one half, as if all answers were independent; corrected for the number of models after Holm.",
            r"p = \min\left(1, 2 \sum_{i=\max(k, n-k)}^{n} \binom{n}{i} 2^{-n}\right)",
            ("holm1979",),
        ),
        Definition(
            "d'",
            "How far apart real and generated are for listeners, in standard deviations. Single: from the rates h, at "
            "which real tunes are called real, and f, at which generated pieces are; pair: from the share right. Half an "
            "answer is added to each side.",
            r"d' = z(\tilde{h}) - z(\tilde{f}) \;\text{(single)}, \quad d' = \sqrt{2}\, z(\tilde{\pi}) \;\text{(pair)}, "
            r"\quad \tilde{r} = \frac{k + 1/2}{n + 1}",
            ("macmillan2005", "hautus1995"),
        ),
        Definition(
            "Interval over listeners and pieces",
            f"Variances from {NUM_RESAMPLES:,} resamples each of listeners, matches and answers; the last is in both "
            "others, so it is taken off once. The quantile is Student's with one degree of freedom less than there are "
            "listeners or matches, whichever are fewer.",
            r"\hat{\theta} \pm t \sqrt{\max(V_{\mathrm{listeners}} + V_{\mathrm{matches}} - V_{\mathrm{answers}}, "
            r"V_{\mathrm{answers}})}",
            ("cameron2011", "efron1979"),
        ),
        Definition(
            "Equivalence margin",
            "The smallest margin around chance that two one-sided tests at 5% each call equivalent: the farther end of the "
            "90% interval. Whether that is small enough is for the reader to say; not finding a difference passes no test.",
            r"\max(|\hat{\theta}_{90, \mathrm{low}} - \theta_0|, |\hat{\theta}_{90, \mathrm{high}} - \theta_0|)",
            ("schuirmann1987",),
        ),
        Definition(
            "Power",
            f"The chance that the exact test rejects at 5%, answers being independent and right at a true share: "
            f"{POWER:.0%} at {TRUE_SHARE:.0%} takes {answers_needed()} answers.",
            r"\sum_{k : p(k) \leq 0.05} \binom{n}{k} \pi^k (1 - \pi)^{n-k}",
        ),
    ]
