// Small SVG charts and the elements they are made of. Lines differ by dash as well as by colour.

import { ticks } from "../scales.js";

const SVG = "http://www.w3.org/2000/svg";

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** An HTML element; attributes that start with "on" are listeners. */
export const el = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/**
 * Axes of a chart and the functions that place a value on them.
 * @param {{width?: number, height?: number, x: [number, number], y: [number, number], label: string,
 *   xTicks?: [number, string][], yFormat?: (value: number) => string, left?: number}} options
 */
export function frame({
  width = 340,
  height = 170,
  x,
  y,
  label,
  xTicks = [],
  yFormat = (value) => `${value}`,
  left = 36,
}) {
  const [top, right, bottom] = [8, 16, 20];
  const px = (value) => left + ((value - x[0]) / (x[1] - x[0] || 1)) * (width - left - right);
  const py = (value) => height - bottom - ((value - y[0]) / (y[1] - y[0] || 1)) * (height - top - bottom);
  const chart = svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    class: "chart",
    role: "img",
    "aria-label": label,
  });
  for (const value of ticks(y[0], y[1])) {
    chart.append(
      svg("line", {
        x1: left,
        x2: width - right,
        y1: py(value),
        y2: py(value),
        class: Math.abs(value) < 1e-12 ? "axis" : "grid",
      }),
      svg("text", { x: left - 5, y: py(value) + 3.5, "text-anchor": "end" }, yFormat(value)),
    );
  }
  for (const [value, text] of xTicks) {
    chart.append(svg("text", { x: px(value), y: height - 5, "text-anchor": "middle" }, text));
  }
  return { chart, px, py, width, height, left, right, top, bottom };
}

/** Path through points; a value that is missing breaks the line. */
export function path(points, place, attributes) {
  let [d, isOpen] = ["", false];
  for (const [x, y] of points) {
    const isKnown = Number.isFinite(y);
    if (isKnown) d += `${isOpen ? "L" : "M"}${place.px(x).toFixed(1)} ${place.py(y).toFixed(1)}`;
    isOpen = isKnown;
  }
  return svg("path", { d, fill: "none", ...attributes });
}

export function band(points, place, attributes) {
  const along = points.map(([x, , high]) => `${place.px(x).toFixed(1)} ${place.py(high).toFixed(1)}`);
  const back = [...points]
    .reverse()
    .map(([x, low]) => `${place.px(x).toFixed(1)} ${place.py(low).toFixed(1)}`);
  return svg("polygon", { points: [...along, ...back].join(", "), ...attributes });
}

/** Totals over the time bar: recorded steps and, set apart, the steps ahead. */
export function totalsChart(totals, nRecorded) {
  const most = Math.max(...totals, 1);
  const chart = svg("svg", {
    viewBox: `0 0 ${totals.length} 100`,
    preserveAspectRatio: "none",
    class: "totals",
  });
  totals.forEach((total, at) => {
    const height = (96 * total) / most;
    chart.append(
      svg("rect", {
        x: at + 0.08,
        width: 0.84,
        y: 100 - height,
        height,
        class: at < nRecorded ? "bar-recorded" : "bar-forecast",
      }),
    );
  });
  return chart;
}

/**
 * Lines of several models.
 * @param {{series: {name: string, points: number[][], className: string, low?: number[], high?: number[]}[],
 *   x: [number, number], y: [number, number], label: string, xTicks: [number, string][],
 *   yFormat: (value: number) => string, height?: number}} options
 */
export function linesChart({ series, ...options }) {
  const place = frame({ width: broad(), height: 250, left: 46, ...options });
  for (const { points, className, low, high } of series) {
    if (low)
      place.chart.append(
        band(
          points.map(([x], at) => [x, low[at], high[at]]),
          place,
          { class: `spread ${className}` },
        ),
      );
  }
  for (const { name, points, className } of series) {
    const line = path(points, place, { class: `line ${className}` });
    line.append(svg("title", {}, name));
    place.chart.append(line);
    if (points.length < 20 && !className.includes("other")) {
      for (const [x, y] of points)
        place.chart.append(
          svg("circle", { cx: place.px(x), cy: place.py(y), r: 2.6, class: `dot ${className}` }),
        );
    }
  }
  return place.chart;
}

/** A mark with its interval on a scale that all rows of a table share. */
export function whisker({ value, low, high, least, most, className, label }) {
  const px = (each) => 4 + ((each - least) / (most - least || 1)) * 132;
  const chart = svg("svg", { viewBox: "0 0 140 16", class: "whisker", role: "img", "aria-label": label });
  chart.append(svg("line", { x1: px(0), x2: px(0), y1: 0, y2: 16, class: "axis" }));
  if (Number.isFinite(low) && low !== null)
    chart.append(
      svg("line", {
        x1: px(Math.max(low, least)),
        x2: px(Math.min(high, most)),
        y1: 8,
        y2: 8,
        class: `span ${className}`,
      }),
    );
  if (value !== null && value < least) chart.append(svg("text", { x: 6, y: 12 }, "◂"));
  else if (value !== null)
    chart.append(svg("circle", { cx: px(value), cy: 8, r: 3.6, class: `dot ${className}` }));
  return chart;
}

/** Bars side by side: stated beside found, one pair or more per group. */
export function barsChart({ groups, names, most, label, yFormat, classes }) {
  const place = frame({
    width: broad(),
    height: 220,
    left: 46,
    x: [-0.5, groups.length - 0.5],
    y: [0, most],
    label,
    yFormat,
    xTicks: groups.map((group, at) => [at, group.name]),
  });
  const width = 0.7 / names.length;
  groups.forEach((group, at) => {
    group.values.forEach((value, position) => {
      if (!Number.isFinite(value)) return;
      const x = at - 0.35 + position * width;
      const bar = svg("rect", {
        x: place.px(x),
        width: place.px(x + width * 0.9) - place.px(x),
        y: place.py(value),
        height: Math.max(0, place.py(0) - place.py(value)),
        class: classes[position],
      });
      bar.append(svg("title", {}, `${group.name}, ${names[position]}: ${yFormat(value)}`));
      place.chart.append(bar);
    });
  });
  return place.chart;
}

/** Width of a chart that fills a figure: letters keep their size on a small screen. */
const broad = () => (innerWidth < 600 ? 360 : 520);

/** Names of lines with their colours and dashes. */
export function key(entries) {
  return el(
    "ul",
    { class: "key" },
    ...entries.map(([name, className]) =>
      el(
        "li",
        {},
        svg(
          "svg",
          { viewBox: "0 0 26 10", class: "swatch", "aria-hidden": "true" },
          svg("line", { x1: 1, x2: 25, y1: 5, y2: 5, class: `line ${className}` }),
        ),
        name,
      ),
    ),
  );
}
