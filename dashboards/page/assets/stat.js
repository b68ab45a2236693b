// One figure, what it is held against, and what stands beside it in small.

import { address, known } from "./address.js";
import { LEVEL_WORDS, levelAt } from "./colours.js";
import { make, put } from "./elements.js";
import { compact, picos } from "./format.js";
import { after, drawable, isMoney, short, spoken, unknowns, whole } from "./units.js";

const BEFORE = "_before";

export class Stat {
  constructor(place, panel) {
    this.panel = panel;
    const [lead, ...others] = panel.fields;
    this.before = others.find((field) => field.name === lead.name + BEFORE && field.unit === lead.unit);
    this.figure = make("span", { className: "figure" }, "–");
    this.unit = make("span", { className: "figure-unit" });
    this.level = make("span", { className: "level", hidden: true });
    this.against = make("p", { className: "against" }, " ");
    this.against.hidden = !this.before;
    this.beside = others.filter((field) => field !== this.before).map((field) => ({ field, value: make("dd", {}, "–") }));
    const list = make("dl", { className: "beside" }, ...this.beside.map(({ field, value }) => make("div", {}, make("dt", {}, field.title), value)));
    place.append(make("p", { className: "lead" }, this.figure, this.unit, this.level), this.against, list);
  }

  update({ rows }) {
    const [row] = rows;
    const { fields, thresholds } = this.panel;
    const [lead] = fields;
    const value = row[0];
    put(this.figure, short(value, lead.unit, unknowns(fields)[0]), whole(value, lead.unit));
    put(this.unit, value === null ? "" : after(lead.unit));
    const level = levelAt(thresholds, drawable(value, lead.unit));
    this.level.hidden = !level;
    this.level.dataset.level = this.figure.dataset.level = level;
    put(this.level, LEVEL_WORDS[level] ?? "");
    if (this.before) {
      const earlier = row[fields.indexOf(this.before)];
      put(this.against, against(value, earlier, lead.unit), `${this.before.title}: ${whole(earlier, lead.unit)}`);
    }
    for (const { field, value: cell } of this.beside) {
      const figure = row[fields.indexOf(field)];
      put(cell, spoken(figure, field.unit === "calls" ? "count" : field.unit), whole(figure, field.unit));
    }
  }
}

function against(value, earlier, unit) {
  if (value === null || earlier === null || !drawable(earlier, unit)) return "nothing before to compare with";
  const change = isMoney(unit)
    ? Number(((picos(value) - picos(earlier)) * 1000n) / picos(earlier)) / 10
    : ((value - earlier) / earlier) * 100;
  const arrow = change > 0 ? "▲" : change < 0 ? "▼" : "=";
  const size = Math.abs(change) >= 1000 ? `${compact(Math.round(Math.abs(change) / 100))}×` : `${Math.abs(change).toFixed(1)} %`;
  return `${arrow} ${size} against the period before`;
}

/** The link to the board on which a figure goes on; null where there is none. */
export function onward(panel, changes) {
  const board = known.boards.find((each) => each.name === panel.drill_down);
  return board ? make("a", { className: "onward", href: address({ board: board.name, ...changes }), data: { way: "" } }, `${board.title} →`) : null;
}
