// The fields beside the map: what can be chosen, and what is.

import { el } from "./pages/charts.js";
import { downloadAddress } from "./data.js";
import { areaOf, byId, isStreets, now, offeredModels, shownView, state, view } from "./store.js";

function offer(select, entries, chosen) {
  const field = byId(select);
  field.replaceChildren(
    ...entries.map(([value, text]) => el("option", { value, selected: value === chosen }, text)),
  );
  field.value = chosen;
}

/** Shows the choices of the state, without those that the area does not have. */
export function fillControls() {
  const { cells, streets, areas } = now;
  const area = areaOf(state.area);
  offer(
    "area",
    areas.areas.map((each) => [each.name, each.title]),
    state.area,
  );
  byId("area-field").hidden = areas.areas.length < 2;
  const possible = {
    count: area.has_cells,
    interval: area.has_cells,
    error: cells?.header.backtest_models.length > 0,
    share: cells?.header.share_models.length > 0,
    streets: area.has_streets,
  };
  for (const option of byId("mode").options) option.hidden = option.disabled = !possible[option.value];
  byId("mode").value = state.mode;
  if (isStreets())
    offer(
      "type",
      streets.groups.map((each) => [each.name, each.title]),
      streets.groups[view().group].name,
    );
  else
    offer(
      "type",
      cells.types.map((each) => [each.name, each.title]),
      cells.types[view().type].name,
    );
  byId("type-field").firstChild.textContent = isStreets() ? "Offence group " : "Offence type ";
  if (!isStreets()) {
    const names = offeredModels();
    const words = (name) =>
      `${cells.title(name)}${name === cells.champion ? " (champion)" : name === cells.baseline ? " (baseline)" : ""}`;
    offer(
      "model",
      names.map((name) => [name, words(name)]),
      view().model,
    );
  }
  for (const name of ["branch", "interval", "height", "speed"]) byId(name).value = state[name];
  byId("lines").checked = state.lines === "1";
  byId("model-field").hidden = isStreets() || state.mode === "share";
  byId("branch-field").hidden = state.mode !== "share";
  byId("interval-field").hidden = isStreets() || ["share", "error"].includes(state.mode);
  byId("lines-field").hidden = isStreets() || area.graph_kind !== "segment";
  const hasHeights = isStreets() ? streets.isPlaces : state.mode === "count";
  byId("height-field").hidden = now.mapKind !== "3d" || !hasHeights || state.view === "top";
  for (const button of document.querySelectorAll("[data-view]"))
    button.setAttribute("aria-pressed", String(button.dataset.view === shownView()));
  for (const button of document.querySelectorAll("[data-page]"))
    button.setAttribute("aria-pressed", String(button.dataset.page === state.page));
}

/** Points the downloads at what is shown. */
export function downloads() {
  const { step } = now.drawn;
  const { model, type, group } = view();
  byId("downloads").hidden = ["share"].includes(state.mode);
  const kind = isStreets() ? "streets" : state.mode === "error" ? "backtest" : "cells";
  const what = isStreets()
    ? { group: now.streets.groups[group].name, model: now.streets.champion, day: step.month }
    : { type: now.cells.types[type].name, model, month: step.month };
  for (const format of ["csv", "geojson"]) {
    byId(format).href = downloadAddress(`${kind}.${format}`, { area: state.area, ...what }) ?? `#${format}`;
  }
}
