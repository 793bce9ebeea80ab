// Words beside the map: tooltip, details of what is selected, and the list of highest units.

import { el, key } from "./pages/charts.js";
import { ERROR_MEANING, errorOf } from "./data.js";
import { longDate, number, shortDate } from "./scales.js";
import { seriesChart } from "./pages/series.js";

const LISTED = 15;
const PAST_ERRORS = 6;

/** What the numbers of a step are, in words. */
export function meaning({ mode, interval, isPlaces }, step) {
  if (mode === "streets")
    return step.kind === "recorded"
      ? "recorded incidents"
      : isPlaces
        ? "expected incidents a day"
        : "expected incidents per km and day";
  if (mode === "interval") return `width of the ${interval} % interval, incidents`;
  if (mode === "error") return `error in incidents, ${ERROR_MEANING}`;
  if (mode === "share") return "share of the forecast";
  return step.kind === "recorded" ? "recorded incidents" : "expected incidents";
}

/** A value as the tooltip, the list and the details write it. */
export function written({ mode }, step, value) {
  if (mode === "share") return `${(100 * value).toFixed(1)} %`;
  if (mode === "error") return number(value, { isSigned: true });
  if (mode === "streets" && step.kind === "forecast")
    return value < 0.1 ? value.toFixed(4) : value.toFixed(3);
  return number(value, { isWhole: mode === "interval" || step.kind === "recorded" });
}

/** Units with the highest values, highest first; ties in the order of the units. */
export function highest(values, mode, wanted = LISTED) {
  const size = mode === "error" ? (unit) => Math.abs(values[unit]) : (unit) => values[unit];
  const found = [];
  for (let unit = 0; unit < values.length; unit += 1)
    if (Number.isFinite(values[unit]) && values[unit] !== 0) found.push(unit);
  return found.sort((one, other) => size(other) - size(one) || one - other).slice(0, wanted);
}

/** Place of a unit among all; ties share the better place. */
function placeOf(values, unit) {
  let above = 0;
  for (const value of values) if (value > values[unit]) above += 1;
  return above + 1;
}

function facts(rows) {
  return el(
    "dl",
    { class: "facts" },
    ...rows.filter(Boolean).flatMap(([term, text]) => [el("dt", {}, term), el("dd", {}, text)]),
  );
}

const closing = (onClose) =>
  el(
    "button",
    { type: "button", class: "close", "aria-label": "Clear the selection", onclick: onClose },
    "×",
  );

/** Details of one cell: history, forecast with bands, baseline, last errors, place in the ranking. */
export function cellDetail({ cells, cell, view, step, values, onClose }) {
  const { type, model } = view;
  const ahead = cells.forecastMonths;
  const recorded = cells.months.map((_, month) => cells.counts(type, month)[cell]);
  const read = cells.backtests.get(model);
  const back = read ? cells.months.map((month) => cells.backtest(model, type, month)?.[cell] ?? null) : null;
  const of = (name) => ahead.map((_, lead) => cells.forecast(model, name, type, lead)[cell]);
  const bands = ["95", "80"].map((level) => {
    const [low, high] = cells.header.interval[level];
    return { level, low: of(low), high: of(high) };
  });
  const expected = of("expected");
  const baseline = ahead.map((_, lead) => cells.baselineForecast(type, lead)[cell]);
  const lead = step.kind === "forecast" ? step.index : 0;
  const rank = placeOf(values, cell);
  const chart = seriesChart({
    steps: cells.months,
    recorded,
    backtest: back,
    ahead,
    expected,
    bands,
    baseline,
    now: step.month,
  });
  const entries = [
    ["recorded", "recorded"],
    [`forecast, ${cells.title(model)}`, "expected"],
    ["95 and 80 % interval", "bands"],
    [`baseline, ${cells.title(cells.baseline)}`, "baseline"],
  ];
  if (back) entries.push(["earlier forecasts, one month ahead", "backtest"]);
  const isRanked = !["error", "share"].includes(view.mode);
  return [
    el("h2", {}, `Cell ${cells.id(cell)}`, closing(onClose)),
    el("p", { class: "small" }, cells.types[type].title),
    facts([
      [
        longDate(step.month),
        el(
          "span",
          {},
          el("strong", { id: "detail-value" }, written(view, step, values[cell])),
          ` ${meaning(view, step)}`,
        ),
      ],
      isRanked && ["Place", `${rank.toLocaleString("en")} of ${cells.n.toLocaleString("en")} cells`],
      [
        `Forecast for ${longDate(ahead[lead])}`,
        `${number(expected[lead])}; 80 %: ${bands[1].low[lead]} to ${bands[1].high[lead]}; 95 %: ${bands[0].low[lead]} to ${bands[0].high[lead]}`,
      ],
      ["Baseline beside it", `${number(baseline[lead])} (${cells.title(cells.baseline)})`],
    ]),
    chart,
    key(entries),
    back ? lastErrors(cells, cell, view, back, recorded) : null,
  ];
}

