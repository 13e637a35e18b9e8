"""The keyboard in the panel, without a notebook: it stays where it is while the panel is drawn anew, and shows where."""

from __future__ import annotations

import time

from nbtune.record.events import FAILED, EpochEnded, StateChanged, TrialEnded, TrialStarted

from ..views.conftest import DIGITS, done, half_way, product, search
from .test_front import still  # noqa: F401

WHERE = """() => {
  const at = document.activeElement, panel = document.querySelector('.nbtune');
  const look = getComputedStyle(at.querySelector('rect') && at.matches('[role=option]') ? at.querySelector('rect') : at);
  const outlined = look.outlineStyle !== 'none' && look.outlineWidth !== '0px';
  const seen = at.matches('[role=option]') ? look.strokeWidth === '2px' : outlined;
  return [panel.contains(at), at.matches(':focus-visible') && seen, at.tagName, at.ariaLabel ?? at.textContent];
}"""


def at(page):
    """Whether the keyboard is in the panel, whether that shows, and on what."""
    return page.evaluate(WHERE)


def test_it_stays_where_it_is_while_networks_end(still):  # noqa: F811
    progress = search(product(**{**DIGITS, "units": [8, 16, 32, 64], "loss": ["categorical_crossentropy", "kl_divergence"]}))
    for event in half_way(progress, 20, time.time() - 30):
        progress.apply(event)
    panel = still(progress)
    page = panel.page
    waiting = [trial.id for trial in progress.trials if trial.status == "pending"]
    seen = []
    for step in range(60):
        page.keyboard.press("Tab")
        if not at(page)[0]:
            break
        before = at(page)
        assert before[1], f"nothing shows that the keyboard is at {before}"
        trial = waiting.pop()
        progress.apply(TrialStarted(trial, time.time()))
        progress.apply(EpochEnded(trial, 1, {"val_accuracy": 0.5, "accuracy": 0.6, "loss": 1.0, "val_loss": 1.0}, time.time()))
        error = TrialEnded(trial, FAILED, error=f"Traceback\nValueError: no {step % 3}")
        progress.apply(error if step % 4 == 3 else done(trial, 0.99 + step / 10_000))
        panel.draw(time.time())
        after = at(page)
        assert after[:2] == [True, True], f"the keyboard was at {before}, and is at {after}"
        assert after[2] == before[2]
        seen.append(after[3])
    assert len(seen) > 25
    assert "Large view" in seen
    assert any(name.startswith("failed: ") for name in seen)


def test_it_stays_where_it_is_when_columns_and_buttons_come_and_go(still):  # noqa: F811
    progress = search(product(units=[8, 16, 32]), events=[StateChanged("running", 1000.0), TrialStarted("0", 1000.0)])
    panel = still(progress)
    page = panel.page
    page.locator("th button", has_text="units").focus()
    progress.apply(done("0", 0.9))
    panel.draw(1001.0)
    assert at(page)[0]
    assert at(page)[3] == "units"
    page.get_by_role("button", name="Stop").focus()
    for trial in "12":
        progress.apply(done(trial, 0.8))
    progress.apply(StateChanged("finished", 1010.0))
    panel.draw(1011.0)
    assert page.get_by_role("button", name="Stop").count() == 0
    assert at(page)[:3] == [True, True, "BUTTON"]


def test_a_trial_that_is_closed_gives_the_keyboard_back(still):  # noqa: F811
    ended = [done(str(i), 0.9) for i in range(3)]
    panel = still(search(product(units=[8, 16, 32]), events=[StateChanged("running", 1000.0), *ended]))
    page = panel.page
    for place in (page.get_by_role("option").nth(1), page.get_by_role("button", name="Show trial units 16")):
        place.focus()
        name = at(page)[3]
        page.keyboard.press("Enter")
        panel.answer()
        assert at(page)[3] == name, "it is not moved by what opens"
        page.get_by_role("button", name="Close").focus()
        page.keyboard.press("Enter")
        assert page.get_by_role("button", name="Close").count() == 0
        assert at(page)[3] == name


def test_curves_zoom_and_their_names_choose_by_keys_alone(still):  # noqa: F811
    panel = still(search(product(units=[8, 16]), events=[StateChanged("running", 1000.0), done("0", 0.9), done("1", 0.6)]))
    page = panel.page
    shown = "[...document.querySelectorAll('.nbtune-curves > text')].map((t) => t.textContent)"
    whole = page.evaluate(shown)
    curves = page.get_by_role("group", name="Curves: plus and minus zoom")
    curves.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(shown) == whole, "there is nothing beside the whole"
    page.keyboard.press("+")
    near = page.evaluate(shown)
    assert near != whole
    page.keyboard.press("ArrowRight")
    aside = page.evaluate(shown)
    assert aside != near
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(shown) == near, "and back, no wider than before"
    assert at(page)[:2] == [True, True]
    page.keyboard.press("-")
    assert page.evaluate(shown) == whole
    page.keyboard.press("+")
    page.keyboard.press("Escape")
    assert page.evaluate(shown) == whole
    page.locator(".nbtune-key").get_by_role("button").nth(1).focus()
    page.keyboard.press("Enter")
    panel.answer()
    page.get_by_role("region", name="One trial").get_by_text("Trial 1: units 16").wait_for(timeout=2000)
