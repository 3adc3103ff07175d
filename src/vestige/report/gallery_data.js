// The packed records by name. Values and percentiles were computed when the page was made.
const GIVEN_AWAY = 1, WRONG_LABEL = 2, MEMBER = 4, NO_PLACE = 255;
const LISTED_FEATURES = 3; // on a card

const safe = (words) => String(words).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

// Three digits, tiny values with an exponent.
function number(value) {
  if (Number.isNaN(value)) return "unknown";
  const rounded = +value.toPrecision(3), tiny = value !== 0 && Math.abs(value) < 1e-3;
  return (tiny ? rounded.toExponential() : String(rounded)).replaceAll("-", "−");
}

class Portraits {
  constructor(data) {
    Object.assign(this, data);
    this.count = this.ids.length;
    this.near = this.count ? this.neighbors.length / this.count : 0;
    this.place = new Map(Array.from(this.ids, (id, i) => [String(id), i]));
    this.small = new Map(Array.from(this.embedded ?? [], (i, at) => [i, at]));
  }

  has(i, mark) { return (this.marks[i] & mark) > 0; }
  wrong(i) { return this.predicted[i] !== this.labels[i]; }
  className(label) { return label < 0 ? "" : this.classes[label]; }
  value(quantity, i) { return this.values[quantity * this.count + i]; }
  standing(quantity, i) { return this.places[quantity * this.count + i]; }

  // What a reader should notice, as kind, words and meaning.
  marksOf(i) {
    const seen = [];
    if (this.has(i, GIVEN_AWAY)) seen.push(["away", "given away", "The rule that decides names this record"]);
    if (this.wrong(i)) seen.push(["wrong", `taken for ${this.className(this.predicted[i])}`, `The shown model predicts class ${this.className(this.predicted[i])}`]);
    if (this.has(i, WRONG_LABEL)) seen.push(["label", "wrong label", "The label of this record is known to be wrong"]);
    if (!this.has(i, MEMBER)) seen.push(["out", "not a member", "The shown model was not trained with this record"]);
    return seen;
  }

  chips(i) {
    return this.marksOf(i).map(([kind, words, meaning]) => `<span class="g-chip ${kind}" title="${safe(meaning)}">${safe(words)}</span>`).join("");
  }

  // The record at every checkpoint at which both of its rates are known.
  path(i) {
    return this.epochs
      .map((epoch, c) => ({ epoch, fpr: this.fpr[c * this.count + i], tpr: this.tpr[c * this.count + i] }))
      .filter(({ fpr, tpr }) => !Number.isNaN(fpr + tpr));
  }

  lossesOf(i) {
    return this.loss_epochs.map((epoch, c) => ({ epoch, loss: this.losses[c * this.count + i] })).filter(({ loss }) => Number.isFinite(loss));
  }

  neighborsOf(i) {
    const at = i * this.near;
    return Array.from({ length: this.near }, (_, k) => ({ pictured: this.neighbors[at + k], distance: this.distances[at + k] }));
  }

  featuresOf(i) {
    const rows = [];
    for (let k = i * this.kept; k < (i + 1) * this.kept; k++)
      if (!Number.isNaN(this.attributions[k])) rows.push({ name: this.features[this.feature_places[k]], value: this.feature_values[k], attribution: this.attributions[k] });
    return rows;
  }
}
