// The leaderboard: sorted by any column, ten rows until asked for more; a row's button shows its trial.

import { draw, known, make, picture, say, set, symbol } from "./dom.js";
import { watch_size } from "./size.js";

const FEW = 10;
const MORE = 40;
const SPARE = ["seconds", "epochs", "best epoch", "weights", "gap", "fit"]; // what a narrow page does without, in this order

export class Leaderboard {
  constructor(data, pick) {
    this._data = data;
    this._pick = pick;
    this._sort = { column: 0, up: true };
    this._most = FEW;
    this._rows = new Map();
    this._columns = [];
    this._hidden = new Set();
    this._head = make("tr");
    this._body = make("tbody");
    this._notes = make("div", { class: "nbtune-coverage" });
    this._room = make("p", { hidden: true });
    this._more = make("button", { class: "nbtune-button nbtune-small", type: "button", onclick: () => this._grow() });
    const caption = make("caption", { class: "nbtune-unseen" }, "Leaderboard; the buttons of the head sort it");
    const table = make("table", {}, caption, make("thead", {}, this._head), this._body);
    const foot = make("div", { class: "nbtune-foot" }, make("div", {}, this._notes, this._room), this._more);
    this._scroll = make("div", { class: "nbtune-scroll" }, table);
    this.element = make("div", { class: "nbtune-board" }, this._scroll, foot);
    this.size = watch_size(this.element, 0, () => this._fit());
  }

  reset() {
    const { axes } = this._data.grid;
    const { columns } = this._data.table;
    this._names = columns.map(({ name }) => name).join();
    this._columns = [
      { name: "rank", right: true, key: (i) => this._data.rank.get(i), text: (i) => String(this._data.rank.get(i) ?? "") },
      ...axes.map((axis, k) => ({ ...axis, key: (i) => this._place(i, k), text: (i) => axis.texts[this._place(i, k)] ?? "–" })),
      ...columns.map((column, k) => ({ ...column, spare: SPARE.includes(column.name), key: (i) => this._data.trials[i].keys[k], text: (i) => this._data.trials[i].texts[k] })),
    ];
    this._head.replaceChildren(...this._columns.map((column, k) => this._heading(column, k)));
    this._rows.clear();
    this._body.replaceChildren();
  }

  _place(i, axis) {
    const place = this._data.grid.places[i][axis];
    return place < 0 ? null : place;
  }

  _heading(column, k) {
    const arrow = make("span", { class: "nbtune-arrow", "aria-hidden": "true" });
    const button = make("button", { type: "button", title: column.means, onclick: () => this._sort_by(k) }, ...breakable(column.name), arrow);
    return make("th", { scope: "col", class: column.right ? "nbtune-right" : null }, button);
  }

  _sort_by(column) {
    const up = this._sort.column === column ? !this._sort.up : !this._columns[column].high_first;
    this._sort = { column, up };
    this.update();
  }

  _grow() {
    this._most = this._most > FEW && this._data.table.rows.length <= this._most ? FEW : this._most + MORE;
    this.update();
  }

  update() {
    const { rows, columns } = this._data.table;
    if (columns.map(({ name }) => name).join() !== this._names) this.reset(); // a column comes with its first value
    const { key } = this._columns[this._sort.column];
    const sign = this._sort.up ? 1 : -1;
    // what is equal or has no value stays in the order of the ranking
    const shown = rows.map((i, place) => [i, place]).sort(([a, x], [b, y]) => compare(key(a), key(b), sign) || x - y);
    this._put(shown.slice(0, this._most).map(([i]) => i));
    this._say(rows.length);
    this._fit();
  }

  /** Leaves out columns, one after the other, until the others are in sight. */
  _fit() {
    if (!this._scroll.clientWidth) return;
    const left_out = SPARE.filter((name) => this._columns.some((column) => column.spare && column.name === name));
    this._hidden.clear();
    this._hide();
    while (left_out.length && this._scroll.scrollWidth > this._scroll.clientWidth) {
      this._hidden.add(left_out.shift());
      this._hide();
    }
    this._data.no_room = this._columns.map(({ name }) => name).filter((name) => this._hidden.has(name));
    this._room.hidden = !this._hidden.size;
    say(this._room, `No room for ${this._data.no_room.join(", ")}: choose a row to see more.`);
  }

  _hide() {
    for (const row of [this._head, ...this._body.children]) {
      this._columns.forEach((column, k) => (row.children[k].hidden = Boolean(column.spare && this._hidden.has(column.name))));
    }
  }

  /** Rows are used again, so that the selection survives. */
  _put(shown) {
    const rows = shown.map((i) => this._row(i));
    if (rows.length !== this._body.children.length || rows.some((row, k) => row !== this._body.children[k])) {
      this._body.replaceChildren(...rows);
    }
    this._head.childNodes.forEach((cell, k) => {
      const way = k === this._sort.column ? (this._sort.up ? "ascending" : "descending") : null;
      set(cell, { "aria-sort": way });
      say(cell.querySelector(".nbtune-arrow"), way ? (this._sort.up ? "▲" : "▼") : "");
    });
  }

  _row(i) {
    const row = this._rows.get(i) ?? this._new_row(i);
    this._columns.forEach((column, k) => {
      const cell = k ? row.children[k] : row.querySelector("button");
      const text = k ? column.text(i) : column.text(i) || "·";
      if (cell.textContent === text) return;
      cell.replaceChildren(...(column.name === "status" ? [symbol(this._data.grid.marks, text), text] : breakable(text)));
    });
    const role = this._data.role?.get(i);
    const swatch = row.querySelector(".nbtune-symbol.nbtune-curve");
    set(swatch.firstChild, { class: `nbtune-line nbtune-role-${role && role !== "faint" ? role : "none"}` });
    row.classList.toggle("nbtune-first", this._data.rank.get(i) === 1);
    row.querySelector("button").setAttribute("aria-pressed", String(this._data.chosen === i));
    return row;
  }

  _new_row(i) {
    const cells = this._columns.map((column) => make("td", { class: column.right ? "nbtune-right" : column.name === "status" ? null : "nbtune-words" }));
    const button = make("button", { type: "button", class: "nbtune-pick", "aria-label": `Show trial ${this._data.label(i)}` });
    const swatch = picture(draw("path", { d: "M-6 0H6", "stroke-width": 3 }));
    swatch.classList.add("nbtune-curve");
    cells[0].append(swatch, button);
    const row = make("tr", { onclick: () => this._pick(i) }, ...cells);
    this._rows.set(i, row);
    return row;
  }

  _say(total) {
    const hidden = Math.max(total - this._most, 0);
    const notes = [...this._data.table.notes];
    if (hidden) notes.push(`${notes.pop()} · the table shows the first ${this._most}`);
    this._notes.replaceChildren(...notes.map((note) => make("p", {}, note)));
    this._more.hidden = total <= FEW;
    say(this._more, hidden ? `Show ${Math.min(MORE, hidden)} more` : `Show the first ${FEW}`);
  }
}

/** A name whose line may break after an underscore. */
function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part, i) => (i ? [make("wbr"), part] : [part]));
}

function compare(a, b, sign) {
  if (!known(a) || !known(b)) return known(a) ? -1 : known(b) ? 1 : 0;
  return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
}
