// Learning curves: the best and the running trials in colour, the others faint. The pointer names a trial, a click
// chooses it, dragging zooms in, a double click shows all. With the keyboard + and - zoom, the arrows move, Escape shows all.

import { brief, draw, known, make, say, set } from "./dom.js";
import { Frame, plot, spaced } from "./plot.js";
import { watch_size } from "./size.js";

const NEAR = 14; // units between pointer and line
const ARROWS = { ArrowLeft: [-0.25, 0], ArrowRight: [0.25, 0], ArrowUp: [0, -0.25], ArrowDown: [0, 0.25] };
const SCALES = { "+": 0.5, "=": 0.5, "-": 2 }; // the plus of many keyboards needs Shift

export class Curves {
  constructor(data, pick) {
    this._data = data;
    this._pick = pick;
    this._size = { width: 320, height: 210 };
    this._svg = draw("svg", { role: "img", class: "nbtune-plot nbtune-curves" });
    this._tip = make("div", { class: "nbtune-tip", hidden: true });
    this._key = make("ul", { class: "nbtune-key" });
    this._title = make("div", { class: "nbtune-title" });
    this._out = make("button", { type: "button", class: "nbtune-link", hidden: true, onclick: () => this._zoom(null) }, "show all");
    const box = make("div", { class: "nbtune-plotted", role: "group", tabindex: 0, "aria-label": "Curves: plus and minus zoom, arrows move, Escape shows all" }, this._svg, this._tip);
    this.element = make("div", { class: "nbtune-half" }, make("div", { class: "nbtune-head" }, this._title, this._out), box, this._key);
    this.size = watch_size(this.element, 0.66, (size) => {
      this._size = size;
      if (this._data.curves) this.update();
    });
    this._listen(box);
  }

  _listen(box) {
    box.addEventListener("pointermove", (event) => this._point(event));
    box.addEventListener("pointerleave", () => this._point(null));
    box.addEventListener("pointerdown", (event) => (this._from = this._place(event)));
    box.addEventListener("pointerup", (event) => this._release(event));
    box.addEventListener("dblclick", () => this._zoom(null));
    box.addEventListener("keydown", (event) => this._steer(event));
  }

  update() {
    const { curves, chosen } = this._data;
    say(this._title, curves.title);
    set(this._svg, { "aria-label": curves.alt });
    const lines = curves.curves.flatMap((curve) => this._lines(curve, curves));
    if (known(chosen) && !lines.some((line) => line.trial === chosen && line.role !== "faint")) {
      lines.push(...this._lines({ trial: chosen, role: "chosen" }, curves));
    }
    this._drawn = lines;
    const longest = Math.max(2, ...lines.map(({ values }) => values.length));
    this._all = { epochs: [1, longest], limits: spaced([curves.low, curves.high], curves.log) };
    const { epochs, limits } = this._part ?? this._all;
    this._frame = new Frame(this._size, limits, epochs, curves.log);
    plot(this._svg, this._frame, lines);
    this._show_baseline(curves.baseline);
    if (!curves.curves.length) {
      const { width, height } = this._size;
      this._svg.append(draw("text", { x: width / 2, y: height / 2, "text-anchor": "middle", class: "nbtune-quiet" }, curves.empty));
    }
    this._show_key(curves);
  }

  /** What a constant answer would have, as a line across. */
  _show_baseline(baseline) {
    const { left, right, top, bottom } = this._frame;
    const y = baseline ? this._frame.y(baseline.value) : -1;
    if (y < top || y > bottom) return;
    const line = draw("path", { d: `M${left} ${y}H${right}`, class: "nbtune-baseline", "stroke-dasharray": "5 3" });
    this._svg.append(line, draw("text", { x: left + 3, y: y - 2.5 }, baseline.text));
  }

  _lines({ trial, role, running }, { curves }) {
    const values = this._data.details.get(trial)?.curve;
    const line = this._data.lines.get(trial) ?? (values?.length ? { values, training: [], best: this._data.details.get(trial).best } : null);
    if (!line) return [];
    if (role === "faint") {
      return [{ trial, role, values: line.values, width: 0.7, opacity: Math.min(0.4, Math.max(0.1, 20 / curves.length)) }];
    }
    return [
      { trial, role, values: line.training, width: 0.9, dash: "1 2", second: true },
      { trial, role, values: line.values, dash: running ? "5 2.5" : role === "chosen" ? "6 2 1 2" : null, best: line.best },
    ];
  }

