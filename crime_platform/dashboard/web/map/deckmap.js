// The map in 3D: columns on a floor of cells, lines of streets, drawn by deck.gl in projected metres.

import { ghostLeast } from "../scales.js";
import { about, columnEdges, columns, floorImage, glass, pieces } from "./shapes.js";

const FIT = 0.97; // share of the stage that the area fills at first

const METRES_PER_DEGREE = 40.03e6 / 360; // deck.gl's round Earth

/** Tops keep the colour of the legend; sides are darker. */
const MATERIAL = { ambient: 0.7, diffuse: 0.38, shininess: 4, specularColor: [0, 0, 0] };

export class DeckMap {
  /**
   * @param {HTMLElement} parent
   * @param {{onFrame: () => void, onLost: () => void}} listeners
   */
  constructor(parent, { onFrame, onLost }) {
    const { deck } = globalThis;
    this.parent = parent;
    this.layers = [];
    this.shown = []; // cell of each column
    const ambient = new deck.AmbientLight({ color: [255, 255, 255], intensity: 1.0 });
    const sun = new deck.DirectionalLight({
      color: [255, 255, 255],
      intensity: 1.0,
      direction: [-1.2, 2.2, -4],
    });
    this.deck = new deck.Deck({
      parent,
      views: new deck.MapView({ repeat: false }),
      initialViewState: { longitude: 0, latitude: 0, zoom: 9 },
      controller: { maxPitch: 75, keyboard: true, touchRotate: true },
      onLoad: () => {
        const canvas = this.parent.querySelector("canvas");
        canvas.setAttribute("aria-label", parent.getAttribute("aria-label"));
        canvas.addEventListener("webglcontextlost", (event) => {
          event.preventDefault(); // else the browser never gives one back
          if (!this.isRemoved) onLost();
        });
      },
      effects: [new deck.LightingEffect({ ambient, sun })],
      layers: [],
      pickingRadius: 4,
      onAfterRender: onFrame,
      onViewStateChange: ({ interactionState }) => {
        this.isMoved ||= Object.values(interactionState ?? {}).includes(true); // not when deck.gl sets it
      },
      getCursor: ({ isDragging }) => (isDragging ? "grabbing" : "default"),
    });
    // A notice that comes or goes, or a window of another size, leaves the area as large as fits.
    this.resized = new ResizeObserver(() => {
      if (this.bounds && !this.isMoved) this.look(this);
    });
    this.resized.observe(parent);
  }

  remove() {
    this.isRemoved = true; // ending it takes its context away too
    this.resized.disconnect();
    this.deck.finalize();
    this.parent.querySelectorAll("canvas").forEach((canvas) => canvas.remove());
  }

  /** Sets the area: size in metres, centre in degrees, border lines. */
  place({ center, width, height, outline, bounds }) {
    Object.assign(this, { center, width, height, bounds });
    const ends = about(outline, this);
    this.border = {
      length: ends.length / 6,
      attributes: {
        getSourcePosition: { value: ends, size: 3, stride: 24, offset: 0 },
        getTargetPosition: { value: ends, size: 3, stride: 24, offset: 12 },
      },
    };
    this.look({ isTop: false });
  }

  /** Looks at the whole area, from the side or from the top, until a person moves the map. */
  look({ isTop }) {
    Object.assign(this, { isTop, isMoved: false });
    const { clientWidth, clientHeight } = this.parent;
    if (clientWidth === 0 || clientHeight === 0) return; // on a page that is hidden: when it is shown
    const [west, south, east, north] = this.bounds;
    const perPixel = Math.max(
      (east - west) / (clientWidth * FIT),
      (north - south) / (clientHeight * FIT * (isTop ? 1 : 0.86)),
    );
    const worldMetres = 360 * METRES_PER_DEGREE * Math.cos((this.center[1] * Math.PI) / 180);
    const zoom = Math.log2(worldMetres / (512 * perPixel));
    const latitude = this.center[1] + (south + north - this.height) / 2 / METRES_PER_DEGREE;
    const longitude =
      this.center[0] +
      (west + east - this.width) / 2 / METRES_PER_DEGREE / Math.cos((this.center[1] * Math.PI) / 180);
    const view = {
      longitude,
      latitude,
      zoom,
      pitch: isTop ? 0 : 46,
      bearing: isTop ? 0 : -14,
      maxZoom: 17,
      minZoom: zoom - 2,
      turn: (this.turn = (this.turn ?? 0) + 1), // deck.gl ignores a view that equals the one before
    };
    this.deck.setProps({ initialViewState: view });
  }

