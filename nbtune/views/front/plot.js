// A plot of lines by epoch.

const FRAME = { width: 360, height: 232, left: 40, right: 8, top: 8, bottom: 28 };

/** Draws axes and lines into an empty <svg>; returns nothing. `limits` are [low, high], `log` a logarithmic scale. */
function plot(svg, { limits, log, longest, lines, frame = FRAME }) {
  const { width, height, left, right, top, bottom } = frame;
  const [low, high] = roomy(limits, log);
  const level = log ? Math.log10 : (value) => value;
  const x = (epoch) => left + ((epoch - 1) / Math.max(longest - 1, 1)) * (width - left - right);
  const y = (value) => height - bottom - ((level(value) - level(low)) / (level(high) - level(low))) * (height - top - bottom);
  set(svg, { viewBox: `0 0 ${width} ${height}` });
  const parts = [];
  for (const tick of log ? decades(low, high) : ticks(low, high, 5)) {
    parts.push(draw("path", { d: `M${left} ${y(tick)}H${width - right}`, class: "nbtune-gridline" }));
    parts.push(draw("text", { x: left - 5, y: y(tick) + 3, "text-anchor": "end" }, brief(tick, 6)));
  }
  for (const tick of ticks(1, Math.max(longest, 2), 6).filter(Number.isInteger)) {
    parts.push(draw("text", { x: x(tick), y: height - bottom + 12, "text-anchor": "middle" }, String(tick)));
  }
  parts.push(draw("text", { x: (left + width - right) / 2, y: height - 3, "text-anchor": "middle" }, "epoch"));
  const clip = draw("svg", { x: left, y: top - 2, width: width - left - right + 4, height: height - top - bottom + 4 });
  const inner = draw("g", { transform: `translate(${-left} ${2 - top})` });
  for (const line of lines) inner.append(...drawn(line, x, y));
  clip.append(inner);
  svg.replaceChildren(...parts, clip);
}

function roomy([low, high], log) {
  if (log) return [low / 1.1, high * 1.1];
  const room = 0.04 * (high - low) || 0.05 * Math.abs(high) || 0.5;
  return [low - room, high + room];
}

function decades(low, high) {
  const found = [];
  for (let power = Math.ceil(Math.log10(low)); 10 ** power <= high; power++) found.push(10 ** power);
  return found.length > 1 ? found : ticks(low, high, 4);
}

/** A line breaks where a value is not finite; one value alone is a dot. */
function drawn({ values, color, width = 1.8, dash, best, faint, opacity }, x, y) {
  let path = "";
  let pen = "M";
  values.forEach((value, i) => {
    if (known(value)) path += `${pen}${x(i + 1).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = known(value) ? "L" : "M";
  });
  const style = { stroke: color, "stroke-width": width, "stroke-dasharray": dash, opacity, class: faint ? "nbtune-faint" : "nbtune-line" };
  const parts = [draw("path", { d: path || "M0 0", ...style })];
  const at = best || (values.length === 1 ? 1 : 0);
  if (at && known(values[at - 1])) {
    parts.push(draw("circle", { cx: x(at), cy: y(values[at - 1]), r: best ? 3.2 : 1.8, fill: color, class: "nbtune-dot" }));
  }
  return parts;
}

/** The ends of what a plot shows, hopeless values at the worse end left to run out of it. */
function reach(lists) {
  const all = lists.flat().filter(known).sort((a, b) => a - b);
  return all.length ? [all[0], all[all.length - 1]] : [0, 1];
}
