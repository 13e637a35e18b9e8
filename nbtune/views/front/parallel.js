// Parallel coordinates: a line for each combination. Dragging along an axis keeps the lines that pass there; with the
// keyboard the arrows do it, and Escape takes it back.

import { brief, draw, make, say, set } from "./dom.js";
import { watch_size } from "./size.js";

const ROOM = { left: 26, right: 52, top: 26, bottom: 10 };
const CLOSE = 8; // units between pointer and line
const COLOURS = ["best-1", "best-2", "best-3"];
const SWAY = 0.05; // of an axis: lines through one value lie this far apart at most

export class Parallel {
  constructor(data, pick) {
    this._data = data;
    this._pick = pick;
    this._size = { width: 640, height: 240 };
    this._ranges = new Map(); // side, the score being the last, to [low, high] as shares of its height
    this._svg = draw("svg", { role: "group", class: "nbtune-plot nbtune-parallel", "aria-label": "Parallel coordinates" });
    this._tip = make("div", { class: "nbtune-tip", hidden: true });
    this._words = make("p", { role: "status" });
    this._all = make("button", { type: "button", class: "nbtune-link", hidden: true, onclick: () => this._limit(null) }, "show all");
    const box = make("div", { class: "nbtune-plotted" }, this._svg, this._tip);
    this.element = make("div", { hidden: true }, box, make("div", { class: "nbtune-head" }, this._words, this._all));
    this._sized = watch_size(this.element, 0.38, (size) => {
      this._size = size;
      this._update();
    });
    box.addEventListener("pointerdown", (event) => this._press(event));
    box.addEventListener("pointermove", (event) => this._move(event));
    box.addEventListener("pointerup", (event) => this._release(event));
    box.addEventListener("pointerleave", () => this._point(null));
    box.addEventListener("dblclick", () => this._limit(null));
  }

  end() {
    this._sized.end();
  }

  take(info) {
    if (info.sides.map(({ name }) => name).join() !== this._info?.sides.map(({ name }) => name).join()) this._ranges.clear();
    this._info = info;
    this._sized.measure();
    this._update();
  }

  choose() {
    if (this._info && !this.element.hidden) this._update();
  }

  // ---- where things are

  _x(side) {
    return ROOM.left + (side / Math.max(this._info.sides.length, 1)) * (this._size.width - ROOM.left - ROOM.right);
  }

  _y(share) {
    return this._size.height - ROOM.bottom - share * (this._size.height - ROOM.top - ROOM.bottom);
  }

  _share_at(y) {
    return Math.min(Math.max((this._y(0) - y) / (this._y(0) - this._y(1)), 0), 1);
  }

  _of_score(score) {
    const { low, high } = this._info;
    return high > low ? Math.min(Math.max((score - low) / (high - low), 0), 1) : 0.5;
  }

  /** How high a line is on each side, as a share. */
  _shares({ places, score }) {
    const sides = this._info.sides.map(({ values }, k) => {
      const sway = (SWAY * (this._of_score(score) - 0.5)) / Math.max(values.length / 4, 1);
      return (places[k] + 0.5) / values.length + sway;
    });
    return [...sides, this._of_score(score)];
  }

  _kept(shares) {
    return [...this._ranges].every(([side, [low, high]]) => shares[side] >= low - 1e-9 && shares[side] <= high + 1e-9);
  }

  // ---- drawing

  _update() {
    if (!this._info) return;
    const { width, height } = this._size;
    set(this._svg, { viewBox: `0 0 ${width} ${height}` });
    const focus = this._svg.querySelector(":focus")?.dataset.side;
    this._drawn = this._info.lines.map((line) => ({ ...line, shares: this._shares(line) }));
    this._drawn.forEach((line) => (line.kept = this._kept(line.shares)));
    const kept = this._drawn.filter((line) => line.kept);
    kept.slice(-COLOURS.length).reverse().forEach((line, i) => (line.role = COLOURS[i]));
    const order = [...this._drawn].sort((a, b) => Number(a.kept) - Number(b.kept));
    const names = [...this._info.sides.map(({ name }) => name), this._info.objective];
    this._svg.replaceChildren(...order.map((line) => this._path(line)), ...names.map((name, side) => this._axis(name, side)));
    if (focus) this._svg.querySelector(`[data-side="${focus}"]`)?.focus();
    this._say(kept);
  }

  _path(line) {
    const points = line.shares.map((share, side) => `${this._x(side).toFixed(1)} ${this._y(share).toFixed(1)}`);
    const chosen = line.trial === this._data.chosen;
    const role = chosen ? "chosen" : (line.role ?? "faint");
    const opacity = line.kept ? (line.role || chosen ? 1 : 0.35) : 0.06;
    return draw("path", { d: `M${points.join("L")}`, class: `nbtune-line nbtune-role-${role}`, "stroke-width": line.role || chosen ? 2 : 0.8, opacity, "stroke-dasharray": chosen ? "6 2 1 2" : null });
  }

