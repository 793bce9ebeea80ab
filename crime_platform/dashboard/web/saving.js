// Files of what an exported page shows, made in the browser: no server is behind it.

import { lineOf, polygonOf } from "./antimeridian.js";
import { readContainer } from "./data.js";
import { Cells } from "./data.js";
import { expiryOf } from "./expiry.js";

function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const FORMULA = /^[=+\-@\t\r\n]/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A field of CSV, by the rules of the server's: no text is a formula, what there is not is empty. */
export function csvField(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return "";
  const isFormula = typeof value === "string" && FORMULA.test(value) && !NUMBER.test(value);
  const text = isFormula ? `'${value}` : `${value}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One row per unit: what the server's downloads hold, as far as the page knows it. */
function rowsOf(units, view, step, values) {
  const { area, release } = units.header;
  const isCells = units instanceof Cells;
  const shared = { study_area: area.name, as_of: release.as_of_month ?? release.as_of_day };
  return Array.from({ length: units.n }, (_, unit) => {
    const row = {
      ...shared,
      [isCells ? "month" : "day"]: step.month,
      kind: step.kind,
      [isCells ? "cell_id" : "segment_id"]: units.id(unit),
    };
    row[isCells ? "offence_type" : "offence_group"] = isCells
      ? units.types[view.type].name
      : units.groups[view.group].name;
    if (step.kind === "recorded") return { ...row, count: values[unit] };
    if (!isCells) {
      const of = (name) => units.forecast(name, view.group, step.index)[unit];
      return {
        ...row,
        model: units.champion,
        expected_count: of("expected"),
        p025: of("p025"),
        p975: of("p975"),
        long_run_count: of("baseline_expected"),
        risk_rank: of("risk_rank"),
        expires_on: expiryOf("day")?.day,
      };
    }
    if (step.kind === "backtest") {
      const expected = units.backtest(view.model, view.type, step.month)[unit];
      return {
        ...row,
        model: view.model,
        expected_count: expected,
        count: units.counts(view.type, units.months.indexOf(step.month))[unit],
        error: values[unit],
      };
    }
    const of = (name) => units.forecast(view.model, name, view.type, step.index)[unit];
    const quantiles = Object.fromEntries(
      ["p025", "p10", "p50", "p90", "p975"].map((name) => [name, of(name)]),
    );
    return {
      ...row,
      model: view.model,
      expected_count: of("expected"),
      ...quantiles,
      historical_average_count: units.baselineForecast(view.type, step.index)[unit],
      expires_on: expiryOf("month")?.day,
    };
  });
}

/** Shape of a unit in degrees, as GeoJSON wants it. */
async function shapes(units) {
  if (!(units instanceof Cells)) {
    return (unit) => {
      const line = [];
      for (let vertex = units.start[unit]; vertex < units.start[unit + 1]; vertex += 1)
        line.push([units.lonlat[2 * vertex], units.lonlat[2 * vertex + 1]]);
      return line.length === 1
        ? { type: "Point", coordinates: line[0] }
        : lineOf(line);
    };
  }
  const { arrays } = await readContainer(`corners/${units.area.name}`);
  const columns = units.area.n_cols + 1;
  const corner = (row, col) => [arrays.lon[row * columns + col], arrays.lat[row * columns + col]];
  return (cell) => {
    const [row, col] = [units.row[cell], units.col[cell]];
    const ring = [
      corner(row, col),
      corner(row, col + 1),
      corner(row + 1, col + 1),
      corner(row + 1, col),
      corner(row, col),
    ];
    return polygonOf(ring);
  };
}

/** Saves what is shown as CSV or GeoJSON. */
export async function saveShown(format, { units, view, step, values }) {
  const rows = rowsOf(units, view, step, values);
  const name = `${units.header.area.name}-${step.month}-${step.kind}.${format}`;
  if (format === "csv") {
    const names = Object.keys(rows[0]);
    const lines = [names, ...rows.map((row) => names.map((each) => row[each]))].map((fields) =>
      fields.map(csvField).join(","),
    );
    save(name, "text/csv", `${lines.join("\n")}\n`);
    return;
  }
  const shape = await shapes(units);
  const features = rows.map((properties, unit) => ({ type: "Feature", geometry: shape(unit), properties }));
  const { area, release } = units.header;
  const metadata = {
    title: area.title,
    as_of: release.as_of_month ?? release.as_of_day,
    baseline: release.baseline,
    champion: release.champion,
    expires_at: expiryOf(units instanceof Cells ? "month" : "day")?.at,
  };
  save(name, "application/geo+json", JSON.stringify({ type: "FeatureCollection", metadata, features }));
}
