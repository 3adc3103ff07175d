// Pieces of the drawing that know no stage: stamps, discs, lines, ticks, and the count of records per cell.
function drawingOrder(records) {
  const visits = new Float32Array(records.samples);
  for (let at = 0; at < records.region_codes.length; at++) {
    const code = records.region_codes[at];
    visits[at % records.samples] += records.regions[code].vulnerable ? 1 : code ? 0.01 : 0;
  }
  return Uint32Array.from(visits.keys()).sort((a, b) => visits[a] - visits[b]);
}

function nearest(shares, pad) {
  let most = 0;
  for (const share of shares) if (share > most) most = share;
  return Math.min(1 + pad, most * 1.04 + 0.02);
}

function ticks(high) {
  const step = high > 0.6 ? 0.25 : high > 0.3 ? 0.1 : high > 0.12 ? 0.05 : 0.02;
  return Array.from({ length: Math.floor(Math.min(high, 1) / step + 1e-9) + 1 }, (_, i) => i * step);
}

function luminance(color) {
  if (!color.startsWith("#")) return 1;
  const full = color.length === 4 ? "#" + [...color.slice(1)].map((d) => d + d).join("") : color;
  const [r, g, b] = rgb(full);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

// Two pictures of the partition: the tint of each region, and its borders.
function paintTerritory({ territory, side, regions }, theme, dark) {
  const tint = new ImageData(side, side), border = new ImageData(side, side), ink = dark ? 190 : 90;
  const colors = regions.map((region) => rgb(region.color));
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const code = territory[row * side + column], at = ((side - 1 - row) * side + column) * 4;
      tint.data.set(colors[code], at);
      tint.data[at + 3] = regions[code].vulnerable ? 34 : 16;
      const edge = (column + 1 < side && territory[row * side + column + 1] !== code) || (row + 1 < side && territory[(row + 1) * side + column] !== code);
      if (edge) border.data.set([ink, ink, ink, 130], at);
    }
  return [tint, border].map((picture) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    canvas.getContext("2d").putImageData(picture, 0, 0);
    return canvas;
  });
}

// A disc's coverage of each pixel, at 4 x 4 offsets within a pixel, so that slow motion does not tremble.
function discs(radius) {
  const size = Math.ceil(2 * radius) + 2, phases = [];
  for (let phase = 0; phase < 16; phase++) {
    const cx = size / 2 + ((phase % 4) + 0.5) / 4, cy = size / 2 + ((phase >> 2) + 0.5) / 4;
    phases.push(Float32Array.from({ length: size * size }, (_, at) => {
      const away = Math.hypot((at % size) + 0.5 - cx, Math.floor(at / size) + 0.5 - cy);
      return 0.82 * Math.min(Math.max(radius + 0.5 - away, 0), 1);
    }));
  }
  return { size, phases };
}

function stamp(data, start, stride, mask, size, red, green, blue) {
  for (let row = 0, at = 0; row < size; row++)
    for (let column = 0, to = start + row * stride; column < size; column++, at++, to += 4) {
      const cover = mask[at];
      if (cover === 0) continue;
      data[to] += (red - data[to]) * cover;
      data[to + 1] += (green - data[to + 1]) * cover;
      data[to + 2] += (blue - data[to + 2]) * cover;
    }
}

function line(ctx, stops, color, width, alpha) {
  ctx.globalAlpha = alpha;
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.beginPath();
  for (const stop of stops) ctx.lineTo(...stop);
  ctx.stroke();
  ctx.globalAlpha = 1;
}

function disc(ctx, [x, y], radius, color, alpha) {
  ctx.globalAlpha = alpha;
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
  ctx.globalAlpha = 1;
}

const overlap = (a, b) => a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3];

// Stops at one place share one label: the epochs at which the record stood there.
function gathered(stops, records) {
  const places = new Map();
  stops.forEach((stop, c) => {
    const key = stop.map((v) => v.toFixed(1)).join();
    if (!places.has(key)) places.set(key, { stop, runs: [] });
    const { runs } = places.get(key), run = runs[runs.length - 1];
    if (run && run[1] === c - 1) run[1] = c;
    else runs.push([c, c]);
  });
  return Array.from(places.values(), ({ stop, runs }) => {
    const words = runs.map(([a, b]) => (a === b ? records.epoch(a) : `${records.epoch(a)}–${records.epoch(b)}`));
    return { stop, words: words.length > 3 ? `${words.slice(0, 3).join(", ")} …` : words.join(", ") };
  });
}

// How many shown records stand in each cell of the lattice, at each checkpoint.
class Cells {
  constructor(records) {
    this.records = records;
    this.across = this.lattice(records.n_out);
    this.up = this.lattice(records.n_in);
  }

  lattice(trials) {
    const sorted = Uint32Array.from(trials).sort();
    return Math.min(Math.max(sorted[sorted.length >> 1] || 1, 4), 50);
  }

  index(x, y) {
    const column = Math.min(Math.max(Math.round(x * this.across), 0), this.across);
    return Math.min(Math.max(Math.round(y * this.up), 0), this.up) * (this.across + 1) + column;
  }

  fill(shown) {
    const { samples, checkpoints, x, y } = this.records, size = (this.across + 1) * (this.up + 1);
    this.counts = Array.from({ length: checkpoints }, () => new Uint32Array(size));
    for (let c = 0; c < checkpoints; c++)
      for (let i = 0; i < samples; i++) if (shown[i]) this.counts[c][this.index(x[c * samples + i], y[c * samples + i])]++;
    this.most = Math.max(1, ...this.counts.map((one) => one.reduce((a, b) => Math.max(a, b), 0)));
  }

  count(c, column, row) {
    return column < 0 || row < 0 || column > this.across || row > this.up ? 0 : this.counts[c][row * (this.across + 1) + column];
  }

  each(time, visit) {
    const c = Math.min(Math.floor(time), this.records.last), next = Math.min(c + 1, this.records.last), f = eased(time - c);
    const [from, to] = [this.counts[c], this.counts[next]], columns = this.across + 1;
    for (let at = 0; at < from.length; at++)
      if (from[at] || to[at]) visit(at % columns, Math.floor(at / columns), from[at] + (to[at] - from[at]) * f);
  }
}
