// Tables, with bars or without; also what every chart turns into when it is read as a table. Rows are kept by their
// names and changed in place, so a refresh moves nothing that did not change and keeps the focus.

import { address, chosen, fieldTitle, go, step } from "./address.js";
import { LEVEL_MARKS, LEVEL_WORDS, levelAt, levelOf } from "./colours.js";
import { arrange, make, put } from "./elements.js";
import { label } from "./format.js";
import { compare, drawable, isNumeric, short, spoken, unknowns, whole } from "./units.js";

const MOST_ROWS = 500;
const UNBROKEN = 28;
const STATES = new Set(["severity", "state"]);

export class Table {
  /** bars: whether the first measure is drawn as a bar below the name. */
  constructor(place, panel, { bars = false } = {}) {
    this.panel = panel;
    this.bars = bars;
    this.measure = panel.fields.findIndex((field) => isNumeric(field.unit));
    this.incident = panel.fields.findIndex((field) => field.variable === "incident");
    // An incident's own name says nothing to a person; its title is clicked instead.
    this.title = this.incident < 0 ? -1 : panel.fields.findIndex((field) => field.name === "title");
    this.parts = bars && panel.stacked ? sameUnit(panel.fields, this.measure) : [this.measure];
    this.unknowns = unknowns(panel.fields);
    this.sort = null;
    this.rows = [];
    this.lines = new Map();
    this.heads = panel.fields.map((field, index) => {
      const button = make("button", { type: "button", className: "sort" }, field.title);
      button.addEventListener("click", () => this.sortBy(index));
      return make("th", { scope: "col", className: isNumeric(field.unit) ? "number" : "words", hidden: this.unseen(index) }, button);
    });
    this.body = make("tbody");
    this.beyond = make("p", { className: "fine", hidden: true });
    const table = make("table", { className: bars ? "bars" : "" }, make("caption", { className: "hidden" }, panel.title), make("thead", {}, make("tr", {}, ...this.heads)), this.body);
    place.append(make("div", { className: "scroll", tabIndex: 0, attributes: { role: "region", "aria-label": `${panel.title} Table` } }, table, this.beyond));
  }

