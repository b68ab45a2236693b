// The grid of a board's panels. Those that are seen are asked first, and again and again; the others once, until
// someone scrolls to them.

import { address, chosen } from "./address.js";
import { Card } from "./card.js";
import { make } from "./elements.js";

const COLUMNS = 12;
const NEAR = "300px";

export class BoardView {
  constructor(place, { told }) {
    this.place = place;
    this.told = told;
    this.cards = [];
    this.incidents = [];
    this.near = new Set();
    this.watching = new IntersectionObserver(
      (changes) => {
        for (const { target, isIntersecting } of changes) this.near[isIntersecting ? "add" : "delete"](target);
      },
      { rootMargin: NEAR },
    );
  }

  /** Shows a board, or one panel of it alone; what is there already stays. */
  show(board) {
    const alone = board.panels.find((panel) => panel.name === chosen.panel);
    const key = `${board.name} ${alone?.name ?? ""}`;
    if (this.key !== key) {
      this.key = key;
      this.watching.disconnect();
      this.near.clear();
      for (const card of this.cards) card.let_go();
      const panels = alone ? [alone] : board.panels;
      const besides = { incidents: () => this.incidents, told: this.told, alone: Boolean(alone) };
      this.cards = panels.map((panel) => new Card(board, panel, besides));
      const wide = filledRows(panels.map((panel) => panel.width));
      const middling = filledRows(panels.map((panel) => (panel.width <= 4 ? 6 : 12)));
      this.cards.forEach((card, index) => card.span(wide[index], middling[index]));
      this.place.classList.toggle("alone", Boolean(alone));
      this.place.replaceChildren(...this.cards.map((card) => card.element));
      if (alone) this.place.prepend(make("p", { className: "back" }, make("a", { className: "link", href: address({ panel: "" }), data: { way: "" } }, `← All of ${board.title}`)));
      for (const card of this.cards) {
        if (isNear(card.element)) this.near.add(card.element);
        this.watching.observe(card.element);
      }
    }
    for (const card of this.cards) {
      card.stale = true;
      card.follow();
    }
    const back = this.place.querySelector(".back a");
    if (back) back.href = address({ panel: "" });
  }

  get drawsIncidents() {
    return this.cards.some((card) => card.panel.kind === "timeseries");
  }

  setIncidents(incidents) {
    this.incidents = incidents;
    for (const card of this.cards) if (card.panel.kind === "timeseries") card.redraw();
  }

  /** The cards to ask now: near ones first, and of the others those without an answer to what is chosen. */
  get wanted() {
    const near = this.cards.filter((card) => this.near.has(card.element));
    return [...near, ...this.cards.filter((card) => card.stale && !near.includes(card))];
  }

  redraw() {
    for (const card of this.cards) card.redraw();
  }
}

/** Widths, in columns of twelve, with no row left unfilled: alike ones share it, else the last one takes what is left. */
function filledRows(widths) {
  const filled = [];
  let row = [];
  const close = () => {
    const left = COLUMNS - row.reduce((sum, width) => sum + width, 0);
    const alike = row.every((width) => width === row[0]) && COLUMNS % row.length === 0;
    filled.push(...row.map((width, index) => (alike ? COLUMNS / row.length : index === row.length - 1 ? width + left : width)));
    row = [];
  };
  for (const width of widths) {
    if (row.reduce((sum, each) => sum + each, width) > COLUMNS) close();
    row.push(width);
  }
  if (row.length) close();
  return filled;
}

const isNear = (element) => element.getBoundingClientRect().top < innerHeight + 300;
