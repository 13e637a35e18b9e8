// The set-up panel: the form, what it amounts to, and below it the search.

const GROUPS = { data: "Validation", fitting: "Fitting", running: "More settings" };

class SetupView {
  constructor(known, ask) {
    this._known = known;
    this._ask = ask;
    this._id = `nbtune-${Math.random().toString(36).slice(2)}`;
    this._rows = new Map();
    this._fields = make("div", { class: "nbtune-fields" });
    this._size = make("p", { class: "nbtune-size", role: "status" });
    this._cost = make("span", { class: "nbtune-quiet" });
    this._growth = make("table", { class: "nbtune-growth", hidden: true });
    this._mistake = make("p", { class: "nbtune-problem", role: "alert" });
    this._start = make("button", { type: "button", class: "nbtune-button nbtune-start", onclick: () => this._begin() },
      make("span", { "aria-hidden": "true" }, "▶"), make("span", {}, "Start"));
    this._notice = make("span", { role: "status", class: "nbtune-quiet" });
    this._live = new LiveView(known, ask);
    this._live.element.hidden = true;
    this.element = make("section", { class: "nbtune nbtune-live nbtune-setup", "aria-label": "Set up a search", "data-lm-suppress-shortcuts": "true" },
      this._fields, make("div", { class: "nbtune-sum" }, this._size, this._growth, this._mistake),
      make("div", { class: "nbtune-controls" }, this._start, this._notice, this._cell_part()), this._text, this._live.element);
  }

  _cell_part() {
    this._text = make("div", { class: "nbtune-cell", hidden: true });
    this._code = make("pre", { tabindex: 0, role: "region", "aria-label": "The cell that starts the same search" });
    const copy = make("button", { type: "button", class: "nbtune-button nbtune-small" }, "Copy");
    copy.addEventListener("click", () => {
      navigator.clipboard?.writeText(this._code.textContent).then(() => say(copy, "Copied"), () => say(copy, "Select it and copy"));
      setTimeout(() => say(copy, "Copy"), 2000);
    });
    this._text.append(this._code, copy);
    const button = make("button", { type: "button", class: "nbtune-link", "aria-expanded": "false" }, "show as %%tune line");
    button.addEventListener("click", () => {
      this._text.hidden = !this._text.hidden;
      set(button, { "aria-expanded": String(!this._text.hidden) });
    });
    return button;
  }

  update(message) {
    if (message.form) this._show_form(message.form);
    if (message.errors) this._mark(message.errors);
    if (message.size) this._show_size(message.size);
    if ("cost" in message) say(this._cost, message.cost);
    if ("mistake" in message) say(this._mistake, message.mistake);
    if ("cell" in message) say(this._code, message.cell);
    if ("notice" in message) say(this._notice, message.notice);
    if ("starting" in message) this._show_start();
    if (message.grid) this._live.element.hidden = false;
    this._live.update(message);
    if (message.head) this._show_start();
  }

  _begin() {
    this._start.disabled = true;
    this._ask({ kind: "start" });
  }

  _show_start() {
    const { starting, head, errors, mistake } = this._known;
    const busy = head?.state === "running" || head?.state === "paused";
    this._start.disabled = Boolean(starting || Object.keys(errors ?? {}).length);
    say(this._start.lastChild, starting ? "Starting…" : busy ? "Start anew" : "Start");
    set(this._start, { title: busy ? "Stop the search below and start this one" : "Train every combination" });
  }

  _show_form(fields) {
    const open = this._fields.querySelector("details[open]") !== null;
    this._rows.clear();
    const first = fields.filter((field) => field.first);
    const rest = fields.filter((field) => !field.first);
    const groups = Object.entries(GROUPS).map(([group, title]) => [title, rest.filter((field) => field.group === group)]);
    const more = groups.filter(([, own]) => own.length).map(([title, own]) => make("fieldset", {}, make("legend", {}, title), ...own.map((field) => this._row(field))));
    this._fields.replaceChildren(...first.map((field) => this._row(field)),
      make("details", { open, class: "nbtune-more" }, make("summary", {}, "Further settings"), ...more));
    if (this._known.errors) this._mark(this._known.errors);
    this._rows.get(this._next)?.input.focus();
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
    set(part.input, { "aria-describedby": `${id}-problem`, title: field.help });
    const row = make("div", { class: "nbtune-field" }, make("label", { for: id, title: field.help }, field.label), part.element, problem);
    this._rows.set(field.name, { row, input: part.input, problem });
    return row;
  }

  _mark(errors) {
    for (const [name, { row, input, problem }] of this._rows) {
      row.classList.toggle("nbtune-wrong", name in errors);
      set(input, { "aria-invalid": name in errors ? "true" : null });
      say(problem, errors[name] ?? "");
    }
    const hidden = Object.keys(errors).find((name) => this._rows.get(name)?.row.closest("details:not([open])"));
    if (hidden) this._rows.get(hidden).row.closest("details").open = true;
    this._show_start();
  }

  _show_size({ line, names, total, growth }) {
    const words = line ? [make("b", {}, line), ` combination${total === 1 ? "" : "s"}  `, this._cost] : [this._cost];
    this._size.replaceChildren(...words);
    set(this._size, { title: names?.join(" × ") });
    const rows = (growth ?? []).map(([name, values, sum, time]) =>
      make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, `× ${values}`), make("td", {}, sum), make("td", {}, time)));
    this._growth.hidden = !rows.length;
    const head = make("tr", {}, ...["with", "", "combinations", "time at most"].map((text) => make("th", { scope: "col" }, text)));
    this._growth.replaceChildren(make("caption", {}, "How the grid grows with each axis"), make("thead", {}, head), make("tbody", {}, ...rows));
  }
}
