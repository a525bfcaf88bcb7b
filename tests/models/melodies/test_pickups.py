import itertools
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from etude.models.melodies.pickups import AS_THEY_ARE, INSIDE, LEAD, UNEVEN, BarRests, PlayedBar, bar_rests


def bars(text, whole=4):
    """Bars of so many beats each; `|` stands before a section."""
    found, start = [], 0
    for section in text.split("|"):
        for place, length in enumerate(map(int, section.split())):
            found.append(PlayedBar(start, length, whole, place == 0))
            start += length
    return found


def test_a_rest_of_the_missing_part_stands_before_a_pickup():
    assert bar_rests(bars("1 4 4 4")) == BarRests(((0, 3),))
    assert bar_rests(bars("4 4 4 3")) == BarRests()


def test_a_pickup_that_completes_the_last_bar_needs_no_rest():
    assert bar_rests(bars("1 4 3 | 1 4 3 | 1 4 3")).rests == ((0, 3),)


def test_a_pickup_after_a_whole_bar_has_a_rest_of_its_own():
    assert bar_rests(bars("4 4 | 1 4 3 | 1 4 3")) == BarRests(((8, 3),))
    assert bar_rests(bars("1 4 3 | 4 4")) == BarRests(((0, 3), (8, 1)))


def test_a_bar_that_a_line_end_cuts_is_no_pickup():
    assert bar_rests(bars("2 2 4 4 4")) == BarRests((), 1)
    assert bar_rests(bars("1 3 4 4 1 3 4")) == BarRests((), 2)


def test_a_pickup_before_the_sign_of_a_repeat():
    assert bar_rests(bars("1 | 4 4 4 3 | 4 4 4 3")).rests == ((0, 3), (16, 1))


def test_music_of_one_short_bar_has_no_pickup():
    assert bar_rests(bars("3")) == BarRests()
    assert bar_rests(bars("4 4 | 1")) == BarRests()
    assert bar_rests([*bars("1"), PlayedBar(1, 3, 3, False, True)]) == BarRests()


def test_bars_are_counted_anew_from_another_metre():
    found = [*bars("4 3"), PlayedBar(7, 1, 3, False, True), PlayedBar(8, 3, 3, False)]
    assert bar_rests(found) == BarRests(((7, 2),))
    assert bar_rests([PlayedBar(0, 5, None, True), PlayedBar(5, 1, None, False)]) == BarRests()


def test_uneven_bars_are_counted():
    assert bar_rests(bars("1 4 5 4 4")) == BarRests(((0, 3),), 2)
    outcomes = [bar_rests(bars(text)).outcome for text in ("4 4", "1 4 4", "1 4 4 | 1 4", "1 5 4 4")]
    assert outcomes == [AS_THEY_ARE, LEAD, INSIDE, UNEVEN]


def test_what_begins_at_a_rest_follows_it_and_what_ends_there_does_not():
    rests = BarRests(((0, 3), (8, 1)))
    assert [rests.moved(time) for time in (0, 7, 8, 9)] == [3, 10, 12, 13]
    assert [rests.moved(time, is_end=True) for time in (0, 7, 8, 9)] == [0, 10, 11, 13]
    assert rests.lead == 3


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6), st.booleans(), st.integers(1, 2)), min_size=1, max_size=6),
    st.sampled_from([6, Fraction(3, 2)]),
)
def test_bar_lines_of_well_formed_music_lie_on_bars(sections, whole):
    """Sections with or without a pickup, whose last bar is whole or is what their pickup leaves; played out once or twice."""
    played, start = [], Fraction(0)
    for pickup, num_bars, is_completed, times in sections:
        lengths = [Fraction(pickup * whole, 6)] * bool(pickup) + [Fraction(whole)] * num_bars
        if pickup and is_completed:
            lengths.append(whole - lengths[0])
        for place, length in itertools.chain.from_iterable([enumerate(lengths)] * times):
            played.append(PlayedBar(start, length, whole, place == 0))
            start += length
    rests = bar_rests(played)
    lines = [rests.moved(bar.start, is_end=True) for bar in played if not bar.is_section]
    assert all(line % whole == 0 for line in lines)
    assert all(rest < whole for _, rest in rests.rests)
    assert rests.num_uneven == 0
    if all(section[:1] == sections[0][:1] and section[2] for section in sections) and sections[0][0]:
        assert len(rests.rests) == 1
