// The leaderboard: every model with its interval, and the sentence that sums it up.

import { el, whisker } from "./charts.js";
import { longDate, number, percent, signed } from "../scales.js";
import { table } from "./tables.js";

const WORST_DRAWN = -0.1; // skills below it are arrows: they would hide the differences above
const HITS = {
  hit_rate_5: "Hit rate 5 %",
  hit_rate_10: "10 %",
  hit_rate_20: "Hit rate 20 %",
  pei_20: "PEI 20 %",
};
const bare = (share) => signed(share).replace(/\s%/, "");
const span = (value, low, high) => `${signed(value)} (${bare(low)} to ${bare(high)})`;

export function headline(cells) {
  const own = cells.leaderboard.find((row) => row.is_champion);
  const first = cells.leaderboard.find((row) => row.is_policy) ?? own;
  const judged = first.is_policy
    ? "the policy, which chooses its model anew at each month from earlier months alone,"
    : `the champion, ${own.title},`;
  const best = cells.leaderboard.find((row) => row.model === cells.best_baseline);
  return [
    el(
      "p",
      { class: "lead" },
      `One month ahead, ${judged} has ${percent(first.deviance_skill)} less Poisson deviance than the historical average (95 % interval ${percent(first.deviance_skill_low)} to ${percent(first.deviance_skill_high)}).${first.is_policy ? ` The champion, ${own.title}, is what is published: its own skill is ${percent(own.deviance_skill)}.` : ""}`,
    ),
    el(
      "p",
      {},
      `The best single baseline, ${best?.title ?? cells.best_baseline}, already saves ${percent(best?.deviance_skill)}: beside it the ${first.is_policy ? "policy" : "champion"} gains ${span(first.skill_over_best_baseline, first.skill_over_best_baseline_low, first.skill_over_best_baseline_high)}. Scored on ${cells.n_origins} origins with targets from ${longDate(cells.first_target)} to ${longDate(cells.last_target)}, ${cells.n_cases.toLocaleString("en")} cell-months of cells that were ever active. Recorded crime only.`,
    ),
  ];
}

const found = (row, level) =>
  Number.isFinite(row[`coverage_${level}`])
    ? `${percent(row[`coverage_${level}`])} / ${percent(row[`stated_coverage_${level}`])}`
    : "–";

export function leaderboard(rows, { baseline, champion, policy, policy_is: policyIs }, { gain, gainTitle, hits }) {
  const skills = rows
    .flatMap((row) => [row.deviance_skill_low, row.deviance_skill_high, row.deviance_skill])
    .filter((value) => Number.isFinite(value) && value > WORST_DRAWN);
  const [least, most] = [Math.max(WORST_DRAWN, Math.min(0, ...skills)), Math.max(0, ...skills)];
  const name = (row) =>
    el(
      "span",
      {},
      row.title,
      row.model === champion ? el("em", { class: "tag" }, "champion") : null,
      row.model === baseline ? el("em", { class: "tag plain" }, "baseline") : null,
    );
  const skill = (row) =>
    row.model === baseline ? "0" : span(row.deviance_skill, row.deviance_skill_low, row.deviance_skill_high);
  const drawn = (row) =>
    whisker({
      value: row.deviance_skill,
      low: row.deviance_skill_low,
      high: row.deviance_skill_high,
      least,
      most,
      className: row.model === champion ? "champion" : "other",
      label: `skill ${signed(row.deviance_skill)}`,
    });
  const columns = [
    ["#", (row) => row.rank ?? "–"],
    ["Model", name],
    ["Deviance skill", skill],
    ["", drawn],
    [gainTitle, gain],
    ["RMSE skill", (row) => signed(row.rmse_skill)],
    ["Bias", (row) => signed(row.bias_share)],
    ...hits.map((each) => [
      HITS[each],
      (row) => (each.startsWith("pei") ? number(row[each]) : percent(row[each])),
    ]),
    ["In 80 % / promised", (row) => found(row, "80")],
    ["In 95 % / promised", (row) => found(row, "95")],
  ].filter(([, write]) => rows.some((row) => write(row) !== "–"));
  const named = new Map([
    [policy, "policy"],
    [baseline, "opponent"],
    [champion, "champion"],
  ]);
  const classOf = (row) => named.get(row.model) ?? "";
  const cell =
    (row) =>
    ([heading, write]) =>
      heading === "Model" ? el("th", { scope: "row" }, write(row)) : el("td", {}, write(row));
  return table(
    `Ranked by pooled Poisson deviance; skill over the baseline with its 95 % interval.${rows.some((row) => row.model === policy) ? ` ${policyIs}` : ""}`,
    columns.map(([heading]) => heading),
    rows.map((row) => el("tr", { class: classOf(row) }, ...columns.map(cell(row)))),
  );
}
