// Shapes that cross 180 degrees of longitude, cut there as RFC 7946, section 3.1.9, asks.

const sideOf = (lon) => (lon < 0 ? lon + 360 : lon);
const across = ([one, lat], [other, otherLat]) => [180, lat + ((180 - one) / (other - one)) * (otherLat - lat)];

const isAcross = (points) => {
  const lons = points.map(([lon]) => lon);
  return Math.max(...lons) - Math.min(...lons) > 180;
};

/** The part of a closed ring on one side of 180 degrees, longitudes from 0 to 360. */
function half(ring, isInside) {
  const kept = [];
  ring.slice(0, -1).forEach((point, at) => {
    const next = ring[at + 1];
    if (isInside(point)) kept.push(point);
    if (isInside(point) !== isInside(next)) kept.push(across(point, next));
  });
  return kept.length < 3 ? null : [...kept, kept[0]];
}

const back = (points) => points.map(([lon, lat]) => [lon - 360, lat]);

/** A polygon of one ring, or of two where the ring crosses 180 degrees. */
export function polygonOf(ring) {
  if (!isAcross(ring)) return { type: "Polygon", coordinates: [ring] };
  const unrolled = ring.map(([lon, lat]) => [sideOf(lon), lat]);
  const west = half(unrolled, ([lon]) => lon < 180);
  const east = half(unrolled, ([lon]) => lon > 180);
  const rings = [west, east && back(east)].filter(Boolean);
  return rings.length === 1
    ? { type: "Polygon", coordinates: rings }
    : { type: "MultiPolygon", coordinates: rings.map((each) => [each]) };
}

/** A line, or its pieces where it crosses 180 degrees. */
export function lineOf(points) {
  if (!isAcross(points)) return { type: "LineString", coordinates: points };
  const lines = [[]];
  const unrolled = points.map(([lon, lat]) => [sideOf(lon), lat]);
  unrolled.forEach((point, at) => {
    const before = unrolled[at - 1];
    if (before && before[0] < 180 !== point[0] < 180) {
      const edge = across(before, point);
      lines.at(-1).push(edge);
      lines.push([edge]);
    }
    lines.at(-1).push(point);
  });
  const settled = lines.map((line) => (line.some(([lon]) => lon > 180) ? back(line) : line));
  return { type: "MultiLineString", coordinates: settled };
}
