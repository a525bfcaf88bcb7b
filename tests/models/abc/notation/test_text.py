import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.models.abc.notation.text import split_lines


@given(st.text("\r\nab"))
def test_lines_end_as_on_any_machine(text):
    """Carriage returns before a line feed are one line end with it, others one each; taken one sign after the other."""
    lines, rest = [""], re.sub("\r+\n", "\n", text)
    for sign in rest:
        if sign in "\r\n":
            lines.append("")
        else:
            lines[-1] += sign
    assert split_lines(text) == lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_one_kind_of_line_end(end):
    assert split_lines(end.join(["X:1", "", "K:C"])) == ["X:1", "", "K:C"]
