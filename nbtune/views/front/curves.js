// Learning curves: the best and the running trials in colour, the others faint.

class Curves {
  constructor(known, pick) {
    this._known = known;
    this._pick = pick;
    this._svg = draw("svg", { role: "img", class: "nbtune-plot" });
    this._key = make("ul", { class: "nbtune-key" });
    this._title = make("div", { class: "nbtune-title" });
    this.element = make("div", { class: "nbtune-half" }, this._title, this._svg, this._key);
  }

  update() {
    const { curves, grid } = this._known;
    this._haze = Math.min(0.3, Math.max(0.08, 15 / curves.shown.length));
    say(this._title, `${grid.objective}, epoch by epoch`);
    const roles = this._roles(curves.shown);
    const chosen = this._known.chosen;
    if (this._line(chosen) && !roles.some((role) => role.trial === chosen && role.lit)) {
      roles.push({ trial: chosen, lit: true, color: "var(--nbtune-ink)", name: "chosen", dash: "6 2 1 2" });
    }
    const longest = Math.max(2, ...roles.map(({ trial }) => this._line(trial)?.values.length ?? 0));
    plot(this._svg, { limits: curves.limits, log: curves.log, longest, lines: roles.flatMap((role) => this._lines(role)) });
    if (!roles.length) {
      this._svg.append(draw("text", { x: 194, y: 110, "text-anchor": "middle", class: "nbtune-quiet" }, "waiting for the first epoch"));
    }
    const best = roles.filter((role) => role.rank).map((role) => `${score(this._known.trials[role.trial][1])} with ${this._known.label(role.trial)}`);
    set(this._svg, { "aria-label": `Learning curves of ${grid.objective}. Best: ${best.reverse().join("; ") || "none yet"}.` });
    this._show_key(roles, curves.left_out);
  }

  _roles(shown) {
    let running = 0;
    return shown.map(([trial, rank, lit]) => {
      if (rank) return { trial, rank, lit, color: `var(--nbtune-best-${rank})`, name: score(this._known.trials[trial][1]) };
      if (lit) return { trial, lit, color: `var(--nbtune-running-${++running})`, name: "running", dash: "5 2.5" };
      return { trial, lit: false };
    });
  }

  /** What is known of a trial's curve; of one that is not among those drawn, what was asked for when it was chosen. */
  _line(trial) {
    const { lines, details, grid, trials } = this._known;
    const values = details.get(trial)?.history[grid.objective];
    return lines.get(trial) ?? (values?.length ? { values, training: [], best: trials[trial][3] } : undefined);
  }

  _lines({ trial, lit, color, dash }) {
    const line = this._line(trial);
    if (!line) return [];
    if (!lit) return [{ values: line.values, width: 0.7, faint: true, opacity: this._haze }];
    return [
      { values: line.training, color, width: 0.9, dash: "1 2" },
      { values: line.values, color, dash, best: line.best },
    ];
  }

  _show_key(roles, left_out) {
    const lit = roles.filter((role) => role.lit).sort((a, b) => (a.rank ?? 9) - (b.rank ?? 9));
    const items = lit.map((role) => {
      const sample = { d: "M0 5H20", stroke: role.color, "stroke-dasharray": role.dash, class: "nbtune-line", "stroke-width": 2 };
      const swatch = draw("svg", { viewBox: "0 0 20 10", width: 20, height: 10, "aria-hidden": "true" }, draw("path", sample));
      const text = `${role.name}  ${this._known.brief_label(role.trial)}`;
      return make("li", { title: this._known.label(role.trial) }, swatch, make("span", {}, text));
    });
    const faint = roles.length - lit.length;
    const more = left_out ? ` (${left_out.toLocaleString("en")} more not drawn)` : "";
    const notes = ["● best epoch", "┈ training data", ...(faint ? [`faint: ${faint} other${faint > 1 ? "s" : ""}${more}`] : [])];
    if (lit.length) items.push(make("li", { class: "nbtune-quiet" }, notes.join("   ")));
    this._key.replaceChildren(...items);
  }
}
