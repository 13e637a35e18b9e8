// A plot of lines by epoch, in units that keep its letters as large as the text around it.

import { brief, draw, known, set } from "./dom.js";

const MARGIN = { left: 34, right: 8, top: 8, bottom: 25 };

/** What a plot shows at present: which part of the data is where. */
export class Frame {
  /** `size`: width and height; `limits`: [low, high]; `epochs`: [first, last]; `log`: a logarithmic scale. */
  constructor(size, limits, epochs, log) {
    const { left, right, top, bottom } = MARGIN;
    Object.assign(this, { size, limits, epochs, log, left, top });
    this.right = size.width - right;
    this.bottom = size.height - bottom;
  }

  _level(value) {
    return this.log ? Math.log10(value) : value;
  }

  x(epoch) {
    const [first, last] = this.epochs;
    return this.left + ((epoch - first) / Math.max(last - first, 1e-9)) * (this.right - this.left);
  }

  y(value) {
    const [low, high] = this.limits.map((limit) => this._level(limit));
    return this.bottom - ((this._level(value) - low) / (high - low)) * (this.bottom - this.top);
  }

  /** The epoch and the value at a point. */
  at(x, y) {
    const [first, last] = this.epochs;
    const [low, high] = this.limits.map((limit) => this._level(limit));
    const level = low + ((this.bottom - y) / (this.bottom - this.top)) * (high - low);
    const epoch = first + ((x - this.left) / (this.right - this.left)) * (last - first);
    return [epoch, this.log ? 10 ** level : level];
  }

  /** The part between two points. */
  between(from, to) {
    const [first, second] = [this.at(...from), this.at(...to)];
    const [epochs, limits] = [0, 1].map((k) => [first[k], second[k]].sort((a, b) => a - b));
    return { epochs, limits };
  }

  /** The part that is `right` and `down` of this one, in its widths and heights, and `scale` times as large. */
  moved(right, down, scale) {
    const [width, height] = [this.right - this.left, this.bottom - this.top];
    const [x, y] = [this.left + (0.5 + right) * width, this.top + (0.5 + down) * height];
    return this.between([x - (scale * width) / 2, y - (scale * height) / 2], [x + (scale * width) / 2, y + (scale * height) / 2]);
  }
}

/** Draws axes and lines into an <svg>. */
export function plot(svg, frame, lines) {
  const { left, right, top, bottom, size } = frame;
  set(svg, { viewBox: `0 0 ${size.width} ${size.height}` });
  const parts = [];
  for (const tick of frame.log ? decades(frame.limits) : ticks(...frame.limits, size.height / 32)) {
    parts.push(draw("path", { d: `M${left} ${frame.y(tick)}H${right}`, class: "nbtune-gridline" }));
    parts.push(draw("text", { x: left - 4, y: frame.y(tick) + 2.5, "text-anchor": "end" }, brief(tick)));
  }
  for (const tick of ticks(...frame.epochs, size.width / 55).filter(Number.isInteger)) {
    parts.push(draw("text", { x: frame.x(tick), y: bottom + 10, "text-anchor": "middle" }, String(tick)));
  }
  parts.push(draw("text", { x: (left + right) / 2, y: size.height - 4, "text-anchor": "middle" }, "epoch"));
  const clip = draw("svg", { x: left, y: top - 3, width: right - left + 4, height: bottom - top + 6 });
  const inner = draw("g", { transform: `translate(${-left} ${3 - top})` });
  for (const line of lines) inner.append(...drawn(line, frame));
  clip.append(inner);
  svg.replaceChildren(...parts, clip);
}

/** Limits with some room below and above what lies between them; a logarithmic scale has it already. */
export function spaced([low, high], log) {
  if (log) return [low, high];
  const room = 0.04 * (high - low) || 0.05 * Math.abs(high) || 0.5;
  return [low - room, high + room];
}

/** Round numbers between two limits, about `count` of them. */
function ticks(low, high, count) {
  if (!(high > low)) return [low];
  const rough = (high - low) / Math.max(count, 2);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const found = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-9; tick += step) found.push(Number(tick.toPrecision(12)));
  return found;
}

function decades([low, high]) {
  const found = [];
  for (let power = Math.ceil(Math.log10(low)); 10 ** power <= high; power++) found.push(10 ** power);
  return found.length > 1 ? found : ticks(low, high, 4);
}

/** A line goes on past epochs whose value is not known, or was not measured; one value alone is a dot. */
function drawn({ values, role, width = 1.8, dash, best, opacity }, frame) {
  let path = "";
  let pen = "M";
  values.forEach((value, i) => {
    if (!known(value)) return;
    const seen = !frame.log || value > 0;
    if (seen) path += `${pen}${frame.x(i + 1).toFixed(1)} ${frame.y(value).toFixed(1)}`;
    pen = seen ? "L" : "M";
  });
  const parts = [draw("path", { d: path || "M0 0", "stroke-width": width, "stroke-dasharray": dash, opacity, class: `nbtune-line nbtune-role-${role}` })];
  const at = best || (values.filter(known).length === 1 ? values.findIndex(known) + 1 : 0);
  if (at && known(values[at - 1])) {
    parts.push(draw("circle", { cx: frame.x(at), cy: frame.y(values[at - 1]), r: best ? 3.2 : 1.8, class: `nbtune-dot nbtune-role-${role}` }));
  }
  return parts;
}
