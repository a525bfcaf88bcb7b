"""From files of answers to figures."""

import json

import numpy as np
import pytest

from etude.models.errors import EtudeError
from etude.pipelines.listening.analyse import analyse, summary
from etude.pipelines.listening.answers import find_answers, read_key, read_sheet, read_sheets
from etude.pipelines.listening.design import CHOICES, PAIR, SINGLE, design
from etude.pipelines.listening.results import page
from tests.pipelines.listening.test_create import HEARD, some


def make_key(kind=SINGLE, each=5):
    return design(kind, "seed", some("tune", 2 * each), {"a": some("a", each), "b": some("b", each)}, 5.0, **HEARD)[0]


def sheet_text(key, listener, share=1.0, seed=0, **changed):
    """What the page saves of a listener who is right in a share of the trials; `changed`: trial id to what differs."""
    random = np.random.default_rng(seed)
    answers = []
    for trial in random.permutation(np.array(key.trials, dtype=object)).tolist():
        others = [choice for choice in CHOICES[key.kind] if choice != trial.answer]
        right = trial.is_catch or random.random() < share
        answer = {
            "trial": trial.id,
            "choice": trial.answer if right else others[0],
            "confidence": 1 + int(random.integers(3)),
            "known": False,
            "heard": [4.2] * len(trial.clips),
            "seconds": 9.5,
        }
        answers.append({**answer, **changed.get(trial.id, {})})
    return json.dumps(
        {"format": "etude listening answers", "test": key.test, "listener": listener, "answers": answers}, indent=1
    )


def sheets(key, *texts):
    return [read_sheet(text, key) for text in texts]


@pytest.mark.parametrize("kind", [SINGLE, PAIR])
def test_figures_by_model(kind):
    """Counted again by hand."""
    key = make_key(kind)
    read = sheets(key, *(sheet_text(key, f"l{number}", 0.7, number) for number in range(6)))
    found = analyse(read, [], key)
    assert [group.name for group in found.groups] == ["all models", "a", "b"]
    for group, names in zip(found.groups, ("ab", "a", "b"), strict=True):
        trials = [trial for trial in key.trials if not trial.is_catch and trial.model in names]
        right = [sheet.answers[trial.id].choice == trial.answer for sheet in read for trial in trials]
        assert (group.num_answers, group.num_right) == (len(right), sum(right))
        assert group.share.value == pytest.approx(np.mean(right))
        assert group.num_listeners == 6
        assert group.share.low < group.share.value < group.share.high
        if kind == SINGLE:
            for value, answer in zip(group.called_real, ("generated", "real"), strict=True):
                of = [t for t in trials if t.answer == answer]
                called = [sheet.answers[t.id].choice == "real" for sheet in read for t in of]
                assert value == pytest.approx(np.mean(called))
        else:
            assert group.called_real is None
    assert sum(total for total, _ in found.by_confidence) == found.groups[0].num_answers
    assert sum(right for _, right in found.by_confidence) == found.groups[0].num_right
    assert found.everything.num_right == found.groups[0].num_right
    assert found.groups[1].corrected_p >= found.groups[1].p_value
    assert json.loads(found.to_json())["groups"][0]["num_right"] == found.groups[0].num_right


def test_known_and_unheard_tunes_are_left_out_with_what_stands_beside_them():
    key = make_key()
    real, other = [trial for trial in key.trials if trial.answer == "real" and not trial.is_catch][:2]
    changed = {real.id: {"known": True}, other.id: {"heard": [0.5]}}
    found = analyse(sheets(key, sheet_text(key, "x", **changed), sheet_text(key, "y")), [], key)
    assert (found.num_known, found.num_unheard) == (1, 1)
    whole = 2 * (len(key.trials) - 2)
    assert found.groups[0].num_answers == whole - 4
    assert found.everything.num_answers == whole


def test_who_fails_a_catch_trial_does_not_count():
    key = make_key()
    catch = next(trial for trial in key.trials if trial.is_catch)
    wrong = next(choice for choice in CHOICES[key.kind] if choice != catch.answer)
    texts = [sheet_text(key, "x", 0.0, **{catch.id: {"choice": wrong}}), sheet_text(key, "y")]
    found = analyse(sheets(key, *texts), [], key)
    assert (found.num_sheets, found.num_failed) == (2, 1)
    assert found.groups[0].share.value == 1.0
    assert found.everything.share.value == 0.5
    alone = analyse(sheets(key, texts[0]), [], key)
    assert alone.groups == ()
    assert "No answer counts" in " ".join(summary(alone))
    assert page(alone)


