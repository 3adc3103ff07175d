// Cards, what sorts and filters them, and the way between the gallery and a record's own page.
const AHEAD = "400px"; // beyond the window within which cards are drawn
const PRINTED = 50;

class Gallery {
  constructor(root, portraits) {
    Object.assign(this, { root, portraits, pictures: new Pictures(portraits), down: true, open: -1, left: null });
    for (const name of ["controls", "count", "list", "record"]) this[name] = root.querySelector(`.g-${name}`);
    this.page = new RecordPage(this.record, portraits, this.pictures);
    this.cards = Array.from(portraits.ids, (_, i) => this.card(i));
    this.watcher = new IntersectionObserver((seen) => seen.forEach((one) => one.isIntersecting && this.draw(Number(one.target.dataset.record))), { rootMargin: AHEAD });
    for (const card of this.cards) this.watcher.observe(card);
    root.classList.toggle("rows", Boolean(portraits.features));
    this.controls.hidden = false;
    this.listen();
    for (const strip of document.querySelectorAll(".g-strip")) this.fill(strip);
    this.arrange();
    this.follow();
  }

  field(name) { return this.controls.elements.namedItem(name); }
  checked(name) { return Boolean(this.field(name)?.checked); }

  listen() {
    this.controls.addEventListener("submit", (event) => { event.preventDefault(); this.find(); });
    this.controls.addEventListener("input", (event) => (event.target.name === "maps" ? this.cover() : this.arrange()));
    this.controls.querySelector("[data-do=turn]").addEventListener("click", () => this.turn());
    this.record.addEventListener("click", (event) => this.replace(event));
    window.addEventListener("hashchange", () => this.follow());
    window.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("beforeprint", () => this.shown.slice(0, PRINTED).forEach((i) => this.draw(i)));
  }

  // Cards: a link each, drawn when it comes near the window.
  card(i) {
    const { portraits } = this, name = portraits.className(portraits.labels[i]), seen = portraits.marksOf(i).map(([, words]) => words);
    const link = element("a", { href: `#record-${portraits.ids[i]}` });
    link.setAttribute("aria-label", [`Record ${portraits.ids[i]}`, name && `class ${name}`, ...seen].filter(Boolean).join(", "));
    link.innerHTML = `<span class="g-face"></span><span class="g-line"><b>${portraits.ids[i]}</b><span class="g-value"></span></span><span class="g-class">${safe(name)}</span><span class="g-chips">${portraits.chips(i)}</span>`;
    const card = element("li", { className: "g-card" }, link);
    card.dataset.record = i;
    return card;
  }

  draw(i) {
    const face = this.cards[i].querySelector(".g-face");
    if (face) this.face(face, i);
    const frame = this.cards[i].querySelector(".g-picture");
    if (frame && this.checked("maps")) this.pictures.cover(frame, i);
  }

  face(face, i) {
    const { portraits } = this, frame = this.pictures.frame(i, "");
    if (portraits.features) face.outerHTML = featureList(portraits.featuresOf(i));
    else if (frame) face.replaceWith(frame);
    else face.remove();
  }

  // A row of records elsewhere on the page, each as it is and with its map.
  fill(strip) {
    const { portraits, pictures } = this, places = strip.dataset.records.split(",").filter(Boolean).map(Number);
    for (const i of places) {
      const name = portraits.className(portraits.labels[i]), link = element("a", { href: `#record-${portraits.ids[i]}` });
      link.append(...[pictures.frame(i, ""), pictures.frame(i, "", true)].filter(Boolean), element("b", { textContent: portraits.ids[i] }), element("span", { textContent: name }));
      if (portraits.features) link.insertAdjacentHTML("afterbegin", featureList(portraits.featuresOf(i)));
      link.setAttribute("aria-label", `Record ${portraits.ids[i]}${name ? `, class ${name}` : ""}${portraits.features ? "" : ", as it is and with its map"}`);
      strip.append(element("li", {}, link));
    }
  }

  cover() {
    this.list.classList.toggle("covered", this.checked("maps"));
    for (const card of this.cards) this.watcher.unobserve(card), this.watcher.observe(card); // looks again at those in view
  }

  // Sorting and filtering.
  turn() {
    const button = this.controls.querySelector("[data-do=turn]");
    this.down = !this.down;
    button.setAttribute("aria-pressed", String(!this.down));
    button.textContent = this.down ? "↓ Highest first" : "↑ Lowest first";
    this.arrange();
  }

