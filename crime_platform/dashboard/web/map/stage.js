// The stage: the map of the step that is shown, its legend, its banner and its tooltip.

import { CanvasMap } from "./canvasmap.js";
import { el, totalsChart } from "../pages/charts.js";
import { ERROR_MEANING } from "../data.js";
import { DeckMap } from "./deckmap.js";
import { drawLegend } from "./legend.js";
import { meaning, written } from "../panel.js";
import { longDate, paint, scaleOf } from "../scales.js";
import { byId, isLight, isStreets, mapWanted, now, selected, state, steps, unitsOf, view } from "../store.js";

const BRANCHES = ["closeness", "period", "trend"];
const TALLEST = 0.22; // of the longer side of the area, at height 1
const SHARE_SPAN = 0.05; // shares of a branch are drawn from a third less to a third more than this

/** Makes the map that fits the choice and the browser, and puts it in its place. */
export function chooseMap() {
  const { kind } = mapWanted();
  if (kind !== now.mapKind) {
    now.map?.remove();
    const onFrame = () => {
      now.frames += 1;
    };
    const onLost = () => document.dispatchEvent(new Event("map-lost"));
    now.map =
      kind === "3d"
        ? new DeckMap(byId("map"), { onFrame, onLost })
        : new CanvasMap(byId("map"), { onFrame });
    Object.assign(now, { mapKind: kind, placed: null });
  }
  const owner = isStreets() ? now.streets : now.cells;
  const key = `${state.area} ${isStreets()}`;
  if (now.placed !== key) {
    now.map.place(placement(owner));
    now.placed = key;
    now.isTop = false;
  }
  if ((state.view === "top") !== now.isTop) {
    now.isTop = state.view === "top";
    now.map.look({ isTop: now.isTop });
  }
}

/** Where the map lies: of the cells that were ever active, or of the streets. */
function placement(owner) {
  const area = (now.cells ?? owner).area ?? owner.header.area;
  const { cells } = now;
  const size = cells?.area.cell_size_m ?? 0;
  let [width, height] = cells ? [area.n_cols * size, area.n_rows * size] : [0, 0];
  if (!cells) {
    for (let at = 0; at < owner.xy.length; at += 2)
      [width, height] = [Math.max(width, owner.xy[at]), Math.max(height, owner.xy[at + 1])];
  }
  const outline = cells
    ? cells.outline
    : new Float32Array([0, 0, width, 0, width, 0, width, height, width, height, 0, height, 0, height, 0, 0]);
  const points = isStreets() ? owner.xy : outline;
  const bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < points.length; at += 2) {
    bounds[0] = Math.min(bounds[0], points[at]);
    bounds[1] = Math.min(bounds[1], points[at + 1]);
    bounds[2] = Math.max(bounds[2], points[at]);
    bounds[3] = Math.max(bounds[3], points[at + 1]);
  }
  return { center: area.center, width, height, outline, bounds };
}

/** Scale of a step: fixed for the offence type, whatever the month. */
function scaleFor(step) {
  const { type, group } = view();
  if (isStreets()) {
    return step.kind === "forecast"
      ? scaleOf("forecast", now.streets.highest(group), isLight())
      : scaleOf("recorded", 3, isLight());
  }
  const most = Math.max(now.cells.header.count_max[type], 1);
  if (state.mode === "interval") return scaleOf("interval", most, isLight());
  if (state.mode === "error") return scaleOf("error", Math.max(2, most / 4), isLight());
  if (state.mode === "share") return scaleOf("share", SHARE_SPAN, isLight());
  return scaleOf(step.kind === "recorded" ? "recorded" : "forecast", most, isLight());
}

/** Values between two steps of one kind; a forecast never blends with what was recorded. */
function between(from, to, share) {
  if (share <= 0) return from;
  const mixed = new Float32Array(from.length);
  for (let at = 0; at < from.length; at += 1) mixed[at] = from[at] + share * (to[at] - from[at]);
  return mixed;
}

/** The step that is shown, the one after it of the same kind, and how far between. */
export function current() {
  const all = steps();
  const low = Math.min(Math.floor(now.at), all.length - 1);
  const next = all[Math.min(low + 1, all.length - 1)];
  const step = all[low];
  return {
    step,
    next: next.kind === step.kind ? next : step,
    share: next.kind === step.kind ? now.at - low : 0,
  };
}

const valuesAt = (step) =>
  isStreets() ? now.streets.values(view().group, step) : now.cells.values(view(), step);

/** Draws the step that is shown. */
export function draw() {
  const { step, next, share } = current();
  const values = valuesAt(step);
  const heights = between(values, valuesAt(next), share);
  const scale = scaleFor(step);
  const colours = paint(scale, heights, { isFaint: isStreets() && step.kind === "recorded" });
  const isFlat = now.mapKind === "2d" || now.isTop || !["count", "streets"].includes(state.mode);
  const longer = isStreets()
    ? spanOf(now.streets)
    : Math.max(now.cells.area.n_cols, now.cells.area.n_rows) * now.cells.area.cell_size_m;
  const drawn = {
    colours,
    heights,
    selected: selected(),
    isLight: isLight(),
    isFlat,
    most: scale.most,
    metresPerUnit: (longer * TALLEST * Number(state.height)) / scale.most,
  };
  now.drawn = { step, values, scale }; // words never tell what lies between two steps
  if (isStreets()) now.map.drawStreets({ streets: now.streets, ...drawn });
  else {
    const upper = state.mode === "count" && step.kind === "forecast" ? now.cells.upper(view(), step) : null;
    now.map.drawCells({
      cells: now.cells,
      upper,
      streets: state.lines === "1" && now.streets && !now.streets.isPlaces ? now.streets : null,
      ...drawn,
    });
  }
  drawLegend(byId("legend"), {
    scale,
    step,
    view: view(),
    isPlaces: isStreets() && now.streets.isPlaces,
    hasGhost: Boolean(drawn.isFlat === false && step.kind === "forecast" && !isStreets()),
  });
  tell(step);
}

