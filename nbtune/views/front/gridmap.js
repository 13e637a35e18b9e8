// The grid as a map: colour tells the score, shape the status, a hatch that the score may still change. Arrow keys walk
// over it, Enter or a click chooses.

import { draw, known, make, picture, set, shape, symbol } from "./dom.js";
import { watch_size } from "./size.js";

export class GridMap {
  /** `resize({width, height})` asks for a map of another size. */
  constructor(data, pick, resize) {
    this._data = data;
    this._pick = pick;
    this._places = [];
    this._title = make("div", { class: "nbtune-title" });
    this._svg = draw("svg", { role: "listbox", class: "nbtune-plot nbtune-map", onkeydown: (event) => this._walk(event) });
    this._legend = make("ul", { class: "nbtune-key nbtune-row" });
    this.element = make("div", { class: "nbtune-half" }, this._title, this._svg, this._legend);
    this.size = watch_size(this.element, 0.92, resize);
    this._hatch = `nbtune-hatch-${Math.random().toString(36).slice(2)}`;
  }

  /** Draws everything anew, as it lies now. */
  reset() {
    const { map } = this._data;
    this._inset = Math.min(0.06 * Math.min(map.cell_width, map.cell_height), 1.5);
    const foot = Math.min(this._y(map.x_name.y) + 12, map.height);
    set(this._svg, { viewBox: `0 24 ${map.width} ${foot - 24}` });
    this._title.replaceChildren(map.title, ...(map.note ? [make("span", { class: "nbtune-quiet" }, ` ${map.note}`)] : []));
    this._places = map.corners.map((_, i) => this._place(i));
    this._frame = draw("rect", { class: "nbtune-best", "pointer-events": "none" });
    this._ring = draw("rect", { class: "nbtune-chosen", "pointer-events": "none" });
    this._bar = draw("g");
    this._svg.replaceChildren(this._pattern(), ...this._words(map), ...this._left_out(map), this._bar, ...this._places, this._frame, this._ring);
    this._focus(Math.min(this._at ?? 0, this._places.length - 1), false);
    this._all = true;
  }

  _pattern() {
    const lines = draw("path", { d: "M-1 1L1 -1M0 4L4 0M3 5L5 3", class: "nbtune-hatch" });
    return draw("defs", {}, draw("pattern", { id: this._hatch, width: 4, height: 4, patternUnits: "userSpaceOnUse" }, lines));
  }

  _left_out(map) {
    const size = Math.min(9, 0.62 * Math.min(map.cell_width, map.cell_height));
    return map.left_out.map(([x, y]) => {
      const mark = shape(this._data.grid.marks, "left-out", x, this._y(y), size);
      mark.append(draw("title", {}, "left out of the search"));
      return mark;
    });
  }

  _words(map) {
    const words = (list, anchor, dy, look) => list.map(({ x, y, text, angle }) => {
      const turn = angle ? `rotate(${-angle} ${x} ${this._y(y)})` : null;
      return draw("text", { x, y: this._y(y) + dy, "text-anchor": anchor, transform: turn, class: look }, text);
    });
    const side = { ...map.y_name, x: map.y_name.x + 4 };
    return [
      ...words(map.x_labels, "middle", 6),
      ...words(map.y_labels, "end", 2.5),
      ...words(map.heads, "middle", 2.5, "nbtune-quiet"),
      ...words([map.x_name], "middle", 7, "nbtune-name"),
      ...words([side], "middle", 0, "nbtune-name"),
    ];
  }

  _y(up) {
    return this._data.map.height - up;
  }

  _box(i) {
    const { corners, cell_width, cell_height } = this._data.map;
    const [x, y] = corners[i];
    return { x, y: this._y(y) - cell_height, width: cell_width, height: cell_height };
  }

  _place(i) {
    const choose = () => {
      this._focus(i);
      this._pick(this._data.cells[i].trial);
    };
    return draw("g", { role: "option", tabindex: -1, onclick: choose, onfocus: (event) => set(event.currentTarget, { "aria-label": this._name(i) }) });
  }

  _name(i) {
    const { trial, trials, says } = this._data.cells[i];
    return `${trials > 1 ? `best of ${trials} trials: ` : ""}${this._data.label(trial)}: ${says}`;
  }

  /** Brings the cells in `changed` up to date, and those whose shade is another. */
  update(changed) {
    const { scale, map, trials, table } = this._data;
    const all = this._all;
    this._all = false;
    const stale = (i) => all || changed?.[i] || this._shades?.[i] !== scale.shades[i];
    this._places.forEach((_, i) => stale(i) && this._draw(i));
    this._shades = scale.shades;
    this._around(this._frame, scale.best ?? -1);
    this.choose();
    this._scale();
    const words = `Map of the grid, ${map.title}: ${table.ranked} of ${trials.length} trials have a score. Arrow keys move, Enter shows a trial.`;
    set(this._svg, { "aria-label": words });
    this._show_legend();
  }

