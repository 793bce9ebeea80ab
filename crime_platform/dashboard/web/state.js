// What is looked at, and its address: every state can be linked to.

import { isExported } from "./data.js";

const DEFAULTS = {
  page: "map",
  area: "",
  mode: "count",
  type: "",
  model: "",
  step: "",
  group: "",
  branch: "0",
  interval: "80",
  view: "",
  cell: "",
  segment: "",
  height: "1",
  speed: "3",
  lines: "",
  theme: "",
};
const NAMES = { step: "month", interval: "iv" };
const ALLOWED = {
  page: ["map", "accuracy", "about"],
  mode: ["count", "interval", "error", "share", "streets"],
  interval: ["80", "95"],
  view: ["", "3d", "top", "2d"],
  branch: ["0", "1", "2"],
  speed: ["1", "3", "8"],
  theme: ["", "dark", "light"],
  lines: ["", "1"],
};

/** State that the address asks for; what makes no sense is left at its default. */
export function readAddress() {
  const text = isExported() ? location.hash.slice(1) : location.search;
  const query = new URLSearchParams(text);
  const state = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) {
    const value = query.get(NAMES[name] ?? name);
    if (value !== null && (ALLOWED[name]?.includes(value) ?? value.length < 80)) state[name] = value;
  }
  if (!(Number(state.height) >= 0.2 && Number(state.height) <= 3)) state.height = "1";
  return state;
}

/** Query of a state, without what is at its default. */
function address(state) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (value !== DEFAULTS[name] && value !== "") query.set(NAMES[name] ?? name, value);
  }
  return query.toString();
}

let pending = null;

/** Shows the state in the address bar, at most four times a second: browsers ration it. */
export function writeAddress(state) {
  clearTimeout(pending);
  pending = setTimeout(() => {
    const query = address(state);
    // A page opened from disk may only change what follows the hash.
    history.replaceState(null, "", isExported() ? `#${query}` : query ? `?${query}` : location.pathname);
  }, 250);
}
