// The Accuracy and the About page.

import { el } from "./charts.js";
import { byMonth, byType, calibration, history, hitCurves, indexTable } from "./figures.js";
import { headline, leaderboard } from "./leaderboard.js";
import { number, percent, signed } from "../scales.js";
import { table } from "./tables.js";

/** Everything that says how far to trust the forecasts. */
export function accuracyPage({ cells, streets }, expiries) {
  const made = [
    el("h2", {}, "How far to trust the forecast"),
    ...expiries.map((text) => el("p", { class: "expiry" }, text)),
  ];
  if (cells) {
    made.push(
      ...headline(cells),
      leaderboard(cells.leaderboard, cells, {
        gain: (row) => (row.model === cells.best_baseline ? "–" : signed(row.skill_over_best_baseline)),
        gainTitle: "Over best baseline",
        hits: ["hit_rate_20", "pei_20"],
      }),
      el(
        "div",
        { class: "figures" },
        hitCurves(cells.hotspots, cells, "the area"),
        byMonth(cells),
        ...calibration(cells),
      ),
      indexTable(cells.hotspots, cells),
      byType(cells),
      history(cells),
    );
  }
  if (streets) {
    const first = streets.leaderboard.find((row) => row.is_champion);
    const info = { ...streets, best_baseline: first?.best_baseline };
    made.push(
      el("h2", {}, "Streets, day by day"),
      el(
        "p",
        {},
        `One day ahead, ${first.title} has ${percent(first.deviance_skill)} less Poisson deviance than the long-run frequency (95 % interval ${percent(first.deviance_skill_low)} to ${percent(first.deviance_skill_high)}), on ${streets.n_days} test days with ${number(streets.n_incidents, { isWhole: true })} incidents. The riskiest 20 % held ${percent(first.hit_rate_20)} of them.`,
      ),
      leaderboard(streets.leaderboard, streets, {
        gain: (row) =>
          Number.isFinite(row.gain_over_best_baseline)
            ? number(row.gain_over_best_baseline, { isSigned: true })
            : "–",
        gainTitle: "Deviance saved a day on the best baseline",
        hits: ["hit_rate_5", "hit_rate_10", "hit_rate_20"],
      }),
      el(
        "div",
        { class: "figures" },
        hitCurves(streets.curves, info, "the streets (of places, where there are no street lines)"),
      ),
      indexTable(streets.curves, info),
    );
  }
  return made;
}

/** Method, sources, limits and refused uses, as the release states them. */
export function aboutPage({ title, sections }, expiries) {
  return [
    el("h2", {}, title),
    ...expiries.map((text) => el("p", { class: "expiry" }, text)),
    ...sections.map((section) =>
      el(
        "section",
        { id: `about-${section.id}` },
        el("h3", {}, section.heading),
        ...(section.paragraphs ?? []).map((text) => el("p", {}, text)),
        section.items?.length ? el("ul", {}, ...section.items.map((text) => el("li", {}, text))) : null,
        section.table
          ? table(
              "",
              section.table.head,
              section.table.rows.map((row) =>
                el("tr", {}, ...row.map((value) => el("td", {}, value ?? "–"))),
              ),
            )
          : null,
      ),
    ),
  ];
}
