// Tabs: curves and map, and the plots that the kernel draws when they are asked for.

import { make, say, set } from "./dom.js";
import { Parallel } from "./parallel.js";

const APART = 10_000; // milliseconds between two drawings of an open tab while the search runs
const NAMES = { overview: "Curves and map", parallel: "Parallel", importance: "Importance", slice: "Slices", size: "Size", lr: "Learning rate", init: "Initialisation" };
const ONCE = new Set(["init"]); // it keeps a worker busy for some seconds

export class Tabs {
  constructor(data, overview, pick, ask) {
    this._data = data;
    this._ask = ask;
    this._overview = overview;
    this._open = "overview";
    this._asked = 0;
    const id = `nbtune-tab-${Math.random().toString(36).slice(2)}`;
    this._buttons = Object.entries(NAMES).map(([name, text]) =>
      make("button", { type: "button", role: "tab", id: `${id}-${name}`, "aria-controls": id, "data-name": name, class: "nbtune-tab", onclick: () => this.show(name) }, text));
    this._list = make("div", { role: "tablist", "aria-label": "Plots", class: "nbtune-tabs" }, ...this._buttons);
    this._list.addEventListener("keydown", (event) => this._go(event));
    this._parallel = new Parallel(data, pick);
    this._picture = make("img", { class: "nbtune-drawn" });
    this._problem = make("p", { class: "nbtune-quiet", role: "status" });
    this._caption = make("p", { class: "nbtune-quiet nbtune-caption" });
    this._plot = make("div", { hidden: true }, this._problem, this._picture, this._parallel.element, this._caption);
    this._panel = make("div", { role: "tabpanel", id }, overview, this._plot);
    this.element = make("div", {}, this._list, this._panel);
    this._mark();
  }

  end() {
    this._parallel.end();
  }

  _go(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = this._buttons.findIndex((button) => button.dataset.name === this._open);
    const place = step ? (at + step + this._buttons.length) % this._buttons.length : { Home: 0, End: this._buttons.length - 1 }[event.key];
    if (place === undefined) return;
    event.preventDefault();
    this._buttons[place].focus();
    this.show(this._buttons[place].dataset.name);
  }

  show(name) {
    this._open = name;
    this._mark();
    const plotted = name !== "overview";
    this._overview.hidden = plotted;
    this._plot.hidden = !plotted;
    if (!plotted) return;
    this._clear("drawing …");
    this._request();
  }

  _request() {
    this._asked = Date.now();
    this._ask({ kind: "tab", name: this._open });
  }

  _clear(text) {
    say(this._problem, text);
    this._problem.hidden = !text;
    this._picture.hidden = this._parallel.element.hidden = true;
    say(this._caption, "");
  }

  _mark() {
    for (const button of this._buttons) {
      const chosen = button.dataset.name === this._open;
      set(button, { "aria-selected": String(chosen), tabindex: chosen ? 0 : -1 });
      if (chosen) set(this._panel, { "aria-labelledby": button.id });
    }
  }

  /** A plot that was asked for has come. */
  take({ name, caption, problem, picture, parallel }) {
    if (name !== this._open) return;
    this._clear(problem);
    if (problem) return;
    say(this._caption, caption);
    if (picture) set(this._picture, { src: `data:image/png;base64,${picture}`, alt: `${NAMES[name]}. ${caption}` });
    this._picture.hidden = !picture;
    this._parallel.element.hidden = !parallel;
    if (parallel) this._parallel.take(parallel);
  }

  /** Scores have changed. */
  refresh() {
    const running = this._data.head?.state === "running";
    if (this._open === "overview" || ONCE.has(this._open)) return;
    if (!running || Date.now() - this._asked > APART) this._request();
  }

  choose() {
    this._parallel.choose();
  }
}
