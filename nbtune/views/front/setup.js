// The set-up panel: the form, what it amounts to, and below it the search. The form folds up while a search runs.

import { make, say, set } from "./dom.js";
import { editor } from "./editors.js";
import { keeping_focus, own_keys } from "./focus.js";
import { LiveView } from "./live.js";

export class SetupView {
  constructor(data, ask) {
    this._data = data;
    this._ask = ask;
    this._id = `nbtune-${Math.random().toString(36).slice(2)}`;
    this._rows = new Map();
    this._fields = make("div", { class: "nbtune-fields" });
    this._size = make("p", { class: "nbtune-size", role: "status" });
    this._cost = make("span", { class: "nbtune-quiet" });
    this._growth = make("table", { class: "nbtune-growth", hidden: true });
    this._mistake = make("p", { class: "nbtune-problem", role: "alert" });
    this._start = make("button", { type: "button", class: "nbtune-button nbtune-start", onclick: (event) => this._begin(event.detail) },
      make("span", { "aria-hidden": "true" }, "▶"), make("span", {}, "Start"));
    this._cancel = make("button", { type: "button", class: "nbtune-button", hidden: true, onclick: () => this._give_up() }, "Cancel");
    this._offers = make("div", { class: "nbtune-controls", hidden: true });
    this._notice = make("span", { role: "status", class: "nbtune-quiet" });
    this._live = new LiveView(data, ask);
    this._live.element.hidden = true;
    this._form = make("details", { open: true, class: "nbtune-form" }, make("summary", {}, "Settings"), this._fields,
      make("div", { class: "nbtune-sum" }, this._size, this._growth));
    this._controls = make("div", { class: "nbtune-controls" }, this._start, this._cancel, this._notice, this._cell_part());
    this.element = make("section", { class: "nbtune nbtune-live nbtune-setup", "aria-label": "Set up a search", "data-lm-suppress-shortcuts": "true" },
      this._form, this._mistake, this._offers, this._controls, this._cell, this._live.element);
    own_keys(this.element);
  }

  end() {
    this._live.end();
  }

  _cell_part() {
    this._cell = make("div", { class: "nbtune-cell", hidden: true });
    this._code = make("pre", { tabindex: 0, role: "region", "aria-label": "The cell that starts the same search" });
    const copy = make("button", { type: "button", class: "nbtune-button nbtune-small" }, "Copy");
    copy.addEventListener("click", () => {
      navigator.clipboard?.writeText(this._code.textContent).then(() => say(copy, "Copied"), () => say(copy, "Select it and copy"));
      setTimeout(() => say(copy, "Copy"), 2000);
    });
    this._cell.append(this._code, copy);
    const button = make("button", { type: "button", class: "nbtune-link", "aria-expanded": "false" }, "show as %%tune line");
    button.addEventListener("click", () => {
      this._cell.hidden = !this._cell.hidden;
      set(button, { "aria-expanded": String(!this._cell.hidden) });
    });
    return button;
  }

  update(message) {
    keeping_focus(this.element, () => this._update(message));
  }

  _update(message) {
    if (message.gone) this._gone();
    if (this._data.gone && !message.gone) return;
    if (message.form) this._show_form(message.form);
    if (message.errors || message.wrong) this._mark();
    if (message.size) this._show_size(message.size);
    if ("cost" in message) say(this._cost, message.cost);
    if (message.offers) this._show_offers(message.offers);
    if ("mistake" in message) say(this._mistake, message.mistake);
    if ("cell" in message) say(this._code, message.cell);
    if ("notice" in message) say(this._notice, message.notice);
    if (message.grid) this._live.element.hidden = false;
    this._live.update(message);
    if ("starting" in message || message.head) this._show_start();
  }

  _gone() {
    set(this._start, { "aria-disabled": "true" });
    say(this._mistake, this._data.head ? "" : "The kernel has restarted or ended; run the cell again.");
  }

  _begin(byPointer) {
    if (byPointer) this._start.blur(); // the keys, Ctrl+S for one, are the notebook's again
    if (this._start.getAttribute("aria-disabled") === "true") return;
    set(this._start, { "aria-disabled": "true" }); // and not `disabled`, which would take the focus away
    this._began = true;
    this._ask({ kind: "start" });
  }

  _give_up() {
    if (this._cancel.getAttribute("aria-disabled") === "true") return;
    set(this._cancel, { "aria-disabled": "true" });
    this._ask({ kind: "cancel" });
  }

