// State, controls and motion. Everything that is drawn follows from `state`; `paint` draws it.
const DENSE = 5000; // records from which single dots no longer tell much
const PACE = 900; // milliseconds from one checkpoint to the next at speed 1

class Explorer {
  constructor(root, records) {
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    Object.assign(this, { root, records, still, stage: new Stage(root.querySelector(".x-canvas"), records), panel: new Panel(root, records) });
    for (const name of ["canvas", "tip", "legend", "shares", "epoch", "count", "status", "range"]) this[name] = root.querySelector(`.x-${name}`);
    this.slider = root.querySelector(".x-time input");
    this.sharesText = root.querySelector(".x-shares-text");
    this.state = {
      time: records.last, playing: false, speed: 1, color: "region", range: "whole", view: records.samples > DENSE ? "density" : "dots",
      selected: -1, pins: [], beneath: [], beneathWords: "", exposed: Array.from(records.exposed).slice(0, 20), colorOf: (i) => this.pathColor(i),
    };
    this.shown = new Uint8Array(records.samples);
    this.costs = [];
    this.fillControls();
    this.listen();
    this.filter();
    this.stage.fit();
    this.recolor();
    this.refresh();
  }

  get checkpoint() { return Math.round(this.state.time); }
  get aim() { return this.goal ?? this.checkpoint; } // where a step in progress will end

  pathColor(i) {
    const pin = this.state.pins.indexOf(i);
    return pin >= 0 ? PATHS[pin] : this.stage.theme.ink;
  }

  fillControls() {
    const { records, root } = this, options = (items) => ['<option value="-1">All</option>', ...items.map((item, i) => `<option value="${i}">${escaped(item.name)}</option>`)].join("");
    root.querySelector("[data-filter=label]").innerHTML = options(records.classes);
    root.querySelector("[data-filter=end]").innerHTML = options(records.regions);
    this.slider.max = records.last;
    root.classList.toggle("single", records.checkpoints === 1);
    for (const [kind, there] of [["class", records.classes.length], ["difficulty", records.loss]])
      if (!there) root.querySelector(`[value=${kind}]`).parentNode.remove();
    root.querySelector("[data-filter=label]").parentNode.hidden = !records.classes.length;
    for (const one of root.querySelectorAll(".x-hardness")) one.hidden = !records.loss;
    if (this.stage.near.x1 > 0.8) root.querySelector("[data-choice=range]").hidden = true;
    for (const name of ["view", "color", "range"]) root.querySelector(`[name=x-${name}][value=${this.state[name]}]`).checked = true;
  }

