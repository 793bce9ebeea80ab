// Tables of the pages, and who is who among the models.

import { el } from "./charts.js";

const WORDS = new Set(["Model", "Chosen", "Why"]); // headings over words, not numbers

export const table = (caption, head, rows) =>
  el(
    "div",
    { class: "wide" },
    el(
      "table",
      {},
      el("caption", {}, caption),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ...head.map((name) => el("th", { scope: "col", class: WORDS.has(name) ? "words" : null }, name)),
        ),
      ),
      el("tbody", {}, ...rows),
    ),
  );

/** Class of a model's line: who it is decides colour and dash. */
export const styleOf = (model, { champion, baseline, best_baseline: best }) =>
  model === champion ? "champion" : model === baseline ? "opponent" : model === best ? "best" : "other";

export const titleOf = ({ leaderboard }, model) =>
  leaderboard.find((row) => row.model === model)?.title ?? model;
