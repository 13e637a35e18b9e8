// The grid as a map: colour tells the score, shape the status. Arrow keys walk over it, Enter or a click chooses.

class GridMap {
  constructor(known, pick) {
    this._known = known;
    this._pick = pick;
    this._places = [];
    this._title = make("div", { class: "nbtune-title" });
    this._svg = draw("svg", { role: "listbox", class: "nbtune-plot nbtune-map", onkeydown: (event) => this._walk(event) });
    this._legend = make("ul", { class: "nbtune-key nbtune-row" });
    this.element = make("div", { class: "nbtune-half" }, this._title, this._svg, this._legend);
  }

  /** Draws everything anew. */
  reset() {
    const { map } = this._known;
    const [width, height] = map.size;
    this._height = height;
    this._inset = Math.min(0.06 * Math.min(...map.cell), 1.5);
    set(this._svg, { viewBox: `0 24 ${width} ${height - 38}` });
    this._title.replaceChildren(map.title, ...(map.note ? [make("span", { class: "nbtune-quiet" }, ` ${map.note}`)] : []));
    this._places = map.corners.map((_, i) => this._place(i));
    this._frame = draw("rect", { class: "nbtune-best", "pointer-events": "none" });
    this._ring = draw("rect", { class: "nbtune-chosen", "pointer-events": "none", hidden: true });
    this._bar = draw("g");
    this._svg.replaceChildren(...this._words(map), this._bar, ...this._places, this._frame, this._ring);
    this._focus(0, false);
    this._all = true;
  }

  _words(map) {
    const words = (list, anchor, dy) => list.map(([x, y, text]) => draw("text", { x, y: this._y(y) + dy, "text-anchor": anchor }, text));
    const heads = map.heads.map(([x, y, text, angle]) => {
      const at = { x, y: this._y(y) + 2.5, "text-anchor": "middle", class: "nbtune-quiet" };
      return draw("text", { ...at, transform: angle ? `rotate(${-angle} ${x} ${this._y(y)})` : null }, text);
    });
    const [x, y, name] = map.x_name;
    const [left, middle, side] = map.y_name;
    return [
      ...words(map.x_labels, "middle", 6),
      ...words(map.y_labels, "end", 2.5),
      ...heads,
      draw("text", { x, y: this._y(y) + 7, "text-anchor": "middle", class: "nbtune-name" }, name),
      draw("text", { x: left + 4, y: this._y(middle), "text-anchor": "middle", class: "nbtune-name", transform: `rotate(-90 ${left + 4} ${this._y(middle)})` }, side),
    ];
  }

  _y(up) {
    return this._height - up;
  }

  _box(i) {
    const [x, y] = this._known.map.corners[i];
    const [w, h] = this._known.map.cell;
    return { x, y: this._y(y) - h, width: w, height: h };
  }

  _place(i) {
    const choose = () => {
      this._focus(i);
      this._pick(this._known.cells[i][3]);
    };
    return draw("g", { role: "option", tabindex: -1, onclick: choose, onfocus: (event) => this._name(event.currentTarget, i) });
  }

  _name(place, i) {
    const [status, value, , trial, trials] = this._known.cells[i];
    const shared = trials > 1 ? `best of ${trials} trials: ` : "";
    const result = known(value) ? `, ${this._known.grid.objective} ${score(value)}` : "";
    set(place, { "aria-label": `${shared}${this._known.label(trial)}: ${status}${result}` });
  }

  /** Brings the cells in `changed` up to date, or all where the colours' meaning changed. */
  update(changed, rescaled) {
    const all = this._all || rescaled;
    this._all = false;
    for (const i of all ? this._places.keys() : Object.keys(changed ?? {}).map(Number)) this._draw(i);
    const best = this._known.cells.findIndex((cell) => cell[2]);
    this._around(this._frame, best);
    this.choose();
    if (rescaled || all) this._scale();
    const scored = this._known.trials.filter((trial) => known(trial[1])).length;
    set(this._svg, { "aria-label": `Map of the grid, ${this._known.map.title}: ${scored} of ${this._known.trials.length} trials have a score. Arrow keys move, Enter shows a trial.` });
    this._show_legend();
  }

