// Elements, numbers and colours.

const SVG = "http://www.w3.org/2000/svg";

/** An element: `make("button", {class: "x", onclick: f}, "text", child)`; a missing attribute is left out. */
function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  set(element, attributes);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

/** Changes a text only where it differs, so that nothing is read out twice. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function known(number) {
  return number !== null && number !== undefined;
}

/** Four digits, as in the lasting table. */
function score(number) {
  if (!known(number)) return "";
  const size = Math.abs(number);
  return size === 0 || (size >= 0.001 && size < 1000) ? number.toFixed(4) : brief(number, 4);
}

/** Three digits, for a small place. */
function short(number) {
  const size = Math.abs(number);
  return size >= 0.01 && size < 10 ? number.toFixed(3) : brief(number);
}

/** With as many decimals as its score in `short`. */
function spread(value, std) {
  const size = Math.abs(value);
  return "±" + (size >= 0.01 && size < 10 ? std.toFixed(3) : brief(std, 2));
}

function brief(number, digits = 3) {
  return String(Number(number.toPrecision(digits)));
}

const VIRIDIS = [
  [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
  [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37],
];

/** Dark blue for the worst, 0, to yellow for the best, 1: colour-blind people see it as dark to light. */
function colour(good) {
  const at = Math.min(Math.max(good, 0), 1) * (VIRIDIS.length - 1);
  const i = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const mixed = VIRIDIS[i].map((part, k) => Math.round(part + (at - i) * (VIRIDIS[i + 1][k] - part)));
  return `rgb(${mixed.join(",")})`;
}

/** A status as a shape, so that it also reads without colour; `size` is its width. */
function shape(status, x, y, size) {
  const half = size / 2;
  const line = { "stroke-width": Math.min(1.6, size / 5), class: `nbtune-mark nbtune-${status}` };
  switch (status) {
    case "running":
      return draw("circle", { cx: x, cy: y, r: half * 0.9, fill: "none", ...line });
    case "failed": {
      const d = half * 0.8;
      return draw("path", { d: `M${x - d} ${y - d}l${2 * d} ${2 * d}m0 ${-2 * d}l${-2 * d} ${2 * d}`, fill: "none", ...line });
    }
    case "diverged":
      return draw("path", { d: `M${x} ${y - half}v${size * 0.6}m0 ${size * 0.22}v${size * 0.14}`, fill: "none", ...line });
    case "stopped":
      return draw("path", { d: `M${x - half} ${y}h${size}`, fill: "none", ...line });
    case "pending":
      return draw("circle", { cx: x, cy: y, r: Math.max(size / 7, 0.6), class: `nbtune-mark nbtune-${status}` });
    default:
      return draw("rect", { x: x - half, y: y - half, width: size, height: size, class: `nbtune-mark nbtune-${status}` });
  }
}

/** A status as a small picture in a line of text. */
function symbol(status) {
  return draw("svg", { viewBox: "-6 -6 12 12", width: 12, height: 12, "aria-hidden": "true" }, shape(status, 0, 0, 9));
}

/** Round numbers between two limits, about `count` of them. */
function ticks(low, high, count) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const found = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-9; tick += step) found.push(Number(tick.toPrecision(12)));
  return found;
}
