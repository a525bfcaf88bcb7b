import re

import pytest
from markupsafe import Markup

from etude.pipelines.comparison.statistics.figures import Estimate
from etude.pipelines.rendering.markup import element
from etude.pipelines.report.parts import estimate, items, join, number, percentage, table


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (1.23456, "1.235"),
        (-0.5, "−0.500"),
        (6334.2, "6,334"),
        (2.8e10, "2.8 × 10¹⁰"),
        (-3e5, "−3.0 × 10⁵"),
    ],
)
def test_numbers(value, expected):
    assert number(value) == expected


def test_percentages_are_written_one_way():
    assert [percentage(value) for value in (0.4356, -0.1, None)] == ["43.6%", "−10.0%", "–"]


def test_estimates():
    found = estimate(Estimate(0.25, (0.2, 0.3)), as_percentage=True)
    assert re.sub("<[^>]*>", "", found) == "25.0% 95% interval 20.0% to 30.0%"
    assert estimate(Estimate(None)) == "–"
    assert estimate(Estimate(1.0)) == "1.000"


def test_text_is_escaped_and_markup_is_not():
    assert "<li>1 &lt; 2</li><li><b>x</b></li>" in items(["1 < 2", Markup("<b>x</b>")])
    assert join("<", element("b", "&")) == "&lt;<b>&amp;</b>"
    assert element("p", "text", title='<"&', class_="a", data_x=None) == '<p title="&lt;&#34;&amp;" class="a">text</p>'
    assert "<td>&lt;script&gt;</td>" in table("A <b>", ["Name", "Value"], [["x", "<script>"]])


def test_tables_can_be_linked_to():
    found = table("Event figures, apart: key 0", ["Name", "Value"], [["x", "1"]])
    assert 'id="table-event-figures-apart-key-0"' in found
    assert 'aria-labelledby="table-event-figures-apart-key-0-caption"' in found


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="a row has 1 cells for 2 columns"):
        table("T", ["Name", "Value"], [["x"]])
