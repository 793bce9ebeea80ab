// Moving through time: by slider, by key, or playing.

import { detail } from "./details.js";
import { current, draw } from "./map/stage.js";
import { writeAddress } from "./state.js";
import { byId, now, state, steps } from "./store.js";

const SETTLED_MS = 120;
const isStill = matchMedia("(prefers-reduced-motion: reduce)");

/** Shows a place in time. */
export function go(at) {
  now.at = Math.max(0, Math.min(steps().length - 1, at));
  draw();
  clearTimeout(now.settling);
  // While time moves only the map follows; the words come when it rests.
  if (now.playing === null) now.settling = setTimeout(settle, SETTLED_MS);
}

function settle() {
  state.step = current().step.month;
  detail();
  writeAddress(state);
}

export function pause() {
  cancelAnimationFrame(now.playing);
  const wasPlaying = now.playing !== null;
  now.playing = null;
  if (wasPlaying) go(Math.round(now.at)); // there are counts of steps only, not of what lies between
  byId("play").textContent = "▶";
  byId("play").setAttribute("aria-label", "Play");
}

/** Plays, or pauses what plays. */
export function play() {
  if (now.playing !== null) return pause();
  if (now.at >= steps().length - 1) now.at = 0;
  byId("play").textContent = "❚❚";
  byId("play").setAttribute("aria-label", "Pause");
  let [last, exact] = [performance.now(), now.at];
  const tick = (time) => {
    exact += ((time - last) / 1000) * Number(state.speed);
    last = time;
    const end = steps().length - 1;
    const at = isStill.matches ? Math.floor(exact) : exact;
    if (at !== now.at) go(Math.min(at, end));
    if (exact >= end) return pause();
    now.playing = requestAnimationFrame(tick);
  };
  now.playing = requestAnimationFrame(tick);
  return undefined;
}
