// The drawing: where a share lies on the canvas, the ground with its regions, dots, cells and paths.
const MARGIN = { left: 54, right: 10, top: 10, bottom: 46 };
const HARDNESS = ["#4f6fc4", "#8a63c2", "#c2558f", "#d9645a", "#e8a33d"];
const HEAT = {
  light: ["#dcebe8", "#7cc0b6", "#258a8c", "#1d5580", "#2b1c52"],
  dark: ["#1f3238", "#1d6468", "#2fa091", "#98d58f", "#fdf2b0"],
};
const PATHS = ["#e0572f", "#2f7de0", "#13986b", "#a64fd0", "#b8860b"]; // of pinned records
const SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const faint = (hex, alpha) => `rgba(${rgb(hex).join(",")},${alpha})`;
const eased = (f) => f * f * (3 - 2 * f);

function ramp(stops, share) {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2);
  const [a, b] = [rgb(stops[low]), rgb(stops[low + 1])];
  return a.map((value, i) => Math.round(value + (b[i] - value) * (at - low)));
}

class Stage {
  constructor(canvas, records) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d");
    this.records = records;
    this.ground = document.createElement("canvas");
    this.rank = drawingOrder(records);
    this.whole = { x0: -records.pad, x1: 1 + records.pad, y0: -records.pad, y1: 1 + records.pad };
    this.near = { ...this.whole, x1: nearest(records.x, records.pad), y1: nearest(records.y, records.pad) };
    this.domain = { ...this.whole };
    this.cells = new Cells(records);
  }

  // Measures the canvas and reads the page's colors; true if anything changed.
  fit() {
    const box = this.canvas.getBoundingClientRect(), style = getComputedStyle(this.canvas);
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.width = Math.round(box.width);
    this.height = Math.round(box.height);
    this.theme = Object.fromEntries(["paper", "ink", "soft", "rule"].map((n) => [n, style.getPropertyValue(`--${n}`).trim()]));
    this.dark = luminance(this.theme.paper) < 0.4;
    for (const one of [this.canvas, this.ground]) {
      one.width = this.width * this.ratio;
      one.height = this.height * this.ratio;
    }
    [this.tint, this.borders] = paintTerritory(this.records, this.theme, this.dark);
    this.masks = discs(this.dotSize() * this.ratio);
    this.prepare();
  }

  dotSize() {
    const n = this.records.samples, small = this.width < 420 ? 0.8 : 1;
    return small * (n <= 400 ? 4.2 : n <= 2500 ? 3 : n <= 8000 ? 2.2 : 1.5);
  }

  sx(x) {
    const { x0, x1 } = this.domain;
    return MARGIN.left + ((x - x0) / (x1 - x0)) * (this.width - MARGIN.left - MARGIN.right);
  }
  sy(y) {
    const { y0, y1 } = this.domain;
    return this.height - MARGIN.bottom - ((y - y0) / (y1 - y0)) * (this.height - MARGIN.top - MARGIN.bottom);
  }
  plot() {
    return [MARGIN.left, MARGIN.top, this.width - MARGIN.left - MARGIN.right, this.height - MARGIN.top - MARGIN.bottom];
  }

  // A record's place in the plane at a time in checkpoints, between two of them on the way.
  at(i, time) {
    const { x, y, samples, last } = this.records;
    const c = Math.min(Math.floor(time), last), next = Math.min(c + 1, last), f = eased(time - c);
    const a = c * samples + i, b = next * samples + i;
    return [x[a] + (x[b] - x[a]) * f, y[a] + (y[b] - y[a]) * f];
  }

  // The ground does not change while records move: it is painted once and copied.
  prepare() {
    const ctx = this.ground.getContext("2d", { willReadFrequently: true });
    ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    ctx.fillStyle = this.theme.paper;
    ctx.fillRect(0, 0, this.width, this.height);
    this.paste(ctx, this.tint);
    this.paste(ctx, this.borders);
    this.axes(ctx);
    this.pixels = ctx.getImageData(0, 0, this.ground.width, this.ground.height);
    this.frame = new ImageData(new Uint8ClampedArray(this.pixels.data), this.pixels.width, this.pixels.height);
  }

  paste(ctx, picture) {
    const { pad, side } = this.records, { x0, x1, y0, y1 } = this.domain, scale = side / (1 + 2 * pad);
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(picture, (x0 + pad) * scale, (1 + pad - y1) * scale, (x1 - x0) * scale, (y1 - y0) * scale, ...this.plot());
  }

  axes(ctx) {
    const [left, top, width, height] = this.plot(), { x0, x1, y0, y1 } = this.domain;
    ctx.save();
    ctx.lineWidth = 1;
    ctx.strokeStyle = this.theme.rule;
    ctx.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.setLineDash([5, 5]);
    ctx.strokeStyle = this.theme.soft;
    ctx.beginPath();
    ctx.moveTo(this.sx(0), this.sy(0));
    ctx.lineTo(this.sx(1), this.sy(1));
    ctx.stroke();
    ctx.restore();
    ctx.fillStyle = this.theme.soft;
    ctx.font = `12px ${SANS}`;
    ctx.textAlign = "center";
    for (const tick of ticks(x1)) this.tick(ctx, tick, this.sx(tick), top + height, true);
    ctx.textAlign = "right";
    for (const tick of ticks(y1)) this.tick(ctx, tick, left, this.sy(tick), false);
    ctx.textAlign = "center";
    const narrow = this.width < 420;
    ctx.fillText(narrow ? "FPR: trained without it" : "FPR: named by models trained without it", left + width / 2, this.height - 6);
    ctx.save();
    ctx.translate(12, top + height / 2);
    ctx.rotate(-Math.PI / 2);
    ctx.fillText(narrow ? "TPR: trained with it" : "TPR: named by models trained with it", 0, 0);
    ctx.restore();
  }

  tick(ctx, value, x, y, across) {
    ctx.fillRect(across ? x : x - 4, across ? y : y - 0.5, across ? 1 : 4, across ? 4 : 1);
    const words = percent(value);
    if (across) ctx.fillText(words, x, y + 18);
    else ctx.fillText(words, x - 7, y + 4);
  }

  dots(time, shown, colors) {
    const { data, width } = this.frame, { x, y, samples, last } = this.records;
    data.set(this.pixels.data);
    const c = Math.min(Math.floor(time), last), next = Math.min(c + 1, last), f = eased(time - c);
    const { x0, x1, y0, y1 } = this.domain, r = this.ratio, [left, top, wide, high] = this.plot().map((v) => v * r);
    const kx = wide / (x1 - x0), ky = high / (y1 - y0), { size, phases } = this.masks, half = size / 2;
    for (const i of this.rank) {
      if (!shown[i]) continue;
      const a = c * samples + i, b = next * samples + i;
      const px = left + (x[a] + (x[b] - x[a]) * f - x0) * kx - half, py = top + high - (y[a] + (y[b] - y[a]) * f - y0) * ky - half;
      const ix = Math.floor(px), iy = Math.floor(py);
      if (ix < left || iy < top || ix + size > left + wide || iy + size > top + high) continue;
      const mask = phases[((py - iy) * 4 | 0) * 4 + ((px - ix) * 4 | 0)], k = colors.code(i, time) * 3;
      stamp(data, (iy * width + ix) * 4, width * 4, mask, size, colors.table[k], colors.table[k + 1], colors.table[k + 2]);
    }
    this.ctx.setTransform(1, 0, 0, 1, 0, 0);
    this.ctx.putImageData(this.frame, 0, 0);
    this.ctx.setTransform(r, 0, 0, r, 0, 0);
  }

  density(time, marked) {
    const { ctx, cells } = this;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.drawImage(this.ground, 0, 0);
    ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    ctx.save();
    ctx.beginPath();
    ctx.rect(...this.plot());
    ctx.clip();
    const heat = HEAT[this.dark ? "dark" : "light"], full = Math.log1p(cells.most);
    const wide = this.sx(1 / cells.across) - this.sx(0), high = this.sy(0) - this.sy(1 / cells.up), gap = wide > 7 ? 1 : 0;
    cells.each(time, (column, row, count) => {
      const share = Math.log1p(count) / full;
      ctx.globalAlpha = Math.min(1, count);
      ctx.fillStyle = `rgb(${ramp(heat, share)})`;
      ctx.fillRect(this.sx((column - 0.5) / cells.across), this.sy((row + 0.5) / cells.up), wide - gap, high - gap);
    });
    ctx.globalAlpha = 0.55;
    this.paste(ctx, this.borders);
    ctx.globalAlpha = 1;
    if (marked) this.contour(Math.round(time), marked);
    ctx.restore();
  }

  // Surrounds the cells that hold at least as many records as the one pointed at.
  contour(c, { column, row }) {
    const { ctx, cells } = this, level = cells.count(c, column, row), inside = (i, j) => cells.count(c, i, j) >= level;
    if (!level) return;
    ctx.beginPath();
    for (let j = 0; j <= cells.up; j++)
      for (let i = 0; i <= cells.across; i++) {
        if (!inside(i, j)) continue;
        const [l, r] = [this.sx((i - 0.5) / cells.across), this.sx((i + 0.5) / cells.across)];
        const [b, t] = [this.sy((j - 0.5) / cells.up), this.sy((j + 0.5) / cells.up)];
        for (const [di, dj, x, y, u, v] of [[-1, 0, l, b, l, t], [1, 0, r, b, r, t], [0, -1, l, b, r, b], [0, 1, l, t, r, t]])
          if (!inside(i + di, j + dj)) { ctx.moveTo(x, y); ctx.lineTo(u, v); }
      }
    ctx.strokeStyle = this.theme.ink;
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }

  // Short tails behind the dots that move.
  tails(time, shown, colors) {
    const c = Math.floor(time), { samples, x, y, last } = this.records, { ctx } = this;
    if (c >= last || time === c || samples > 8000) return;
    const back = Math.max(c, time - 0.22), groups = new Map();
    for (const i of this.rank) {
      const a = c * samples + i, b = a + samples;
      if (!shown[i] || (x[a] === x[b] && y[a] === y[b])) continue;
      const key = colors.code(i, time);
      if (!groups.has(key)) groups.set(key, new Path2D());
      const from = this.at(i, back), to = this.at(i, time), path = groups.get(key);
      path.moveTo(this.sx(from[0]), this.sy(from[1]));
      path.lineTo(this.sx(to[0]), this.sy(to[1]));
    }
    ctx.lineWidth = 1.2;
    for (const [key, path] of groups) {
      ctx.strokeStyle = `rgba(${colors.table.slice(key * 3, key * 3 + 3).join(",")},.4)`;
      ctx.stroke(path);
    }
  }

  names(regions) {
    const { ctx } = this;
    ctx.save();
    ctx.font = `600 12px ${SANS}`;
    ctx.textAlign = "center";
    ctx.lineJoin = "round";
    for (const region of regions) {
      if (!region.label) continue;
      const [x, y, room] = region.label, width = ctx.measureText(region.name).width;
      const across = 2 * room * (this.sx(1) - this.sx(0)), up = 2 * room * (this.sy(0) - this.sy(1));
      const px = this.sx(x), py = this.sy(y);
      if (px > this.width - MARGIN.right - width / 2 || py < MARGIN.top + 8 || up < 12 || across < width) continue;
      ctx.strokeStyle = this.theme.paper;
      ctx.globalAlpha = 0.85;
      ctx.lineWidth = 4;
      ctx.strokeText(region.name, px, py + 4);
      ctx.globalAlpha = 1;
      ctx.fillStyle = region.color;
      ctx.fillText(region.name, px, py + 4);
    }
    ctx.restore();
  }

  clock(words) {
    const { ctx } = this;
    ctx.save();
    ctx.font = `300 ${this.width < 420 ? 26 : 40}px ${SANS}`;
    ctx.textAlign = "right";
    ctx.fillStyle = this.theme.soft;
    ctx.globalAlpha = 0.55;
    ctx.fillText(words, this.width - MARGIN.right - 14, this.height - MARGIN.bottom - 18);
    ctx.restore();
  }

  // A record's way: fading behind it, dashed ahead, each stop with its epochs.
  path(i, time, color, taken) {
    const { records, ctx } = this, stops = Array.from(records.epochs, (_, c) => this.at(i, c).map((v, k) => (k ? this.sy(v) : this.sx(v))));
    const here = this.at(i, time), now = [this.sx(here[0]), this.sy(here[1])], done = Math.floor(time);
    ctx.save();
    ctx.lineCap = ctx.lineJoin = "round";
    line(ctx, [...stops.slice(0, done + 1), now], this.theme.paper, 5, 0.8);
    ctx.setLineDash([2, 5]);
    line(ctx, [now, ...stops.slice(done + 1)], color, 1.4, 0.6);
    ctx.setLineDash([]);
    [...stops.slice(0, done + 1), now].forEach((stop, c, all) => {
      if (c) line(ctx, [all[c - 1], stop], color, 2.4, 0.3 + (0.7 * c) / all.length);
    });
    for (const [c, stop] of stops.entries()) disc(ctx, stop, 2.6, color, c <= done ? 1 : 0.45);
    disc(ctx, now, 7.5, this.theme.paper, 1);
    disc(ctx, now, 5.5, color, 1);
    this.numbers(stops, now, color, taken);
    ctx.restore();
  }

  numbers(stops, now, color, taken) {
    const { ctx } = this;
    taken.push([now[0] - 7, now[1] - 7, 14, 14]);
    ctx.font = `600 11px ${SANS}`;
    ctx.lineWidth = 3;
    for (const { stop, words } of gathered(stops, this.records)) {
      const width = ctx.measureText(words).width, right = stop[0] + 10 + width < this.width - MARGIN.right;
      const boxes = [[right ? stop[0] + 9 : stop[0] - 9 - width, stop[1] - 7, width, 14], [stop[0] - width / 2, stop[1] - 23, width, 14], [stop[0] - width / 2, stop[1] + 9, width, 14]];
      const box = boxes.find((one) => one[0] > MARGIN.left && one[1] > 2 && !taken.some((other) => overlap(one, other)));
      if (!box) continue;
      taken.push(box);
      ctx.strokeStyle = this.theme.paper;
      ctx.strokeText(words, box[0], box[1] + 11);
      ctx.fillStyle = color;
      ctx.fillText(words, box[0], box[1] + 11);
    }
  }
}
