// What is chosen stands in the address and nowhere else: board, period, groups, values of the variables, one panel
// alone, one incident. So it can be kept, sent, and gone back from.

const RANGE_WORDS = { "1h": "last hour", "6h": "last 6 hours", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days", all: "all time" };
const NOTHING = { board: "", range: "", since: "", until: "", by: "", then_by: "", incident: "", panel: "", measure: "", where: {} };

/** The definitions of /api/boards, once they are there. */
export const known = { boards: [], variables: [], groups: [], ranges: [] };
export const chosen = { ...NOTHING };
const listeners = [];

/** Called after each change, with what was chosen before. */
export const whenChanged = (listener) => listeners.push(listener);

export const boardOf = (name) => known.boards.find((board) => board.name === name) ?? known.boards[0];
export const variableTitle = (name) => known.variables.find((each) => each.name === name)?.title ?? name;
export const groupTitle = (name) => known.groups.find((each) => each.name === name)?.title ?? name;
export const rangeWords = (range) => RANGE_WORDS[range] ?? range;

/** The range that is shown: the chosen one, else the board's own; empty where two moments say it. */
export const rangeNow = () => (chosen.since ? "" : chosen.range || boardOf(chosen.board).period);

export function readAddress() {
  const given = new URLSearchParams(location.search);
  const next = { ...NOTHING, where: {} };
  for (const name of Object.keys(NOTHING)) if (name !== "where") next[name] = given.get(name) ?? "";
  next.board = boardOf(next.board).name;
  if (!known.ranges.includes(next.range)) next.range = "";
  if (!known.groups.some((each) => each.name === next.by)) next.by = "";
  if (!known.groups.some((each) => each.name === next.then_by)) next.then_by = "";
  for (const { name } of known.variables) if (given.has(name)) next.where[name] = given.getAll(name);
  Object.assign(chosen, next);
}

/** The address with these changes; `board` alone leaves the panel and the incident behind. */
export function address(changes = {}) {
  const moved = changes.board !== undefined && changes.board !== chosen.board;
  const next = { ...chosen, ...(moved ? { panel: "", incident: "", measure: "" } : {}), ...changes };
  if (changes.range) next.since = next.until = "";
  if (changes.since) next.range = "";
  const parameters = new URLSearchParams({ board: next.board });
  for (const name of ["range", "since", "until", "by", "then_by", "incident", "panel", "measure"]) if (next[name]) parameters.set(name, next[name]);
  append(parameters, next.where);
  return `?${parameters}`;
}

function append(parameters, where) {
  for (const [name, values] of Object.entries(where)) for (const value of values) parameters.append(name, value);
}

/** Changes what is chosen, and the address with it. */
export function go(changes) {
  const before = { ...chosen };
  history.pushState(null, "", address(changes));
  readAddress();
  for (const listener of listeners) listener(before);
}

addEventListener("popstate", () => {
  const before = { ...chosen };
  readAddress();
  for (const listener of listeners) listener(before);
});

// Links within the page change it in place; with a modifier key they open as links do.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-way]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const before = { ...chosen };
  history.pushState(null, "", link.href);
  readAddress();
  for (const listener of listeners) listener(before);
});

/** The parameters of a question to the server. search: further ones. */
export function question(besides = {}) {
  const parameters = new URLSearchParams();
  if (chosen.since) {
    parameters.set("since", chosen.since);
    if (chosen.until) parameters.set("until", chosen.until);
  } else parameters.set("range", rangeNow());
  for (const name of ["by", "then_by", "incident"]) if (chosen[name]) parameters.set(name, chosen[name]);
  append(parameters, chosen.where);
  for (const [name, value] of Object.entries(besides)) parameters.set(name, value);
  return parameters;
}

/** `where` with a value added, or taken back where it is there. */
export function toggled(variable, value, { only = false } = {}) {
  const values = chosen.where[variable] ?? [];
  const next = only ? [value] : values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
  const where = { ...chosen.where, [variable]: next };
  if (!next.length) delete where[variable];
  return where;
}

/** A column's title; of groups, by what is grouped. */
export function fieldTitle(field) {
  const grouped = { "@by": chosen.by || "team", "@then_by": chosen.then_by || "model" }[field.variable];
  return grouped ? groupTitle(grouped) : field.title;
}

/** The variable that a click on a value of this field chooses: its own, or the one that is grouped by. */
export function variableOf(field) {
  const name = field.variable === "@by" ? chosen.by || "team" : field.variable === "@then_by" ? chosen.then_by || "model" : field.variable;
  return name === "incident" || known.variables.some((each) => each.name === name) ? name : "";
}

/** What a click on a value leads to: `changes` for `go` and `address`, and whether it leaves the board. */
export function step(panel, field, value) {
  const variable = variableOf(field);
  const away = panel.drill_down && panel.drill_down !== chosen.board ? panel.drill_down : "";
  if (!variable || value === null || (field.variable.startsWith("@") && value === OTHERS)) return null;
  const on = away ? { board: away, ...carried() } : {};
  if (variable === "incident") return { changes: { ...on, incident: value === chosen.incident && !away ? "" : value }, away, variable };
  return { changes: { ...on, where: toggled(variable, value, { only: Boolean(away) }) }, away, variable };
}

/** The period as it is now, said outright, so that another board does not choose its own. */
export const carried = () => (chosen.since ? {} : { range: rangeNow() });

/** What a panel calls the groups that it does not name. */
export const OTHERS = "all others";
