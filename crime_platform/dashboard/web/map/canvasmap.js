// The map on a plain canvas: for browsers without WebGL, or with WebGL drawn in software.

import { floorImage } from "./shapes.js";

const FIT = 0.9;

export class CanvasMap {
  /**
   * @param {HTMLElement} parent
   * @param {{onFrame: () => void}} listeners
   */
  constructor(parent, { onFrame }) {
    this.canvas = document.createElement("canvas");
    this.canvas.className = "flat";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", parent.getAttribute("aria-label"));
    this.onFrame = onFrame;
    parent.append(this.canvas);
    this.parent = parent;
    this.resized = new ResizeObserver(() => this.redraw?.());
    this.resized.observe(parent);
  }

  remove() {
    this.resized.disconnect();
    this.canvas.remove();
  }

  place({ outline, bounds }) {
    Object.assign(this, { outline, bounds });
  }

  look() {}

  #begin() {
    const ratio = globalThis.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.parent;
    this.canvas.width = clientWidth * ratio;
    this.canvas.height = clientHeight * ratio;
    const [west, south, east, north] = this.bounds;
    this.scale = Math.min(
      (clientWidth * FIT) / (east - west || 1),
      (clientHeight * FIT) / (north - south || 1),
    );
    this.left = (clientWidth - (west + east) * this.scale) / 2;
    this.base = (clientHeight + (south + north) * this.scale) / 2;
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, clientWidth, clientHeight);
    return context;
  }

  #point(x, y) {
    return [this.left + x * this.scale, this.base - y * this.scale];
  }

  #border(context, isLight) {
    context.beginPath();
    for (let at = 0; at < this.outline.length; at += 4) {
      context.moveTo(...this.#point(this.outline[at], this.outline[at + 1]));
      context.lineTo(...this.#point(this.outline[at + 2], this.outline[at + 3]));
    }
    context.strokeStyle = isLight ? "rgb(40 60 85 / 75%)" : "rgb(150 180 215 / 65%)";
    context.lineWidth = 1;
    context.stroke();
  }

  drawCells(drawn) {
    this.redraw = () => this.drawCells(drawn);
    const { cells, colours, selected, isLight } = drawn;
    const context = this.#begin();
    const { n_rows: rows, n_cols: columns, cell_size_m: size } = cells.area;
    this.small ??= document.createElement("canvas");
    Object.assign(this.small, { width: columns, height: rows });
    this.small.getContext("2d").putImageData(floorImage(cells, colours), 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(
      this.small,
      ...this.#point(0, rows * size),
      columns * size * this.scale,
      rows * size * this.scale,
    );
    this.#border(context, isLight);
    if (drawn.streets)
      this.#strokes(
        context,
        drawn.streets,
        () => (isLight ? "rgb(70 85 105 / 45%)" : "rgb(150 165 190 / 35%)"),
        0.7,
      );
    if (selected !== null) {
      const [x, y] = this.#point(cells.col[selected] * size, (cells.row[selected] + 1) * size);
      context.strokeStyle = isLight ? "#0a0a14" : "#ffffff";
      context.lineWidth = 2;
      context.strokeRect(x - 1, y - 1, size * this.scale + 2, size * this.scale + 2);
    }
    this.onFrame();
  }

  #strokes(context, streets, colour, width) {
    context.lineWidth = width;
    for (let segment = 0; segment < streets.n; segment += 1) {
      context.beginPath();
      context.strokeStyle = colour(segment);
      for (let vertex = streets.start[segment]; vertex < streets.start[segment + 1]; vertex += 1) {
        const at = this.#point(streets.xy[2 * vertex], streets.xy[2 * vertex + 1]);
        if (vertex === streets.start[segment]) context.moveTo(...at);
        else context.lineTo(...at);
      }
      context.stroke();
    }
  }

  drawStreets(drawn) {
    this.redraw = () => this.drawStreets(drawn);
    const { streets, colours, selected, isLight } = drawn;
    const context = this.#begin();
    const colour = (at) =>
      `rgb(${colours[4 * at]} ${colours[4 * at + 1]} ${colours[4 * at + 2]} / ${colours[4 * at + 3] / 255})`;
    this.#border(context, isLight);
    if (!streets.isPlaces) this.#strokes(context, streets, colour, 2.4);
    for (let at = 0; streets.isPlaces && at < streets.n; at += 1) {
      context.fillStyle = colour(at);
      context.beginPath();
      context.arc(...this.#point(...streets.middle(at)), 3.4, 0, 7);
      context.fill();
    }
    if (selected !== null) {
      context.strokeStyle = isLight ? "#0a0a14" : "#ffffff";
      context.lineWidth = 2;
      context.beginPath();
      context.arc(...this.#point(...streets.middle(selected)), 8, 0, 7);
      context.stroke();
    }
    this.onFrame();
  }

  pick() {
    return null; // the ground under the pointer tells
  }

  ground(x, y) {
    return [(x - this.left) / this.scale, (this.base - y) / this.scale];
  }

  /** Metres that so many pixels of the stage span. */
  metresOf = (pixels) => pixels / this.scale;
}