function spanOf(streets) {
  if (!streets.span) {
    let [least, most] = [Infinity, -Infinity];
    for (const value of streets.xy) [least, most] = [Math.min(least, value), Math.max(most, value)];
    streets.span = Math.max(1, most - least) / 3;
  }
  return streets.span;
}

/** Banner, label of the slider and place of its thumb. */
function tell(step) {
  byId("step").value = String(Math.floor(now.at));
  const said = [state.area, state.mode, state.model, state.branch, step.kind, step.month].join();
  if (byId("banner").dataset.step === said) return;
  byId("banner").dataset.step = said;
  const { cells, streets } = now;
  const asOf = isStreets() ? streets.header.release.as_of_day : cells.header.release.as_of_month;
  const model = isStreets()
    ? streets.header.models.find((each) => each.is_champion).title
    : cells.title(view().model);
  const isPartial =
    step.kind === "recorded" && cells && !isStreets() && !cells.header.is_complete[step.index];
  const texts = {
    recorded: [`Recorded: ${longDate(step.month)}`, isPartial ? "incomplete month" : ""],
    forecast: [`Forecast: ${longDate(step.month)}`, `${model}, made with data to ${longDate(asOf)}`],
    backtest: [`Back-test: ${longDate(step.month)}`, `${model}, error one month ahead: ${ERROR_MEANING}`],
    share: [
      `Share of ${BRANCHES[view().branch]}`,
      "ST-ResNet, as fitted for this forecast; a third each is no preference",
    ],
  };
  const [head, rest] = texts[step.kind];
  const banner = byId("banner");
  banner.className = step.kind;
  banner.replaceChildren(el("strong", {}, head), rest ? el("span", {}, rest) : "");
  const slider = byId("step");
  slider.setAttribute("aria-valuetext", `${head}${rest ? `, ${rest}` : ""}`);
  byId("step-label").textContent = step.kind === "share" ? "" : longDate(step.month);
}

/** Sets the time bar up for the mode. */
export function fillTime() {
  const all = steps();
  const slider = byId("step");
  slider.max = String(all.length - 1);
  slider.setAttribute("aria-label", isStreets() ? "Day" : "Month");
  byId("timebar").hidden = all.length < 2;
  const { type, model, group } = view();
  const totals = isStreets()
    ? streetTotals(group)
    : state.mode === "count"
      ? now.cells.totals(type, model)
      : null;
  byId("totals").replaceChildren(
    totals ? totalsChart(totals, all.filter((each) => each.kind === "recorded").length) : "",
  );
}

function streetTotals(group) {
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const { streets } = now;
  return [
    ...streets.days.map((_, day) => sum(streets.counts(group, day))),
    ...streets.forecastDays.map((_, lead) => sum(streets.forecast("expected", group, lead))),
  ];
}

let timer = null;

export function hideTip() {
  clearTimeout(timer);
  byId("tooltip").hidden = true;
}

/** Shows the value under the pointer once it rests. */
export function hover(event) {
  clearTimeout(timer);
  const tip = byId("tooltip");
  tip.hidden = true;
  if (event.buttons) return;
  timer = setTimeout(
    () => {
      const unit = under(event);
      if (unit === null) return;
      const { step, values } = now.drawn;
      const base =
        !isStreets() && step.kind === "forecast" && state.mode === "count"
          ? `; baseline ${written(view(), step, now.cells.baselineForecast(view().type, step.index)[unit])}`
          : "";
      tip.textContent = `${unitsOf().id(unit)}: ${written(view(), step, values[unit])} ${meaning({ ...view(), isPlaces: isStreets() && now.streets.isPlaces }, step)}${base}`;
      const stage = byId("stage").getBoundingClientRect();
      tip.style.left = `${Math.min(event.clientX - stage.left + 14, stage.width - 230)}px`;
      tip.style.top = `${event.clientY - stage.top + 14}px`;
      tip.hidden = false;
    },
    now.mapKind === "2d" ? 20 : 90,
  );
}

/** Unit under the pointer: a column if one is hit, else the ground. */
export function under(event) {
  const box = byId("map").getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const hit = now.map.pick(x, y);
  if (hit !== null) return hit;
  const [east, north] = now.map.ground(x, y);
  if (isStreets()) return now.mapKind === "2d" ? nearest(east, north) : null;
  const size = now.cells.area.cell_size_m;
  return now.cells.cellAt(Math.floor(north / size), Math.floor(east / size));
}

function nearest(east, north) {
  const { streets } = now;
  let [best, found] = [now.map.metresOf(8) ** 2, null];
  for (let unit = 0; unit < streets.n; unit += 1) {
    const [x, y] = streets.middle(unit);
    const apart = (x - east) ** 2 + (y - north) ** 2;
    if (apart < best) [best, found] = [apart, unit];
  }
  return found;
}
