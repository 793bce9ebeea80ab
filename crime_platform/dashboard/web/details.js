// The words beside the map: details of the selection and the list of highest units.

import { el } from "./pages/charts.js";
import { downloads } from "./controls.js";
import { cellDetail, highest, rankingList, streetDetail, written } from "./panel.js";
import { longDate } from "./scales.js";
import { byId, isStreets, now, selected, state, unitsOf, view } from "./store.js";

let onChoose = () => {};

/** Says who is told when a unit is chosen. */
export const whenChosen = (listener) => {
  onChoose = listener;
};

/** Writes the details and the list anew. */
export function detail() {
  const unit = selected();
  const { step, values } = now.drawn;
  const onClose = () => onChoose(null);
  const shared = { view: view(), step, values, onClose };
  const made =
    unit === null
      ? [
          el(
            "p",
            { class: "hint" },
            `Choose a ${isStreets() ? now.streets.noun() : "cell"} on the map or in the list to see its history and forecast.`,
          ),
        ]
      : isStreets()
        ? streetDetail({ streets: now.streets, segment: unit, group: view().group, ...shared })
        : cellDetail({ cells: now.cells, cell: unit, ...shared });
  byId("detail").replaceChildren(...made.filter(Boolean));
  rank();
  downloads();
}

function rank() {
  const { step, values } = now.drawn;
  const noun = isStreets() ? `${now.streets.noun()}s` : "cells";
  byId("ranking-title").textContent =
    `${state.mode === "error" ? "Largest errors" : `Highest ${noun}`}${step.kind === "share" ? "" : `, ${longDate(step.month)}`}`;
  const describe = (unit) => [unitsOf().id(unit), written(view(), step, values[unit])];
  const focused = document.activeElement?.dataset?.unit;
  byId("ranking-list").replaceChildren(
    ...rankingList(highest(values, state.mode), selected(), describe, onChoose),
  );
  if (focused !== undefined) byId("ranking-list").querySelector(`[data-unit="${focused}"]`)?.focus();
}
