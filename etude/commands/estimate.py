"""Says, soon after training has begun, how long it will take."""

import time
from collections.abc import Callable

from etude.console import duration
from etude.models.progress import Progress

LEAST_STEPS, LEAST_SECONDS = 5, 3.0
"""Measured before anything is said: steps differ in their melodies' lengths."""


class Estimate:
    """Progress that is passed on, and an estimate once the first steps are measured."""

    def __init__(
        self, progress: Progress, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begins.

        Args:
          progress: called after every step.
          say: called once, with the estimate.
          clock: seconds.
        """
        self._progress = progress
        self._say = say
        self._clock = clock
        self._begun: tuple[int, float] | None = None
        self._is_said = False

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Takes note of a step. The first one does not count: it prepares the computation."""
        now = self._clock()
        if self._begun is None:
            self._begun = (done, now)
        first, start = self._begun
        steps, seconds = done - first, now - start
        if not self._is_said and done < total and (steps >= LEAST_STEPS and seconds >= LEAST_SECONDS):
            self._is_said = True
            self._say(
                f"about {duration(seconds / steps * (total - done))} for the {total - done:,} steps that are left, "
                f"at {seconds / steps:.2g} s a step"
            )
        self._progress(done, total, note)
