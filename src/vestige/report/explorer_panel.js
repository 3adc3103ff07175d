// The side panel: one record in full, the pinned ones, and lists to choose from.
const escaped = (words) => String(words).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
const button = (attributes, words) => `<button type="button" ${attributes}>${words}</button>`;

class Panel {
  constructor(root, records) {
    this.records = records;
    for (const name of ["pins", "card", "list"]) this[name] = root.querySelector(`.x-${name}`);
  }

  show(state, checkpoint) {
    this.showPins(state);
    this.card.innerHTML = state.selected < 0 ? this.invitation() : this.record(state, checkpoint);
    this.picture(state.selected);
    const beneath = state.beneath.length > 1, title = beneath ? state.beneathWords : "Most exposed at the end";
    this.showList(title, beneath ? state.beneath : state.exposed, state);
  }

  invitation() {
    return '<p class="x-hint">Choose a dot, or a record below, to follow its way through training. Up to five can be pinned and compared.</p>';
  }

  showPins(state) {
    this.pins.innerHTML = state.pins
      .map((i) => `<span class="x-pin" style="--x-color:${state.colorOf(i)}">${button(`data-select="${i}"`, escaped(this.records.ids[i]))}${button(`data-unpin="${i}" aria-label="Unpin record ${this.records.ids[i]}"`, "×")}</span>`)
      .join("");
  }

  showList(title, positions, state) {
    const { records } = this, end = records.last;
    const rows = positions.slice(0, 50).map((i) => {
      const { tpr, fpr } = records.rates(i, end), name = records.labelName(i);
      const since = records.checkpoints > 1 && records.since[i] >= 0 ? `since ${records.epoch(records.since[i])}` : "";
      const words = `<b>${escaped(records.ids[i])}</b><span>${escaped(name)}</span><span>${since}</span><span class="x-mini"><i style="width:${Math.max(0, 100 * (tpr - fpr))}%;background:${records.region(i, end).color}"></i></span>`;
      const label = `Record ${records.ids[i]}${name ? `, class ${name}` : ""}, TPR ${percent(tpr)}, FPR ${percent(fpr)} at the end${since ? `, vulnerable ${since.replace("since", "since epoch")}` : ""}`;
      return `<li>${button(`data-select="${i}" aria-label="${escaped(label)}"${i === state.selected ? ' aria-current="true"' : ""}`, words)}</li>`;
    });
    const key = title + positions.join() + state.selected;
    if (key === this.listed) return;
    this.listed = key;
    const more = positions.length > 50 ? `<p class="x-hint">and ${(positions.length - 50).toLocaleString("en")} more</p>` : "";
    this.list.innerHTML = `<h4>${escaped(title)}</h4><ol>${rows.join("")}</ol>${more}`;
  }

  record(state, c) {
    const { records } = this, i = state.selected, pinned = state.pins.includes(i), name = records.labelName(i);
    const pin = button(`data-pin="${i}" class="x-do-pin" aria-pressed="${pinned}"`, pinned ? "Unpin" : "Pin");
    return (
      `<div class="x-head"><span class="x-swatch" style="background:${state.colorOf(i)}"></span><h4>${escaped(records.name(i))}${name ? `<small>class ${escaped(name)}</small>` : ""}</h4>${pin}</div>` +
      `<div class="x-view"><div class="x-picture"></div><dl>${this.facts(i, c)}</dl></div>` +
      this.strip(i, c) + this.curve(i, c, state.colorOf(i))
    );
  }

  facts(i, c) {
    const { records } = this, n = records.counts(i, c), region = records.region(i, c), nats = records.nats(i), since = records.since[i];
    const share = (hits, trials) => (trials ? `${percent(hits / trials)}<small>${hits} of ${trials} models</small>` : "not scored");
    const rows = [
      ["TPR", share(n.hitsIn, n.in)],
      ["FPR", share(n.hitsOut, n.out)],
      ["Region", `<span class="x-chip" style="--x-color:${region.color}">${escaped(region.name)}</span>`],
      ["Vulnerable", since < 0 ? "not at the end" : `since epoch ${records.epoch(since)}`],
    ];
    if (nats !== null) rows.push(["Difficulty", `${nats.toFixed(2)} nats<small>harder than ${records.harder[i]}\u00a0% of records</small>`]);
    return rows.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join("");
  }

