"""The page in a real browser, from the first click to the saved answers; passed over where there is none."""

import contextlib
import json
import shutil

import pytest

from etude.pipelines.listening.answers import read_sheet
from etude.pipelines.listening.design import CHOICES

playwright = pytest.importorskip("playwright.sync_api")

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE = {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--mute-audio"])
        yield opened
        opened.close()


@contextlib.contextmanager
def opened(browser, made_test, **options):
    """The page of a test, and its key; whatever it asked for was in the page itself, and nothing went wrong."""
    folder, key = made_test
    asked, faults = [], []
    context = browser.new_context(offline=True, accept_downloads=True, **options)
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.goto((folder / "listen.html").as_uri())
    yield page, key
    assert faults == []
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
    assert sum(url.startswith("file:") for url in asked) == 1
    context.close()


def saved(page, save):
    with page.expect_download() as download:
        save()
    name = download.value.suggested_filename
    assert name.startswith("answers-")
    assert name.endswith(".json")
    with open(download.value.path(), encoding="utf-8") as file:
        text = file.read()
    assert page.input_value("#text") == text
    return text


def check(text, key, choices):
    """The sheet holds what was chosen, trial by trial, and can be analysed."""
    answers = json.loads(text)["answers"]
    assert [answer["choice"] for answer in answers] == choices
    assert sorted(answer["trial"] for answer in answers) == [trial.id for trial in key.trials]
    sheet = read_sheet(text, key)
    assert all(answer.is_heard for answer in sheet.answers.values())
    return sheet


def test_from_the_first_click_to_the_answers(browser, made_test):
    with opened(browser, made_test) as (page, key):
        page.click("#begin")
        choices = []
        for number in range(len(key.trials)):
            assert f"{number + 1} of {len(key.trials)}" in page.inner_text("#place")
            assert page.is_disabled(".choice input")
            assert page.is_disabled("[type=submit]")
            for button in page.query_selector_all(".listen"):
                button.click()
                place = int(button.get_attribute("data-clip"))
                page.wait_for_function(
                    "place => document.querySelectorAll('.heard')[place].value >= 0.5 / 3", arg=place
                )
            page.wait_for_selector(".choice:not([disabled])")
            choices.append(CHOICES[key.kind][number % 2])
            page.check(f"[name=choice][value={choices[-1]}]")
            assert page.is_disabled("[type=submit]")
            page.check("[name=confidence][value='2']")
            if number == 0:
                page.check("[name=known]")
            page.click("[type=submit]")
        sheet = check(saved(page, lambda: page.click("#save")), key, choices)
        assert sum(answer.known for answer in sheet.answers.values()) == 1
        assert {answer.confidence for answer in sheet.answers.values()} == {2}
        page.click("#copy")
        page.wait_for_selector("#copied:not(:empty)")


def test_by_keyboard_alone(browser, made_test):
    with opened(browser, made_test) as (page, key):

        def press(*keys):
            for one in keys:
                page.keyboard.press(one)

        press("Tab", "Enter")
        for _ in key.trials:
            page.wait_for_selector("#trial h1:focus")
            for place in range(1, 1 + len(key.trials[0].clips)):
                press("Tab", "Enter")
                page.wait_for_selector(f".clip:nth-child({place}) .enough")
            page.wait_for_selector(".choice:not([disabled])")
            press("Tab", "Space", "Tab", "Space", "Tab", "Tab", "Enter")
        page.wait_for_selector("#end h1:focus")
        text = saved(page, lambda: press("Tab", "Enter"))
        check(text, key, [CHOICES[key.kind][0]] * len(key.trials))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_at_the_width_of_a_phone_in_light_and_dark(browser, made_test, scheme):
    with opened(browser, made_test, color_scheme=scheme, **PHONE) as (page, _):

        def look():
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
            assert page.evaluate(SMALLEST_TARGET) >= 44
            assert page.evaluate(CONTRAST) >= 4.5

        look()
        page.tap("#begin")
        look()
        for button in page.query_selector_all(".listen"):
            button.tap()
            place = int(button.get_attribute("data-clip"))
            page.wait_for_selector(f".clip:nth-child({place + 1}) .enough")
        page.wait_for_selector(".choice:not([disabled])")
        look()
        page.tap(".choice label")
        page.tap(".confidence label")
        page.tap("[type=submit]")
        page.wait_for_selector("text=2 of")
        page.evaluate("for (const name of ['trial', 'end']) document.getElementById(name).hidden = name != 'end'")
        look()
        colours = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
        assert (max(colours) < 60) == (scheme == "dark")


def test_everybody_has_an_order_of_their_own(browser, made_test):
    """Eight listeners, of whom hardly all begin with the same."""
    firsts = set()
    for _ in range(8):
        with opened(browser, made_test) as (page, _):
            page.evaluate(SPY)
            page.click("#begin")
            page.wait_for_selector("#trial h1:focus")
            firsts.add(page.evaluate("heardFirst"))
    assert len(firsts) > 1


SPY = """(() => {
  const decode = window.atob;
  window.atob = (text) => { window.heardFirst = window.heardFirst || text; return decode(text); };
})()"""
"""Keeps the first sound that is decoded."""

SMALLEST_TARGET = """Math.min(...[...document.querySelectorAll('button, label:has(input), a')]
  .filter((e) => e.offsetHeight).map((e) => e.offsetHeight))"""
"""In pixels: what a finger has to hit."""

CONTRAST = """(() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(Number).map((c) => c / 255)
      .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = getComputedStyle(document.body).backgroundColor;
  const found = [...document.querySelectorAll('h1, p, li, label, legend, button:not(:disabled), a.main, textarea')]
    .filter((e) => e.offsetHeight && e.textContent.trim() && !e.closest(':disabled')).map((e) => {
      let behind = e;
      while (behind && getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
      const [a, b] = [getComputedStyle(e).color, behind ? getComputedStyle(behind).backgroundColor : paper].map(luminance);
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    });
  return Math.min(...found);
})()"""
"""The lowest contrast of text that can be read now, after WCAG 2.1."""
