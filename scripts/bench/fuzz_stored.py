"""Feeds damaged bundles, run directories, datasets, generated melodies and study files to what reads them.

Usage: python -P -m scripts.bench.fuzz_stored [--num 10000] [--kinds bundle,run,study,dataset,melodies] [--seed 0]

Each case is a sound one with some of its bytes, numbers or words changed; where a checksum stands over them, it is made
to fit, so that the reader goes on. A reader may take it, and then a likelihood and melodies are computed with it, or
refuse it with one of Etude's own errors. It may not raise anything else, give what is no number, take more than two
seconds or a gigabyte. A finding names its number: --only NUMBER writes that case to a folder and reads it alone.
"""

import io
import json
import math
import os
import pathlib
import random
import re
import struct
import sys
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

sys.path.append(str(pathlib.Path(__file__).parents[2]))

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import google_crc32c
import numpy as np

from etude.models.dataset import read_description, read_melodies
from etude.models.errors import EtudeError
from etude.models.generation import GenerationOptions
from etude.models.magenta import table
from etude.models.magenta.magenta_pb2 import GeneratorBundle
from etude.models.melodies.melody import Melody
from etude.models.model import Model, load
from etude.models.networks.weights import initialise
from etude.models.registry import FAMILIES, configure, families_of, make_encoding
from etude.models.sequences.domain import MELODY
from etude.models.storage import dataset_pb2, run_pb2
from etude.models.storage.checkpoint import save_arrays
from etude.models.storage.messages import as_dict
from etude.models.storage.records import write_records
from etude.models.storage.run_directory import RunDirectory, to_proto
from etude.models.storage.sequence_examples import encode_melody
from etude.pipelines.comparison.configurations import Run, group
from etude.pipelines.comparison.learning_curves import learning_curve
from etude.pipelines.comparison.music.generated_sets import read_generated_sets
from etude.pipelines.generation.generate import GENERATED_FILE, write_melodies
from etude.pipelines.studies.file import BUILT_IN, find_study, read_study
from scripts.bench.fuzzing import Kind, fuzz

ROOT = pathlib.Path(__file__).parents[2]
WORDS = [
    *(
        b"nan",
        b"inf",
        b"-1",
        b"0",
        b"-4",
        b"4",
        b"1e308",
        b"-1e-308",
        b"2147483648",
        b"99999999999999999999",
        b"9" * 5000,
    ),
    *(
        b"0x" + b"f" * 5000,
        b"true",
        b"null",
        b'""',
        b"[]",
        b"{}",
        b"[" * 2000,
        b"{a=" * 2000,
        b'"\\u0000"',
        b'"..\\/x"',
    ),
    *(b"1979-05-27", b"'" + b"x" * 300 + b"'", b"[[1]]", b'[1, "a"]', b"\xff\xfe", b"\n", b"=", b",", b"#", b"1_000"),
    *(b"basic", b"mono_rnn", b"train", b"bars", b"4294967295", b"0.0", b"-0", b"1000000", b"[0, 0]", b"\x1b[31m"),
]
NUMBERS = re.compile(rb"-?\d+(\.\d+)?(e-?\d+)?|true|false|\"[^\"\n]*\"")

OPTIONS: dict[str, Any] = {"num_outputs": 2, "num_steps": 8, "seed": 1}
"""Of the melodies that a model is asked for."""

Files = dict[str, bytes]
"""The contents of a folder, or of one file, by name."""


def main() -> int:
    """Runs the fuzzer; returns 1 if there are findings."""
    return fuzz(__file__, __doc__, {name: _kind(name) for name in READERS})


def _kind(name: str) -> Kind[Files]:
    originals, read = READERS[name]
    return Kind(
        originals=originals,
        make=lambda chooser, sound: make_case(name, sound, chooser),
        write=write,
        check=lambda folder, case: [(_outcome(folder, read), "")],
    )


def _outcome(folder: pathlib.Path, read: Callable[[pathlib.Path], str]) -> str:
    try:
        return read(folder)
    except EtudeError:
        return "refused"