def test_what_is_no_answer_sheet_is_set_aside_with_a_reason(tmp_path):
    key, other = make_key(), design(SINGLE, "2", some("t", 2), {"a": some("a", 2)}, 5.0, **HEARD)[0]
    good = json.loads(sheet_text(key, "x"))
    first = good["answers"][0]

    def changed(**values):
        return json.dumps({**good, "listener": "z", **values})

    files = {
        "a-good.json": json.dumps(good),
        "b-again.txt": json.dumps(good),
        "c-cut.json": json.dumps(good)[:-40],
        "d-other.json": sheet_text(other, "y"),
        "e-unfinished.json": changed(answers=good["answers"][1:]),
        "f-twice.json": changed(answers=[*good["answers"], first]),
        "g-stranger.json": changed(answers=[{**first, "trial": "ffffffff"}, *good["answers"][1:]]),
        "h-choice.json": changed(answers=[{**first, "choice": "maybe"}, *good["answers"][1:]]),
        "i-heard.json": changed(answers=[{**first, "heard": "long"}, *good["answers"][1:]]),
        "j-format.json": changed(format="something"),
        "k-listener.json": changed(listener=None),
        "l-list.json": "[1, 2]",
        "m-deep.json": "{" + "[" * 100_000,
        "n-binary.json": b"\x80\x81\x82",
        "o-sure.json": changed(answers=[{**first, "confidence": 9}, *good["answers"][1:]]),
        "p-bare.json": changed(answers=[3, *good["answers"][1:]]),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "key.json").write_text(key.to_json())
    found, aside = read_sheets(find_answers([tmp_path]), read_key(tmp_path))
    assert [sheet.listener for sheet in found] == ["x"]
    reasons = {one.file.rpartition("/")[2]: one.reason for one in aside}
    assert reasons.keys() == files.keys() - {"a-good.json"}
    for name, word in {
        "b-again.txt": "same listener as",
        "c-cut.json": "damaged",
        "d-other.json": "another test",
        "e-unfinished.json": "not finished: 21 of 22",
        "f-twice.json": "answered before",
        "g-stranger.json": "no trial of the test",
        "h-choice.json": "answer 1",
        "j-format.json": "no answers to a listening test",
    }.items():
        assert word in reasons[name], name
    said = "\n".join(summary(analyse(found, aside, key)))
    assert all(f"set aside: {tmp_path / name}" in said for name in reasons)


def test_a_text_in_a_mail_is_read():
    key = make_key()
    text = sheet_text(key, "x")
    mail = "Hello,\r\n\r\nhere they are:\r\n" + "".join(f"> {line}\r\n" for line in text.splitlines()) + "\r\nBye\r\n"
    assert read_sheet(mail, key) == read_sheet(text, key)


def test_what_is_no_key(tmp_path):
    for name, content in (
        ("a.json", "{}"),
        ("b.json", "no"),
        ("c.json", '{"format": "etude listening key", "kind": "pair"}'),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(EtudeError, match=r"name the key\.json"):
            read_key(tmp_path / name)
    with pytest.raises(EtudeError, match="cannot read the key"):
        read_key(tmp_path / "none.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(EtudeError, match="no answers"):
        find_answers([tmp_path / "empty"])
    with pytest.raises(EtudeError, match="does not exist"):
        find_answers([tmp_path / "nowhere"])
    key = make_key()
    (tmp_path / "f.json").write_text("{")
    none, aside = read_sheets([tmp_path / "f.json"], key)
    with pytest.raises(EtudeError, match=r"not one whole sheet.*f\.json: damaged"):
        analyse(none, aside, key)


def test_a_verdict_claims_no_equivalence_that_was_not_shown():
    """Listeners who guess: not told apart, with the margin that is left; never that the test was passed."""
    key = make_key(each=10)
    texts = [sheet_text(key, f"l{number}", 0.5, number) for number in range(20)]
    found = analyse(sheets(key, *texts), [], key)
    said = " ".join(summary(found))
    assert found.groups[0].share.low < 0.5 < found.groups[0].share.high
    assert "not told apart from chance" in said
    assert f"no margin smaller than {100 * found.groups[0].share.margin:.1f} points" in said
    assert "passed" not in said
    text = page(found)
    assert "Can listeners tell?" in text
    assert f"{found.groups[0].share.value:.1%}" in text
