// The breakdown tables and the two short lists. Rows are kept by name and changed in place, so that a refresh
// moves nothing that did not change and keeps the focus. Text goes in as text, never as HTML.

import { compact, count, exactMoney, label, money, percent, picos, ratio } from "./format.js";

const SHOWN_ROWS = matchMedia("(max-width: 640px)").matches ? 5 : 8;

const COLUMNS = [
  { key: "cost", title: "Spend", value: (row) => [money(row.cost), exactMoney(row.cost)] },
  { key: "share", title: "Share", value: (row, total) => [row.cost === null ? "–" : percent(picos(row.cost), total), ""] },
  { key: "calls", title: "Calls", value: (row) => [compact(row.calls), count(row.calls)] },
  { key: "input", title: "Input", hint: "Input tokens, cached ones among them", value: (row) => [compact(row.input_tokens), count(row.input_tokens)] },
  { key: "output", title: "Output", hint: "Output tokens, reasoning among them", value: (row) => [compact(row.output_tokens), count(row.output_tokens)] },
  { key: "cached", title: "Cache read", hint: "Part of the input that was read from a cache", value: (row) => [percent(row.cache_read_tokens, row.input_tokens), count(row.cache_read_tokens)] },
  { key: "per-thousand", title: "Per 1k calls", hint: "Spend for a thousand priced calls", value: (row) => [perThousand(row), ""] },
];

/** Spend for a thousand of the calls that have a price. */
export function perThousand(figures) {
  const priced = figures.calls - figures.unpriced_calls;
  if (figures.cost === null || priced === 0) return "–";
  return money((picos(figures.cost) * 1000n) / BigInt(priced));
}

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

function put(element, text, title = "") {
  if (element.textContent !== text) element.textContent = text;
  if (element.title !== title) element.title = title;
}

/** A table that stays: `update(breakdown, chosen, colours)` changes it. pick(name) is called when a row is chosen. */
export class Breakdown {
  constructor(place, field, pick) {
    this.field = field;
    this.pick = pick;
    this.rows = new Map();
    this.open = false;
    const head = make("tr", {}, make("th", { scope: "col", className: "c-name", textContent: field[0].toUpperCase() + field.slice(1) }));
    for (const column of COLUMNS) {
      head.append(make("th", { scope: "col", className: `c-${column.key}`, textContent: column.title, title: column.hint ?? "" }));
    }
    this.body = make("tbody");
    this.more = make("button", { type: "button", className: "link more", hidden: true });
    this.more.addEventListener("click", () => {
      this.open = !this.open;
      this.fold();
    });
    place.append(make("table", { className: "breakdown" }, make("thead", {}, head), this.body), this.more);
  }

  update({ rows, cost, groups }, chosen, colours) {
    const total = picos(cost);
    this.beyond = groups - rows.length;
    const largest = rows.reduce((most, row) => (row.cost !== null && picos(row.cost) > most ? picos(row.cost) : most), 0n);
    const seen = new Set();
    rows.forEach((row, at) => {
      seen.add(row.name);
      const parts = this.rows.get(row.name) ?? this.add(row.name);
      if (this.body.children[at] !== parts.line) this.body.insertBefore(parts.line, this.body.children[at] ?? null);
      const isChosen = chosen.includes(row.name);
      parts.line.classList.toggle("dimmed", chosen.length > 0 && !isChosen);
      parts.button.setAttribute("aria-pressed", String(isChosen));
      const colour = colours.get(row.name);
      parts.dot.hidden = colour === undefined;
      parts.dot.dataset.series = colour ?? "";
      parts.bar.style.width = `${((row.cost === null ? 0 : ratio(picos(row.cost), largest)) ?? 0) * 100}%`;
      put(parts.flag, row.unpriced_calls ? `${compact(row.unpriced_calls)} unpriced` : "", row.unpriced_calls ? `${count(row.unpriced_calls)} calls have no price and are in no sum` : "");
      put(parts.detail, `${compact(row.calls)} calls · ${compact(row.input_tokens + row.output_tokens)} tokens`);
      for (const column of COLUMNS) {
        const [text, title] = column.value(row, total);
        put(parts.cells.get(column.key), text, title);
      }
    });
    for (const [name, parts] of this.rows) {
      if (!seen.has(name)) {
        parts.line.remove();
        this.rows.delete(name);
      }
    }
    this.fold();
  }

  add(name) {
    const dot = make("span", { className: "swatch", hidden: true });
    const button = make("button", { type: "button", className: "pick", title: `Show only ${this.field} ${label(name)}` }, label(name));
    button.addEventListener("click", () => this.pick(name));
    const flag = make("span", { className: "flag" });
    const bar = make("span", { className: "bar" });
    const detail = make("span", { className: "detail" });
    const line = make(
      "tr", {},
      make("th", { scope: "row", className: "c-name" }, make("span", { className: "who" }, dot, button, flag), detail, make("span", { className: "track" }, bar)),
    );
    const cells = new Map();
    for (const column of COLUMNS) {
      const cell = make("td", { className: `c-${column.key}` });
      cells.set(column.key, cell);
      line.append(cell);
    }
    const parts = { line, button, dot, flag, bar, detail, cells };
    this.rows.set(name, parts);
    return parts;
  }

  fold() {
    [...this.body.children].forEach((line, at) => {
      line.hidden = !this.open && at >= SHOWN_ROWS;
    });
    const rows = this.body.children.length;
    this.more.hidden = rows <= SHOWN_ROWS;
    put(this.more, this.open ? "Show fewer" : this.beyond ? `Show the first ${rows} of ${rows + this.beyond}` : `Show all ${rows}`);
    this.more.setAttribute("aria-expanded", String(this.open));
  }
}

/** A list of facts with a hint below; `empty` stands there while there is nothing to say. */
export function list(place, items, empty, hint, command) {
  const key = JSON.stringify([items, empty]);
  if (place.dataset.shown === key) return;
  place.dataset.shown = key;
  if (!items.length) return place.replaceChildren(make("p", { className: "fine", textContent: empty }));
  const lines = items.map(([name, note, figure]) =>
    make("li", {}, make("span", { className: "what" }, make("b", { textContent: name }), make("span", { textContent: note })), make("span", { className: "how-many", textContent: figure })),
  );
  place.replaceChildren(make("ul", {}, ...lines), make("p", { className: "hint" }, `${hint} `, make("code", { textContent: command })));
}
