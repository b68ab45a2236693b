// The grid of a board's panels. Those that are seen are asked first, and again and again; the others once, until
// someone scrolls to them.

import { address, chosen } from "./address.js";
import { Card } from "./card.js";
import { make } from "./elements.js";

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

const isNear = (element) => element.getBoundingClientRect().top < innerHeight + 300;
