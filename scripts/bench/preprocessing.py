"""Times the way from a folder of MIDI files to training examples for three configurations, beside Magenta's.

Usage: python -P scripts/bench/preprocessing.py FOLDER --magenta BIN [--rounds 1] [--json FILE]

BIN is the folder with Magenta's commands. Every command runs as a user would type it, so start-up counts. Ours runs
before and after each round of Magenta's, so that a machine that slows down slows both. Three ways are timed:

  etude               etude convert, etude dataset: one dataset, from which every configuration trains
  etude, materialised etude convert, etude dataset --format magenta for each configuration
  magenta             convert_dir_to_note_sequences, melody_rnn_create_dataset for each configuration
"""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

sys.path.append(str(pathlib.Path(__file__).parents[2]))

from etude.models.storage.records import read_records

ROOT = pathlib.Path(__file__).parents[2]
CONFIGS = ("basic", "lookback", "attention")


@dataclasses.dataclass
class Way:
    """A way to training examples, and what was measured of it.

    Attributes:
      name: what it is called.
      run: goes the way: from a folder of MIDI files, in an empty folder, under which it leaves its datasets.
      seconds: what each command took, one list a round.
      dataset_bytes: size of the datasets together, with all files in their folders.
      num_melodies: melodies in each dataset.
    """

    name: str
    run: Callable[[pathlib.Path, pathlib.Path], dict[str, float]]
    seconds: list[dict[str, float]] = dataclasses.field(default_factory=list)
    dataset_bytes: int = 0
    num_melodies: list[int] = dataclasses.field(default_factory=list)

    def go(self, midi: pathlib.Path) -> None:
        """Goes the way once and measures it."""
        with tempfile.TemporaryDirectory() as name:
            home = pathlib.Path(name)
            self.seconds.append(self.run(midi, home))
            datasets = sorted((home / "datasets").iterdir())
            files = [path for folder in datasets for path in folder.rglob("*") if path.is_file()]
            self.dataset_bytes = sum(path.stat().st_size for path in files)
            self.num_melodies = [_num_records(folder) for folder in datasets]
        print(f"{self.name}: {sum(self.seconds[-1].values()):.2f} s", file=sys.stderr, flush=True)

    @property
    def median(self) -> float:
        """The median of all rounds, in seconds."""
        return statistics.median(sum(commands.values()) for commands in self.seconds)


def main() -> None:
    """Runs all ways and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="MIDI files")
    parser.add_argument("--magenta", type=pathlib.Path, metavar="BIN", help="folder with Magenta's commands")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="rounds of Magenta's (default 1)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="writes the figures, too")
    options = parser.parse_args()
    midi = options.folder.resolve()
    ours = [Way("etude", etude), Way("etude, materialised", materialised)]
    magenta = Way("magenta", lambda music, home: magentas(options.magenta.absolute(), music, home))
    for way in ours:
        way.go(midi)
    for _ in range(options.rounds):
        for way in [magenta, *ours] if options.magenta else ours:
            way.go(midi)
    num_files = sum(1 for path in midi.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
    _report(num_files, [*ours, magenta] if options.magenta else ours)
    if options.json:
        _write(options.json, num_files, [*ours, magenta] if options.magenta else ours)


def etude(midi: pathlib.Path, home: pathlib.Path) -> dict[str, float]:
    """One dataset for every configuration."""
    return {
        "convert": _run([*_etude_command(), "convert", midi, "--output", home / "notes"]),
        "dataset": _run([*_etude_command(), "dataset", home / "notes", "--output", home / "datasets" / "all"]),
    }


def materialised(midi: pathlib.Path, home: pathlib.Path) -> dict[str, float]:
    """A dataset in Magenta's form for each configuration."""
    seconds = {"convert": _run([*_etude_command(), "convert", midi, "--output", home / "notes"])}
    for config in CONFIGS:
        output = home / "datasets" / config
        dense = ["--format", "magenta", "--config", config]
        seconds[config] = _run([*_etude_command(), "dataset", home / "notes", "--output", output, *dense])
    return seconds


def magentas(commands: pathlib.Path, midi: pathlib.Path, home: pathlib.Path) -> dict[str, float]:
    """Magenta's commands, in the folder `commands`, for each configuration."""
    notes = home / "notes.tfrecord"
    convert = commands / "convert_dir_to_note_sequences"
    create = commands / "melody_rnn_create_dataset"
    seconds = {"convert": _run([convert, f"--input_dir={midi}", f"--output_file={notes}", "--recursive"])}
    for config in CONFIGS:
        output = home / "datasets" / config
        names = [f"--config={config}_rnn", f"--input={notes}", f"--output_dir={output}", "--eval_ratio=0.1"]
        seconds[config] = _run([create, *names])
    return seconds


def _etude_command() -> list[str]:
    """The installed command, else the one of this checkout."""
    installed = shutil.which("etude", path=str(pathlib.Path(sys.executable).parent))
    return [installed] if installed else [sys.executable, "-P", "-m", "etude"]


def _run(command: Sequence[object]) -> float:
    started = time.monotonic()
    words = [str(word) for word in command]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} if words[0] == sys.executable else None
    result = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{words} ended with {result.returncode}:\n{result.stderr[-2000:]}")
    return time.monotonic() - started


def _num_records(folder: pathlib.Path) -> int:
    return sum(1 for path in folder.glob("*.tfrecord") for _ in read_records(path))


def _report(num_files: int, ways: Sequence[Way]) -> None:
    print(f"{num_files:,} files to examples for {', '.join(CONFIGS)}; medians, start-up included")
    reference = ways[-1]
    print(f"{'':20} {'rounds':>6} {'seconds':>8} {'faster':>8} {'MB on disk':>10} {'smaller':>8}  melodies")
    for way in ways:
        print(
            f"{way.name:20} {len(way.seconds):6} {way.median:8.2f} {reference.median / way.median:7.1f}x "
            f"{way.dataset_bytes / 1e6:10.2f} {reference.dataset_bytes / way.dataset_bytes:7.0f}x  {way.num_melodies}"
        )
        for command in way.seconds[0]:
            seconds = statistics.median(commands[command] for commands in way.seconds)
            print(f"  {command:25} {seconds:8.2f}")


def _write(path: pathlib.Path, num_files: int, ways: Sequence[Way]) -> None:
    reference = ways[-1]
    figures = {
        way.name: {
            "seconds": way.seconds,
            "median_seconds": way.median,
            "times_faster": reference.median / way.median,
            "dataset_bytes": way.dataset_bytes,
            "times_smaller": reference.dataset_bytes / way.dataset_bytes,
            "num_melodies": way.num_melodies,
        }
        for way in ways
    }
    machine = {"processors": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    path.write_text(json.dumps({"num_files": num_files, "ways": figures, "machine": machine}, indent=2) + "\n")


if __name__ == "__main__":
    main()
