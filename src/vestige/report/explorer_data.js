// The packed data: counts, regions and records. Shares are counts over models; nothing else is derived here.
const MISSING = 0xffff;

// Changes from checkpoint to checkpoint become counts again; typed arrays wrap as the packing did.
function accumulate(steps, samples) {
  for (let i = samples; i < steps.length; i++) steps[i] += steps[i - samples];
}

class Records {
  constructor(data) {
    Object.assign(this, data);
    this.checkpoints = this.epochs.length;
    this.last = this.checkpoints - 1;
    accumulate(this.hits_in, this.samples);
    accumulate(this.hits_out, this.samples);
    this.place = new Map(Array.from(this.ids, (id, i) => [id, i]));
    this.pictures = new Map(Array.from(this.pictured ?? [], (i, at) => [i, at]));
    this.settle();
  }

  // Each record keeps one place inside its lattice step, so that records at one point stand side by side.
  settle() {
    const { samples, checkpoints } = this;
    this.x = new Float32Array(samples * checkpoints);
    this.y = new Float32Array(samples * checkpoints);
    for (let i = 0; i < samples; i++) {
      const radius = 0.46 * Math.sqrt((0.5 + i * 0.7548776662466927) % 1);
      const angle = 2 * Math.PI * ((0.5 + i * 0.5698402909980532) % 1);
      const dx = radius * Math.cos(angle), dy = radius * Math.sin(angle);
      for (let c = 0; c < checkpoints; c++) {
        const counts = this.counts(i, c);
        this.x[c * samples + i] = (counts.hitsOut + dx) / (counts.out || 1);
        this.y[c * samples + i] = (counts.hitsIn + dy) / (counts.in || 1);
      }
    }
  }

  counts(i, c) {
    const at = c * this.samples + i;
    return {
      hitsIn: this.hits_in[at], hitsOut: this.hits_out[at],
      in: this.n_in[at % this.n_in.length], out: this.n_out[at % this.n_out.length],
    };
  }

  rates(i, c) {
    const n = this.counts(i, c);
    return { tpr: n.in ? n.hitsIn / n.in : 0, fpr: n.out ? n.hitsOut / n.out : 0 };
  }

  regionCode(i, c) { return this.region_codes[c * this.samples + i]; }
  region(i, c) { return this.regions[this.regionCode(i, c)]; }
  label(i) { return this.labels && this.labels[i] !== MISSING ? this.labels[i] : -1; }
  labelName(i) { return this.label(i) < 0 ? "" : this.classes[this.label(i)].name; }
  nats(i) { return this.loss && this.loss[i] !== MISSING ? this.loss[i] / this.loss_step : null; }
  name(i) { return `Record ${this.ids[i]}`; }
  epoch(c) { return String(+this.epochs[c].toPrecision(6)); }
}