  listen() {
    const { root } = this, actions = { back: () => this.go(this.aim - 1), forward: () => this.go(this.aim + 1), play: () => this.toggle(), clear: () => this.clear() };
    root.addEventListener("click", (event) => {
      const hit = event.target.closest("button");
      if (!hit) return;
      if (actions[hit.dataset.do]) actions[hit.dataset.do]();
      if (hit.dataset.select) this.select(Number(hit.dataset.select));
      if (hit.dataset.pin ?? hit.dataset.unpin) this.pin(Number(hit.dataset.pin ?? hit.dataset.unpin));
    });
    root.addEventListener("change", (event) => this.changed(event.target));
    root.addEventListener("input", (event) => {
      if (event.target === this.slider) this.go(Number(this.slider.value));
      if (event.target.dataset.filter) this.filter();
    });
    root.querySelector(".x-search").addEventListener("submit", (event) => { event.preventDefault(); this.search(event.target.querySelector("input").value); });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("click", (event) => this.pick(event.offsetX, event.offsetY));
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.restyle());
    window.addEventListener("beforeprint", () => { root.classList.add("printing"); this.restyle(); });
    window.addEventListener("afterprint", () => { root.classList.remove("printing"); this.restyle(); });
  }

  changed(input) {
    const { state } = this;
    if (input.name === "x-view") state.view = input.value;
    if (input.name === "x-color") { state.color = input.value; this.recolor(); }
    if (input.name === "x-range") return this.zoom(input.value);
    if (input.dataset.do === "speed") state.speed = Number(input.value);
    this.hovered = null;
    this.refresh();
  }

  key(event) {
    const jumps = { ArrowLeft: this.aim - 1, ArrowRight: this.aim + 1, Home: 0, End: this.records.last };
    if (event.key === " ") this.toggle();
    else if (event.key in jumps) this.go(jumps[event.key]);
    else return;
    event.preventDefault();
  }

  // Motion: `goal` is where time runs to, at the pace of playing or quickly for a single step.
  go(goal) {
    this.pause();
    const to = Math.min(Math.max(goal, 0), this.records.last), away = Math.abs(to - this.state.time);
    if (this.still.matches || !away) return this.arrive(to);
    this.goal = to;
    this.run(to, away / (away > 1 ? 350 : 450));
  }

  toggle() {
    if (this.state.playing) return this.pause();
    if (this.records.last === 0) return;
    if (this.state.time >= this.records.last) this.arrive(0);
    this.state.playing = true;
    this.playLabel();
    if (this.still.matches) this.jump();
    else this.run(this.records.last, this.state.speed / PACE);
  }

  jump() {
    this.timer = setTimeout(() => {
      this.arrive(this.checkpoint + 1);
      if (this.state.time >= this.records.last) this.pause();
      else this.jump();
    }, PACE / this.state.speed);
  }

  run(goal, pace) {
    let before = null;
    const step = (now) => {
      const { state } = this, passed = before === null ? 0 : Math.min(now - before, 100);
      before = now;
      const speed = state.playing ? state.speed / PACE : pace, way = goal - state.time;
      if (Math.abs(way) <= speed * passed) { this.pause(); return this.arrive(goal); }
      state.time += Math.sign(way) * speed * passed;
      this.moment();
      this.request = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.request);
    this.request = requestAnimationFrame(step);
  }

  arrive(time) {
    this.state.time = time;
    this.moment();
  }

  pause() {
    cancelAnimationFrame(this.request);
    clearTimeout(this.timer);
    this.state.playing = false;
    this.goal = null;
    this.playLabel();
  }

  playLabel() {
    this.root.querySelector("[data-do=play]").textContent = this.state.playing ? "❚❚ Pause" : "▶ Play";
  }

  // Colors: a table of them and each record's place in it at a time.
  recolor() {
    const { records, state } = this, N = records.samples, last = records.last;
    const kinds = {
      region: [records.regions.map((r) => rgb(r.color)), (i, time) => records.region_codes[Math.min(Math.round(time), last) * N + i]],
      class: [[...records.classes.map((c) => rgb(c.color)), [140, 146, 156]], (i) => (records.label(i) < 0 ? records.classes.length : records.label(i))],
      difficulty: [Array.from({ length: 101 }, (_, p) => ramp(HARDNESS, p / 100)), (i) => records.harder[i]],
    };
    const [table, code] = kinds[state.color];
    this.colors = { table: Uint8Array.from(table.flat()), code };
  }

  filter() {
    const field = (name) => this.root.querySelector(`[data-filter=${name}]`), { records } = this;
    const label = Number(field("label").value), end = Number(field("end").value), exposed = field("vulnerable").checked;
    const from = Number(field("from").value), to = Number(field("to").value);
    for (let i = 0; i < records.samples; i++) {
      const hard = records.harder ? records.harder[i] : 0;
      this.shown[i] = (label < 0 || records.label(i) === label) && (end < 0 || records.regionCode(i, records.last) === end) && (!exposed || records.since[i] >= 0) && hard >= from && hard <= to;
    }
    this.number = this.shown.reduce((sum, one) => sum + one, 0);
    this.range.textContent = records.loss ? `${from}–${to} %` : "";
    this.count.textContent = `${this.number.toLocaleString("en")} of ${records.samples.toLocaleString("en")} records shown`;
    this.stage.cells.fill(this.shown);
    this.tally();
    if (this.stage.width) this.refresh();
  }

  clear() {
    for (const field of this.root.querySelectorAll("[data-filter]")) {
      if (field.type === "checkbox") field.checked = false;
      else field.value = field.dataset.filter === "to" ? 100 : field.dataset.filter === "from" ? 0 : -1;
    }
    this.filter();
  }

  // How many shown records stand in each region, at each checkpoint.
  tally() {
    const { records } = this;
    this.numbers = Array.from(records.epochs, () => new Uint32Array(records.regions.length));
    for (let c = 0; c <= records.last; c++) for (let i = 0; i < records.samples; i++) if (this.shown[i]) this.numbers[c][records.regionCode(i, c)]++;
  }

  zoom(range) {
    const { stage, state } = this, from = { ...stage.domain }, start = performance.now();
    state.range = range;
    const step = (now) => {
      const f = this.still.matches ? 1 : eased(Math.min((now - start) / 380, 1));
      for (const edge of Object.keys(from)) stage.domain[edge] = from[edge] + (stage[range][edge] - from[edge]) * f;
      stage.prepare();
      this.paint();
      if (f < 1) requestAnimationFrame(step);
    };
    step(start);
  }

  search(words) {
    const found = this.records.place.get(Number(words.trim() || NaN));
    if (found === undefined) return this.say(`There is no record ${words}.`);
    this.select(found);
  }

  select(i, beneath = []) {
    this.state.selected = i;
    this.state.beneath = beneath.length ? beneath : this.state.beneath.includes(i) ? this.state.beneath : [];
    const { tpr, fpr } = this.records.rates(i, this.checkpoint), name = this.records.labelName(i);
    this.say(`${this.records.name(i)}${name ? `, class ${name}` : ""}: at epoch ${this.records.epoch(this.checkpoint)} TPR ${percent(tpr)}, FPR ${percent(fpr)}, ${this.records.region(i, this.checkpoint).name}.`);
    this.refresh();
  }

  pin(i) {
    const { state } = this, at = state.pins.indexOf(i);
    if (at >= 0) state.pins.splice(at, 1);
    else if (state.pins.length < PATHS.length) state.pins.push(i);
    else return this.say(`${PATHS.length} records are pinned; unpin one first.`);
    this.say(`${this.records.name(i)} ${at >= 0 ? "unpinned" : "pinned"}.`);
    this.refresh();
  }

  say(words) { this.status.textContent = words; }

  restyle() {
    this.stage.fit();
    this.refresh();
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    if (!box.width || !box.height) return; // not laid out
    if (Math.round(box.width) === this.stage.width && Math.round(box.height) === this.stage.height) return;
    this.restyle();
  }

  // A new moment: motion every frame, words only where a checkpoint was passed.
  moment() {
    this.paint();
    if (this.spoken === this.checkpoint) return;
    this.words();
  }

  words() {
    const { records, checkpoint } = this, epoch = `Epoch ${records.epoch(checkpoint)}`;
    this.spoken = checkpoint;
    this.slider.value = this.aim;
    this.slider.setAttribute("aria-valuetext", epoch);
    this.epoch.textContent = epoch;
    const parts = records.regions.map((region, r) => [region.name, this.numbers[checkpoint][r]]).filter(([, n]) => n);
    parts.sort((a, b) => b[1] - a[1]);
    const listed = parts.slice(0, 5).map(([name, n]) => `${name} ${n.toLocaleString("en")}`);
    this.sharesText.textContent = listed.join(" · ") + (parts.length > 5 ? " …" : "");
    this.panel.show(this.state, checkpoint);
  }

  refresh() {
    showLegend(this.legend, this);
    this.words();
    this.paint();
  }

  paint() {
    const start = performance.now(), { state, stage, shown, records } = this;
    if (state.view === "density") stage.density(state.time, this.marked);
    else {
      stage.dots(state.time, shown, this.colors);
      stage.tails(state.time, shown, this.colors);
    }
    stage.names(records.regions);
    if (records.checkpoints > 1) stage.clock(`epoch ${records.epoch(this.checkpoint)}`);
    const taken = []; // places of labels, so that no two overlap
    for (const i of new Set([...state.pins, state.selected])) if (i >= 0) stage.path(i, state.time, this.pathColor(i), taken);
    if (records.checkpoints > 1) drawShares(this.shares, this);
    this.costs.push(performance.now() - start);
    if (this.costs.length > 240) this.costs.shift();
  }
}

Object.assign(Explorer.prototype, pointing);

async function begin() {
  const root = document.querySelector(".explorer"), packed = document.getElementById("explorer-data");
  if (!root || !packed) return;
  if (!("DecompressionStream" in window)) {
    root.querySelector(".x-status").textContent = "This browser is too old for the explorer; the numbers are in the CSV below.";
    return;
  }
  const explorer = new Explorer(root, new Records(await unpack(packed.textContent)));
  window.vestigeExplorer = outside(explorer);
}
begin();
