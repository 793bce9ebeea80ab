// Whether what is shown has expired. It is asked of the clock: pages stay open, and exported ones are
// opened years later.

import { el } from "./pages/charts.js";
import { areaOf, byId, isStreets, state } from "./store.js";

const CHECK_MS = 60_000;

const isPast = (expiry) => Date.now() >= Date.parse(expiry.at);

/** What there is to say of the area's forecasts, months before days. */
const ofArea = () => Object.entries(areaOf(state.area)?.expiry ?? {});

/** What there is to say of one branch, month or day; undefined in a release that does not say it. */
export const expiryOf = (step) => areaOf(state.area)?.expiry?.[step];

/** Until when each forecast of the area can be used; what has expired stands above the page. */
export const expirySentences = () =>
  ofArea()
    .filter(([, expiry]) => !isPast(expiry))
    .map(([, expiry]) => expiry.current);

/** Says above the page what has expired of what it shows: on the map one branch, else all. */
export function tellExpiry() {
  const shown = state.page === "map" ? [isStreets() ? "day" : "month"] : ["month", "day"];
  const past = ofArea().filter(([step, expiry]) => shown.includes(step) && isPast(expiry));
  const place = byId("expiry");
  const text = past.map(([, expiry]) => expiry.expired).join(" ");
  if (place.textContent !== text) place.replaceChildren(text ? el("strong", {}, text) : "");
  place.hidden = text === "";
}

/** Looks at the clock from now on, also when a page that slept is woken. */
export function watchExpiry() {
  setInterval(tellExpiry, CHECK_MS);
  document.addEventListener("visibilitychange", tellExpiry);
}
