// Two drawings of one record over training: its path on the plane, and its loss.
const STEEP = 20; // from this ratio of the largest to the smallest loss on, the axis is logarithmic
const LEAST_LOSS = 1e-6; // nats: what lies below is drawn there
const LABEL_HEIGHT = 15, LABEL_WIDTH = 80; // units of a drawing

const epochName = (epoch) => String(+epoch.toPrecision(6));
const svgText = (x, y, words, anchor = "start", kind = "") => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${kind ? ` class="${kind}"` : ""}>${words}</text>`;
const svgLine = (x1, y1, x2, y2, kind) => `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" class="${kind}"/>`;

function drawing(width, height, words, parts) {
  return `<svg class="g-chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${safe(words)}">${parts.join("")}</svg>`;
}

function trace(stops) {
  return `<polyline points="${stops.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")}"/>`;
}

// A dot for every checkpoint, hollow where training begins and large where it ends.
function dots(stops) {
  return stops.map(({ x, y, words }, at) => {
    const kind = at === stops.length - 1 ? "last" : at === 0 ? "first" : "";
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${kind === "last" ? 6 : kind === "first" ? 5 : 3}" class="${kind}"><title>${safe(words)}</title></circle>`;
  });
}

function planePath(path) {
  const side = 300, left = 46, top = 12, x = (v) => left + v * side, y = (v) => top + (1 - v) * side;
  const axes = [0, 0.25, 0.5, 0.75, 1].flatMap((v) => [
    svgLine(x(v), y(0), x(v), y(1), "grid"), svgLine(x(0), y(v), x(1), y(v), "grid"), svgText(x(v), y(0) + 17, v, "middle"), svgText(x(0) - 7, y(v) + 4, v, "end"),
  ]);
  const names = [svgText(x(0.5), y(0) + 36, "FPR", "middle"), `<text transform="translate(12 ${y(0.5)}) rotate(-90)" text-anchor="middle">TPR</text>`];
  const stops = path.map(({ epoch, fpr, tpr }) => ({ x: x(fpr), y: y(tpr), epoch, words: `Epoch ${epochName(epoch)}: FPR ${percent(fpr)}, TPR ${percent(tpr)}` }));
  const words = stops.length ? `Path on the plane over ${stops.length} checkpoints. ${[...new Set([stops[0].words, stops[stops.length - 1].words])].join(". ")}.` : "No checkpoint at which this record was scored.";
  const body = stops.length ? [trace(stops), ...endLabels(stops, x(1), y(0) - 5), ...dots(stops)] : [svgText(x(0.5), y(0.5), "not scored", "middle")];
  return drawing(side + left + 16, side + top + 46, words, [...axes, svgLine(x(0), y(0), x(1), y(1), "diagonal"), ...names, ...body]);
}

// The epochs of both ends, or both at once where the path returns to its beginning.
function endLabels(stops, right, bottom) {
  const first = stops[0], last = stops[stops.length - 1], name = (stop) => `epoch ${epochName(stop.epoch)}`;
  const crowded = Math.abs(first.y - last.y) < 2 * LABEL_HEIGHT && Math.abs(first.x - last.x) < LABEL_WIDTH;
  const outer = { left: Math.min(first.x, last.x), right: Math.max(first.x, last.x) };
  const label = (stop, words, y) => {
    const inside = (crowded ? outer.right : stop.x) < right - LABEL_WIDTH, x = crowded ? outer[inside ? "right" : "left"] : stop.x;
    return svgText(x + (inside ? 11 : -11), y, words, inside ? "start" : "end", "epoch");
  };
  if (stops.length === 1) return [label(last, name(last), Math.min(last.y + 4, bottom))];
  if (Math.hypot(first.x - last.x, first.y - last.y) < 9) return [label(last, `epochs ${epochName(first.epoch)} and ${epochName(last.epoch)}`, Math.min(last.y + 4, bottom))];
  const [lower, upper] = first.y >= last.y ? [first, last] : [last, first], base = Math.min(lower.y + 4, bottom);
  return [label(lower, name(lower), base), label(upper, name(upper), Math.min(upper.y + 4, base - LABEL_HEIGHT))];
}

function lossCurve(course) {
  const width = 320, height = 300, left = 58, top = 12;
  if (!course.length) return '<p class="g-hint">The loss of this record was not kept.</p>';
  const scale = lossScale(course.map(({ loss }) => loss)), epochs = course.map(({ epoch }) => epoch), start = Math.min(...epochs), span = Math.max(...epochs) - start || 1;
  const x = (epoch) => left + ((epoch - start) / span) * width, y = (loss) => top + (1 - scale.at(loss)) * height;
  const rows = scale.ticks.flatMap(({ value, words }) => [svgLine(left, y(value), left + width, y(value), "grid"), svgText(left - 7, y(value) + 4, words, "end")]);
  const columns = evenTicks(start, start + span).map((epoch) => svgText(x(epoch), top + height + 17, epochName(epoch), "middle"));
  const stops = course.map(({ epoch, loss }) => ({ x: x(epoch), y: y(loss), words: `Epoch ${epochName(epoch)}: ${number(loss)} nats` }));
  const names = [svgText(left + width / 2, top + height + 36, "Epoch", "middle"), `<text transform="translate(12 ${top + height / 2}) rotate(-90)" text-anchor="middle">Loss in nats${scale.log ? " (logarithmic)" : ""}</text>`];
  const words = `Loss over ${stops.length} checkpoints. ${[...new Set([stops[0].words, stops[stops.length - 1].words])].join(". ")}.`;
  return drawing(width + left + 16, height + top + 46, words, [...rows, ...columns, ...names, trace(stops), ...dots(stops)]);
}

// Where a loss lies between the ends of its axis, 0 to 1.
function lossScale(losses) {
  const most = Math.max(...losses, LEAST_LOSS), least = Math.max(Math.min(...losses), LEAST_LOSS), floored = Math.min(...losses) < LEAST_LOSS;
  if (most / least < STEEP) {
    const ticks = evenTicks(0, most), top = Math.max(most, ticks[ticks.length - 1]);
    return { log: false, at: (loss) => loss / top, ticks: ticks.map((value) => ({ value, words: number(value) })) };
  }
  const low = Math.floor(Math.log10(least)), high = Math.ceil(Math.log10(most)), step = high - low > 5 ? 2 : 1, ticks = [];
  for (let power = low; power <= high; power += step) ticks.push({ value: 10 ** power, words: `${floored && power === low ? "≤ " : ""}${number(10 ** power)}` });
  return { log: true, at: (loss) => (Math.log10(Math.max(loss, LEAST_LOSS)) - low) / (high - low), ticks };
}

function evenTicks(from, to) {
  const raw = (to - from) / 5, size = 10 ** Math.floor(Math.log10(raw)), step = size * [1, 2, 5, 10].find((factor) => factor * size >= raw * 0.999), ticks = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + 1e-9 * step; k++) ticks.push(+(k * step).toPrecision(12));
  return ticks;
}
