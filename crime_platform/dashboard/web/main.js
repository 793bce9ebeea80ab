// The page: takes changes of the state in, reads what they need, and has them drawn.

import { el } from "./pages/charts.js";
import { fillControls } from "./controls.js";
import { Cells, isExported, pinRelease, readContainer, readJson, Streets } from "./data.js";
import { detail, whenChosen } from "./details.js";
import { expirySentences, tellExpiry, watchExpiry } from "./expiry.js";
import { aboutPage, accuracyPage } from "./pages/pages.js";
import { highest } from "./panel.js";
import { saveShown } from "./saving.js";
import { longDate } from "./scales.js";
import { chooseMap, draw, fillTime, hideTip, hover, under } from "./map/stage.js";
import { writeAddress } from "./state.js";
import {
  areaOf,
  byId,
  isLight,
  isStreets,
  mapWanted,
  now,
  onTheme,
  selected,
  state,
  steps,
  unitsOf,
  view,
} from "./store.js";
import { go, pause, play } from "./time.js";

const POLL_MS = 20_000;

/** Takes changes in, reads what they need, and draws; the newest change wins. */
async function change(changes) {
  if (["mode", "area", "page"].some((name) => name in changes)) pause();
  const before = { ...state };
  Object.assign(state, changes);
  const turn = (now.turn = (now.turn ?? 0) + 1);
  document.body.classList.add("busy");
  try {
    await prepare(before);
    if (turn !== now.turn) return;
    if ("step" in changes || state.mode !== before.mode || state.area !== before.area) now.at = wantedStep();
    chooseMap();
    tellMap();
    tellExpiry();
    fillControls();
    fillTime();
    draw();
    detail();
    await showPage();
  } catch (error) {
    Object.assign(state, before);
    notice("problem", error.message, { isProblem: true });
    if (before.area) fillControls();
    else throw error;
  } finally {
    if (turn === now.turn) document.body.classList.remove("busy");
  }
  writeAddress(state);
}

async function prepare(before) {
  if (state.area !== before.area || (!now.cells && !now.streets)) {
    const area = areaOf(state.area) ?? now.areas.areas[0];
    Object.assign(state, {
      area: area.name,
      cell: before.area ? "" : state.cell,
      segment: before.area ? "" : state.segment,
    });
    Object.assign(now, {
      cells: area.has_cells ? new Cells(await readContainer(`cells/${area.name}`)) : null,
      streets: null,
      placed: null,
    });
    byId("title").textContent = `${area.title}${area.is_simulated ? " (simulated)" : ""}: recorded crime`;
    const asOf = [
      area.as_of_month && `cells as of ${longDate(area.as_of_month)}`,
      area.as_of_day && `streets as of ${longDate(area.as_of_day)}`,
    ];
    byId("asof").textContent = asOf.filter(Boolean).join(" · ");
  }
  if (now.cells && !now.cells.types.some((each) => each.name === state.type)) state.type = "";
  if (!now.cells) state.mode = "streets";
  if ((isStreets() || state.lines === "1") && !now.streets) {
    const area = areaOf(state.area);
    if (area.has_streets) now.streets = new Streets(await readContainer(`streets/${state.area}`));
    else state.mode = "count";
  }
  if (now.cells && !isStreets()) {
    await now.cells.need(view());
    if (state.cell)
      await Promise.all(
        [now.cells.needBacktest(view().model), now.cells.needBacktest(now.cells.baseline)].map((each) =>
          each.catch(() => null),
        ),
      );
  }
}

function wantedStep() {
  const found = steps().findIndex((each) => each.month === state.step);
  if (found >= 0) return found;
  const firstAhead = steps().findIndex((each) => each.kind === "forecast");
  return firstAhead >= 0 ? firstAhead : steps().length - 1;
}

/** Selects a unit and reads its back-test, or clears the selection. */
function choose(unit) {
  const name = isStreets() ? "segment" : "cell";
  return change({ [name]: unit === null ? "" : unitsOf().id(unit) });
}

function notice(name, text, { isProblem = false, button = null } = {}) {
  document.querySelector(`[data-notice="${name}"]`)?.remove();
  if (!text || now.closed?.has(name + text)) return;
  const close = el(
    "button",
    {
      type: "button",
      "aria-label": "Close",
      onclick: () => {
        (now.closed ??= new Set()).add(name + text);
        notice(name, "");
      },
    },
    "×",
  );
  byId("notices").append(
    el("p", { "data-notice": name, class: isProblem ? "problem" : "" }, el("span", {}, text), button, close),
  );
}

function press(event) {
  const isTyping =
    /^(select|textarea)$/i.test(event.target.tagName) ||
    (event.target.tagName === "INPUT" && event.target.type !== "range");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const isButton = /^(button|summary|a)$/i.test(event.target.tagName);
  const moves = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  if (event.key === "?") byId("help").showModal();
  else if (state.page !== "map") return;
  else if (event.key === " " && !isButton) play();
  else if (event.key === ",") go(Math.ceil(now.at) - 1);
  else if (event.key === ".") go(Math.floor(now.at) + 1);
  else if (event.key === "Escape") choose(null);
  else if (event.key === "t") change({ view: state.view === "top" ? "3d" : "top" });
  else if (event.target.closest("#map"))
    return; // deck.gl moves, turns and zooms the map
  else if (event.shiftKey && moves[event.key] && !isStreets()) moveSelection(moves[event.key]);
  else return;
  event.preventDefault();
}

