"""abc2midi, an independent reader of ABC that comes with symusic."""

import importlib.util
import pathlib
import subprocess
import tempfile
from typing import NamedTuple

_SECONDS = 20


class Verdict(NamedTuple):
    """What abc2midi says of a tune.

    Attributes:
      plays: whether it wrote any music.
      errors: its messages of errors.
      warnings: its warnings, such as those of bars of the wrong length.
    """

    plays: bool
    errors: list[str]
    warnings: list[str]

    @property
    def is_clean(self) -> bool:
        """Whether it plays without an error."""
        return self.plays and not self.errors


def find_abc2midi() -> str:
    """The path of the program; empty if it is not installed."""
    package = importlib.util.find_spec("symusic")
    if package is None or not package.submodule_search_locations:
        return ""
    path = pathlib.Path(package.submodule_search_locations[0], "bin", "abc2midi")
    return str(path) if path.exists() else ""


def ask_abc2midi(text: str, program: str) -> Verdict:
    """Lets abc2midi play one tune.

    Args:
      text: the tune, headers too; one without `X:` gets it, as abc2midi reads nothing else.
      program: the path of abc2midi.
    """
    if not text.startswith("X:"):
        text = f"X:1\n{text}"
    with tempfile.TemporaryDirectory(prefix="etude-") as folder:
        source, target = pathlib.Path(folder, "tune.abc"), pathlib.Path(folder, "tune.mid")
        source.write_text(text, encoding="utf-8", errors="replace")
        try:
            done = subprocess.run(
                [program, str(source), "-o", str(target)], capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return Verdict(False, [f"it took longer than {_SECONDS} s"], [])
        lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
        errors = [line for line in lines if line.startswith("Error")]
        if done.returncode < 0:
            errors.append(f"it was ended by signal {-done.returncode}")
        return Verdict(target.exists(), errors, [line for line in lines if line.startswith("Warning")])
