// What a page knows of a search: the kernel's messages (see notebook/schema.py), taken in one after the other.

export class Known {
  constructor() {
    this._forget();
  }

  _forget() {
    Object.assign(this, { trials: [], cells: [], lines: new Map(), details: new Map(), chosen: null });
  }

  take(message) {
    if (message.grid) this._forget();
    for (const [part, value] of Object.entries(message)) {
      if (part === "trials" || part === "cells") Object.entries(value).forEach(([i, one]) => (this[part][i] = one));
      else if (part === "lines") Object.entries(value).forEach(([i, line]) => this._extend(Number(i), line));
      else if (part === "detail") this.details.set(value.trial, value);
      else this[part] = value;
    }
    if (message.table) this.rank = new Map(message.table.rows.slice(0, message.table.ranked).map((i, place) => [i, place + 1]));
    if (message.curves) this.role = new Map(message.curves.curves.map(({ trial, role }) => [trial, role]));
  }

  /** All of it as one message, for a view that opens later. */
  whole() {
    const { trials, cells, lines, details, chosen, rank, role, ...parts } = this;
    return this.grid ? { ...parts, trials: { ...trials }, cells: { ...cells }, lines: {} } : parts;
  }

  /** Nothing is under way any more, since the kernel is gone: what was is stopped. */
  interrupt() {
    const stopped = (text) => text.replace(/^running/, "stopped");
    const own = (one) => (one.status === "running" ? { ...one, status: "stopped" } : one);
    if (!this.grid) return;
    this.trials = this.trials.map((trial) => ({ ...trial, texts: trial.texts.map(stopped), keys: trial.keys.map((key) => (key === "running" ? "stopped" : key)) }));
    this.cells = this.cells.map((cell) => ({ ...own(cell), says: stopped(cell.says) }));
    this.scale = { ...this.scale, legend: this.scale.gone };
    this.table = { ...this.table, notes: [...this.table.notes.slice(0, -1), this.table.gone] };
    this.curves = { ...this.curves, curves: this.curves.curves.map((curve) => ({ ...curve, running: false })) };
    this.details.forEach((detail, trial) => this.details.set(trial, { ...detail, facts: stopped(detail.facts) }));
  }

  _extend(i, { values, training, best }) {
    const old = this.lines.get(i) ?? { values: [], training: [] };
    const longer = (list, tail) => [...list.slice(0, tail.start), ...tail.values];
    this.lines.set(i, { values: longer(old.values, values), training: longer(old.training, training), best });
  }

  label(i) {
    return this.grid.labels[i];
  }
}
