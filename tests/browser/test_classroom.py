"""What a class does with a set-up panel: every button clicked, the page reloaded, the kernel restarted, the mouse left alone."""

from __future__ import annotations

import re

from .page import BUILD, until

REGRESSION = """from sklearn.datasets import load_diabetes
u, v = load_diabetes(return_X_y=True)
u, v = u / u.std(), (v - v.mean()) / v.std()
def grow(units):
    import keras
    return keras.Sequential([keras.Input((10,)), keras.layers.Dense(units, activation="relu"), keras.layers.Dense(1)])

%tune panel guess --build grow --data u,v --units 2,4,8 --learning-rate 1e-2 --epochs 6 --patience off"""
PANEL = f"{BUILD}\n\n%tune panel build --data x,y --layers 1,2 --units 8,16 --learning-rate 1e-2 --epochs 3000 --patience off"
REFUSED = re.compile("importance needs|size needs")
LOOK = "sorted({trial.values['units'] for trial in guess.trials}), guess.coverage.total, guess.directory"


def fits(page, width):
    """Nothing of the panel is wider than its cell."""
    return page.evaluate("""() => {
        const panel = document.querySelector('.nbtune'), right = panel.getBoundingClientRect().right + 1;
        return [...panel.querySelectorAll('*')].filter((e) => !e.closest('.nbtune-scroll') && !e.closest('svg') && e.offsetParent
            && e.getBoundingClientRect().right > right).map((e) => e.outerHTML.slice(0, 120));
    }""")


def test_every_button_of_a_search_on_numbers(pages):
    book = pages.digits("lab", REGRESSION, LOOK, name="classroom")
    page = book.page
    book.run(0)
    book.run(1)
    book.button("Start").click()
    book.see(re.compile("finished: 3 of 3"), 180)
    for button in ("Code", "Next steps"):
        book.button(button).click()
        book.see(re.compile({"Code": "import keras", "Next steps": "guess.best_model"}[button]), 30)
    book.button("Residuals").click()
    picture = page.get_by_role("img", name="What the best network answers")
    picture.wait_for(timeout=90_000)
    until(lambda: picture.evaluate("img => img.naturalWidth") > 300, 10, "there is no picture")
    book.shot("classroom-residuals")
    for button, file in (("Save", "guess.keras"), ("Refit", "guess-refit.keras")):
        book.button(button).click()
        book.see(re.compile(re.escape(f'load_model("{file}")')), 120)
        assert (book.path.parent / file).stat().st_size > 5_000

    for name in ("Parallel", "Importance", "Slices", "Size", "Learning rate", "Initialisation"):
        page.get_by_role("tab", name=name).click()
        until(lambda: page.locator(".nbtune-caption").inner_text() or page.get_by_text(REFUSED).is_visible(), 90, f"no {name}")
        book.shot(f"classroom-tab-{name.lower().replace(' ', '-')}")
    page.get_by_role("tab", name="Curves and map").click()

    page.get_by_role("button", name=re.compile("Add units")).first.click()
    page.wait_for_timeout(3000)
    assert not page.get_by_text("The kernel is busy").is_visible()
    book.see(re.compile("finished: 4 of 4"), 180)
    book.run(2)
    assert re.search(r"\(\[(1, )?2, 4, 8(, 12)?\],\s+4,", book.cell(2).inner_text())
    book.shot("classroom-widened")

    for width in (900, 1280):
        page.set_viewport_size({"width": width, "height": 1300})
        page.wait_for_timeout(500)
        assert fits(page, width) == []
        book.shot(f"classroom-{width}")
    book.dark_shot("classroom-dark")
    letters = "parseFloat(getComputedStyle(document.querySelector('.nbtune')).fontSize)"
    small = page.evaluate(letters)
    page.evaluate("document.documentElement.style.setProperty('--jp-ui-font-size1', '19px')")  # six steps larger
    page.wait_for_timeout(700)
    assert page.evaluate(letters) == small + 6
    assert fits(page, 1280) == []
    book.shot("classroom-six-steps")
    page.get_by_role("button", name="Large view").first.click()
    page.wait_for_function("document.fullscreenElement !== null")
    page.wait_for_timeout(700)
    book.shot("classroom-large-view")
    page.keyboard.press("Escape")
    assert not book.our_errors()


