// The legend: what the colours of the step mean, with the ends of the fixed scale.

import { el } from "../pages/charts.js";
import { meaning } from "../panel.js";
import { css, ghostLeast, number, percent } from "../scales.js";

const STOPS = 24;

function bar(scale) {
  const canvas = el("canvas", { width: STOPS, height: 1, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  for (let at = 0; at < STOPS; at += 1) {
    context.fillStyle = css(scale, scale.inverse(at / (STOPS - 1)));
    context.fillRect(at, 0, 1, 1);
  }
  return canvas;
}

function labels(scale, view) {
  const [least, middle, most] = [0, 0.5, 1].map((at) => scale.inverse(at));
  if (scale.kind === "share") return [least, middle, most].map((value) => percent(value, 0));
  if (scale.kind === "error")
    return [
      `${number(least, { isWhole: true })} too low`,
      "0",
      `${number(most, { isSigned: true, isWhole: true })} too high`,
    ];
  const digits = view.mode === "streets" && most < 1 ? 3 : most < 10 ? 1 : 0;
  return [least, middle, most].map((value) => (value === 0 ? "0" : value.toFixed(digits)));
}

/** Draws the legend of a step. */
export function drawLegend(place, { scale, step, view, isPlaces, hasGhost }) {
  const text = meaning({ ...view, isPlaces }, step);
  const key = [scale.kind, scale.most, text, hasGhost, document.documentElement.dataset.theme].join();
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.replaceChildren(
    el("p", {}, text[0].toUpperCase() + text.slice(1)),
    el(
      "div",
      { class: "scale" },
      bar(scale),
      el("div", { class: "ends" }, ...labels(scale, view).map((label) => el("span", {}, label))),
    ),
    el(
      "p",
      { class: "small" },
      `Fixed scale${["error", "share"].includes(scale.kind) ? "" : ", colour by square root"}.${hasGhost ? ` Glass: upper end of the ${view.interval} % interval, where ${number(ghostLeast(scale.most), { isWhole: true })} or more above.` : ""}`,
    ),
  );
}
