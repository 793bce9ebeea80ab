// What the page knows: parts read from the server or from the file itself, and what they say.

const ARRAYS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f32: Float32Array, f64: Float64Array };

/** The error of a forecast, as every page, table and report has it: positive is too high. */
export const ERROR_MEANING = "expected minus recorded";
export const errorOf = (expected, recorded) => expected - recorded;

/** Whether the page is one exported file, without a server behind it. */
export const isExported = () => document.querySelector("[data-part]") !== null;

let release = "";

/** Says which release the page shows: parts of a newer one are refused from then on. */
export const pinRelease = (key) => {
  release = key;
};

const element = (path) => document.querySelector(`[data-part="${CSS.escape(path)}"]`);

/** Whether a part can be read: the server has all, an exported file those it holds. */
export const isHeld = (path) => !isExported() || element(path) !== null;

/**
 * Bytes of one part, from the file itself or from the server.
 * @param {string} path such as "cells/toronto"
 * @returns {Promise<ArrayBuffer>}
 */
async function bytesOf(path) {
  if (!isExported()) {
    const answer = await fetch(`api/${path}${release ? `?release=${release}` : ""}`);
    if (answer.ok) return answer.arrayBuffer();
    const said = await answer.json().catch(() => ({}));
    throw new Error(said.error ?? `The server answered ${answer.status} for ${path}.`);
  }
  const held = element(path);
  if (held === null)
    throw new Error("This is not in the exported file. Run crime-platform dashboard to see it.");
  const packed = Uint8Array.from(atob(held.textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/**
 * Header and arrays of a container, as views on its bytes.
 * @param {ArrayBuffer} buffer
 */
function unpack(buffer) {
  const view = new DataView(buffer);
  if (view.getUint32(0) !== 0x43465031)
    throw new Error("This is not a part of the dashboard: reload the page.");
  const length = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const arrays = {};
  for (const [name, { dtype, shape, offset }] of Object.entries(header.arrays)) {
    const size = shape.reduce((product, n) => product * n, 1);
    arrays[name] = new ARRAYS[dtype](buffer, 8 + length + offset, size);
  }
  return { header, arrays };
}

/** @type {Map<string, Promise<any>>} */
const parts = new Map();

function once(path, read) {
  if (!parts.has(path)) {
    const reading = bytesOf(path).then(read);
    reading.catch(() => parts.delete(path)); // a later try may succeed
    parts.set(path, reading);
  }
  return parts.get(path);
}

export const readJson = (path) => once(path, (buffer) => JSON.parse(new TextDecoder().decode(buffer)));
export const readContainer = (path) => once(path, unpack);

/** Where a file of the rows shown can be had, or null in an exported file. */
export function downloadAddress(kind, query) {
  return isExported() ? null : `download/${kind}?${new URLSearchParams(query)}`;
}

const pad = (number) => String(number).padStart(3, "0");

/** The cells of one study area: history, forecasts and back-tests as far as they were read. */
export class Cells {
  constructor({ header, arrays }) {
    Object.assign(this, { header, ...arrays });
    this.area = header.area;
    this.n = arrays.row.length;
    this.types = header.types;
    this.champion = header.release.champion;
    this.baseline = header.release.baseline;
    this.forecasts = new Map([[this.champion, arrays]]);
    this.backtests = new Map();
    this.shares = new Map();
    this.known = new Map(); // computed values by key
    this.at = new Map(Array.from(arrays.row, (row, cell) => [row * 65536 + arrays.col[cell], cell]));
  }

  id = (cell) => `r${pad(this.row[cell])}c${pad(this.col[cell])}`;
  cellAt = (row, col) => this.at.get(row * 65536 + col) ?? null;
  cellOf(id) {
    const found = /^r(\d+)c(\d+)$/.exec(id ?? "");
    return found && this.cellAt(Number(found[1]), Number(found[2]));
  }

  get months() {
    return this.header.months;
  }
  get forecastMonths() {
    return this.header.forecast_months;
  }
  typeIndex = (name) =>
    Math.max(
      0,
      this.types.findIndex((each) => each.name === name),
    );
  title = (model) => this.header.models.find((each) => each.name === model)?.title ?? model;

  /** Reads what a view needs that has not been read yet. */
  async need({ mode, model, branchModel }) {
    const area = this.area.name;
    if (["count", "interval"].includes(mode) && !this.forecasts.has(model)) {
      this.forecasts.set(model, (await readContainer(`model/${area}/${model}`)).arrays);
    }
    if (mode === "error") await this.needBacktest(model);
    if (mode === "share" && !this.shares.has(branchModel)) {
      this.shares.set(branchModel, (await readContainer(`shares/${area}/${branchModel}`)).arrays.share);
    }
  }

  async needBacktest(model) {
    if (this.backtests.has(model)) return;
    this.backtests.set(model, await readContainer(`backtest/${this.area.name}/${model}`));
  }

  #slice(array, first, second, nSecond) {
    const start = (first * nSecond + second) * this.n;
    return array.subarray(start, start + this.n);
  }

  counts = (type, month) => this.#slice(this.history, type, month, this.months.length);
  forecast(model, name, type, lead) {
    return this.#slice(this.forecasts.get(model)[name], type, lead, this.forecastMonths.length);
  }
  baselineForecast = (type, lead) =>
    this.#slice(this.baseline_expected, type, lead, this.forecastMonths.length);
  share = (model, branch, type) => this.#slice(this.shares.get(model), branch, type, this.types.length);

  /** Back-tested expected counts of a month, or null where there are none. */
  backtest(model, type, month) {
    const read = this.backtests.get(model);
    const position = read ? read.header.months.indexOf(month) : -1;
    return position < 0 ? null : this.#slice(read.arrays.expected, type, position, read.header.months.length);
  }

  /** Steps that a mode can show, in order of time: label and kind. */
  steps(mode) {
    if (!this.known.has(mode)) this.known.set(mode, this.#stepsOf(mode));
    return this.known.get(mode);
  }

  #stepsOf(mode) {
    const as = (kind) => (month, index) => ({ month, kind, index });
    const ahead = this.forecastMonths.map(as("forecast"));
    if (mode === "interval") return ahead;
    if (mode === "error") return this.header.backtest_months.map(as("backtest"));
    if (mode === "share") return [{ month: this.header.release.as_of_month, kind: "share", index: 0 }];
    return [...this.months.map(as("recorded")), ...ahead];
  }

  /** One number per cell for a step of a mode; NaN where there is none. */
  values({ mode, type, model, interval, branch, branchModel }, step) {
    if (step.kind === "recorded") return this.counts(type, step.index);
    if (step.kind === "share") return this.share(branchModel, branch, type);
    if (mode === "count") return this.forecast(model, "expected", type, step.index);
    const key = [mode, type, model, interval, step.month].join();
    if (!this.known.has(key)) this.known.set(key, this.#derive(mode, type, model, interval, step));
    return this.known.get(key);
  }

  #derive(mode, type, model, interval, step) {
    if (mode === "interval") {
      const [low, high] = this.header.interval[interval].map((name) =>
        this.forecast(model, name, type, step.index),
      );
      return Float32Array.from(high, (upper, cell) => upper - low[cell]);
    }
    const expected = this.backtest(model, type, step.month);
    const recorded = this.counts(type, this.months.indexOf(step.month));
    return expected
      ? Float32Array.from(expected, (value, cell) => errorOf(value, recorded[cell]))
      : new Float32Array(this.n).fill(NaN);
  }

  /** Upper ends of the interval of a forecast step, or null. */
  upper({ type, model, interval }, step) {
    return step.kind === "forecast"
      ? this.forecast(model, this.header.interval[interval][1], type, step.index)
      : null;
  }

  /** Sum over all cells, of every step of the time bar. */
  totals(type, model) {
    const key = ["totals", type, model].join();
    if (!this.known.has(key)) {
      const sum = (values) => values.reduce((total, value) => total + value, 0);
      this.known.set(key, [
        ...this.months.map((_, month) => sum(this.counts(type, month))),
        ...this.forecastMonths.map((_, lead) => sum(this.forecast(model, "expected", type, lead))),
      ]);
    }
    return this.known.get(key);
  }
}

/** The streets or places of one area: counts of the last days and the forecast of the next. */
export class Streets {
  constructor({ header, arrays }) {
    Object.assign(this, { header, ...arrays });
    this.n = arrays.start.length - 1;
    this.isPlaces = header.kind === "place";
    this.groups = header.groups;
    this.champion = header.release.champion;
    this.days = header.days;
    this.forecastDays = header.forecast_days;
    this.perKm = new Map();
  }

  id = (segment) => this.header.segment_ids[segment];
  segmentOf(id) {
    const found = this.header.segment_ids.indexOf(id);
    return found < 0 ? null : found;
  }
  groupIndex = (name) =>
    Math.max(
      0,
      this.groups.findIndex((each) => each.name === name),
    );
  noun = () => (this.isPlaces ? "place" : "street");

  steps() {
    const as = (kind) => (month, index) => ({ month, kind, index });
    this.known ??= [...this.days.map(as("recorded")), ...this.forecastDays.map(as("forecast"))];
    return this.known;
  }

  #slice(array, group, day, nDays) {
    const start = (group * nDays + day) * this.n;
    return array.subarray(start, start + this.n);
  }

  forecast = (name, group, lead) => this.#slice(this[name], group, lead, this.forecastDays.length);
  counts = (group, day) => this.#slice(this.count, group, day, this.days.length);

  /** Recorded incidents of a day, or the risk of a coming one: per km of street, or per place. */
  values(group, step) {
    if (step.kind === "recorded") return this.counts(group, step.index);
    const expected = this.forecast("expected", group, step.index);
    if (this.isPlaces) return expected;
    const key = `${group},${step.index}`;
    if (!this.perKm.has(key)) {
      this.perKm.set(
        key,
        Float32Array.from(expected, (value, segment) => (value / this.length_m[segment]) * 1000),
      );
    }
    return this.perKm.get(key);
  }

  /** Largest risk of any coming day, the end of the fixed scale. */
  highest(group) {
    return this.forecastDays.reduce(
      (most, _, lead) =>
        this.values(group, { kind: "forecast", index: lead }).reduce((a, b) => Math.max(a, b), most),
      0,
    );
  }

  /** Middle of a segment's vertices, metres from the south-west corner of the grid. */
  middle(segment) {
    const [first, last] = [this.start[segment], this.start[segment + 1] - 1];
    const [before, after] = [(first + last) >> 1, (first + last + 1) >> 1];
    return [0, 1].map((axis) => (this.xy[2 * before + axis] + this.xy[2 * after + axis]) / 2);
  }
}
