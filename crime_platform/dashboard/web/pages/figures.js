// Figures of the Accuracy page. The baseline is always drawn beside the model.

import { barsChart, el, key, linesChart } from "./charts.js";
import { longDate, number, percent, shortDate, signed } from "../scales.js";
import { styleOf, table, titleOf } from "./tables.js";

const figure = (title, chart, entries, text) =>
  el("figure", {}, el("h3", {}, title), chart, entries ? key(entries) : null, el("figcaption", {}, text));

/** Shares of what is flagged that an axis has room for. */
const shareTicks = (widest) =>
  [0, 0.05, 0.1, 0.2, 0.5, 1]
    .filter((share, at, all) => share <= widest && (at === 0 || share - all[at - 1] >= widest / 12))
    .map((share) => [share, percent(share, 0)]);

export function hitCurves(curves, info, noun) {
  const widest = Math.max(...curves.flatMap((curve) => curve.coverage_share));
  const order = { other: 0, best: 1, opponent: 2, champion: 3 };
  const series = curves
    .map((curve) => ({
      name: titleOf(info, curve.model),
      className: styleOf(curve.model, info),
      points: curve.coverage_share.map((share, at) => [share, curve.hit_rate[at]]),
      low: curve.model === info.champion ? curve.hit_rate_low : undefined,
      high: curve.model === info.champion ? curve.hit_rate_high : undefined,
    }))
    .sort((one, other) => order[one.className] - order[other.className]);
  const most = Math.max(...series.flatMap((each) => each.points.map(([, y]) => y)), 0.1);
  const chart = linesChart({
    series,
    x: [0, widest],
    y: [0, Math.min(1, most * 1.08)],
    label: "Hit rate against flagged area",
    xTicks: shareTicks(widest),
    yFormat: (value) => percent(value, 0),
  });
  return figure(
    "Hit rate against what is flagged",
    chart,
    entriesOf(series, info),
    `Share of recorded incidents in the riskiest share of ${noun}, pooled over the test steps. Grey: every other model.`,
  );
}

function entriesOf(series, info) {
  const named = new Map(
    series.filter((each) => each.className !== "other").map((each) => [each.className, each.name]),
  );
  const words = { champion: "champion", opponent: "baseline", best: "best baseline" };
  const made = ["champion", "opponent", "best"]
    .filter((name) => named.has(name))
    .map((name) => [`${named.get(name)} (${words[name]})`, name]);
  return series.some((each) => each.className === "other") ? [...made, ["other models", "other"]] : made;
}

export function indexTable(curves, info) {
  const shown = curves.filter((curve) => styleOf(curve.model, info) !== "other");
  const shares = [0.01, 0.05, 0.1, 0.2];
  const at = (curve, share) => curve.coverage_share.findIndex((each) => Math.abs(each - share) < 1e-9);
  const rows = shown.map((curve) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, titleOf(info, curve.model)),
      ...shares.flatMap((share) => {
        const found = at(curve, share);
        return found < 0
          ? [el("td", {}, "–"), el("td", {}, "–")]
          : [el("td", {}, number(curve.pai[found])), el("td", {}, number(curve.pei[found]))];
      }),
    ),
  );
  return table(
    "PAI is hit rate over coverage; PEI is PAI over the best PAI possible",
    ["Model", ...shares.flatMap((share) => [`PAI ${percent(share, 0)}`, `PEI ${percent(share, 0)}`])],
    rows,
  );
}

