"""The listening test that a study leaves beside its report."""

import hashlib
import pathlib
from collections.abc import Callable, Mapping, Sequence

from etude.models.errors import EtudeError
from etude.pipelines.listening.create import KEY_FILE, PAGE_FILE, TestOptions, create_test
from etude.pipelines.listening.pieces import Sources
from etude.pipelines.studies.steps import Finished

LISTENING = "listening"

NUM_CLIPS = 20


def write_listening_test(
    output: pathlib.Path,
    models: Mapping[str, Sequence[pathlib.Path]],
    dataset: pathlib.Path,
    finished: Finished,
    say: Callable[[str], None],
) -> None:
    """Writes listening/, unless that was done before; says so where the study made too little to listen to.

    Args:
      output: the study's folder.
      models: what each configuration made, by its name.
      dataset: whose eval split is real.
      finished: the steps of the study.
      say: called with the reason why there is no test.
    """
    folder = output / LISTENING
    products = [folder / PAGE_FILE, folder / KEY_FILE]
    inputs = finished.so_far()
    seed = hashlib.sha256(repr(sorted(inputs.items())).encode()).hexdigest()
    try:
        with finished.step("listen", inputs, products) as is_finished:
            if not is_finished:
                options = TestOptions(num_clips=max(NUM_CLIPS, 2 * len(models)), seed=seed)
                create_test(Sources(models, [dataset], []), folder, options, or_fewer=True)
    except EtudeError as error:
        say(f"no listening test: {error}")
