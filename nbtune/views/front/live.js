// The live panel.

/** What this page knows: the kernel's messages, folded. */
class Known {
  constructor() {
    this.trials = [];
    this.cells = [];
    this.lines = new Map();
    this.details = new Map();
    this.chosen = null;
  }

  take(message) {
    if (message.grid) Object.assign(this, { trials: [], cells: [], lines: new Map(), details: new Map(), chosen: null });
    for (const [part, value] of Object.entries(message)) {
      if (part === "trials" || part === "cells") Object.entries(value).forEach(([i, one]) => (this[part][i] = one));
      else if (part === "lines") Object.entries(value).forEach(([i, line]) => this._extend(Number(i), line));
      else if (part === "detail") this.details.set(value.trial, value);
      else this[part] = value;
    }
  }

  /** All of it as one message, for a view that opens later. */
  whole() {
    const { trials, cells, lines, details, chosen, ...parts } = this;
    return this.grid ? { ...parts, trials: { ...trials }, cells: { ...cells }, lines: {} } : parts;
  }

  _extend(i, { values, training, best }) {
    const old = this.lines.get(i) ?? { values: [], training: [] };
    const longer = (list, [start, more]) => [...list.slice(0, start), ...more];
    this.lines.set(i, { values: longer(old.values, values), training: longer(old.training, training), best });
  }

  _texts(i) {
    return this.grid.axes.map((axis, k) => [axis, this.grid.places[i][k]]).filter(([, place]) => place >= 0);
  }

  label(i) {
    return this._texts(i).map(([axis, place]) => `${axis.name} ${axis.texts[place]}`).join(", ");
  }

  /** Only what tells trials apart. */
  brief_label(i) {
    const texts = this._texts(i).filter(([axis]) => axis.texts.length > 1).map(([axis, place]) => axis.texts[place]);
    return texts.map((text) => (text.length > 14 ? `${text.slice(0, 7)}…${text.slice(-5)}` : text)).join(" · ");
  }
}

class LiveView {
  constructor(known, ask) {
    this._known = known;
    this._ask = ask;
    const pick = (trial) => this._choose(trial);
    this._line = make("p", { class: "nbtune-headline" });
    this._spoken = make("div", { role: "status", class: "nbtune-unseen" });
    this._bar = make("progress", { "aria-label": "Combinations that have ended", value: 0 });
    this._count = make("span", { class: "nbtune-count" });
    this._buttons = { toggle: this._button("toggle"), stop: this._button("stop") };
    this._problem = make("p", { role: "alert", class: "nbtune-problem", hidden: true });
    this._curves = new Curves(known);
    this._map = new GridMap(known, pick);
    this._trial = new TrialView(known, () => this._choose(null));
    this._board = new Leaderboard(known, pick);
    this._failures = make("div", { class: "nbtune-failures" });
    const row = make("div", { class: "nbtune-controls" }, this._bar, this._count, this._buttons.toggle, this._buttons.stop);
    this._results = make("div", { hidden: true },
      make("div", { class: "nbtune-halves" }, this._curves.element, this._map.element), this._trial.element, this._board.element, this._failures);
    this.element = make("section", { class: "nbtune nbtune-live", "aria-label": "Search", "data-lm-suppress-shortcuts": "true" },
      this._line, row, this._spoken, this._problem, this._results);
  }

  _button(which) {
    const button = make("button", { type: "button", class: "nbtune-button", disabled: true }, make("span", { "aria-hidden": "true" }), make("span"));
    button.addEventListener("click", () => {
      button.disabled = true;
      this._ask({ kind: "click", button: which });
      clearTimeout(this._patience);
      this._patience = setTimeout(() => this._busy(), 2500);
    });
    return button;
  }

  /** No answer: a kernel that runs a cell does not hear clicks. */
  _busy() {
    this._tell("The kernel is busy with a cell and will do this afterwards. ■ in the toolbar interrupts the cell.");
  }

  _tell(problem) {
    this._problem.hidden = !problem;
    say(this._problem, problem);
  }

  _choose(trial) {
    this._known.chosen = trial;
    if (known(trial)) this._ask({ kind: "choose", trial });
    this._trial.update();
    this._map.choose();
    this._curves.update();
    this._board.update();
    if (known(trial)) this._trial.element.scrollIntoView({ block: "nearest" });
  }

  /** Shows what a message changed. */
  update(message) {
    if (message.head) this._show_head(message.head);
    if (message.buttons) this._show_buttons(message.buttons);
    if ("problem" in message) this._tell(message.problem);
    if (!this._known.grid) return;
    if (message.grid) {
      this._board.reset();
      this._map.reset();
      this._bar.max = Math.max(this._known.trials.length, 1);
      this._show_head(this._known.head);
    }
    this._results.hidden = false;
    if (message.curves || message.lines || message.detail) this._curves.update();
    if (message.cells || message.scale) this._map.update(message.cells, message.scale);
    if (message.trials || message.coverage || message.ties) this._board.update();
    if (message.trials?.[this._known.chosen]) this._ask({ kind: "choose", trial: this._known.chosen });
    if (message.detail || message.trials) this._trial.update();
    if (message.failures) this._show_failures(message.failures);
  }

  _show_head({ text, spoken, state, ended }) {
    const at = text.indexOf(":");
    this._line.replaceChildren(make("b", {}, text.slice(0, at)), text.slice(at));
    say(this._spoken, spoken);
    const total = this._known.trials.length;
    this._bar.value = ended;
    this._bar.dataset.state = state;
    say(this._count, total ? `${ended.toLocaleString("en")} of ${total.toLocaleString("en")}` : "");
  }

  _show_buttons(buttons) {
    clearTimeout(this._patience);
    for (const [which, { text, icon, title, disabled }] of Object.entries(buttons)) {
      const button = this._buttons[which];
      set(button, { title, disabled });
      say(button.children[0], icon);
      say(button.children[1], text);
    }
  }

  _show_failures(failures) {
    const shown = failures.map(({ line, error }) => (error ? make("details", {}, make("summary", {}, line), make("pre", {}, error)) : make("p", {}, line)));
    const open = [...this._failures.querySelectorAll("details[open] summary")].map((summary) => summary.textContent.split(" (")[0]);
    shown.forEach((part) => (part.open = open.includes(part.firstChild.textContent.split(" (")[0])));
    this._failures.replaceChildren(...shown);
  }
}