  choose() {
    const { chosen, cells } = this._known;
    const at = known(chosen) ? cells.findIndex((cell) => cell[3] === chosen) : -1;
    this._around(this._ring, at);
    this._places.forEach((place, i) => set(place, { "aria-selected": i === at ? "true" : "false" }));
  }

  _around(frame, i) {
    frame.toggleAttribute("hidden", i < 0);
    frame.style.display = i < 0 ? "none" : "";
    if (i >= 0) set(frame, this._box(i));
  }

  _good(value) {
    const [low, high] = this._known.scale.limits;
    const share = high > low ? (value - low) / (high - low) : 1;
    return this._known.grid.direction === "max" ? share : 1 - share;
  }

  _draw(i) {
    const { map, cells } = this._known;
    const [status, value, , trial, , std, tie] = cells[i];
    const { x, y, width, height } = this._box(i);
    const d = this._inset;
    const good = known(value) ? this._good(value) : 0;
    const fill = known(value) ? colour(good) : "transparent";
    const parts = [draw("rect", { x: x + d, y: y + d, width: width - 2 * d, height: height - 2 * d, fill })];
    const middle = [x + width / 2, y + height / 2];
    if (known(value) && map.numbers) {
      const two = known(std) && height >= 24;
      const look = { x: middle[0], "text-anchor": "middle", fill: good > 0.55 ? "#222" : "#fff" };
      parts.push(draw("text", { ...look, y: middle[1] + (two ? -1.5 : 2.5) }, (tie ? "≈" : "") + short(value)));
      if (two) parts.push(draw("text", { ...look, y: middle[1] + 7 }, spread(value, std)));
    }
    const mark = Math.min(9, 0.62 * Math.min(width, height));
    if (status !== "done") parts.push(known(value) && map.numbers ? shape(status, x + width - 6, y + 6, 6) : shape(status, ...middle, mark));
    parts.push(draw("title", {}, `${this._known.label(trial)}: ${status}${known(value) ? ` ${tie ? "≈ " : ""}${score(value)}${known(std) ? ` ± ${score(std)}` : ""}` : ""}`));
    this._places[i].replaceChildren(...parts);
  }

  _scale() {
    const { scale, map, cells, grid } = this._known;
    if (!cells.some((cell) => known(cell[1]))) return this._bar.replaceChildren();
    const [x, bottom, top] = map.bar;
    const steps = Array.from({ length: 24 }, (_, i) => i);
    const step = (top - bottom) / steps.length;
    const bands = steps.map((i) => draw("rect", { x, y: this._y(bottom + (i + 1) * step), width: 9, height: step + 0.4, fill: colour(i / 23) }));
    const [worse, better] = grid.direction === "max" ? scale.limits : [...scale.limits].reverse();
    const mark = scale.clipped ? { max: "≤ ", min: "≥ " }[grid.direction] : "";
    const ends = [draw("text", { x: x - 2, y: this._y(top + 4) }, score(better))];
    if (worse !== better) ends.push(draw("text", { x: x - 2, y: this._y(bottom - 10) }, mark + score(worse)));
    this._bar.replaceChildren(...bands, ...ends);
  }

  _show_legend() {
    const { counts } = this._known.scale;
    const items = ["done", "running", "pending", "stopped", "failed", "diverged"]
      .filter((status) => counts[status])
      .map((status) => make("li", {}, symbol(status), `${counts[status].toLocaleString("en")} ${status}`));
    const frame = draw("rect", { x: -4, y: -4, width: 8, height: 8, class: "nbtune-best" });
    const best = draw("svg", { viewBox: "-6 -6 12 12", width: 12, height: 12, "aria-hidden": "true" }, frame);
    this._legend.replaceChildren(...items, ...(counts.done ? [make("li", {}, best, "best")] : []));
  }

  _focus(i, move = true) {
    this._places[this._at]?.setAttribute("tabindex", -1);
    this._at = i;
    this._places[i]?.setAttribute("tabindex", 0);
    if (move) this._places[i]?.focus();
  }

  _walk(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Enter" || event.key === " ") this._pick(this._known.cells[this._at][3]);
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
