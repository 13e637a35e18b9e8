// The leaderboard: sorted by any column, ten rows until asked for more; a row's button shows its trial.

const FEW = 10;
const MORE = 40;

class Leaderboard {
  constructor(known, pick) {
    this._known = known;
    this._pick = pick;
    this._sort = { column: 0, up: true };
    this._most = FEW;
    this._rows = new Map();
    this._head = make("tr");
    this._body = make("tbody");
    this._ties = make("p", { class: "nbtune-coverage" });
    this._note = make("p", { class: "nbtune-coverage" });
    this._more = make("button", { class: "nbtune-button nbtune-small", type: "button", onclick: () => this._grow() });
    const caption = make("caption", { class: "nbtune-unseen" }, "Leaderboard; the buttons of the head sort it");
    const table = make("table", {}, caption, make("thead", {}, this._head), this._body);
    const foot = make("div", { class: "nbtune-foot" }, this._note, this._more);
    this.element = make("div", { class: "nbtune-board" }, make("div", { class: "nbtune-scroll" }, table), this._ties, foot);
  }

  reset() {
    const { axes, objective } = this._known.grid;
    const facts = [[objective, 1], ["best epoch", 3], ["epochs", 4], ["seconds", 5]];
    this._columns = [
      { name: "rank", right: true, key: (i) => this._rank.get(i), text: (i) => String(this._rank.get(i) ?? "") },
      ...axes.map((axis, k) => ({ name: axis.name, right: axis.right, key: (i) => this._place(i, k), text: (i) => axis.texts[this._place(i, k)] ?? "–" })),
      ...facts.map(([name, at]) => ({ name, right: true, key: (i) => this._known.trials[i][at], text: (i) => this._fact(i, at) })),
      { name: "status", right: false, key: (i) => this._known.trials[i][0], text: (i) => this._known.trials[i][0] },
    ];
    this._head.replaceChildren(...this._columns.map((column, k) => this._heading(column, k)));
    this._rows.clear();
    this._body.replaceChildren();
  }

  _place(i, axis) {
    const place = this._known.grid.places[i][axis];
    return place < 0 ? null : place;
  }

  _fact(i, at) {
    const [, , std] = this._known.trials[i];
    const value = this._known.trials[i][at];
    if (at === 1) return (this._known.ties.of.includes(i) ? "≈ " : "") + score(value) + (known(std) ? ` ± ${score(std)}` : "");
    return at === 5 && known(value) ? value.toFixed(1) : value ? String(value) : "";
  }

  _heading(column, k) {
    const arrow = make("span", { class: "nbtune-arrow", "aria-hidden": "true" });
    const button = make("button", { type: "button", onclick: () => this._sort_by(k) }, column.name, arrow);
    return make("th", { scope: "col", class: column.right ? "nbtune-right" : null }, button);
  }

  _sort_by(column) {
    const high_first = this._known.grid.direction === "max" && this._columns[column].name === this._known.grid.objective;
    this._sort = this._sort.column === column ? { column, up: !this._sort.up } : { column, up: !high_first };
    this.update();
  }

  _grow() {
    this._most = this._most > FEW && this._listed <= this._most ? FEW : this._most + MORE;
    this.update();
  }

  update() {
    const { trials, grid } = this._known;
    const sign = grid.direction === "max" ? -1 : 1;
    const all = trials.map((_, i) => i);
    const ranking = all.filter((i) => known(trials[i][1])).sort((a, b) => sign * (trials[a][1] - trials[b][1]) || a - b);
    this._rank = new Map(ranking.map((i, place) => [i, place + 1]));
    const shown = all.filter((i) => trials[i][0] !== "pending");
    this._listed = shown.length;
    shown.sort((a, b) => this._compare(a, b));
    this._put(shown.slice(0, this._most));
    this._say(trials.length);
  }

  /** By the sorted column, what has no value last; then by rank, then running before ended, then by place in the grid. */
  _compare(a, b) {
    const { key } = this._columns[this._sort.column];
    const sign = this._sort.up ? 1 : -1;
    const late = (i) => (this._known.trials[i][0] === "running" ? 0 : 1);
    return compare(key(a), key(b), sign) || compare(this._rank.get(a), this._rank.get(b), 1) || late(a) - late(b) || a - b;
  }

  /** Rows are used again, so that focus and selection survive. */
  _put(shown) {
    const focus = document.activeElement;
    const rows = shown.map((i) => this._row(i));
    if (rows.length !== this._body.children.length || rows.some((row, k) => row !== this._body.children[k])) {
      this._body.replaceChildren(...rows);
      if (focus && this._body.contains(focus)) focus.focus();
    }
    this._head.childNodes.forEach((cell, k) => {
      const way = k === this._sort.column ? (this._sort.up ? "ascending" : "descending") : null;
      set(cell, { "aria-sort": way });
      say(cell.querySelector(".nbtune-arrow"), way ? (this._sort.up ? "▲" : "▼") : "");
    });
  }

  _row(i) {
    let row = this._rows.get(i);
    if (!row) {
      const cells = this._columns.map((column) => make("td", { class: column.right ? "nbtune-right" : null }));
      const button = make("button", { type: "button", class: "nbtune-pick", "aria-label": `Show trial ${this._known.label(i)}` });
      cells[0].append(button);
      row = make("tr", { onclick: () => this._pick(i) }, ...cells);
      this._rows.set(i, row);
    }
    this._columns.forEach((column, k) => {
      const cell = k ? row.children[k] : row.querySelector("button");
      const text = k ? column.text(i) : column.text(i) || "·";
      if (cell.textContent === text) return;
      cell.replaceChildren(...(column.name === "status" ? [symbol(text), text] : [text]));
    });
    row.classList.toggle("nbtune-first", this._rank.get(i) === 1);
    row.querySelector("button").setAttribute("aria-pressed", String(this._known.chosen === i));
    return row;
  }

  _say(total) {
    const hidden = this._listed - Math.min(this._listed, this._most);
    say(this._ties, this._known.ties.text);
    say(this._note, this._known.coverage + (hidden ? ` · the table shows the first ${this._most}` : ""));
    this._more.hidden = this._listed <= FEW;
    say(this._more, hidden ? `Show ${Math.min(MORE, hidden)} more` : `Show the first ${FEW}`);
  }
}

function compare(a, b, sign) {
  if (!known(a) || !known(b)) return known(a) ? -1 : known(b) ? 1 : 0;
  return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
}
