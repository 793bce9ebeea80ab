// The series of one cell or street: history, forecast with bands, the baseline beside it.

import { band, frame, path, svg } from "./charts.js";
import { longDate, number } from "../scales.js";

const AHEAD_SHARE = 0.3; // of the width of a series, for the steps ahead

/**
 * History of one unit, its forecast with bands, the baseline beside it and earlier forecasts.
 * @param {{steps: string[], recorded: number[], backtest: (number|null)[] | null, ahead: string[],
 *   expected: number[], bands: {level: string, low: number[], high: number[]}[], baseline: number[], now: string}} series
 */
export function seriesChart({ steps, recorded, backtest, ahead, expected, bands, baseline, now }) {
  const all = [...steps, ...ahead];
  const most = Math.max(1, ...recorded, ...bands.flatMap((each) => [...each.high]), ...baseline);
  const starts = all
    .map((step, at) => [at, step])
    .filter(([, step]) =>
      step.length === 7 ? step.endsWith("-01") : step.endsWith("-01") || step.endsWith("-15"),
    );
  const every = Math.ceil(starts.length / 5);
  const xTicksOf = () =>
    starts
      .filter((_, at) => at % every === 0)
      .map(([at, step]) => [along(at), step.length === 7 ? step.slice(0, 4) : step.slice(5)]);
  const first = steps.length;
  // The steps ahead are few: they get a fixed share of the width, so that their bands can be read.
  const wide = Math.max(1, (AHEAD_SHARE / (1 - AHEAD_SHARE)) * (first / ahead.length));
  const along = (at) => (at < first ? at : first - 1 + (at - first + 1) * wide);
  const label = `Recorded ${longDate(steps[0])} to ${longDate(steps[first - 1])}, forecast to ${longDate(all[all.length - 1])}`;
  const place = frame({
    x: [0, along(all.length - 1) + wide / 2],
    y: [0, most * 1.05],
    label,
    xTicks: xTicksOf(),
    yFormat: (value) => number(value, { isWhole: Number.isInteger(value) }),
  });
  const { chart } = place;
  for (const { level, low, high } of bands) {
    const points = ahead.flatMap((_, lead) => [
      [along(first + lead) - wide / 2, low[lead], high[lead]],
      [along(first + lead) + wide / 2, low[lead], high[lead]],
    ]);
    chart.append(band(points, place, { class: `band band-${level}` }));
  }
  chart.append(
    path(
      recorded.map((value, at) => [at, value]),
      place,
      { class: "recorded" },
    ),
  );
  if (backtest)
    chart.append(
      path(
        backtest.map((value, at) => [at, value ?? Number.NaN]),
        place,
        { class: "backtest" },
      ),
    );
  chart.append(
    path(
      ahead.map((_, lead) => [along(first + lead), baseline[lead]]),
      place,
      { class: "baseline" },
    ),
  );
  chart.append(
    path(
      ahead.map((_, lead) => [along(first + lead), expected[lead]]),
      place,
      { class: "expected" },
    ),
  );
  ahead.forEach((_, lead) =>
    chart.append(
      svg("circle", {
        cx: place.px(along(first + lead)),
        cy: place.py(baseline[lead]),
        r: 2.4,
        class: "baseline-dot",
      }),
      svg("circle", {
        cx: place.px(along(first + lead)),
        cy: place.py(expected[lead]),
        r: 2.8,
        class: "expected-dot",
      }),
    ),
  );
  const at = all.indexOf(now);
  if (at >= 0)
    chart.append(
      svg("line", {
        x1: place.px(along(at)),
        x2: place.px(along(at)),
        y1: place.top,
        y2: place.height - place.bottom,
        class: "now",
      }),
    );
  return chart;
}