def write(folder: pathlib.Path, files: Files) -> None:
    """Makes a folder hold these files and no others."""
    for old in sorted(folder.rglob("*"), reverse=True):
        old.rmdir() if old.is_dir() else old.unlink()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def contents(folder: pathlib.Path) -> Files:
    """The files of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# ---------------------------------------------------------------- Sound cases.


def bundles(folder: pathlib.Path) -> list[Files]:
    """The bundles of the tests."""
    paths = sorted((ROOT / "tests" / "testdata" / "magenta").glob("*_rnn/bundle.mag"))
    return [{"bundle.mag": path.read_bytes()} for path in paths if path.parent.name.removesuffix("_rnn") in FAMILIES]


def runs(folder: pathlib.Path) -> list[Files]:
    """A small run of every family of melodies that is trained by gradients, with two checkpoints and figures."""
    trained = [name for name in families_of(MELODY) if FAMILIES[name].counting is None]
    return [contents(_run_directory(folder / name, name).path) for name in trained]


def _run_directory(folder: pathlib.Path, family: str) -> RunDirectory:
    run = RunDirectory(folder)
    overrides = {"rnn_layer_sizes": [6, 5], **({"attn_length": 3} if family == "attention" else {})}
    configuration = configure(family, overrides)
    run.write(run_pb2.Run(configuration=to_proto(configuration), seed=1, num_steps=20, eval_every=10))
    weights = initialise(configuration.hyperparameters, make_encoding(configuration), 0)
    for path, step in ((run.best, 10), (run.checkpoint(20), 20)):
        arrays = {f"weights/{name}": weight for name, weight in weights.items()}
        save_arrays(path, {**arrays, "step": np.array(step, np.int64)})
    figures = {"label": {"loss": 2.5}, "event": {"loss": 2.25}, "log_likelihood": -99.5}
    lines = [{"split": split, "step": 10, **figures, "wall_time": 1e9} for split in ("train", "eval")]
    run.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def studies(folder: pathlib.Path) -> list[Files]:
    """The built-in studies."""
    return [{"study.toml": find_study(name).read_bytes()} for name in BUILT_IN]


def datasets(folder: pathlib.Path) -> list[Files]:
    """A dataset of two splits, two melodies each."""
    description = dataset_pb2.DatasetDescription(format="etude", version="1", fingerprint="ab", transpositions=[0])
    description.extraction.steps_per_quarter = 4
    for split in ("train", "eval"):
        name = f"{split}-00000-of-00001.tfrecord"
        melodies = [Melody(np.array([60, -2, pitch, -1]), id=f"{pitch}", source="a.mid") for pitch in (62, 64)]
        folder.mkdir(parents=True, exist_ok=True)
        write_records(folder / name, [encode_melody(melody) for melody in melodies])
        description.splits.add(name=split, num_melodies=2, num_steps=8, num_notes=4, files=[name])
    (folder / "dataset.json").write_text(json.dumps(as_dict(description), indent=2))
    return [contents(folder)]


def melodies(folder: pathlib.Path) -> list[Files]:
    """A run, and melodies that it generated."""
    run = _run_directory(folder / "run", "basic")
    model = load(run.path)
    write_melodies(model, model.generate(**OPTIONS), GenerationOptions(**OPTIONS), folder / "melodies")
    return [contents(folder)]


# ---------------------------------------------------------------- Damage.


def make_case(kind: str, sound: Sequence[Files], chooser: random.Random) -> Files:
    """A sound case with some damage."""
    original = chooser.choice(sound)
    files = dict(original)
    names = [name for name in files if kind != "melodies" or name.endswith(GENERATED_FILE)]
    for _ in range(chooser.choice([1, 1, 2])):
        name = chooser.choice(names)
        content = files[name]
        is_sound = content == original[name]
        if chooser.random() < 0.02:
            files[name] = b""
        elif is_sound and name.endswith(".npz") and chooser.random() < 0.7:
            files[name] = _damage_archive(content, chooser)
        elif is_sound and name.endswith(".mag") and chooser.random() < 0.7:
            files[name] = _damage_bundle(content, chooser)
        elif name.endswith((".npz", ".mag", ".tfrecord")) or chooser.random() < 0.3:
            files[name] = _damage(content, chooser)
        else:
            files[name] = _damage_text(content, chooser)
    return files


def _damage(data: bytes, chooser: random.Random) -> bytes:
    """Changes, removes, repeats and inserts bytes."""
    changed = bytearray(data)
    for _ in range(chooser.choice([1, 1, 2, 5, 20])):
        # Most of a model is weights: what is said of them stands at the ends.
        near_end = chooser.choice([0, max(0, len(changed) - 300)]) + chooser.randrange(300)
        place = min(chooser.choice([near_end, chooser.randrange(len(changed) + 1)]), len(changed))
        match chooser.randrange(6):
            case 0 | 1:
                changed[place : place + 1] = bytes([chooser.randrange(256)])
            case 2:
                del changed[place : place + chooser.choice([1, 2, 8, 100])]
            case 3:
                changed[place:place] = changed[place : place + chooser.choice([1, 8, 100])] * chooser.choice([1, 20])
            case 4:
                changed[place:place] = chooser.choice(WORDS)
            case _:
                changed[place : place + 4] = _odd_float(chooser)
    return bytes(changed)


def _damage_text(data: bytes, chooser: random.Random) -> bytes:
    """Puts other values, lines or keys where there are some."""
    for _ in range(chooser.choice([1, 1, 2, 4])):
        found = [match.span() for match in NUMBERS.finditer(data)]
        lines = data.splitlines(keepends=True)
        if found and chooser.random() < 0.7:
            start, end = chooser.choice(found)
            data = data[:start] + chooser.choice(WORDS) + data[end:]
        elif lines:
            place, line = chooser.randrange(len(lines)), chooser.choice(lines)
            lines[place : place + chooser.randrange(2)] = [line] * chooser.choice([0, 1, 2])
            data = b"".join(lines)
    return data


def _damage_archive(data: bytes, chooser: random.Random) -> bytes:
    """Damages the arrays inside, under checksums that fit."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(stream, "w") as changed:
        target = chooser.choice(archive.namelist())
        for name in archive.namelist():
            content = archive.read(name)
            if name == target:
                match chooser.randrange(5):
                    case 0:
                        continue
                    case 1:
                        content = _damage(content, chooser)
                    case 2:
                        content = _damage(content[:128], chooser) + content[128:]
                    case _:
                        place = 128 + 4 * chooser.randrange(max(1, (len(content) - 128) // 4))
                        content = content[:place] + _odd_float(chooser) + content[place + 4 :]
            compression = chooser.choice([zipfile.ZIP_STORED] * 9 + [zipfile.ZIP_DEFLATED])
            changed.writestr(zipfile.ZipInfo(name), content, compress_type=compression)
    return stream.getvalue()


def _damage_bundle(data: bytes, chooser: random.Random) -> bytes:
    """Damages one field of a bundle; in the checkpoint, inside its blocks, under checksums that fit."""
    bundle = GeneratorBundle.FromString(data)
    match chooser.randrange(6):
        case 0:
            bundle.generator_details.id = chooser.choice(["basic_rnn", "mono_rnn", "attention_rnn", "", "x" * 5000])
        case 1:
            bundle.metagraph_file = _damage(bundle.metagraph_file, chooser)
        case _:
            bundle.checkpoint_file[0] = _damage_table(bundle.checkpoint_file[0], chooser)
    return bundle.SerializeToString()


def _damage_table(data: bytes, chooser: random.Random) -> bytes:
    changed = bytearray(data)
    footer = data[-table.FOOTER_BYTES :]
    position = 0
    for _ in range(2):
        _, position = table._varint(footer, position)
    handles = [table._handle(footer, position)]
    handles += [table._handle(handle, 0) for _, handle in table._block(data, *handles[0])]
    for _ in range(chooser.choice([1, 1, 3])):
        offset, size = chooser.choice(handles)
        for _ in range(chooser.choice([1, 1, 4])):
            place = offset + min(chooser.choice([chooser.randrange(size), chooser.randrange(200)]), size - 1)
            new = chooser.choice([bytes([chooser.randrange(256)]), _odd_float(chooser), b"\xff" * 9])
            changed[place : place + len(new)] = new[: offset + size - place]
        crc = google_crc32c.value(bytes(changed[offset : offset + size + 1]))
        masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
        changed[offset + size + 1 : offset + size + 5] = struct.pack("<I", masked)
    return bytes(changed)


def _odd_float(chooser: random.Random) -> bytes:
    return struct.pack("<f", chooser.choice([math.nan, math.inf, -math.inf, 3e38, -3e38, 1e20, 0.0, 1e-40]))


# ---------------------------------------------------------------- Reading.


def read_bundle(folder: pathlib.Path) -> str:
    """Loads and uses a bundle."""
    return _use(load(folder / "bundle.mag"))


def read_run(folder: pathlib.Path) -> str:
    """Loads and uses all that a run holds."""
    outcomes = {_use(load(folder, which)) for which in ("best", "latest")}
    curve = learning_curve(folder)
    if curve is not None and not np.isfinite(curve.losses).all():
        raise ValueError("a learning curve that is no number")
    return outcomes.pop()


def _use(model: Model) -> str:
    for value in model.log_likelihood([[60, -2, 62, 64, -1], [72, 48, 83]]):
        if not math.isfinite(value):
            raise ValueError(f"a likelihood of {value}")
    for search in ({}, {"search": "greedy", "num_outputs": 1}):
        for melody in model.generate(**{**OPTIONS, **search}):
            if not math.isfinite(melody.log_likelihood):
                raise ValueError(f"a melody's likelihood of {melody.log_likelihood}")
    return "used"


def read_the_study(folder: pathlib.Path) -> str:
    """Reads a study file."""
    read_study(folder / "study.toml").runs()
    return "read"


def read_dataset(folder: pathlib.Path) -> str:
    """Reads what a dataset holds."""
    read_description(folder)
    for split in ("train", "eval"):
        read_melodies(folder, split)
    return "read"


def read_generated(folder: pathlib.Path) -> str:
    """Reads generated melodies, as a comparison does, and adds some."""
    path = folder / "run"
    compared = group([Run(path, load(path), RunDirectory(path).read())])
    for found in read_generated_sets([folder / "melodies"], compared):
        for example in found.examples:
            if not all(map(math.isfinite, (example.log_likelihood, example.event_log_likelihood, example.qpm))):
                raise ValueError("a figure that is no number")
    return "read"


READERS: dict[str, tuple[Callable[[pathlib.Path], list[Files]], Callable[[pathlib.Path], str]]] = {
    "bundle": (bundles, read_bundle),
    "run": (runs, read_run),
    "study": (studies, read_the_study),
    "dataset": (datasets, read_dataset),
    "melodies": (melodies, read_generated),
}

if __name__ == "__main__":
    sys.exit(main())