def test_with_the_keyboard_alone_reloaded_and_restarted(pages):
    book = pages.digits("lab", PANEL, "search.stop()", name="keyboard")
    page = book.page
    book.run(0)
    book.run(1)
    page.get_by_label("layers", exact=True).focus()
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").endswith("Start"):
            break
    else:
        raise AssertionError("Start is not reached")
    page.keyboard.press("Enter")
    book.see(re.compile(r"running: .* of 4"), 90)
    book.see(re.compile("best so far val_accuracy"), 90)
    walk_to(page, "Pause")
    page.keyboard.press("Space")
    book.button("Resume").wait_for(timeout=10_000)
    page.keyboard.press("Space")
    book.button("Pause").wait_for(timeout=10_000)
    page.get_by_role("tab", name="Curves and map").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("slider", name="units: keep").or_(page.get_by_text("no combination has ended")).wait_for(timeout=20_000)
    book.shot("keyboard-parallel")

    book.cell(2).locator(".cm-content").click()  # the panel keeps the keys of its own
    book.save()
    book.reload()
    book.see(re.compile(r"running: .* of 4"), 60)
    book.button("Pause").wait_for(timeout=20_000)
    book.shot("keyboard-reloaded")
    book.button("Pause").click()
    book.button("Resume").wait_for(timeout=10_000)
    book.button("Resume").click()
    book.button("Pause").wait_for(timeout=10_000)

    page.get_by_text("Kernel", exact=True).first.click()
    page.get_by_text("Restart Kernel…", exact=True).first.click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    book.see(re.compile("interrupted: "), 30)
    assert not book.button("Pause").is_visible()
    assert book.button("Start anew").is_disabled()
    book.shot("keyboard-restarted")
    assert not book.our_errors()


def walk_to(page, text):
    """By Tab and Shift+Tab from where the focus is."""
    for key in ["Tab"] * 60 + ["Shift+Tab"] * 90:
        page.keyboard.press(key)
        if page.evaluate("document.activeElement.textContent").endswith(text):
            return
    raise AssertionError(f"{text} is not reached")


def test_in_the_panel_the_keys_are_its_own(pages):
    """Shift+Enter would run the cell, Escape and the arrows choose others, a and b add some, d d deletes one, x cuts it."""
    book = pages.digits("lab", PANEL, "1 + 1", name="keys")
    page = book.page
    book.run(0)
    book.run(1)
    cells = lambda: [page.locator(".jp-Notebook .jp-Cell").count(), page.locator(".jp-InputPrompt").all_inner_texts()]  # noqa: E731
    active = lambda: page.evaluate("[...document.querySelectorAll('.jp-Cell')].findIndex((e) => e.matches('.jp-mod-active'))")  # noqa: E731
    inside = lambda: page.evaluate("document.querySelector('.nbtune').contains(document.activeElement)")  # noqa: E731
    page.get_by_label("layers", exact=True).focus()
    before = cells(), active()
    for key in ("Escape", "ArrowUp", "ArrowDown", "Shift+Enter"):
        page.keyboard.press(key)
        assert inside()
    walk_to(page, "Start")
    page.keyboard.press("Enter")
    book.see(re.compile("best so far val_accuracy"), 120)
    for name in ("Pause", "Large view", "Curves and map"):
        walk_to(page, name)
        for key in ("Escape", "a", "b", "d", "d", "x", "m", "ArrowUp", "ArrowDown", "Shift+Enter", "Control+Enter"):
            if not (name == "Large view" and key.endswith("Enter")) and not (name == "Pause" and key.endswith("Enter")):
                page.keyboard.press(key)
            assert inside(), f"{key} on {name} took the keyboard away"
    page.locator(".nbtune-map [role=option]").first.focus()
    for key in ("ArrowRight", "d", "d", "a", "Escape", "ArrowUp", "Enter"):
        page.keyboard.press(key)
        assert inside()
    page.get_by_role("button", name="Close").wait_for(timeout=10_000)
    page.wait_for_timeout(3000)  # networks train, and the panel is drawn anew
    assert inside()
    assert (cells(), active()) == before
    walk_to(page, "Large view")
    page.keyboard.press("Enter")
    page.wait_for_function("document.fullscreenElement !== null")
    walk_to(page, "Stop")
    page.keyboard.press("Escape")
    page.wait_for_function("document.fullscreenElement === null")
    assert inside()
    walk_to(page, "Stop")
    page.keyboard.press("Space")
    book.see(re.compile(r"stopped: 0 done, 4 stopped early of 4"), 60)
    assert inside(), "the buttons that are left have the keyboard"
    walk_to(page, "Code")
    page.locator("button:focus:not([aria-disabled])").wait_for(timeout=20_000)
    page.keyboard.press("Enter")
    book.see(re.compile("import keras"), 30)
    assert (cells(), active()) == before
    for width in (900, 1280):
        page.set_viewport_size({"width": width, "height": 1300})
        page.evaluate("document.documentElement.style.setProperty('--jp-ui-font-size1', '19px')")  # six steps larger
        page.wait_for_timeout(700)
        page.locator(".nbtune-form > summary").first.evaluate("summary => (summary.parentElement.open = true)")
        assert fits(page, width) == []
        book.shot(f"keys-six-steps-{width}")
    assert not book.our_errors()
