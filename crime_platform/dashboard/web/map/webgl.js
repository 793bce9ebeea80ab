// What draws WebGL in this browser, if anything does.

/** Name of the renderer, or null where there is no WebGL 2 or no deck.gl. */
export function renderer() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (gl === null || globalThis.deck === undefined) return null;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : gl.getParameter(gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return name;
}

export const isSoftware = (name) => /swiftshader|llvmpipe|software|basic render/i.test(name);