  _show_key(curves) {
    const items = curves.keys.map(({ trial, role, score, values }) => {
      const running = curves.curves.some((curve) => curve.trial === trial && curve.running);
      const swatch = draw("svg", { viewBox: "0 0 20 10", class: "nbtune-swatch", "aria-hidden": "true" },
        draw("path", { d: "M0 5H20", class: `nbtune-line nbtune-role-${role}`, "stroke-width": 2.5, "stroke-dasharray": running ? "5 2.5" : null }));
      const text = make("span", {}, make("b", {}, score), ` ${values.join(", ")}`);
      return make("li", { title: this._data.label(trial) }, make("button", { type: "button", class: "nbtune-entry", onclick: () => this._pick(trial) }, swatch, text));
    });
    const notes = [curves.shared, "● best epoch", "┈ training data", curves.others && `faint: ${curves.others}`].filter(Boolean);
    if (items.length) items.push(make("li", { class: "nbtune-quiet nbtune-notes" }, ...notes.map((note) => make("span", {}, note))));
    this._key.replaceChildren(...items);
  }

  _place(event) {
    const box = this._svg.getBoundingClientRect();
    const { width, height } = this._size;
    return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
  }

  /** The line at a point: [line, epoch], or nothing where none is near. */
  _nearest([x, y]) {
    let [found, least] = [null, NEAR];
    const epoch = Math.round(this._frame.at(x, y)[0]);
    for (const line of this._drawn) {
      const value = line.second ? null : line.values[epoch - 1];
      const away = known(value) ? Math.abs(this._frame.y(value) - y) + (line.role === "faint" ? 2 : 0) : Infinity;
      if (away < least) [found, least] = [[line, epoch], away];
    }
    return found;
  }

  _point(event) {
    const place = event && this._frame ? this._place(event) : null;
    const found = place && this._nearest(place);
    this._hover?.remove();
    this._tip.hidden = !found;
    this._drag(place);
    if (!found) return;
    const [line, epoch] = found;
    const value = line.values[epoch - 1];
    const dot = { cx: this._frame.x(epoch), cy: this._frame.y(value), r: 4, class: `nbtune-dot nbtune-role-${line.role}` };
    this._hover = draw("circle", dot);
    this._svg.append(this._hover);
    say(this._tip, `${this._data.label(line.trial)}: ${brief(value, 4)} in epoch ${epoch}`);
    const right = dot.cx > this._size.width / 2;
    this._tip.style.cssText = `${right ? "right" : "left"}: ${(100 * (right ? this._size.width - dot.cx : dot.cx)) / this._size.width}%; top: ${(100 * dot.cy) / this._size.height}%`;
  }

  _drag(place) {
    this._band?.remove();
    if (!this._from || !place) return;
    const [[x0, y0], [x1, y1]] = [this._from, place];
    this._band = draw("rect", { x: Math.min(x0, x1), y: Math.min(y0, y1), width: Math.abs(x1 - x0), height: Math.abs(y1 - y0), class: "nbtune-band" });
    this._svg.append(this._band);
  }

  _release(event) {
    const [from, to] = [this._from, this._place(event)];
    this._from = null;
    this._band?.remove();
    if (!from || !this._frame) return;
    if (Math.abs(to[0] - from[0]) > 8 && Math.abs(to[1] - from[1]) > 8) {
      this._zoom(this._frame.between(from, to));
    } else {
      const found = this._nearest(to);
      if (found) this._pick(found[0].trial);
    }
  }

  _steer(event) {
    const way = ARROWS[event.key];
    const scale = SCALES[event.key];
    if (!this._frame || event.ctrlKey || event.metaKey || !(scale || (this._part && (way || event.key === "Escape")))) return;
    const part = event.key === "Escape" ? null : this._frame.moved(...(way ?? [0, 0]), scale ?? 1);
    this._zoom(part && width_of(part) < width_of(this._all) ? part : null);
    event.preventDefault();
    event.stopPropagation(); // or the notebook would take the key
  }

  _zoom(part) {
    this._part = part;
    this._out.hidden = !part;
    if (this._data.curves) this.update();
  }
}

function width_of({ epochs: [first, last] }) {
  return last - first;
}