  /** Ways out of a grid that is too large. */
  _show_offers(offers) {
    const buttons = Object.entries(offers).map(([text, words]) =>
      make("button", { type: "button", class: "nbtune-button", onclick: () => this._ask({ kind: "offer", text }) }, words));
    this._offers.hidden = !buttons.length;
    this._offers.replaceChildren(...buttons);
  }

  _show_start() {
    const { starting, head, errors } = this._data;
    const busy = head?.state === "running" || head?.state === "paused";
    set(this._start, { "aria-disabled": starting || Object.keys(errors ?? {}).length ? "true" : null });
    this._cancel.hidden = !starting;
    if (!starting) set(this._cancel, { "aria-disabled": null });
    say(this._start.lastChild, starting ? "Starting…" : busy ? "Start anew" : "Start");
    set(this._start, { title: busy ? "Stop the search below and start this one" : "Train every combination" });
    if (busy && !this._busy) this._fold_up();
    this._busy = busy;
  }

  /** The form has done its work; a click on its line brings it back. Whoever started at its foot sees what came of it. */
  _fold_up() {
    this._form.open = false;
    if (this._began && this.element.getBoundingClientRect().top < 0) this.element.scrollIntoView({ block: "start" });
    this._began = false;
  }

  _show_form(fields) {
    const open = this._fields.querySelector("details[open]") !== null;
    this._rows.clear();
    const first = fields.filter((field) => field.first);
    const rest = fields.filter((field) => !field.first);
    const titles = [...new Set(rest.map((field) => field.group))];
    const more = titles.map((title) => make("fieldset", {}, make("legend", {}, title), ...rest.filter((field) => field.group === title).map((field) => this._row(field))));
    this._fields.replaceChildren(...first.map((field) => this._row(field)),
      make("details", { open, class: "nbtune-more" }, make("summary", {}, "Further settings"), ...more));
    this._mark();
    this._rows.get(this._next)?.part.input.focus();
    this._next = null;
  }

  _row(field) {
    const id = `${this._id}-${field.name}`;
    const change = (text) => {
      field.text = text; // for a view that opens later
      this._ask({ kind: "set", name: field.name, text });
    };
    const as_list = () => {
      this._next = field.name; // the button that has the focus goes away
      this._ask({ kind: "as_list", name: field.name });
    };
    const part = editor(field, id, change, as_list);
    const problem = make("span", { class: "nbtune-problem", id: `${id}-problem` });
    const help = make("span", { class: "nbtune-help nbtune-quiet", id: `${id}-help`, hidden: true }, field.help);
    const button = make("button", { type: "button", class: "nbtune-ask", "aria-label": `What ${field.label} means`, "aria-expanded": "false", "aria-controls": help.id }, "?");
    button.addEventListener("click", () => {
      help.hidden = !help.hidden;
      set(button, { "aria-expanded": String(!help.hidden) });
    });
    set(part.input, { "aria-describedby": `${id}-problem ${id}-help`, title: field.help });
    const label = make("label", { for: id, title: field.help }, field.label);
    const row = make("div", { class: "nbtune-field" }, label, make("span", { class: "nbtune-edit" }, part.element, button), problem, help);
    this._rows.set(field.name, { row, part, problem });
    return row;
  }

  _mark() {
    const { errors = {}, wrong = {} } = this._data;
    for (const [name, { row, part, problem }] of this._rows) {
      row.classList.toggle("nbtune-wrong", name in errors);
      set(part.input, { "aria-invalid": name in errors ? "true" : null });
      say(problem, errors[name] ?? "");
      part.mark?.(wrong[name] ?? []);
    }
    const hidden = Object.keys(errors).find((name) => this._rows.get(name)?.row.closest("details:not([open])"));
    for (let part = this._rows.get(hidden)?.row; part; part = part.parentElement.closest("details:not([open])")) part.open = true;
    this._show_start();
  }

  _show_size({ line, unit, names, growth }) {
    const words = line ? [make("b", {}, line), ` ${unit}  `, this._cost] : [this._cost];
    this._size.replaceChildren(...words);
    say(this._form.firstChild, line ? `Settings: ${line} ${unit}` : "Settings");
    set(this._size, { title: names?.join(" × ") });
    const rows = (growth ?? []).map(({ name, values, total, time }) =>
      make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, `× ${values}`), make("td", {}, total), make("td", {}, time)));
    this._growth.hidden = !rows.length;
    const head = make("tr", {}, ...["with", "", "combinations", "time at most"].map((text) => make("th", { scope: "col" }, text)));
    this._growth.replaceChildren(make("caption", {}, "How the grid grows with each axis"), make("thead", {}, head), make("tbody", {}, ...rows));
  }
}
