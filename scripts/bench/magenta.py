"""An installed Magenta, run on our melodies: what several measurements need of it."""

import dataclasses
import os
import pathlib
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etude.models.configuration import Configuration

NOTES = "notes-00000-of-00001.tfrecord"


@dataclasses.dataclass(frozen=True)
class Magenta:
    """Magenta's commands, and a folder for what they read and write.

    Attributes:
      home: the environment that it is installed in, with bin/melody_rnn_train.
      folder: where records, runs and bundles are kept.
    """

    home: pathlib.Path
    folder: pathlib.Path

    def command(self, name: str) -> str:
        """One of its commands, or its `python`."""
        return str(self.home.absolute() / "bin" / name)

    def records(self, dataset: pathlib.Path, configuration: "Configuration") -> pathlib.Path:
        """The training melodies of a dataset as its training reads them; written once."""
        from etude.models.dataset import read_melodies
        from etude.models.melodies.melody import Melody
        from etude.models.registry import make_encoding
        from etude.models.storage.records import frame
        from etude.pipelines.sequences.dense import encode_dense

        path = self.folder / f"{configuration.config}.tfrecord"
        if not path.exists():
            melodies = read_melodies(dataset, "train")
            encoding = make_encoding(configuration)
            with path.open("wb") as file:
                for index in range(len(melodies)):
                    columns = {name: melodies.column(name, index) for name in melodies.columns}
                    melody = Melody(melodies.events(index), columns=columns)
                    file.write(frame(encode_dense(melody, configuration, encoding)))
        return path

    def train(
        self, configuration: "Configuration", records: pathlib.Path, run: pathlib.Path, steps: int
    ) -> tuple[str, float]:
        """Trains, and returns its log and its peak memory in MB."""
        words = [
            self.command(f"{library(configuration)}_train"), *self._options(configuration), f"--run_dir={run}",
            f"--sequence_example_file={records}", f"--num_training_steps={steps}", "--summary_frequency=1",
        ]  # fmt: skip
        log = self.folder / "train.log"
        with log.open("wb") as file:
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=file, env=environment())
            _, status, usage = os.wait4(process.pid, 0)
        text = log.read_text(errors="replace")
        if status:
            raise SystemExit(text[-2000:])
        return text, usage.ru_maxrss / 1024

    def run(self, configuration: "Configuration", records: pathlib.Path) -> pathlib.Path:
        """A run directory after one step of training; made once."""
        run = self.folder / f"{configuration.config}_run"
        if not run.exists():
            self.train(configuration, records, run, 1)
        return run

    def bundle(self, configuration: "Configuration", run: pathlib.Path) -> pathlib.Path:
        """The model of a run as a bundle; made once."""
        path = self.folder / f"{configuration.config}.mag"
        if not path.exists():
            words = [
                self.command(f"{library(configuration)}_generate"), *self._options(configuration, batch_size=1),
                f"--run_dir={run}",
                f"--bundle_file={path}", "--save_generator_bundle",
            ]  # fmt: skip
            subprocess.run(words, check=True, capture_output=True, env=environment())
        return path

    def seconds_to_evaluate(
        self, configuration: "Configuration", records: pathlib.Path, run: pathlib.Path, batches: int
    ) -> float:
        """What its evaluation takes for so many batches, from when it says that it starts until it says that it ends."""
        words = [
            self.command(f"{library(configuration)}_train"), *self._options(configuration), f"--run_dir={run}", "--eval",
            f"--sequence_example_file={records}",
            f"--num_eval_examples={batches * configuration.hyperparameters.batch_size}",
        ]  # fmt: skip
        process = subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), text=True, errors="replace"
        )
        started = 0.0
        lines = []
        assert process.stderr is not None
        try:
            for line in process.stderr:
                lines.append(line)
                if "Starting evaluation" in line:
                    started = time.perf_counter()
                if "Finished evaluation" in line:
                    return time.perf_counter() - started
        finally:
            # It would wait for another checkpoint.
            process.kill()
            process.wait()
        raise SystemExit("".join(lines)[-2000:])

    def _options(self, configuration: "Configuration", batch_size: int = 0) -> list[str]:
        return [f"--config={name(configuration)}", f"--hparams={hparams(configuration, batch_size)}"]


def gather(notes: pathlib.Path, number: int, folder: pathlib.Path) -> pathlib.Path:
    """Pieces that both read, in a file NOTES of a folder.

    Args:
      notes: folder that etude convert wrote.
      number: pieces to take, spread evenly over all of them; 0 for all.
      folder: where the file goes.

    Returns:
      The folder.
    """
    from etude.models.storage.records import frame, read_records

    records = [record for path in sorted(notes.glob("notes-*.tfrecord")) for record in read_records(path)]
    many = min(number, len(records)) or len(records)
    folder.mkdir()
    (folder / NOTES).write_bytes(b"".join(frame(records[place * len(records) // many]) for place in range(many)))
    return folder


def library(configuration: "Configuration") -> str:
    """Magenta's library that has a configuration: what its commands begin with."""
    from etude.models.sequences.domain import LEAD_SHEET

    return "improv_rnn" if configuration.representation == LEAD_SHEET else "melody_rnn"


def name(configuration: "Configuration") -> str:
    """What Magenta calls a configuration."""
    plain = configuration.config.replace("-", "_")
    return plain if library(configuration) == "improv_rnn" else f"{plain}_rnn"


def hparams(configuration: "Configuration", batch_size: int = 0) -> str:
    """Batch size and shape of the network in Magenta's form; `batch_size` replaces the configuration's."""
    values = configuration.hyperparameters
    sizes = ",".join(map(str, values.rnn_layer_sizes))
    text = f"batch_size={batch_size or values.batch_size},rnn_layer_sizes=[{sizes}]"
    return text + (f",attn_length={values.attn_length}" if values.attn_length else "")


def environment() -> dict[str, str]:
    """What its commands run in: nothing of ours on their path."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "OPENBLAS_NUM_THREADS")}
