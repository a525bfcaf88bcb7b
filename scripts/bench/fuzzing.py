"""What the fuzzers share: cases by number, in processes of their own, with their time and memory watched.

A finding names its number: --only NUMBER writes that case and reads it alone, with its traceback.
"""

import argparse
import collections
import dataclasses
import json
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any, Generic, TypeVar

Case = TypeVar("Case")

Outcomes = Sequence[tuple[str, str]]
"""What became of each piece of a case, and what is wrong with that; empty if nothing is."""

BATCH = 500
_TIMES_AS_LONG = 5
"""A case is ended after this many times what it may take; of the processor's time, as the machine may be busy."""


@dataclasses.dataclass(frozen=True)
class Kind(Generic[Case]):
    """A kind of cases.

    Attributes:
      originals: makes or finds sound cases; a folder is there for it.
      make: damages one of them, or makes another case up.
      write: writes a case to a folder of its own.
      check: reads a case from its folder.
    """

    originals: Callable[[pathlib.Path], Sequence[Case]]
    make: Callable[[random.Random, Sequence[Case]], Case]
    write: Callable[[pathlib.Path, Case], None]
    check: Callable[[pathlib.Path, Case], Outcomes]

    def case(self, name: str, originals: Sequence[Case], seed: int, number: int) -> Case:
        """The case of a number."""
        return self.make(random.Random(f"{name} {seed} {number}"), originals)


class HangError(BaseException):
    """A case took too long; what it ran into may well catch all errors."""


def fuzz(program: str, description: str | None, kinds: Mapping[str, Kind[Any]]) -> int:
    """Runs a fuzzer by its command line; returns 1 if there are findings.

    Args:
      program: the file that calls this, which is started again for every batch of cases.
      description: what `--help` says.
      kinds: what it knows, by name.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num", type=int, default=10_000, help="cases of each kind (default 10,000)")
    parser.add_argument("--kinds", default=",".join(kinds))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="the number of the first case (default 0)")
    parser.add_argument("--seconds", type=float, default=2, help="the longest that a case may take (default 2)")
    parser.add_argument("--megabytes", type=int, default=1000, help="the most that a case may take (default 1,000)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="write and read this case alone, with its traceback")
    parser.add_argument("--batch", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.kinds.split(",")
    if options.only is not None:
        folder = pathlib.Path(f"fuzz-{names[0]}-{options.seed}-{options.only}")
        with tempfile.TemporaryDirectory() as sound:
            kind = kinds[names[0]]
            case = kind.case(names[0], kind.originals(pathlib.Path(sound)), options.seed, options.only)
        kind.write(folder, case)
        print(folder, kind.check(folder, case))
        return 0
    if options.batch:
        print(json.dumps(_run_batch(names[0], kinds[names[0]], options)))
        return 0
    return 1 if sum(_run(program, name, options) for name in names) else 0


def _run(program: str, name: str, options: argparse.Namespace) -> int:
    """All cases of a kind, a process a batch; prints what became of them and returns the number of findings."""
    outcomes: collections.Counter[str] = collections.Counter()
    num_findings = 0
    longest = peak = 0.0
    started = time.monotonic()
    for start in range(options.start, options.start + options.num, BATCH):
        count = min(BATCH, options.start + options.num - start)
        command = [sys.executable, "-P", program, "--batch", "--kinds", name, "--seed", str(options.seed)]
        command += ["--start", str(start), "--num", str(count)]
        command += ["--seconds", str(options.seconds), "--megabytes", str(options.megabytes)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            findings = [f"{name} {start} to {start + count - 1}: exit {result.returncode}: {result.stderr[-500:]}"]
        else:
            report = json.loads(result.stdout)
            findings = report["findings"]
            outcomes.update(report["outcomes"])
            longest, peak = max(longest, report["longest"]), max(peak, report["peak_megabytes"])
        num_findings += len(findings)
        print(*findings, sep="\n", end="\n" if findings else "", flush=True)
    print(
        f"{name}: {options.num:,} cases in {time.monotonic() - started:,.0f} s, longest {longest:.2f} s, "
        f"peak memory {peak:,.0f} MB; {dict(outcomes.most_common())}; {num_findings} findings",
        flush=True,
    )
    return num_findings


def _run_batch(name: str, kind: Kind[Any], options: argparse.Namespace) -> dict[str, Any]:
    """Reads some cases in this process; returns what became of them."""
    outcomes: collections.Counter[str] = collections.Counter()
    findings: list[str] = []
    longest = most = 0.0
    with tempfile.TemporaryDirectory() as home:
        originals = kind.originals(pathlib.Path(home, "sound"))
        folder = pathlib.Path(home, "case")
        kind.write(folder, originals[0])
        kind.check(folder, originals[0])  # all is imported now
        resource.setrlimit(resource.RLIMIT_AS, ((options.megabytes + _megabytes("VmSize")) << 20,) * 2)
        signal.signal(signal.SIGPROF, _hang)
        for number in range(options.start, options.start + options.num):
            case = kind.case(name, originals, options.seed, number)
            kind.write(folder, case)
            started = time.process_time()
            taken = _start_watching_memory()
            signal.setitimer(signal.ITIMER_PROF, options.seconds * _TIMES_AS_LONG)
            try:
                for outcome, problem in kind.check(folder, case):
                    outcomes[outcome] += 1
                    if problem:
                        findings.append(f"{name} {number}: {problem}")
            except (Exception, HangError) as error:
                findings.append(f"{name} {number}: {type(error).__name__}: {str(error)[:300]}")
            signal.setitimer(signal.ITIMER_PROF, 0)
            seconds = time.process_time() - started
            if seconds > options.seconds:
                findings.append(f"{name} {number}: took {seconds:.1f} s")
            longest = max(longest, seconds)
            most = max(most, _megabytes("VmHWM") - taken)
    return {"outcomes": outcomes, "findings": findings, "longest": longest, "peak_megabytes": most}


def _start_watching_memory() -> int:
    """Forgets the peak of this process's memory; returns what it has now, in megabytes."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    return _megabytes("VmRSS")


def _megabytes(name: str) -> int:
    """A figure of this process, as Linux keeps it."""
    status = pathlib.Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith(f"{name}:"))


def _hang(number: int, frame: FrameType | None) -> None:
    raise HangError("it hangs")