  sortBy(index) {
    const numeric = isNumeric(this.panel.fields[index].unit);
    if (this.sort?.index !== index) this.sort = { index, descending: numeric };
    else if (this.sort.descending === numeric) this.sort = { index, descending: !numeric };
    else this.sort = null;
    this.heads.forEach((head, at) => {
      if (this.sort?.index === at) head.setAttribute("aria-sort", this.sort.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.show();
  }

  update({ rows }) {
    this.rows = rows;
    this.show();
  }

  show() {
    const { fields } = this.panel;
    let rows = this.rows;
    this.heads.forEach((head, index) => put(head.firstChild, fieldTitle(fields[index])));
    if (this.sort) {
      const { index, descending } = this.sort;
      rows = [...rows].sort((one, other) => compare(one[index], other[index], fields[index].unit, descending));
    }
    const largest = Math.max(0, ...this.rows.map((row) => this.parts.reduce((sum, part) => sum + this.size(row, part), 0)));
    const seen = new Set();
    const lines = rows.slice(0, MOST_ROWS).map((row) => {
      let key = JSON.stringify(row.filter((_, index) => !isNumeric(fields[index].unit)));
      while (seen.has(key)) key += "+";
      seen.add(key);
      const line = this.lines.get(key) ?? this.add(key);
      this.fill(line, row, largest);
      return line.element;
    });
    for (const key of this.lines.keys()) if (!seen.has(key)) this.lines.delete(key);
    arrange(this.body, lines);
    this.beyond.hidden = rows.length <= MOST_ROWS;
    put(this.beyond, `The first ${MOST_ROWS} of ${rows.length} rows; the CSV has all of them.`);
  }

  /** Whether a column stands only in the CSV. */
  unseen(index) {
    return index === this.incident && this.title >= 0;
  }

  size(row, part) {
    return part < 0 ? 0 : Math.abs(drawable(row[part], this.panel.fields[part].unit) ?? 0);
  }

  add(key) {
    const cells = this.panel.fields.map((field, index) => {
      const first = index === 0;
      const cell = make(first ? "th" : "td", { className: isNumeric(field.unit) ? "number" : "words", hidden: this.unseen(index), attributes: first ? { scope: "row" } : {} });
      const text = make("span", { className: "text" });
      cell.append(text);
      return { cell, text, pick: null };
    });
    const line = { element: make("tr", {}, ...cells.map(({ cell }) => cell)), cells, bars: [] };
    if (this.bars) {
      line.bars = this.parts.map((part, index) => make("span", { className: "bar", data: this.parts.length > 1 ? { level: levelOf(this.panel.fields[part].name), part: index } : {} }));
      cells[0].cell.append(make("span", { className: "track", attributes: { "aria-hidden": "true" } }, ...line.bars));
    }
    this.lines.set(key, line);
    return line;
  }

  fill(line, row, largest) {
    const { fields, thresholds } = this.panel;
    fields.forEach((field, index) => {
      const value = row[index];
      const part = line.cells[index];
      const way = index === this.title ? step(this.panel, fields[this.incident], row[this.incident]) : step(this.panel, field, value);
      const isShort = typeof value !== "string" || value.length <= UNBROKEN;
      part.cell.classList.toggle("short", isShort);
      if (way) return this.offer(part, field, value, way, index === this.title ? [fields[this.incident], row[this.incident]] : [field, value]);
      if (part.pick) {
        part.pick.replaceWith(part.text);
        part.pick = null;
      }
      put(part.text, value === "" && !field.variable ? "–" : short(value, field.unit, this.unknowns[index]), whole(value, field.unit));
      if (STATES.has(field.name) && value) {
        part.text.className = "text badge";
        part.text.dataset.level = levelOf(value);
      }
      if (index === this.measure) {
        const level = levelAt(thresholds, drawable(value, field.unit));
        part.cell.dataset.level = level;
        if (level) {
          put(part.text, `${LEVEL_MARKS[level]} ${short(value, field.unit)}`, `${whole(value, field.unit)} (${LEVEL_WORDS[level].slice(2)})`);
        }
      }
    });
    line.bars.forEach((bar, index) => {
      bar.style.width = `${largest ? (this.size(row, this.parts[index]) / largest) * 100 : 0}%`;
    });
  }

  /** A value that can be chosen: a link where it leads to another board, else a button that chooses it here. */
  offer(part, field, value, { changes, away, variable }, what) {
    const isChosen = !away && (variable === "incident" ? chosen.incident === what[1] : (chosen.where[variable] ?? []).includes(value));
    const nameless = variable === "incident" && this.title < 0;
    const text = nameless ? "Look into it" : short(value, field.unit);
    const tag = away ? "A" : "BUTTON";
    if (part.pick?.tagName !== tag) {
      const pick = away ? make("a", { className: "pick", data: { way: "" } }) : make("button", { type: "button", className: "pick" });
      if (!away) pick.addEventListener("click", () => go(step(this.panel, ...part.what).changes));
      (part.pick ?? part.text).replaceWith(pick);
      part.pick = pick;
    }
    part.what = what;
    put(part.pick, text, away ? `On: ${label(value)}` : isChosen ? `No longer only ${label(value)}` : `Only ${label(value)}`);
    if (away) part.pick.href = address(changes);
    else part.pick.setAttribute("aria-pressed", String(isChosen));
  }

  /** What stands in the table, as texts: for the picture. */
  texts() {
    const fields = this.panel.fields.filter((_, index) => !this.unseen(index));
    const rows = [...this.body.rows].map((line) => [...line.cells].filter((cell) => !cell.hidden).map((cell) => (cell.querySelector(".text, .pick") ?? cell).textContent));
    return { heads: fields.map((field) => field.title), rows, numeric: fields.map((field) => isNumeric(field.unit)) };
  }
}

/** The columns from the first measure on that count the same. */
function sameUnit(fields, first) {
  return fields.map((field, index) => (index >= first && field.unit === fields[first].unit ? index : -1)).filter((index) => index >= 0);
}

/** A sentence for a screen reader: how many rows, and the first of them. */
export function inWords(panel, rows) {
  if (!rows.length) return panel.empty;
  const first = panel.fields.map((field, index) => `${field.title} ${spoken(rows[0][index], field.unit)}`).join(", ");
  return `${rows.length} ${rows.length === 1 ? "row" : "rows"}; the first: ${first}. The menu shows all of them as a table.`;
}