  choose() {
    const { chosen, cells } = this._data;
    const at = known(chosen) ? cells.findIndex((cell) => cell.trial === chosen) : -1;
    this._around(this._ring, at);
    this._places.forEach((place, i) => set(place, { "aria-selected": i === at ? "true" : "false" }));
  }

  _around(frame, i) {
    frame.style.display = i < 0 ? "none" : "";
    if (i >= 0) set(frame, this._box(i));
  }

  _draw(i) {
    const { map, cells, scale, grid } = this._data;
    const { status, text, spread, provisional } = cells[i];
    const { x, y, width, height } = this._box(i);
    const d = this._inset;
    const shade = grid.palette[scale.shades[i]];
    const inner = { x: x + d, y: y + d, width: width - 2 * d, height: height - 2 * d };
    const parts = [draw("rect", { ...inner, fill: shade?.fill ?? "transparent" })];
    if (provisional) parts.push(draw("rect", { ...inner, fill: `url(#${this._hatch})`, "pointer-events": "none" }));
    const middle = [x + width / 2, y + height / 2];
    const written = shade && map.numbers;
    if (written) {
      const two = spread && height >= 24;
      const look = { x: middle[0], "text-anchor": "middle", fill: shade.ink };
      parts.push(draw("text", { ...look, y: middle[1] + (two ? -1.5 : 2.5) }, text));
      if (two) parts.push(draw("text", { ...look, y: middle[1] + 7 }, spread));
    }
    const mark = Math.min(9, 0.62 * Math.min(width, height));
    if (status !== "done") parts.push(written ? shape(grid.marks, status, x + width - 6, y + 6, 6) : shape(grid.marks, status, ...middle, mark));
    parts.push(draw("title", {}, this._name(i)));
    this._places[i].replaceChildren(...parts);
  }

  _scale() {
    const { scale, map, grid } = this._data;
    if (!scale.better) return this._bar.replaceChildren();
    const { bar_x: x, bar_bottom: bottom, bar_top: top } = map;
    const step = (top - bottom) / grid.palette.length;
    const bands = grid.palette.map(({ fill }, i) => draw("rect", { x, y: this._y(bottom + (i + 1) * step), width: 9, height: step + 0.4, fill }));
    const ends = [[scale.better, top + 4], [scale.worse, bottom - 10]].map(([text, up]) => draw("text", { x: x - 2, y: this._y(up) }, text));
    this._bar.replaceChildren(...bands, ...ends);
    if (!scale.baseline) return;
    const at = this._y(bottom + (top - bottom) * scale.baseline.share);
    this._bar.append(draw("path", { d: `M${x - 3} ${at}h15`, class: "nbtune-baseline" }), draw("text", { x: x + 14, y: at + 2.5 }, scale.baseline.text));
  }

  _show_legend() {
    const { scale, cells, grid } = this._data;
    const items = scale.legend.map(({ status, text }) => make("li", {}, symbol(grid.marks, status), text));
    const frame = draw("rect", { x: -4, y: -4, width: 8, height: 8, class: "nbtune-best" });
    if (known(scale.best)) items.push(make("li", {}, picture(frame), "best"));
    const hatched = draw("rect", { x: -5, y: -5, width: 10, height: 10, class: "nbtune-hatched", style: `fill: url(#${this._hatch})` });
    const ground = draw("rect", { x: -5, y: -5, width: 10, height: 10, class: "nbtune-mark nbtune-done" });
    if (cells.some((cell) => cell.provisional)) items.push(make("li", {}, picture(ground, hatched), "score so far"));
    this._legend.replaceChildren(...items);
  }

  _focus(i, move = true) {
    this._places[this._at]?.setAttribute("tabindex", -1);
    this._at = i;
    this._places[i]?.setAttribute("tabindex", 0);
    if (move) this._places[i]?.focus();
  }

  _walk(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Enter" || event.key === " ") this._pick(this._data.cells[this._at].trial);
    else if (!way) return;
    else this._step(way);
    event.preventDefault();
    event.stopPropagation(); // or the notebook would take the key
  }

  /** To the nearest place in a direction; sideways counts three times. */
  _step([dx, dy]) {
    const here = this._box(this._at);
    let [next, least] = [-1, Infinity];
    this._places.forEach((_, i) => {
      const { x, y } = this._box(i);
      const ahead = (x - here.x) * dx + (y - here.y) * dy;
      const aside = Math.abs((x - here.x) * dy) + Math.abs((y - here.y) * dx);
      if (ahead > 0.5 && ahead + 3 * aside < least) [next, least] = [i, ahead + 3 * aside];
    });
    if (next >= 0) this._focus(next);
  }
}
