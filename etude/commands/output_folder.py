"""Keeps a command from writing among the results of another one."""

import pathlib

from etude.models.errors import EtudeError

KINDS = {
    "study": ("a study", (".etude-study",)),
    "run": ("a training run", ("config.textproto",)),
    "dataset": ("a dataset", ("dataset.json",)),
    "notes": ("NoteSequences", ("summary.json", "manifest.jsonl")),
    "melodies": ("generated melodies", ("generated.jsonl",)),
    "listening": ("a listening test", ("listen.html", "key.json")),
    "comparison": ("a comparison", ("results.json", "report.html")),
}
"""What a folder may hold, in words, and the files by which it is known; a study holds a comparison, too."""


def kind_of(folder: pathlib.Path) -> str | None:
    """What a folder holds, one of `KINDS`; None for nothing that Etude wrote."""
    return next((kind for kind, (_, names) in KINDS.items() if all((folder / name).exists() for name in names)), None)


def check_output(folder: pathlib.Path | str, kind: str) -> None:
    """Checks that a folder, if it exists, holds nothing of another kind.

    Raises:
      EtudeError: if it does, or is no folder; the message says what it holds.
    """
    folder = pathlib.Path(folder)
    if folder.exists() and not folder.is_dir():
        raise EtudeError(f"cannot write to {folder}: it is a file, not a folder; choose another one")
    found = kind_of(folder)
    if found not in (None, kind):
        raise EtudeError(f"{folder} holds {KINDS[str(found)][0]}; choose another folder to write to")
