// A control for each variable: a list of check boxes that opens, with a search for what is not among the first. Which
// values are offered depends on what is chosen of the others, and on the period.

import { chosen, go, question, toggled, variableTitle } from "./address.js";
import { ask } from "./ask.js";
import { disclosure, make, put, renew } from "./elements.js";
import { compact, count, label } from "./format.js";

const TYPING_MS = 150;

class Filter {
  constructor(variable) {
    this.variable = variable;
    const title = variableTitle(variable);
    this.count = make("span", { className: "how-many" });
    this.summary = make("summary", {}, make("span", {}, title), this.count);
    this.search = make("input", { type: "search", placeholder: `Search ${title.toLowerCase()}…`, autocomplete: "off", spellcheck: false, attributes: { "aria-label": `Search ${title}` } });
    this.list = make("ul", { className: "values", attributes: { "aria-label": title } });
    this.note = make("p", { className: "fine", attributes: { role: "status" } });
    this.clear = make("button", { type: "button", className: "link" }, "Clear");
    this.element = disclosure(this.summary, "filter", this.search, this.list, this.note, this.clear);
    this.element.addEventListener("toggle", () => {
      if (!this.element.open) return;
      this.search.value = "";
      this.ask();
      this.search.focus();
    });
    this.search.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), TYPING_MS);
    });
    this.search.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      this.list.querySelector("input")?.focus();
    });
    this.list.addEventListener("keydown", (event) => this.move(event));
    this.clear.addEventListener("click", () => {
      const where = { ...chosen.where };
      delete where[this.variable];
      go({ where });
      this.summary.focus();
    });
  }

  /** Arrow keys go through the values. */
  move(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const boxes = [...this.list.querySelectorAll("input")];
    const next = boxes.indexOf(document.activeElement) + by;
    (next < 0 ? this.search : boxes[Math.min(next, boxes.length - 1)]).focus();
  }

  follow() {
    const values = chosen.where[this.variable] ?? [];
    put(this.count, values.length ? String(values.length) : "");
    this.element.classList.toggle("narrows", values.length > 0);
    this.clear.hidden = !values.length;
    for (const box of this.list.querySelectorAll("input")) box.checked = values.includes(box.value);
  }

  async ask() {
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    if (!this.list.childElementCount) put(this.note, "Looking…");
    try {
      const { values, beyond } = await ask(`variables/${this.variable}`, question({ search: this.search.value }), signal);
      const needle = this.search.value.toLowerCase();
      const missing = (chosen.where[this.variable] ?? []).filter((value) => !values.some((each) => each.value === value) && value.toLowerCase().includes(needle));
      const offered = [...missing.map((value) => ({ value, calls: null })), ...values];
      put(this.note, beyond > 0 ? `${count(beyond)} more; search for them.` : offered.length ? "" : "None in this period.");
      renew(this.list, offered.map((each) => each.value), () => offered.map((each) => this.option(each)));
      this.follow();
    } catch (failure) {
      if (!signal.aborted) put(this.note, failure.message);
    }
  }

  option({ value, calls }) {
    const box = make("input", { type: "checkbox", value });
    box.addEventListener("change", () => go({ where: toggled(this.variable, value) }));
    const how = calls === null ? "none here" : compact(calls);
    return make("li", {}, make("label", {}, box, make("span", { className: "value" }, label(value)), make("span", { className: "fine", title: calls === null ? "" : `${count(calls)} calls` }, how)));
  }
}

/** The row of controls for a board's variables; they stay while the board changes. */
export class Filters {
  constructor(place) {
    this.place = place;
    this.filters = new Map();
  }

  follow(board) {
    const wanted = board.variables.map((name) => {
      if (!this.filters.has(name)) this.filters.set(name, new Filter(name));
      return this.filters.get(name);
    });
    renew(this.place, board.variables, () => wanted.map((filter) => filter.element));
    for (const filter of wanted) filter.follow();
  }
}
