// One trial: its values, what came of it, each metric epoch by epoch, and its error.

import { draw, known, make, say, set } from "./dom.js";
import { Frame, plot, spaced } from "./plot.js";

const SAID = new Set(["best epoch", "epochs", "seconds"]);
const SIZE = { width: 280, height: 130 };

export class TrialView {
  constructor(data, close) {
    this._data = data;
    this._title = make("h4");
    this._facts = make("p", { class: "nbtune-quiet" });
    this._plots = make("div", { class: "nbtune-halves" });
    this._error = make("pre", { tabindex: 0, role: "region", "aria-label": "The error of this trial" });
    const button = make("button", { type: "button", class: "nbtune-button nbtune-small", onclick: close }, "Close");
    this.element = make("section", { class: "nbtune-trial", "aria-label": "One trial", hidden: true },
      make("div", { class: "nbtune-foot" }, this._title, button), this._facts, this._error, this._plots);
  }

  update() {
    const { chosen, grid, details } = this._data;
    this.element.hidden = !known(chosen);
    if (!known(chosen)) return;
    const { title, facts, error, plots, best } = details.get(chosen) ?? { title: `Trial ${grid.ids[chosen]}`, facts: "", error: "", plots: [] };
    say(this._title, title);
    say(this._facts, [facts, ...this._not_in_table()].filter(Boolean).join(" · "));
    this._error.hidden = !error;
    say(this._error, error);
    const notes = plots.length ? "solid: validation data   dotted: training data   ● best epoch" : "no epoch has ended";
    this._plots.replaceChildren(...plots.map((one) => this._plot(one, best)), make("p", { class: "nbtune-quiet" }, notes));
  }

  /** What the leaderboard has no room for, and the facts do not say. */
  _not_in_table() {
    const { chosen, table, trials, no_room = [] } = this._data;
    return table.columns.map(({ name }, k) => (SAID.has(name) || !no_room.includes(name) ? "" : `${name === "fit" ? "" : `${name} `}${trials[chosen].texts[k]}`));
  }

  /** Training dotted and validation solid. */
  _plot({ title, alt, training, validation, low, high }, best) {
    const svg = draw("svg", { role: "img", class: "nbtune-plot", "aria-label": alt });
    const lines = [
      { values: training, role: "chosen", dash: "1 2", width: 1.2 },
      { values: validation, role: "best-1", best },
    ];
    plot(svg, new Frame(SIZE, spaced([low, high]), [1, Math.max(training.length, 2)], false), lines);
    return make("div", { class: "nbtune-half" }, make("div", { class: "nbtune-title" }, title), svg);
  }
}
