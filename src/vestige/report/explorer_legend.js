// What the colors mean, the shares over training behind the slider, and the window on the state for tests.
const LISTED_CLASSES = 12;

function showLegend(element, explorer) {
  const { records, state, stage, shown } = explorer, c = records.last;
  if (state.view === "density") {
    const stops = HEAT[stage.dark ? "dark" : "light"];
    element.innerHTML = scale(stops, "1 record", `${stage.cells.most.toLocaleString("en")} records, logarithmic`);
  } else if (state.color === "difficulty") element.innerHTML = scale(HARDNESS, "easiest", "hardest record, by mean loss of models trained without it");
  else if (state.color === "region") element.innerHTML = chips(records.regions.map((r) => [r.color, r.name, r.meaning]), LISTED_CLASSES);
  else {
    const numbers = new Uint32Array(records.classes.length);
    for (let i = 0; i < shown.length; i++) if (shown[i] && records.label(i) >= 0) numbers[records.label(i)]++;
    element.innerHTML = chips(records.classes.map((one, k) => [one.color, one.name, `${numbers[k]} records shown`]), LISTED_CLASSES);
  }
}

const scale = (stops, low, high) => `<span class="x-scale"><span>${low}</span><i style="background:linear-gradient(90deg,${stops.join(",")})"></i><span>${high}</span></span>`;

function chips(rows, most) {
  const listed = rows.slice(0, most).map(([color, name, meaning]) => `<span class="x-key" title="${escaped(meaning)}"><i style="background:${color}"></i>${escaped(name)}</span>`);
  return listed.join("") + (rows.length > most ? `<span class="x-key">and ${rows.length - most} more; colors repeat</span>` : "");
}

// Records outside the fullest region, stacked by region; the vulnerable ones stand at the bottom.
function drawShares(canvas, explorer) {
  const { stage, records, numbers, state } = explorer, ctx = canvas.getContext("2d"), ratio = stage.ratio;
  const width = canvas.clientWidth, height = canvas.clientHeight, inset = 8, base = height - 15;
  if (canvas.width !== width * ratio || canvas.height !== height * ratio) Object.assign(canvas, { width: width * ratio, height: height * ratio });
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  const order = stacked(records, numbers), totals = numbers.map((row) => order.reduce((sum, r) => sum + row[r], 0)), most = Math.max(1, ...totals);
  const x = (c) => inset + (c / Math.max(records.last, 1)) * (width - 2 * inset), y = (n) => base - (n / most) * (base - 14);
  const floor = new Float64Array(records.checkpoints);
  for (const r of order) {
    const low = floor.slice();
    numbers.forEach((row, c) => (floor[c] += row[r]));
    ctx.beginPath();
    for (let c = 0; c <= records.last; c++) ctx.lineTo(x(c), y(floor[c]));
    for (let c = records.last; c >= 0; c--) ctx.lineTo(x(c), y(low[c]));
    ctx.fillStyle = faint(records.regions[r].color, 0.72);
    ctx.fill();
  }
  timeline(ctx, explorer, x, base);
  const fullest = records.regions.find((_, r) => !order.includes(r));
  ctx.textAlign = "left";
  ctx.fillText(`${most.toLocaleString("en")} outside ${fullest.name}`, inset, 9);
  ctx.fillStyle = stage.theme.ink;
  ctx.fillRect(x(state.time) - 0.75, 0, 1.5, base);
}

function timeline(ctx, { stage, records }, x, base) {
  ctx.fillStyle = stage.theme.soft;
  ctx.fillRect(x(0), base, x(records.last) - x(0), 1);
  ctx.font = `11px ${SANS}`;
  ctx.textAlign = "center";
  let free = -1;
  for (let c = 0; c <= records.last; c++) {
    const words = records.epoch(c), half = ctx.measureText(words).width / 2;
    ctx.fillRect(x(c) - 0.5, base, 1, 3);
    if (x(c) - half < free) continue;
    ctx.fillText(words, x(c), base + 14);
    free = x(c) + half + 5;
  }
}

function stacked(records, numbers) {
  const sums = records.regions.map((_, r) => numbers.reduce((sum, row) => sum + row[r], 0)), fullest = sums.indexOf(Math.max(...sums));
  const rest = [...records.regions.keys()].filter((r) => r !== fullest);
  return rest.sort((a, b) => records.regions[b].vulnerable - records.regions[a].vulnerable || a - b);
}

function outside(explorer) {
  const { records, stage, state } = explorer, place = (id) => records.place.get(id);
  return {
    get time() { return state.time; }, get checkpoint() { return explorer.checkpoint; }, get playing() { return state.playing; },
    get view() { return state.view; }, get color() { return state.color; }, get shown() { return explorer.number; },
    get selected() { return state.selected < 0 ? null : records.ids[state.selected]; }, get pins() { return state.pins.map((i) => records.ids[i]); },
    get legend() { return explorer.legend.textContent; }, get costs() { return explorer.costs; }, records,
    point(id) { const [x, y] = stage.at(place(id), state.time); return { x: stage.sx(x), y: stage.sy(y) }; },
    cell(id) { const { fpr, tpr } = records.rates(place(id), explorer.checkpoint); return { x: stage.sx(Math.round(fpr * stage.cells.across) / stage.cells.across), y: stage.sy(Math.round(tpr * stage.cells.up) / stage.cells.up) }; },
    at(time) { state.time = time; explorer.moment(); },
  };
}
