// Colours, numbers and dates. Scales are fixed per offence type: a colour means one count in every month.

/** Colour-blind-safe ramps, dark end first; light pages read them from the other end. */
const RAMPS = {
  recorded: ["#10243f", "#174a7c", "#1f78b0", "#3fa9cf", "#8fd6e0", "#e9fbf5"],
  forecast: ["#221a12", "#5e2f08", "#ab560c", "#e78829", "#fbbe6c", "#fff3d6"],
  interval: ["#231a3d", "#44307a", "#6b4bb0", "#9577cf", "#c3aee6", "#f3ecff"],
};
const LIGHT_RAMPS = {
  recorded: ["#e3eef6", "#b3d3e8", "#74b0d8", "#3386bd", "#145c94", "#08305c"],
  forecast: ["#fdeeda", "#f9cf9a", "#f0a24c", "#d5761a", "#a14d0a", "#5e2a04"],
  interval: ["#eeebf7", "#cfc6e8", "#a894d5", "#8062bd", "#5b3a9c", "#371b6b"],
};
const DIVERGING = {
  dark: ["#f7a13a", "#b4650f", "#5c3a1d", "#262a33", "#453372", "#7d5cc9", "#c0a7ff"],
  light: ["#8f4a00", "#d17c1c", "#efc18a", "#eceef1", "#bfb2e6", "#7d5cc9", "#3f2191"],
};

const parse = (hex) => [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16));

/** 256 colours along a ramp, each RGBA in four bytes: one store paints a cell. */
function table(stops) {
  const colours = stops.map(parse);
  const out = new Uint8Array(256 * 4).fill(255);
  for (let step = 0; step < 256; step += 1) {
    const at = (step / 255) * (colours.length - 1);
    const low = Math.min(Math.floor(at), colours.length - 2);
    for (let channel = 0; channel < 3; channel += 1) {
      const [from, to] = [colours[low][channel], colours[low + 1][channel]];
      out[4 * step + channel] = Math.round(from + (at - low) * (to - from));
    }
  }
  return new Uint32Array(out.buffer);
}

const tables = new Map();
const cached = (key, make) => (tables.has(key) ? tables.get(key) : tables.set(key, make()).get(key));
const clamp = (value) => (value < 0 ? 0 : value > 1 ? 1 : value);

/**
 * A fixed scale: where a value lies on its ramp, and what the legend says.
 * @param {"recorded"|"forecast"|"interval"|"error"|"share"} kind
 * @param {number} most end of the scale
 * @param {boolean} isLight
 */
export function scaleOf(kind, most, isLight) {
  if (kind === "error" || kind === "share") {
    const theme = isLight ? "light" : "dark";
    const colours = cached(`diverging ${theme}`, () => table(DIVERGING[theme]));
    const middle = kind === "share" ? 1 / 3 : 0;
    const position = (value) => clamp(0.5 + (value - middle) / (2 * most));
    return { kind, most, middle, colours, position, inverse: (at) => middle + (2 * at - 1) * most };
  }
  const ramps = isLight ? LIGHT_RAMPS : RAMPS;
  const colours = cached(`${kind} ${isLight}`, () => table(ramps[kind]));
  // The square root shows the many small counts; heights stay in proportion to the count.
  const position = (value) => Math.sqrt(clamp(value / most));
  return { kind, most, middle: 0, colours, position, inverse: (at) => at * at * most };
}

/** How far the upper end must lie above the expected count to be drawn: glass everywhere hides the map. */
export const ghostLeast = (most) => Math.max(1, Math.round(most / 12));

/** Colours of values as RGBA; what is not known stays clear, zeros are faint where that is wanted. */
export function paint(scale, values, { isFaint = false } = {}) {
  const { colours, position } = scale;
  const painted = new Uint32Array(values.length);
  const faint = isFaint ? new Uint32Array(new Uint8Array([0, 0, 0, 70]).buffer)[0] : 0;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at];
    if (value !== value) continue; // NaN
    painted[at] = colours[Math.round(255 * position(value))];
    if (isFaint && value === 0) painted[at] = (painted[at] & 0x00ffffff) | faint;
  }
  return new Uint8Array(painted.buffer);
}

export const css = (scale, value) => `rgb(${paint(scale, [value]).slice(0, 3).join(" ")})`;

/** A count as people write it: whole when it was recorded, two decimals when it is expected. */
export function number(value, { isWhole = false, isSigned = false } = {}) {
  if (!Number.isFinite(value)) return "none";
  const digits = isWhole ? 0 : Math.abs(value) >= 100 ? 1 : 2;
  const text = value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (!/[1-9]/.test(text)) return text.replace("-", "");
  return isSigned && value > 0 ? `+${text}` : text.replace("-", "−");
}

export function percent(share, digits = 1) {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  const text = (100 * share).toFixed(digits);
  return `${/[1-9]/.test(text) ? text.replace("-", "−") : text.replace("-", "")}\u00a0%`; // no break before the sign
}

/** Signed percentage, for skills and biases. */
export function signed(share, digits = 1) {
  const text = percent(share, digits);
  return share > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

const MONTH = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const SHORT = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });
const DAY = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});
const date = (step) => new Date(`${step.length === 7 ? `${step}-01` : step}T00:00:00Z`);

/** "March 2021", or "Sat, 1 January 2022". */
export const longDate = (step) => (step.length === 7 ? MONTH : DAY).format(date(step));
export const shortDate = (step) => (step.length === 7 ? SHORT.format(date(step)) : step.slice(5));

/** Round values from zero to at least `most`, about `wanted` of them. */
export function ticks(least, most, wanted = 4) {
  const span = most - least || 1;
  const raw = span / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw) ?? raw;
  const found = [];
  for (let index = Math.ceil(least / step - 1e-9); index * step <= most + 1e-9 * span; index += 1)
    found.push(index * step);
  return found;
}