  arrange() {
    const { portraits, list } = this, sort = this.field("sort").value;
    this.order = sorted(portraits, sort, this.down);
    this.shown = this.order.filter((i) => this.fits(i));
    for (const i of this.shown) this.cards[i].querySelector(".g-value").textContent = sort === "id" ? "" : number(portraits.value(Number(sort), i));
    list.replaceChildren(...this.shown.map((i) => this.cards[i]));
    const title = sort === "id" ? "" : ` The number on each is its ${portraits.quantities[Number(sort)].title.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}.`;
    this.count.textContent = `${this.shown.length.toLocaleString("en")} of ${portraits.count.toLocaleString("en")} records.${this.shown.length ? title : ""}`;
  }

  fits(i) {
    const { portraits } = this, label = this.field("class").value, who = this.field("who").value, digits = this.field("find").value.trim();
    return (
      (label === "" || portraits.labels[i] === Number(label)) &&
      (who === "" || portraits.has(i, GIVEN_AWAY) === (who === "away")) &&
      (!this.checked("wrong") || portraits.wrong(i)) &&
      (!this.checked("label") || portraits.has(i, WRONG_LABEL)) &&
      String(portraits.ids[i]).startsWith(digits)
    );
  }

  find() {
    const digits = this.field("find").value.trim();
    if (this.portraits.place.has(digits)) location.hash = `record-${digits}`;
    else if (digits) this.count.textContent = `Record ${digits} is not among the ${this.portraits.count} shown here.`;
  }

  // The address says what is open: #record-ID a record, anything else the gallery.
  follow() {
    const i = this.portraits.place.get(/^#record-(.+)$/.exec(location.hash)?.[1]) ?? -1;
    if (i >= 0) this.enter(i);
    else if (this.open >= 0) this.leave();
  }

  enter(i) {
    if (this.open < 0) Object.assign(this, { left: window.scrollY, opener: document.activeElement });
    this.open = i;
    this.page.show(i, this.shown.includes(i) ? this.shown : this.order);
    this.swap(true);
    this.root.scrollIntoView({ behavior: "instant" });
    this.record.querySelector("h3").focus({ preventScroll: true });
  }

  leave() {
    const card = this.cards[this.open], aim = location.hash.length > 1 && location.hash !== "#gallery" && document.getElementById(location.hash.slice(1));
    const strip = this.opener?.closest(".g-strip"); // one that the browser goes back to
    this.open = -1;
    this.swap(false);
    if (aim) return aim.scrollIntoView({ behavior: "instant" });
    (strip ? this.opener : card.querySelector("a")).focus({ preventScroll: true });
    window.scrollTo({ top: this.left, behavior: "instant" });
    if (!strip) card.scrollIntoView({ block: "nearest", behavior: "instant" }); // after steps to others it may lie elsewhere
  }

  swap(single) {
    for (const part of [this.controls, this.count, this.list]) part.hidden = single;
    this.record.hidden = !single;
  }

  // Steps to the previous and the next record leave no trace: Back returns to where one came from.
  replace(event) {
    if (event.target.closest(".g-back")) this.opener = null;
    const link = event.target.closest("a[data-replace]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    location.replace(link.hash);
  }

  key(event) {
    if (this.open < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") this.record.querySelector(".g-back").click();
    const steps = { ArrowLeft: "Previous", ArrowRight: "Next" }, link = steps[event.key] && Array.from(this.record.querySelectorAll("a.g-step")).find((one) => one.textContent.includes(steps[event.key]));
    if (link && this.record.contains(document.activeElement)) link.click();
  }
}

// Records by a quantity or by number; unknown values come last either way, ties by number.
function sorted(portraits, sort, down) {
  const key = sort === "id" ? (i) => portraits.ids[i] : (i) => portraits.value(Number(sort), i), turn = down ? -1 : 1;
  return Array.from(portraits.ids.keys()).sort((a, b) => {
    const x = key(a), y = key(b), unknown = Number.isNaN(x) - Number.isNaN(y);
    return unknown || (x < y ? -turn : x > y ? turn : 0) || portraits.ids[a] - portraits.ids[b];
  });
}

async function beginGallery() {
  const root = document.getElementById("gallery"), packed = document.getElementById("gallery-data");
  if (!root || !packed) return;
  if (!("DecompressionStream" in window)) {
    root.querySelector(".g-count").textContent = "This browser is too old to show the records.";
    return;
  }
  new Gallery(root, new Portraits(await unpack(packed.textContent)));
}
beginGallery();