  _axis(name, side) {
    const x = this._x(side);
    const last = side === this._info.sides.length;
    const range = this._ranges.get(side);
    const says = range ? this._in_words(side, range) : "all";
    const group = draw("g", { role: "slider", tabindex: 0, "aria-label": `${name}: keep`, "aria-valuetext": says, "aria-valuenow": range ? this._step_of(side, range) : 0, "aria-valuemin": 0, "aria-valuemax": this._steps(side), "data-side": side, class: "nbtune-axis" },
      draw("rect", { x: x - 10, y: this._y(1) - 4, width: 20, height: this._y(0) - this._y(1) + 8, fill: "transparent" }),
      draw("path", { d: `M${x} ${this._y(0)}V${this._y(1)}`, class: "nbtune-gridline" }),
      draw("text", { x, y: this._y(1) - 11, "text-anchor": side ? (last ? "end" : "middle") : "start", dx: last ? ROOM.right - 4 : side ? 0 : -ROOM.left + 2, class: "nbtune-name" }, name));
    if (range) {
      const [low, high] = range;
      group.append(draw("rect", { x: x - 5, y: this._y(high), width: 10, height: Math.max(this._y(low) - this._y(high), 2), class: "nbtune-band" }));
    }
    const labels = last ? [0, 0.5, 1].map((share) => [share, brief(this._info.low + share * (this._info.high - this._info.low), 3)]) : this._labels(side);
    labels.forEach(([share, text]) => group.append(draw("text", { x: x + 4, y: this._y(share) + 2.5, class: "nbtune-halo" }, text)));
    group.addEventListener("keydown", (event) => this._key(event, side));
    return group;
  }

  /** Values that have room beside the axis. */
  _labels(side) {
    const { values } = this._info.sides[side];
    const apart = Math.ceil((9 * values.length) / (this._y(0) - this._y(1)));
    return values.map((text, k) => [(k + 0.5) / values.length, text.length > 14 ? `${text.slice(0, 13)}…` : text]).filter((_, k) => k % apart === 0);
  }

  _say(kept) {
    const { lines, objective } = this._info;
    const best = kept.at(-1);
    const found = best ? `best ${objective} ${brief(best.score, 4)} (${this._data.label(best.trial)})` : "none passes there";
    say(this._words, this._ranges.size ? `${kept.length} of ${lines.length} combinations; ${found}` : `${lines.length} combinations; ${found}`);
    this._all.hidden = !this._ranges.size;
  }

  // ---- ranges

  _limit(side, range) {
    if (side === null) this._ranges.clear();
    else if (range) this._ranges.set(side, range);
    else this._ranges.delete(side);
    this._update();
  }

  _steps(side) {
    return this._info.sides[side]?.values.length ?? 10;
  }

  _step_of(side, [low, high]) {
    return Math.min(Math.floor(((low + high) / 2) * this._steps(side)) + 1, this._steps(side));
  }

  _in_words(side, [low, high]) {
    const values = this._info.sides[side]?.values;
    if (!values) return [low, high].map((share) => brief(this._info.low + share * (this._info.high - this._info.low), 3)).join(" to ");
    return values.filter((_, k) => (k + 0.5) / values.length >= low && (k + 0.5) / values.length <= high).join(", ") || "none";
  }

  /** One value after the other, or a tenth of the score. */
  _key(event, side) {
    const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") this._limit(side, null);
    else if (step) {
      const count = this._steps(side);
      const range = this._ranges.get(side);
      const at = range ? this._step_of(side, range) + step : step > 0 ? 1 : count;
      this._limit(side, at < 1 || at > count ? null : [(at - 1) / count, at / count]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // ---- the pointer

  _place(event) {
    const box = this._svg.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this._size.width, ((event.clientY - box.top) / box.height) * this._size.height];
  }

  _side_at(x) {
    const side = Array.from({ length: this._info.sides.length + 1 }, (_, k) => k).find((k) => Math.abs(this._x(k) - x) < 14);
    return side ?? null;
  }

  _press(event) {
    if (!this._info) return;
    const [x, y] = this._place(event);
    this._from = { side: this._side_at(x), y };
    if (this._from.side !== null) event.currentTarget.setPointerCapture(event.pointerId);
  }

  _move(event) {
    if (!this._info) return;
    const [x, y] = this._place(event);
    const { side, y: from } = this._from ?? { side: null };
    if (side !== null && Math.abs(y - from) > 3) this._limit(side, [this._share_at(Math.max(from, y)), this._share_at(Math.min(from, y))]);
    else this._point([x, y]);
  }

  _release(event) {
    if (!this._from) return;
    const [x, y] = this._place(event);
    const { side, y: from } = this._from;
    this._from = null;
    if (Math.abs(y - from) > 3) return;
    if (side !== null) this._limit(side, null);
    else {
      const line = this._nearest(x, y);
      if (line) this._pick(line.trial);
    }
  }

  _nearest(x, y) {
    let [found, least] = [null, CLOSE];
    for (const line of this._drawn) {
      if (!line.kept) continue;
      const side = line.shares.findIndex((_, k) => this._x(k + 1) >= x);
      if (side < 0 || side + 1 >= line.shares.length) continue;
      const part = (x - this._x(side)) / (this._x(side + 1) - this._x(side));
      const away = Math.abs(this._y(line.shares[side] + part * (line.shares[side + 1] - line.shares[side])) - y);
      if (away <= least) [found, least] = [line, away];
    }
    return found;
  }

  _point(place) {
    const line = place && this._drawn ? this._nearest(...place) : null;
    this._tip.hidden = !line;
    if (!line) return;
    say(this._tip, `${this._data.label(line.trial)}: ${brief(line.score, 4)}`);
    const [x, y] = place;
    const right = x > this._size.width / 2;
    this._tip.style.cssText = `${right ? "right" : "left"}: ${(100 * (right ? this._size.width - x : x)) / this._size.width}%; top: ${(100 * y) / this._size.height}%`;
  }
}