  strip(i, c) {
    const { records } = this, spans = [];
    for (let at = 0; at < records.checkpoints; at++)
      spans.push(`<span style="background:${records.region(i, at).color}"${at === c ? ' class="now"' : ""} title="Epoch ${records.epoch(at)}: ${escaped(records.region(i, at).name)}"></span>`);
    const words = Array.from(records.epochs, (_, at) => `epoch ${records.epoch(at)} ${records.region(i, at).name}`).join(", ");
    return `<div class="x-strip" role="img" aria-label="Regions over training: ${escaped(words)}">${spans.join("")}</div>`;
  }

  curve(i, c, color) {
    const { records } = this, width = 280, height = 74, last = Math.max(records.last, 1);
    const values = Array.from(records.epochs, (_, at) => { const { tpr, fpr } = records.rates(i, at); return tpr - fpr; });
    const low = Math.min(0, ...values), y = (v) => height - 6 - ((v - low) / (1 - low)) * (height - 22);
    const places = values.map((v, at) => [((at + 0.5) / (last + 1)) * width, y(v)].map((p) => p.toFixed(1)));
    return (
      `<svg class="x-curve" viewBox="0 0 ${width} ${height}" role="img" aria-label="Advantage over training">` +
      [0, 1].map((v) => `<line x1="0" x2="${width}" y1="${y(v)}" y2="${y(v)}"/>`).join("") +
      `<text x="0" y="${y(1) - 4}">advantage: 1</text><text x="0" y="${y(0) - 3}">0</text>` +
      `<polyline points="${places.join(" ")}" style="stroke:${color}"/><circle cx="${places[c][0]}" cy="${places[c][1]}" r="4" style="fill:${color}"/></svg>`
    );
  }

  picture(i) {
    const frame = this.card.querySelector(".x-picture"), { picture, pictures } = this.records;
    if (!frame) return;
    if (!picture) return frame.remove();
    if (!pictures.has(i)) frame.outerHTML = '<p class="x-hint x-picture none">Not embedded: pictures of the most exposed records come first, others as space allows.</p>';
    else if (picture.kind === "image") frame.replaceWith(this.image(pictures.get(i)));
    else this.card.querySelector(".x-view").insertAdjacentHTML("afterend", this.row(pictures.get(i))), frame.remove();
  }

  image(at) {
    const [channels, height, width] = this.records.picture.shape, size = channels * height * width;
    const canvas = Object.assign(document.createElement("canvas"), { width, height, className: "x-picture" });
    const data = new ImageData(width, height), { pixels } = this.records;
    for (let p = 0; p < width * height; p++)
      for (let k = 0; k < 4; k++) data.data[4 * p + k] = k === 3 ? 255 : pixels[at * size + (channels === 1 ? 0 : k) * width * height + p];
    canvas.getContext("2d").putImageData(data, 0, 0);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "The record as a picture");
    return canvas;
  }

  row(at) {
    const { picture, features, values } = this.records, rows = [];
    for (let k = at * picture.kept; k < (at + 1) * picture.kept; k++) {
      const f = features[k], away = picture.spreads[f] ? (values[k] - picture.means[f]) / picture.spreads[f] : 0;
      const bar = `<i style="${away < 0 ? "right" : "left"}:50%;width:${Math.min(50, 10 * Math.abs(away))}%"></i>`;
      rows.push(`<tr><th scope="row">${escaped(picture.names[f])}</th><td>${+values[k].toPrecision(4)}</td><td>${picture.means[f]}</td><td class="x-away" aria-hidden="true">${bar}</td></tr>`);
    }
    return `<table class="x-row"><caption>Where it departs most from the mean</caption><thead><tr><th scope="col">Feature</th><th scope="col">Value</th><th scope="col">Mean</th><td></td></tr></thead><tbody>${rows.join("")}</tbody></table>`;
  }
}
