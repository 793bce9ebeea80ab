// What deck.gl is given: positions in metres about the middle of the area, heights and colours.

const LEAST_HEIGHT = 0.02; // incidents; below it a column is no more than its floor

/** Positions with three numbers each, about the middle of an area of that size. */
export function about(positions, { width, height }) {
  const placed = new Float32Array((positions.length / 2) * 3);
  for (let at = 0; at < positions.length / 2; at += 1) {
    placed[3 * at] = positions[2 * at] - width / 2;
    placed[3 * at + 1] = positions[2 * at + 1] - height / 2;
  }
  return placed;
}

/** South-west corner of a cell about the middle of the area, written into positions. */
function place(cells, cell, { width, height }, positions, at) {
  const size = cells.area.cell_size_m;
  positions[at] = cells.col[cell] * size - width / 2;
  positions[at + 1] = cells.row[cell] * size - height / 2;
}

const words = (colours) => new Uint32Array(colours.buffer, colours.byteOffset, colours.length / 4);

/** Columns of the cells above nothing, and which cells those are. */
export function columns({ cells, heights, colours }, area) {
  const shown = [];
  for (let cell = 0; cell < cells.n; cell += 1) if (heights[cell] > LEAST_HEIGHT) shown.push(cell);
  const positions = new Float32Array(shown.length * 3);
  const elevations = new Float32Array(shown.length);
  const [fills, painted] = [new Uint32Array(shown.length), words(colours)];
  for (let at = 0; at < shown.length; at += 1) {
    place(cells, shown[at], area, positions, 3 * at);
    elevations[at] = heights[shown[at]];
    fills[at] = painted[shown[at]];
  }
  const attributes = {
    getPosition: { value: positions, size: 3 },
    getElevation: { value: elevations, size: 1 },
    getFillColor: { value: new Uint8Array(fills.buffer), size: 4, normalized: true },
  };
  return { shown, data: { length: shown.length, attributes } };
}

/** Glass that stands on the columns, up to the upper end of the interval where it lies well above. */
export function glass({ cells, heights, upper, metresPerUnit }, area, least) {
  const wide = [];
  for (let cell = 0; cell < cells.n; cell += 1) if (upper[cell] - heights[cell] >= least) wide.push(cell);
  const positions = new Float32Array(wide.length * 3);
  const elevations = new Float32Array(wide.length);
  for (let at = 0; at < wide.length; at += 1) {
    const base = Math.max(0, heights[wide[at]]);
    place(cells, wide[at], area, positions, 3 * at);
    positions[3 * at + 2] = base * metresPerUnit;
    elevations[at] = upper[wide[at]] - base;
  }
  const attributes = {
    getPosition: { value: positions, size: 3 },
    getElevation: { value: elevations, size: 1 },
  };
  return { length: wide.length, attributes };
}

/** One pixel per cell, north up; cells without any incident on record stay clear. */
export function floorImage(cells, colours) {
  const { n_rows: rows, n_cols: width } = cells.area;
  const image = new ImageData(width, rows);
  const [pixels, painted] = [new Uint32Array(image.data.buffer), words(colours)];
  for (let cell = 0; cell < cells.n; cell += 1) {
    const at = (rows - 1 - cells.row[cell]) * width + cells.col[cell];
    if (cells.is_ever_active[cell]) pixels[at] = painted[cell];
  }
  return image;
}

/** Edges of a cell's column, so that the selection shows from every side. */
export function columnEdges(cells, cell, top, area) {
  const size = cells.area.cell_size_m;
  const base = [0, 0];
  place(cells, cell, area, base, 0);
  const [x, y] = base;
  const around = [
    [x, y],
    [x + size, y],
    [x + size, y + size],
    [x, y + size],
  ];
  return around.flatMap((from, at) => {
    const to = around[(at + 1) % 4];
    const at3 = (point, z) => [...point, z];
    return [
      [at3(from, 3), at3(to, 3)],
      [at3(from, top), at3(to, top)],
      [at3(from, 3), at3(from, top)],
    ];
  });
}

/** Straight pieces of all streets, and the street of each piece. */
export function pieces(streets, area) {
  const [from, to, segment] = [[], [], []];
  const placed = about(streets.xy, area);
  for (let each = 0; each < streets.n; each += 1) {
    for (let vertex = streets.start[each]; vertex < streets.start[each + 1] - 1; vertex += 1) {
      from.push(placed[3 * vertex], placed[3 * vertex + 1], 2);
      to.push(placed[3 * vertex + 3], placed[3 * vertex + 4], 2);
      segment.push(each);
    }
  }
  return { from: Float32Array.from(from), to: Float32Array.from(to), segment };
}
