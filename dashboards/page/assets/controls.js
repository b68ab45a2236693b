// What can be chosen at the top of the page: the board, the period, the groups; and what is chosen, as chips.

import { address, chosen, go, groupTitle, known, rangeNow, rangeWords, toggled } from "./address.js";
import { make, put, renew } from "./elements.js";
import { day, duration, label, moment } from "./format.js";

const DAY_MS = 86_400_000;
const at = (id) => document.getElementById(id);

/** Links to all boards; each carries along what is chosen. */
export function showBoards(board) {
  const place = at("boards");
  renew(place, known.boards.map((each) => each.name), () =>
    known.boards.map((each) => make("li", {}, make("a", { textContent: each.title, data: { way: "", board: each.name } }))),
  );
  for (const link of place.querySelectorAll("a")) {
    link.href = address({ board: link.dataset.board, panel: "", incident: "" });
    if (link.dataset.board === board.name) {
      if (link.getAttribute("aria-current") !== "page") link.scrollIntoView({ block: "nearest", inline: "center" });
      link.setAttribute("aria-current", "page");
    } else link.removeAttribute("aria-current");
  }
  put(at("board-title"), board.title);
  put(at("board-description"), board.description);
}

export function showPeriodChoice() {
  const place = at("range");
  if (place.childElementCount === 1) {
    for (const range of known.ranges) {
      const input = make("input", { type: "radio", name: "range", value: range });
      place.append(make("label", { title: rangeWords(range) }, input, make("span", {}, range === "all" ? "All" : range)));
    }
    place.addEventListener("change", (event) => go({ range: event.target.value, since: "", until: "" }));
    at("dates-show").addEventListener("click", chooseDates);
  }
  for (const input of place.querySelectorAll("input")) input.checked = input.value === rangeNow();
  at("dates").classList.toggle("narrows", Boolean(chosen.since));
}

/** Whole days, the last one among them. */
function chooseDates() {
  const [from, to] = [at("dates-from").value, at("dates-to").value];
  const wrong = !from || !to || from > to;
  put(at("dates-note"), wrong ? "Choose two days, the first one first." : "");
  if (wrong) return;
  at("dates").open = false;
  at("dates").querySelector("summary").focus();
  go({ since: `${from}T00:00:00Z`, until: new Date(Date.parse(to) + DAY_MS).toISOString().replace(".000", "") });
}

/** The stretch of time that the answers are of. */
export function showPeriod({ since, until, step_seconds: step }) {
  const whole = [since, until].every((moment) => moment.includes("T00:00:00"));
  const last = whole ? new Date(Date.parse(until) - 1).toISOString() : until;
  put(at("period"), `${(whole ? day : moment)(since)} – ${(whole ? day : moment)(last)}`, `In steps of ${duration(step)}, UTC`);
  if (document.activeElement?.closest?.("#dates")) return;
  at("dates-from").value = since.slice(0, 10);
  at("dates-to").value = new Date(Date.parse(until) - 1).toISOString().slice(0, 10);
}

/** By what is grouped, where a board has panels that ask. */
export function showGroups(board) {
  for (const [name, usual, words] of [["by", "team", "By"], ["then_by", "model", "then by"]]) {
    const place = at(name);
    if (!place.childElementCount) {
      const select = make("select", {}, ...known.groups.map((group) => make("option", { value: group.name }, group.title)));
      select.addEventListener("change", () => go({ [name]: select.value }));
      place.append(make("span", {}, words), select);
    }
    place.hidden = !board[name];
    place.querySelector("select").value = chosen[name] || usual;
  }
}

export function showChips(board) {
  const place = at("chips");
  const key = [chosen.where, chosen.incident, board.name];
  const focused = document.activeElement?.closest?.("#chips");
  renew(place, key, () => {
    const chips = Object.entries(chosen.where).flatMap(([name, values]) =>
      values.map((value) => chip(groupTitle(name), value, board.variables.includes(name), { where: toggled(name, value) })),
    );
    if (chosen.incident) chips.push(chip("Incident", chosen.incident.slice(0, 24), true, { incident: "" }));
    if (chips.length > 1) {
      const clear = make("button", { type: "button", className: "link" }, "Clear all");
      clear.addEventListener("click", () => go({ where: {}, incident: "" }));
      chips.push(clear);
    }
    return chips;
  });
  place.hidden = !place.childElementCount;
  if (focused && !place.contains(document.activeElement)) (place.querySelector("button") ?? at("board-title")).focus();
}

function chip(title, value, heeded, changes) {
  const cross = make("span", { className: "cross", attributes: { "aria-hidden": "true" } }, "×");
  const button = make(
    "button",
    { type: "button", className: heeded ? "chip" : "chip idle", title: heeded ? "Remove this" : "Nothing on this board is narrowed by it; click to remove it", attributes: { "aria-label": `Remove ${title} ${label(value)}` } },
    `${title} `, make("b", {}, label(value)), cross,
  );
  button.addEventListener("click", () => go(changes));
  return button;
}