  #options(extra) {
    const { deck } = globalThis;
    return {
      coordinateSystem: deck.COORDINATE_SYSTEM.METER_OFFSETS,
      coordinateOrigin: [...this.center, 0],
      ...extra,
    };
  }

  /**
   * Draws cells.
   * @param {{cells: any, colours: Uint8Array, heights: Float32Array, upper: Float32Array | null, metresPerUnit: number,
   *   selected: number | null, isLight: boolean, isFlat: boolean}} drawn colours are RGBA per cell, of a step
   */
  drawCells(drawn) {
    const { deck } = globalThis;
    const { cells, metresPerUnit, isLight, isFlat } = drawn;
    const size = cells.area.cell_size_m;
    const layers = [this.#floor(drawn), this.#outline(isLight)];
    if (drawn.streets) layers.push(this.#lines(drawn.streets, isLight));
    if (!isFlat) {
      const made = columns(drawn, this);
      this.shown = made.shown;
      layers.push(
        new deck.GridCellLayer(
          this.#options({
            id: "columns",
            data: made.data,
            cellSize: size,
            coverage: 0.86,
            extruded: true,
            pickable: true,
            elevationScale: metresPerUnit,
            material: MATERIAL,
          }),
        ),
      );
      if (drawn.upper) layers.push(this.#glass(drawn, size));
    }
    if (drawn.selected !== null) layers.push(this.#mark(drawn));
    this.show(layers);
  }

  #glass(drawn, size) {
    const { deck } = globalThis;
    const { metresPerUnit, most, isLight } = drawn;
    return new deck.GridCellLayer(
      this.#options({
        id: "glass",
        data: glass(drawn, this, ghostLeast(most)),
        cellSize: size,
        coverage: 0.86,
        extruded: true,
        elevationScale: metresPerUnit,
        getFillColor: isLight ? [190, 105, 20, 60] : [255, 214, 160, 44],
        material: false,
        parameters: { depthWriteEnabled: false },
      }),
    );
  }

  /** One pixel per cell, below everything: also what inactive cells and flat modes show. */
  #floor({ cells, colours, isFlat }) {
    const { deck } = globalThis;
    const { n_rows: rows, n_cols, cell_size_m: size } = cells.area;
    const [x, y] = [-this.width / 2, -this.height / 2];
    return new deck.BitmapLayer(
      this.#options({
        id: "floor",
        image: floorImage(cells, colours),
        bounds: [x, y, x + n_cols * size, y + rows * size],
        opacity: isFlat ? 1 : 0.55,
        textureParameters: { minFilter: "nearest", magFilter: "nearest" },
        pickable: false,
      }),
    );
  }

  #outline(isLight) {
    const { deck } = globalThis;
    return new deck.LineLayer(
      this.#options({
        id: "outline",
        data: this.border,
        getColor: isLight ? [40, 60, 85, 190] : [150, 180, 215, 170],
        getWidth: 1.2,
        widthUnits: "pixels",
      }),
    );
  }

  /** Edges of the cell's column, so that the selection shows from every side. */
  #mark({ cells, selected, heights, upper, metresPerUnit, isFlat, isLight }) {
    const { deck } = globalThis;
    const top = isFlat ? 0 : Math.max(heights[selected], upper?.[selected] ?? 0, 0) * metresPerUnit + 4;
    return new deck.LineLayer(
      this.#options({
        id: "mark",
        data: columnEdges(cells, selected, top, this),
        getSourcePosition: (edge) => edge[0],
        getTargetPosition: (edge) => edge[1],
        getColor: isLight ? [10, 10, 20] : [255, 255, 255],
        getWidth: 2.2,
        widthUnits: "pixels",
      }),
    );
  }

  #edges(streets) {
    this.edgesOf ??= new Map();
    if (!this.edgesOf.has(streets)) this.edgesOf.set(streets, pieces(streets, this));
    return this.edgesOf.get(streets);
  }

  #lines(streets, isLight, colours = null) {
    const { deck } = globalThis;
    const { from, to, segment } = this.#edges(streets);
    const attributes = {
      getSourcePosition: { value: from, size: 3 },
      getTargetPosition: { value: to, size: 3 },
    };
    if (colours) {
      const fills = new Uint8Array(segment.length * 4);
      segment.forEach((each, at) => fills.set(colours.subarray(4 * each, 4 * each + 4), 4 * at));
      attributes.getColor = { value: fills, size: 4, normalized: true };
    }
    return new deck.LineLayer(
      this.#options({
        id: colours ? "streets" : "base-streets",
        data: { length: segment.length, attributes },
        pickable: colours !== null,
        getColor: isLight ? [70, 85, 105, 120] : [150, 165, 190, 90],
        getWidth: colours ? 3 : 1,
        widthUnits: "pixels",
      }),
    );
  }

  /**
   * Draws streets, or places as round columns.
   * @param {{streets: any, colours: Uint8Array, heights: Float32Array, metresPerUnit: number, selected: number | null,
   *   isLight: boolean, isFlat: boolean}} drawn
   */
  drawStreets(drawn) {
    const { deck } = globalThis;
    const { streets, colours, heights, isLight, isFlat, selected } = drawn;
    this.drawnStreets = streets;
    const layers = [this.#outline(isLight)];
    if (!streets.isPlaces) layers.push(this.#lines(streets, isLight, colours));
    else {
      const data = {
        length: streets.n,
        attributes: {
          getPosition: { value: about(streets.xy, this), size: 3 },
          getElevation: { value: Float32Array.from(heights), size: 1 },
          getFillColor: { value: colours, size: 4, normalized: true },
        },
      };
      layers.push(
        new deck.ColumnLayer(
          this.#options({
            id: "places",
            data,
            diskResolution: 6,
            radius: 34,
            extruded: !isFlat,
            elevationScale: drawn.metresPerUnit,
            pickable: true,
            material: MATERIAL,
          }),
        ),
      );
    }
    if (selected !== null) layers.push(this.#ring(streets, selected, isLight));
    this.show(layers);
  }

  /** A ring round a place, or a broad line along a street. */
  #ring(streets, selected, isLight) {
    const { deck } = globalThis;
    const colour = isLight ? [10, 10, 20] : [255, 255, 255];
    if (!streets.isPlaces) {
      const one = { n: 1, xy: streets.xy, start: streets.start.subarray(selected, selected + 2) };
      const { from, to, segment } = pieces(one, this);
      const attributes = {
        getSourcePosition: { value: from, size: 3 },
        getTargetPosition: { value: to, size: 3 },
      };
      const data = { length: segment.length, attributes };
      const style = { getColor: [...colour, 130], getWidth: 9, widthUnits: "pixels" };
      return new deck.LineLayer(this.#options({ id: "mark", data, ...style }));
    }
    const [x, y] = streets.middle(selected);
    return new deck.ScatterplotLayer(
      this.#options({
        id: "mark",
        data: [[x - this.width / 2, y - this.height / 2, 2]],
        getPosition: (each) => each,
        getRadius: 60,
        radiusMinPixels: 9,
        stroked: true,
        filled: false,
        getLineColor: colour,
        lineWidthMinPixels: 2,
      }),
    );
  }

  show(layers) {
    this.layers = layers;
    this.deck.setProps({ layers });
  }

  /** Cell or segment under a point of the stage, or null. */
  pick(x, y) {
    const found = this.deck.pickObject({ x, y, radius: 4, layerIds: ["columns", "places", "streets"] });
    if (found && found.index >= 0) {
      if (found.layer.id === "columns") return this.shown[found.index] ?? null;
      return found.layer.id === "streets"
        ? this.edgesOf.get(this.drawnStreets).segment[found.index]
        : found.index;
    }
    return null;
  }

  /** Metres from the south-west corner of the grid under a point of the stage, on the ground. */
  ground(x, y) {
    const viewport = this.deck.getViewports()[0];
    const [longitude, latitude] = viewport.unproject([x, y]);
    // A metre east spans more degrees further north, as deck.gl's own offsets in metres have it. On a
    // city of 42 by 30 km this finds the layers' metres again within 17.
    const narrowing = Math.cos((latitude * Math.PI) / 180);
    return [
      (longitude - this.center[0]) * METRES_PER_DEGREE * narrowing + this.width / 2,
      (latitude - this.center[1]) * METRES_PER_DEGREE + this.height / 2,
    ];
  }
}
