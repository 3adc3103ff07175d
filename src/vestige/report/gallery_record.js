// A record's own page: what it looks like, how it moved, what it scores and who is near.
class RecordPage {
  constructor(root, portraits, pictures) {
    Object.assign(this, { root, portraits, pictures });
  }

  // order: the records between which to go on.
  show(i, order) {
    const { portraits } = this, at = order.indexOf(i);
    this.root.innerHTML =
      this.head(i, at, order) + `<div class="g-portrait"></div><div class="g-pair">${this.chart("Path on the plane", planePath(portraits.path(i)), "FPR: share of the models trained without it that name it. TPR: share of those trained with it. On the dashed line membership makes no difference.")}${this.chart("Loss while the shown model trained", lossCurve(portraits.lossesOf(i)), "")}</div>` +
      this.numbers(i, "score", "Scores by rule") + this.numbers(i, "measure", "Measures") + this.neighborhood(i);
    this.portray(i);
    for (const place of this.root.querySelectorAll("[data-pictured]")) this.fill(place);
  }

  head(i, at, order) {
    const { portraits } = this, name = portraits.className(portraits.labels[i]);
    return (
      `<div class="g-head"><a class="g-back" href="#gallery">← All records</a><span class="g-place">${at + 1} of ${order.length}</span>${this.step(order[at - 1], "‹ Previous")}${this.step(order[at + 1], "Next ›")}</div>` +
      `<h3 tabindex="-1">Record ${portraits.ids[i]}${name ? `<small>class ${safe(name)}${portraits.wrong(i) ? "" : ", predicted right"}</small>` : ""}</h3><p class="g-chips">${portraits.chips(i)}</p>`
    );
  }

  step(i, words) {
    return i === undefined ? `<span class="g-step" aria-disabled="true">${words}</span>` : `<a class="g-step" data-replace href="#record-${this.portraits.ids[i]}">${words}</a>`;
  }

  chart(title, drawn, caption) {
    return `<figure><h4>${title}</h4>${drawn}${caption ? `<figcaption>${caption}</figcaption>` : ""}</figure>`;
  }

  portray(i) {
    const { portraits, pictures } = this, place = this.root.querySelector(".g-portrait"), words = `Record ${portraits.ids[i]}`;
    if (portraits.features) return void (place.outerHTML = `<div class="g-strongest">${featureTable(portraits.featuresOf(i))}</div>`);
    const plain = pictures.frame(i, words);
    if (!plain) return place.remove();
    place.append(this.captioned(plain, "The record"));
    if (!portraits.maps) return;
    place.append(this.captioned(pictures.frame(i, `${words} with the map of its attributions`, true), 'With its map: <span class="g-scale">weak <i></i> strong</span>'));
  }

  captioned(frame, words) {
    const caption = element("figcaption");
    caption.innerHTML = words;
    return element("figure", {}, frame, caption);
  }

  numbers(i, kind, title) {
    const { portraits } = this;
    const rows = portraits.quantities.flatMap((quantity, k) => (quantity.kind === kind ? [this.row(quantity.title, portraits.value(k, i), portraits.standing(k, i))] : []));
    if (!rows.length) return "";
    return `<table class="g-numbers"><caption>${title}</caption><thead><tr><th scope="col"></th><th scope="col" class="number">Value</th><th scope="col">Percentile among the ${portraits.count} records shown</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
  }

  row(title, value, standing) {
    const bar = standing === NO_PLACE ? "unknown" : `<span class="g-percentile"><span class="g-track" aria-hidden="true"><i style="width:${standing}%"></i></span><span class="g-hundredth">${standing}</span></span>`;
    return `<tr><th scope="row">${safe(title)}</th><td class="number">${number(value)}</td><td class="g-bar">${bar}</td></tr>`;
  }

  neighborhood(i) {
    const near = this.portraits.neighborsOf(i);
    if (!near.length) return "";
    return `<h4>Nearest neighbors in the features of the shown model</h4><ul class="g-near">${near.map(({ pictured, distance }) => this.neighbor(i, pictured, distance)).join("")}</ul>`;
  }

  neighbor(i, pictured, distance) {
    const { portraits } = this, label = portraits.pictured_labels[pictured], id = portraits.pictured_ids[pictured], other = label !== portraits.labels[i];
    const inner = `<span data-pictured="${pictured}"></span><b>${id}</b><span class="${other ? "g-other" : ""}"${other ? ' title="Another class"' : ""}>${safe(portraits.className(label))}</span><small>distance ${number(distance)}</small>`;
    return `<li>${pictured < portraits.count ? `<a href="#record-${id}">${inner}</a>` : `<span>${inner}</span>`}</li>`;
  }

  fill(place) {
    const pictured = Number(place.dataset.pictured), frame = this.pictures.frame(pictured, `Record ${this.portraits.pictured_ids[pictured]}`);
    if (frame) return place.replaceWith(frame);
    if (!this.portraits.own_shape) return place.remove();
    place.replaceWith(element("span", { className: "g-picture none", textContent: "picture not embedded" }));
  }
}
