// Pictures of records with the maps over them, and the strongest features of rows of a table.
const MAP_PIXELS = 64; // per side of a drawn map: enough for the browser to stretch it smoothly
const HEAT = [[70, 30, 110], [205, 60, 70], [255, 225, 100]]; // over gray pictures, from weak to strong
const COVER = 0.78; // of a picture by the strongest place of its map

// Changes from pixel to pixel become values again; typed arrays wrap as the packing did.
function undiffed(pixels, width) {
  for (let at = 0; at < pixels.length; at++) if (at % width) pixels[at] += pixels[at - 1];
}

function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

function heat(strength) {
  const at = strength * (HEAT.length - 1), low = Math.min(Math.floor(at), HEAT.length - 2);
  return HEAT[low].map((from, k) => from + (HEAT[low + 1][k] - from) * (at - low));
}

// The grid between its cells' centers, constant beyond the outer ones.
function between(cells, rows, columns, y, x) {
  const clamp = (v, most) => Math.min(Math.max(v, 0), most);
  const top = clamp(y * rows - 0.5, rows - 1), left = clamp(x * columns - 0.5, columns - 1);
  const r = Math.min(Math.floor(top), Math.max(rows - 2, 0)), c = Math.min(Math.floor(left), Math.max(columns - 2, 0));
  const down = Math.min(r + 1, rows - 1), right = Math.min(c + 1, columns - 1), v = top - r, u = left - c;
  const mixed = (row) => cells[row * columns + c] * (1 - u) + cells[row * columns + right] * u;
  return mixed(r) * (1 - v) + mixed(down) * v;
}

class Pictures {
  constructor(portraits) {
    this.portraits = portraits;
    if (!portraits.own_shape) return;
    undiffed(portraits.own, portraits.own_shape[2]);
    undiffed(portraits.others, portraits.other_shape[2]);
  }

  // The frame of a record or of a neighbor; null where there is no picture of it.
  frame(pictured, words, mapped = false) {
    const { own_shape, other_shape, own, others, small, count } = this.portraits, its = pictured < count;
    if (!own_shape || (!its && !small.has(pictured))) return null;
    const image = its ? this.image(own, own_shape, pictured) : this.image(others, other_shape, small.get(pictured));
    const frame = element("span", { className: "g-picture" }, image);
    frame.setAttribute("role", "img");
    frame.setAttribute("aria-label", words);
    if (mapped && its) this.cover(frame, pictured);
    return frame;
  }

  image(pixels, [channels, height, width], at) {
    const canvas = element("canvas", { width, height }), data = new ImageData(width, height), plane = width * height;
    for (let p = 0; p < plane; p++)
      for (let k = 0; k < 4; k++) data.data[4 * p + k] = k === 3 ? 255 : pixels[(at * channels + (channels === 1 ? 0 : k)) * plane + p];
    canvas.getContext("2d").putImageData(data, 0, 0);
    return canvas;
  }

  cover(frame, i) {
    if (!this.portraits.maps || frame.classList.contains("mapped")) return;
    frame.append(this.map(i));
    frame.classList.add("mapped");
  }

  map(i) {
    const [rows, columns] = this.portraits.map_shape, cells = this.portraits.maps.subarray(i * rows * columns, (i + 1) * rows * columns);
    const canvas = element("canvas", { width: MAP_PIXELS, height: MAP_PIXELS, className: "g-map" }), data = new ImageData(MAP_PIXELS, MAP_PIXELS);
    for (let p = 0; p < MAP_PIXELS ** 2; p++) {
      const y = (Math.floor(p / MAP_PIXELS) + 0.5) / MAP_PIXELS, x = ((p % MAP_PIXELS) + 0.5) / MAP_PIXELS;
      const strength = between(cells, rows, columns, y, x) / 255;
      data.data.set([...heat(strength), 255 * COVER * Math.min(1.3 * strength, 1)], 4 * p);
    }
    canvas.getContext("2d").putImageData(data, 0, 0);
    return canvas;
  }
}

// A bar from the middle: to the right for the class, to the left against it.
function signedBar(attribution, most) {
  const share = most > 0 ? (50 * Math.abs(attribution)) / most : 0;
  return `<span class="g-signed" aria-hidden="true"><i class="${attribution < 0 ? "against" : "for"}" style="width:${share}%"></i></span>`;
}

function strongest(rows) {
  return Math.max(0, ...rows.map(({ attribution }) => Math.abs(attribution)));
}

function featureList(rows) {
  const most = strongest(rows);
  const items = rows.slice(0, LISTED_FEATURES).map(({ name, value, attribution }) => `<span title="${safe(`${name}: ${number(value)}, attribution ${number(attribution)}`)}">${safe(name)}</span><b>${number(value)}</b>${signedBar(attribution, most)}`);
  return `<span class="g-features">${items.join("")}</span>`;
}

function featureTable(rows) {
  const most = strongest(rows);
  const body = rows.map(({ name, value, attribution }) => `<tr><th scope="row">${safe(name)}</th><td class="number">${number(value)}</td><td class="number">${number(attribution)}</td><td class="g-bar">${signedBar(attribution, most)}</td></tr>`);
  return (
    '<table><caption>Features with the strongest attributions, for and against its class</caption><thead><tr><th scope="col">Feature</th><th scope="col" class="number">Value</th>' +
    `<th scope="col" class="number">Attribution</th><th scope="col" class="g-sides"><span>← against</span><span>for →</span></th></tr></thead><tbody>${body.join("")}</tbody></table>`
  );
}
