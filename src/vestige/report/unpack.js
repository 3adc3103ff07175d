// What a page carries: a header and typed arrays, deflated, in base64.
const ITEMS = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i2: Int16Array, f4: Float32Array, f8: Float64Array };

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const whole = await new Response(stream).arrayBuffer();
  const start = 4 + new DataView(whole).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(whole, 4, start - 4)));
  const arrays = {};
  for (const [name, [type, offset, count]] of Object.entries(header.arrays))
    arrays[name] = new ITEMS[type](whole, start + offset, count);
  return { ...header, ...arrays };
}

const percent = (share) => `${+(100 * share).toFixed(1)}\u00a0%`;
