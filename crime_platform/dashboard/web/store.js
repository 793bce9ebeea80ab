// What is chosen and what was read: the one place where every module looks.

import { isHeld } from "./data.js";
import { isSoftware, renderer } from "./map/webgl.js";
import { readAddress } from "./state.js";

export const byId = (id) => document.getElementById(id);
const prefersLight = matchMedia("(prefers-color-scheme: light)");

export const state = readAddress();

/** What was read and what is shown; `at` is the place in time, a fraction while it plays. */
export const now = {
  areas: null,
  cells: null,
  streets: null,
  at: 0,
  playing: null,
  frames: 0,
  drawn: null,
  map: null,
  mapKind: "",
  placed: null,
  isLost: false, // the browser took WebGL away from the map
};

export const isStreets = () => state.mode === "streets";
export const isLight = () => (state.theme || (prefersLight.matches ? "light" : "dark")) === "light";
export const steps = () => (isStreets() ? now.streets.steps() : now.cells.steps(state.mode));
export const unitsOf = () => (isStreets() ? now.streets : now.cells);

/** The choices as indices, as the data modules take them. */
export function view() {
  const { cells, streets } = now;
  const branchModel = cells?.header.share_models[0] ?? "";
  return {
    mode: state.mode,
    interval: state.interval,
    branch: Number(state.branch),
    branchModel,
    type: cells ? cells.typeIndex(state.type) : 0,
    model: modelOf(),
    group: streets ? streets.groupIndex(state.group) : 0,
  };
}

/** Models that can be chosen: an exported file does not hold all of them. */
export function offeredModels() {
  const { header } = now.cells;
  if (state.mode === "error")
    return header.backtest_models.filter((name) => isHeld(`backtest/${state.area}/${name}`));
  return header.models
    .map((each) => each.name)
    .filter((name) => [header.release.champion].includes(name) || isHeld(`model/${state.area}/${name}`));
}

function modelOf() {
  const { cells } = now;
  if (!cells) return "";
  const offered = offeredModels();
  return offered.includes(state.model)
    ? state.model
    : offered.includes(cells.champion)
      ? cells.champion
      : offered[0];
}

export function selected() {
  return isStreets() ? now.streets.segmentOf(state.segment) : now.cells.cellOf(state.cell);
}

export const shownView = () => (now.mapKind === "2d" ? "2d" : state.view === "top" ? "top" : "3d");

export const areaOf = (name) => now.areas.areas.find((each) => each.name === name);

/** Calls back when the reader's system changes between dark and light. */
export const onTheme = (listener) => prefersLight.addEventListener("change", listener);

let drawer;

/** What draws WebGL here, and whether 2D or 3D fits the choice. */
export function mapWanted() {
  drawer ??= { name: renderer() };
  const isSlow = drawer.name !== null && isSoftware(drawer.name);
  const isLost = now.isLost && state.view !== "2d";
  const isFlat = drawer.name === null || isLost || state.view === "2d" || (state.view === "" && isSlow);
  return { kind: isFlat ? "2d" : "3d", isMissing: drawer.name === null, isSlow, isLost };
}
