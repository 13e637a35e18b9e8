// Elements and small pictures.

const SVG = "http://www.w3.org/2000/svg";

/** An element: `make("button", {class: "x", onclick: f}, "text", child)`; a missing attribute is left out. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  set(element, attributes);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

/** Changes a text only where it differs, so that nothing is read out twice. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function known(value) {
  return value !== null && value !== undefined;
}

/** A number on an axis, or where the pointer is. */
export function brief(number, digits = 6) {
  return String(Number(number.toPrecision(digits)));
}

/** A status as a shape around (x, y); `marks` as in the schema, `size` its width. */
export function shape(marks, status, x, y, size) {
  const { path, filled, stroke } = marks[status];
  const look = filled ? {} : { fill: "none", "stroke-width": stroke };
  return draw("path", { d: path, transform: `translate(${x} ${y}) scale(${size})`, class: `nbtune-mark nbtune-${status}`, ...look });
}

/** A status as a small picture in a line of text. */
export function symbol(marks, status) {
  return picture(shape(marks, status, 0, 0, 9));
}

export function picture(...parts) {
  return draw("svg", { viewBox: "-6 -6 12 12", class: "nbtune-symbol", "aria-hidden": "true" }, ...parts);
}
