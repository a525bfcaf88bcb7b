"""Where the bars of a tune begin in its text."""

import re

_BODY = re.compile(r"^K:.*\n?", re.MULTILINE)
_NO_MUSIC = re.compile(r"[A-Za-z+]:|%%")
_BAR = re.compile(
    r"""(?P<skipped>"[^"\n]*"|![^!|\n]*!|\[[A-Za-z]:[^\]\n]*\]|%[^\n]*)|(?P<bar>:*\[?\|(?:[|:\]]|\[(?=[|:\]]))*|::+)"""
)
_MUSIC = re.compile(r"[A-Ga-gxzZ^_=\[({&]")


def bar_starts(text: str) -> tuple[int, ...]:
    """Where the bars of a tune begin: before the first sign of each that is music.

    Args:
      text: the tune, headers too.

    Returns:
      Positions in characters, ascending.
    """
    key = _BODY.search(text)
    if key is None:
        return ()
    starts: list[int] = []
    position = key.end()
    for line in text[position:].splitlines(keepends=True):
        if not _NO_MUSIC.match(line):
            bars = [(sign.end(), sign.start()) for sign in _BAR.finditer(line) if sign["bar"]]
            begins = [0, *(end for end, _ in bars)]
            ends = [*(start for _, start in bars), len(line)]
            for begin, end in zip(begins, ends, strict=True):
                if music := _MUSIC.search(line, begin, end):
                    starts.append(position + music.start())
        position += len(line)
    return tuple(starts)