export function calibration(cells) {
  const own = cells.calibration.filter((row) => row.model === cells.champion);
  const base = new Map(
    cells.calibration.filter((row) => row.model === cells.baseline).map((row) => [row.rate_group, row]),
  );
  const groups = own.map((row) => ({
    name: row.rate_group,
    values: [row.stated_80, row.coverage_80, base.get(row.rate_group)?.coverage_80],
  }));
  const names = ["promised", "champion", "baseline"];
  const classes = ["bar-stated", "bar-forecast", "bar-opponent"];
  const chart = barsChart({
    groups,
    names,
    classes,
    most: 1,
    label: "Coverage of the 80 % interval by rate group",
    yFormat: (value) => percent(value, 0),
  });
  const made = [
    figure(
      "Do the 80 % intervals hold?",
      chart,
      [
        ["promised", "stated"],
        ["champion", "champion"],
        ["baseline", "opponent"],
      ],
      "Share of counts inside the central 80 % interval, by the cells' expected count a month. Counts are whole numbers, so a rare count's interval promises more than 80 %: compare with what is promised.",
    ),
  ];
  const lines = cells.reliability.map((each) => ({
    name: titleOf(cells, each.model),
    className: styleOf(each.model, cells),
    points: each.expected.map((value, at) => [value, each.observed[at]]),
  }));
  const most = Math.max(...lines.flatMap((line) => line.points.flat()), 1e-9);
  lines.unshift({
    name: "expected = recorded",
    className: "other",
    points: [
      [0, 0],
      [most, most],
    ],
  });
  const ends = [0, most / 2, most].map((value) => [value, number(value)]);
  made.push(
    figure(
      "Is the expected count right?",
      linesChart({
        series: lines,
        x: [0, most * 1.03],
        y: [0, most * 1.03],
        label: "Recorded against expected",
        xTicks: ends,
        yFormat: (value) => `${value}`,
      }),
      [
        ["champion", "champion"],
        ["baseline", "opponent"],
        ["expected = recorded", "other"],
      ],
      "Mean recorded against mean expected incidents, cells grouped by their forecast.",
    ),
  );
  return made;
}

export function byMonth(cells) {
  const months = cells.by_month[0]?.target_month ?? [];
  const series = cells.by_month.map((each) => ({
    name: titleOf(cells, each.model),
    className: styleOf(each.model, cells),
    points: each.deviance_skill.map((value, at) => [at, Math.max(value, -0.3)]),
  }));
  const values = series.flatMap((each) => each.points.map(([, y]) => y)).filter(Number.isFinite);
  const xTicks = months
    .map((month, at) => [at, shortDate(month)])
    .filter((_, at) => at % Math.ceil(months.length / 4) === 0);
  return figure(
    "Skill by month",
    linesChart({
      series,
      x: [0, Math.max(1, months.length - 1)],
      y: [Math.min(0, ...values), Math.max(0.01, ...values)],
      label: "Skill by month",
      xTicks,
      yFormat: (value) => percent(value, 0),
    }),
    entriesOf(series, cells),
    "Deviance skill over the historical average (the zero line) in each test month; below −30 % is cut.",
  );
}

export function byType(cells) {
  const types = [...new Map(cells.by_type.map((row) => [row.offence_type, row.title]))];
  const found = (type, model) =>
    cells.by_type.find((row) => row.offence_type === type && row.model === model) ?? {};
  const rows = types.map(([type, title]) => {
    const [own, best, base] = [cells.champion, cells.best_baseline, cells.baseline].map((model) =>
      found(type, model),
    );
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, title),
      ...[own.deviance_skill, best.deviance_skill, own.rmse_skill, own.bias_share, base.bias_share].map(
        (value) => el("td", {}, signed(value)),
      ),
    );
  });
  return table(
    `By offence type: skill over the historical average, and bias. ${cells.weakest_type}`,
    [
      "Offence type",
      titleOf(cells, cells.champion),
      titleOf(cells, cells.best_baseline),
      "RMSE skill",
      "Bias",
      "Baseline's bias",
    ],
    rows,
  );
}

export function history(cells) {
  const rows = cells.champion_history.map((row) =>
    el(
      "tr",
      { class: row.is_switch ? "champion" : "" },
      el("th", { scope: "row" }, longDate(row.origin_month)),
      el("td", {}, row.title),
      el("td", {}, row.reason),
    ),
  );
  return el(
    "details",
    {},
    el("summary", {}, `Which model the policy chose at each of the ${rows.length} origins`),
    table("Chosen from earlier origins alone", ["Origin", "Chosen", "Why"], rows),
  );
}
