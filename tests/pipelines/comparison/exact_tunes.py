"""Tunes with pickups, ties over bar lines and rests, as notes and as datasets of three representations."""

import pathlib
import random

import pytest

from etude.models.registry import configure
from etude.models.training.schedule import Schedule
from etude.models.training.train import train
from etude.pipelines.convert import convert
from etude.pipelines.dataset import create_dataset

REPRESENTATIONS = ("melody", "abc_characters", "abc_tokens")


def tune(number):
    """Four bars and a pickup in some; in D or G, of eighths and longer notes, with a tie and a rest in some."""
    chooser = random.Random(number)
    pick = lambda: chooser.choice("DEFGABcd")  # noqa: E731
    bars = [" ".join(chooser.choice((f"{pick()}2", f"{pick()}{pick()}")) for _ in range(4)) for _ in range(4)]
    if number % 3 == 0:
        note = pick()
        bars[1:3] = [f"{pick()}6 {note}2-", f"{note}2 z2 {pick()}4"]
    pickup = f"{pick()}|" if number % 2 else ""
    last = f"{pick()}{7 if number % 2 else 8}"
    key = chooser.choice(("D", "G", "Edor"))
    return f"X:{number}\nT:Tune {number}\nM:4/4\nL:1/8\nK:{key}\n{pickup}{'|'.join(bars)}|{last}|]\n"


@pytest.fixture(scope="session")
def exact(tmp_path_factory):
    """A folder with notes, a dataset of each representation, and a counted model on each."""
    folder = tmp_path_factory.mktemp("exact")
    (folder / "tunes.abc").write_text(
        "\n".join(tune(number) for number in range(60)) + "\nX:99\nM:4/4\nL:1/8\nK:C\n(3CDEF2 [CE]4|G8|\n"
    )
    convert([str(folder / "tunes.abc")], folder / "notes")
    for name in REPRESENTATIONS:
        data = folder / name
        create_dataset([folder / "notes"], data, representation=name, exact_tunes=True, eval_ratio=0.3)
        train(configure("ngram", {"order": 3}), data, folder / f"ngram-{name}", Schedule(1))
    return pathlib.Path(folder)