function moveSelection([up, right]) {
  const { cells } = now;
  const from = selected() ?? highest(now.drawn.values, state.mode, 1)[0] ?? 0;
  const to = selected() === null ? from : cells.cellAt(cells.row[from] + up, cells.col[from] + right);
  if (to !== null) choose(to);
}

async function showPage() {
  for (const page of ["map", "accuracy", "about"]) byId(`page-${page}`).hidden = page !== state.page;
  const shown = `${state.page} ${state.area}`;
  if (state.page === "map" || now.shownPage === shown) return;
  now.shownPage = shown;
  const made =
    state.page === "accuracy"
      ? accuracyPage(await readJson(`accuracy/${state.area}`), expirySentences())
      : aboutPage(await readJson(`about/${state.area}`), expirySentences());
  byId(`page-${state.page}`).replaceChildren(...made);
}

/** Says why the map is flat, where it is. */
function tellMap() {
  const { kind, isMissing, isSlow, isLost } = mapWanted();
  if (state.page !== "map") notice("gl", "");
  else if (isMissing)
    notice(
      "gl",
      `${globalThis.deckError ?? "This browser offers no WebGL."} The map is flat. All numbers are the same.`,
    );
  else if (isLost)
    notice("gl", "The browser took WebGL away from the map: it is flat now. Choose 3D to try again.");
  else if (kind === "2d" && isSlow && state.view === "")
    notice("gl", "This browser draws 3D in software, which is slow: the map is flat. Choose 3D to try it.");
  else notice("gl", "");
}

function setTheme() {
  document.documentElement.dataset.theme = isLight() ? "light" : "dark";
}

function listen() {
  for (const name of ["area", "mode", "model", "branch", "interval", "speed"]) {
    byId(name).addEventListener("change", (event) => change({ [name]: event.target.value }));
  }
  byId("type").addEventListener("change", (event) =>
    change({ [isStreets() ? "group" : "type"]: event.target.value }),
  );
  byId("lines").addEventListener("change", (event) => change({ lines: event.target.checked ? "1" : "" }));
  byId("height").addEventListener("input", (event) => {
    state.height = event.target.value;
    draw();
    writeAddress(state);
  });
  byId("step").addEventListener("input", (event) => {
    pause();
    go(Number(event.target.value));
  });
  byId("back").addEventListener("click", () => go(Math.ceil(now.at) - 1));
  byId("forward").addEventListener("click", () => go(Math.floor(now.at) + 1));
  byId("play").addEventListener("click", play);
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  byId("theme").addEventListener("click", () => {
    state.theme = isLight() ? "dark" : "light";
    setTheme();
    change({});
  });
  onTheme(() => {
    setTheme();
    change({});
  });
  for (const button of document.querySelectorAll("[data-view]"))
    button.addEventListener("click", () => {
      Object.assign(now, { isTop: null, isLost: false }); // also the view that is shown is set anew
      change({ view: button.dataset.view });
    });
  for (const button of document.querySelectorAll("[data-page]"))
    button.addEventListener("click", () => change({ page: button.dataset.page }));
  for (const format of ["csv", "geojson"])
    byId(format).addEventListener("click", (event) => {
      if (isExported()) {
        event.preventDefault();
        saveShown(format, { units: unitsOf(), view: view(), ...now.drawn }).catch((error) =>
          notice("problem", error.message, { isProblem: true }),
        );
      }
    });
  const map = byId("map");
  let pressed = null;
  map.addEventListener("pointerdown", (event) => {
    pressed = [event.clientX, event.clientY];
  });
  map.addEventListener("pointermove", hover);
  map.addEventListener("pointerleave", hideTip);
  // A DOM click with our own pick: deck's own gesture recogniser loses clicks when frames are slow.
  map.addEventListener("click", (event) => {
    const isDrag = pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 5;
    if (isDrag) return;
    hideTip();
    choose(under(event));
  });
  document.addEventListener("keydown", press);
  document.addEventListener("map-lost", () => {
    now.isLost = true;
    change({});
  });
}

async function poll() {
  if (document.hidden) return;
  const answer = await fetch("api/release", { cache: "no-store" }).catch(() => null);
  const release = answer?.ok ? (await answer.json()).release : null;
  if (release && release !== now.areas.release) {
    const button = el(
      "button",
      { type: "button", class: "reload", onclick: () => location.reload() },
      "Reload",
    );
    notice("release", "A new release is there.", { button });
  }
}

async function start() {
  setTheme();
  whenChosen(choose);
  listen();
  now.areas = await readJson("areas");
  pinRelease(now.areas.release);
  if (now.areas.areas.length === 0)
    throw new Error("The release holds no study area yet: run crime-platform run.");
  const wanted = now.areas.areas.some((each) => each.name === state.area)
    ? state.area
    : now.areas.areas[0].name;
  state.area = "";
  await change({ area: wanted });
  if (isExported()) notice("exported", now.areas.exported ?? "");
  else setInterval(poll, POLL_MS);
  watchExpiry();
  document.body.classList.add("ready");
}

/** What tests and the curious may look at; nothing in the page depends on it. */
globalThis.crimeDashboard = { state, now, change, go, poll };

start().catch((error) => {
  notice("problem", error.message, { isProblem: true });
  document.body.classList.add("failed");
});
