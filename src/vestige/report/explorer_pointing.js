// What the pointer means: the records near it, the cell under it, what a click chooses.
const REACH = 14; // pixels within which a dot is meant
const BENEATH = 4; // pixels within which dots hide each other

const pointing = {
  // Shown records near a place on the canvas, the nearest first.
  around(px, py, reach) {
    const { stage, state, shown } = this, found = [];
    for (let i = 0; i < shown.length; i++) {
      if (!shown[i]) continue;
      const [x, y] = stage.at(i, state.time), away = Math.hypot(stage.sx(x) - px, stage.sy(y) - py);
      if (away <= reach) found.push([away, i]);
    }
    return found.sort((a, b) => a[0] - b[0]);
  },

  cellAt(px, py) {
    const { stage } = this, { x0, x1, y0, y1 } = stage.domain, [left, top, width, height] = stage.plot();
    const column = Math.round((x0 + ((px - left) / width) * (x1 - x0)) * stage.cells.across), row = Math.round((y1 - ((py - top) / height) * (y1 - y0)) * stage.cells.up);
    return { column, row, count: stage.cells.count(this.checkpoint, column, row) };
  },

  pick(px, py) {
    this.pause();
    const near = this.around(px, py, REACH);
    if (this.state.view === "density") return this.pickCell(px, py);
    if (!near.length) return this.state.selected >= 0 && this.drop();
    const beneath = near.filter(([away]) => away <= near[0][0] + BENEATH).map(([, i]) => i);
    this.state.beneathWords = `${beneath.length} records here`;
    this.select(near[0][1], beneath);
  },

  pickCell(px, py) {
    const { column, row, count } = this.cellAt(px, py), { records, stage } = this, c = this.checkpoint;
    if (!count) return this.state.selected >= 0 && this.drop();
    const inside = [];
    for (let i = 0; i < records.samples; i++)
      if (this.shown[i] && stage.cells.index(records.x[c * records.samples + i], records.y[c * records.samples + i]) === row * (stage.cells.across + 1) + column) inside.push(i);
    const advantage = (i) => { const { tpr, fpr } = records.rates(i, records.last); return tpr - fpr; };
    inside.sort((a, b) => advantage(b) - advantage(a));
    this.state.beneathWords = `${count.toLocaleString("en")} records in this cell`;
    this.select(inside[0], inside);
  },

  drop() {
    Object.assign(this.state, { selected: -1, beneath: [] });
    this.refresh();
  },

  point(event) {
    this.hovered = event && event.pointerType !== "touch" ? { x: event.offsetX, y: event.offsetY } : null;
    if (this.hovering) return;
    this.hovering = requestAnimationFrame(() => { this.hovering = 0; this.hover(); });
  },

  hover() {
    const { hovered, state, tip, records } = this, near = hovered && state.view === "dots" ? this.around(hovered.x, hovered.y, REACH) : [];
    const cell = hovered && state.view === "density" ? this.cellAt(hovered.x, hovered.y) : null;
    this.marked = cell && cell.count ? cell : null;
    if (near.length) {
      const i = near[0][1], name = records.labelName(i), others = near.filter(([away]) => away <= near[0][0] + BENEATH).length - 1;
      tip.textContent = `${records.name(i)}${name ? ` · ${name}` : ""}${others > 0 ? ` and ${others} more` : ""}`;
    } else if (this.marked) tip.textContent = `${cell.count.toLocaleString("en")} ${cell.count === 1 ? "record" : "records"}; outlined: cells with as many or more`;
    tip.hidden = !near.length && !this.marked;
    this.canvas.style.cursor = tip.hidden ? "default" : "pointer";
    if (!tip.hidden) {
      tip.style.left = `${Math.min(hovered.x + 14, this.stage.width - tip.offsetWidth - 4)}px`;
      tip.style.top = `${Math.max(hovered.y - 34, 2)}px`;
    }
    if (state.view === "density") this.paint();
  },
};