function lastErrors(cells, cell, { type, model }, back, recorded) {
  const months = cells.months
    .map((month, at) => [month, at])
    .filter(([, at]) => back[at] !== null)
    .slice(-PAST_ERRORS)
    .reverse();
  const row = ([month, at]) => {
    const base = cells.backtest(cells.baseline, type, month)?.[cell];
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, shortDate(month)),
      el("td", {}, number(recorded[at], { isWhole: true })),
      el("td", {}, number(back[at])),
      el("td", {}, number(errorOf(back[at], recorded[at]), { isSigned: true })),
      el("td", {}, base === undefined ? "–" : number(base)),
    );
  };
  return el(
    "table",
    { class: "errors" },
    el("caption", {}, `Last forecasts, made one month ahead; error: ${ERROR_MEANING}`),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...["Month", "Recorded", cells.title(model), "Error", cells.title(cells.baseline)].map((name) =>
          el("th", { scope: "col" }, name),
        ),
      ),
    ),
    el("tbody", {}, ...months.map(row)),
  );
}

/** Details of one street or place. */
export function streetDetail({ streets, segment, group, view, step, values, onClose }) {
  const ahead = streets.forecastDays;
  const of = (name) => ahead.map((_, lead) => streets.forecast(name, group, lead)[segment]);
  const recorded = streets.days.map((_, day) => streets.counts(group, day)[segment]);
  const bands = [{ level: "95", low: of("p025"), high: of("p975") }];
  const [expected, baseline] = [of("expected"), of("baseline_expected")];
  const lead = step.kind === "forecast" ? step.index : 0;
  const rank = streets.forecast("risk_rank", group, lead)[segment];
  const total = streets.total[group * streets.n + segment];
  const length = streets.length_m[segment];
  const noun = streets.isPlaces ? "Place" : "Street";
  return [
    el("h2", {}, `${noun} ${streets.id(segment)}`, closing(onClose)),
    el(
      "p",
      { class: "small" },
      `${streets.groups[group].title}${Number.isFinite(length) ? `, ${Math.round(length)} m long` : ""}`,
    ),
    facts([
      [
        longDate(step.month),
        el(
          "span",
          {},
          el("strong", { id: "detail-value" }, written(view, step, values[segment])),
          ` ${meaning({ ...view, isPlaces: streets.isPlaces }, step)}`,
        ),
      ],
      [
        `Risk on ${longDate(ahead[lead])}`,
        `${rank.toLocaleString("en")} of ${streets.n.toLocaleString("en")} in the ranking`,
      ],
      ["Expected", `${expected[lead].toFixed(4)}; 95 %: ${bands[0].low[lead]} to ${bands[0].high[lead]}`],
      ["Baseline beside it", `${baseline[lead].toFixed(4)} (long-run frequency)`],
      ["On the whole record", `${total.toLocaleString("en")} incidents`],
    ]),
    seriesChart({
      steps: streets.days,
      recorded,
      backtest: null,
      ahead,
      expected,
      bands,
      baseline,
      now: step.month,
    }),
    key([
      ["recorded", "recorded"],
      ["forecast", "expected"],
      ["95 % interval", "bands"],
      ["baseline, long-run frequency", "baseline"],
    ]),
  ];
}

/** Buttons for the highest units; `describe` gives name and value of one. */
export function rankingList(units, selected, describe, onChoose) {
  if (units.length === 0) return [el("li", { class: "small" }, "Nothing above zero.")];
  return units.map((unit) => {
    const [name, value] = describe(unit);
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          "aria-pressed": String(unit === selected),
          "data-unit": unit,
          onclick: () => onChoose(unit),
        },
        el("span", {}, name),
        el("b", {}, value),
      ),
    );
  });
}
