// The live panel.

import { known, make, say, set } from "./dom.js";
import { Curves } from "./curves.js";
import { keeping_focus, own_keys } from "./focus.js";
import { GridMap } from "./gridmap.js";
import { Leaderboard } from "./leaderboard.js";
import { Tabs } from "./tabs.js";
import { TrialView } from "./trial.js";

const PATIENCE = 2500; // milliseconds until a click counts as not heard
const BUSY = "The kernel is busy with a cell and will do this afterwards. ■ in the toolbar interrupts the cell.";
const GONE = "The kernel has restarted or ended, and the search with it; every finished trial is kept. Run the cell again: it goes on where it was.";

export class LiveView {
  constructor(data, ask) {
    this._data = data;
    this._ask = ask;
    const pick = (trial) => this._choose(trial);
    this._line = make("p", { class: "nbtune-headline" });
    this._notes = make("div", { class: "nbtune-quiet" });
    this._advice = make("ul", { class: "nbtune-advice", "aria-label": "Advice", hidden: true });
    this._spoken = make("div", { role: "status", class: "nbtune-unseen" });
    this._bar = make("progress", { "aria-label": "How much of the training is done", value: 0, max: 1 });
    this._count = make("span", { class: "nbtune-count" });
    this._buttons = new Map();
    this._problem = make("p", { role: "alert", class: "nbtune-problem", hidden: true });
    this._text = make("pre", { tabindex: 0, role: "region", "aria-label": "Code", hidden: true });
    this._picture = make("img", { class: "nbtune-picture", alt: "What the best network answers for the validation data", hidden: true });
    this._curves = new Curves(data, pick);
    this._map = new GridMap(data, pick, (size) => ask({ kind: "size", ...size }));
    this._trial = new TrialView(data, () => pick(null));
    this._board = new Leaderboard(data, pick);
    this._failures = make("div", { class: "nbtune-failures" });
    this._large = make("button", { type: "button", class: "nbtune-button nbtune-small", title: "Fill the screen; Escape ends it", onclick: () => this._enlarge() }, "Large view");
    this._row = make("div", { class: "nbtune-controls" }, this._bar, this._count, this._large);
    const overview = make("div", { class: "nbtune-halves" }, this._curves.element, this._map.element);
    this._tabs = new Tabs(data, overview, pick, ask);
    this._results = make("div", { hidden: true }, this._tabs.element, this._trial.element, this._board.element, this._failures);
    this.element = make("section", { class: "nbtune nbtune-live", "aria-label": "Search", "data-lm-suppress-shortcuts": "true" },
      this._line, this._notes, this._advice, this._row, this._spoken, this._problem, this._text, this._picture, this._results);
    own_keys(this.element);
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && document.fullscreenElement && this._enlarge());
    this._resize = () => [this._curves, this._map].forEach((chart) => chart.size.measure());
    document.addEventListener("fullscreenchange", this._resize);
  }

  end() {
    document.removeEventListener("fullscreenchange", this._resize);
    [this._curves, this._map, this._board].forEach((part) => part.size.end());
    this._tabs.end();
  }

  _enlarge() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.element.requestFullscreen?.();
  }

  _button(which) {
    const steers = which === "toggle" || which === "stop"; // their texts change, and nothing shall move
    const button = make("button", { type: "button", class: `nbtune-button${steers ? "" : " nbtune-small"}`, "aria-disabled": "true" }, make("span", { "aria-hidden": "true" }), make("span"));
    button.addEventListener("click", (event) => {
      if (event.detail) button.blur(); // clicked by a pointer: the keys, Ctrl+S for one, are the notebook's again
      if (button.getAttribute("aria-disabled") === "true") return;
      set(button, { "aria-disabled": "true" }); // and not `disabled`, which would take the focus away
      this._ask({ kind: "click", button: which });
      clearTimeout(this._patience);
      this._patience = setTimeout(() => this._tell(BUSY), PATIENCE);
    });
    this._large.before(button);
    this._buttons.set(which, button);
    return button;
  }

  _tell(problem) {
    this._problem.hidden = !problem;
    say(this._problem, problem);
  }

  _choose(trial) {
    const at = document.activeElement;
    if (known(trial) && !this._trial.element.contains(at)) this._chosen_at = at;
    keeping_focus(this.element, () => this._show_chosen(trial));
    if (!known(trial) && this._trial.element.contains(at)) this._chosen_at?.focus(); // closed: back to where it was opened
  }

  _show_chosen(trial) {
    this._data.chosen = trial;
    if (known(trial)) this._ask({ kind: "choose", trial });
    this._trial.update();
    this._map.choose();
    this._curves.update();
    this._tabs.choose();
    this._board.update();
    if (known(trial)) this._trial.element.scrollIntoView({ block: "nearest" });
  }

  /** Shows what a message changed. */
  update(message) {
    if (!this._data.gone || message.gone) keeping_focus(this.element, () => this._update(message));
  }

  _update(message) {
    if (message.head) this._show_head(message.head);
    if (message.notes) this._notes.replaceChildren(...message.notes.map((note) => make("p", {}, note)));
    if (message.advice) {
      this._advice.replaceChildren(...message.advice.map((line) => make("li", {}, line)));
      this._advice.hidden = !message.advice.length;
    }
    if (message.buttons) this._show_buttons(message.buttons);
    if ("problem" in message) this._tell(message.problem);
    if ("text" in message) this._show_text(message.text);
    if (message.download && !message.download.saved) this._save(message.download);
    if ("picture" in message) this._show_picture(message.picture);
    if (this._data.grid) this._show_results(message);
    if (message.gone) this._gone();
  }

  _show_results(message) {
    this._results.hidden = false;
    if (message.grid) this._board.reset();
    if (message.map) this._map.reset();
    if (message.curves || message.lines || message.detail) this._curves.update();
    if (message.map || message.cells || message.scale) this._map.update(message.cells);
    if (message.trials || message.table || message.curves) this._board.update();
    if (message.tab) this._tabs.take(message.tab);
    if (message.table || message.grid) this._tabs.refresh();
    if (message.trials?.[this._data.chosen]) this._ask({ kind: "choose", trial: this._data.chosen });
    if (message.detail || message.grid) this._trial.update();
    if (message.failures) this._show_failures(message.failures);
  }

  /** What was drawn last stays, and nothing claims to go on. */
  _gone() {
    clearTimeout(this._patience);
    const { state } = this._data.head ?? {};
    if (state === "running" || state === "paused") {
      this._show_head({ ...this._data.head, text: this._data.head.gone, spoken: "Search interrupted", state: "gone" });
      this._tell(GONE);
      this._data.interrupt();
      if (this._data.grid) [this._curves, this._map, this._board, this._trial].forEach((part) => part.update(this._data.cells));
    }
    this._buttons.forEach((button) => (button.hidden = true));
  }

  _show_head({ text, spoken, state, share, count, alarm }) {
    const at = text.indexOf(":");
    this._line.replaceChildren(make("b", {}, text.slice(0, at)), text.slice(at));
    this._line.classList.toggle("nbtune-alarm", alarm);
    say(this._spoken, spoken);
    this._bar.value = share;
    Object.assign(this._bar.dataset, { state, alarm });
    say(this._count, count);
  }

  _show_buttons(buttons) {
    clearTimeout(this._patience);
    this._buttons.forEach((button, which) => which in buttons || (button.hidden = true));
    for (const [which, { text, icon, title, disabled, hidden }] of Object.entries(buttons)) {
      const button = this._buttons.get(which) ?? this._button(which);
      set(button, { title, "aria-disabled": disabled ? "true" : null, hidden });
      say(button.children[0], icon);
      say(button.children[1], text);
    }
  }

  _show_text(text) {
    this._text.hidden = !text;
    say(this._text, text);
    if (text) this._text.focus();
  }

  /** Hands the browser a file. */
  _save(file) {
    file.saved = true; // no other view of the widget does it again
    const link = make("a", { href: `data:application/zip;base64,${file.content}`, download: file.name });
    link.click();
  }

  _show_picture(picture) {
    this._picture.hidden = !picture;
    if (picture) this._picture.src = `data:image/png;base64,${picture}`;
  }

  _show_failures(failures) {
    const shown = failures.map(({ line, error }) => (error ? make("details", {}, make("summary", {}, line), make("pre", {}, error)) : make("p", {}, line)));
    const open = [...this._failures.querySelectorAll("details[open] summary")].map((summary) => summary.textContent.split(" (")[0]);
    shown.forEach((part) => (part.open = open.includes(part.firstChild.textContent.split(" (")[0])));
    this._failures.replaceChildren(...shown);
  }
}
