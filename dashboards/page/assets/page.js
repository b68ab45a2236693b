// The page's state and its clock: what is chosen stands in the address, what is shown is one answer of
// api/overview, asked for again every few seconds while someone can see it.

import { draw, groupColours } from "./chart.js";
import { compact, count, day, duration, exactMoney, label, moment, money, percent, picos, time } from "./format.js";
import { Breakdown, list, perThousand } from "./tables.js";

const REFRESH_MS = 5000;
const SLOWEST_REFRESH_MS = 60_000;
const DIMENSIONS = ["team", "vendor", "model"];
const FILTERS = ["tenant", "team", "project", "service", "environment", "api_key", "vendor", "model", "region"];
const RANGE_WORDS = { "1h": "last hour", "6h": "last 6 hours", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days", all: "all time" };
const MEASURE_WORDS = { cost: "Spend", calls: "Calls", tokens: "Tokens" };
const DAY_SECONDS = 86_400;

const at = (id) => document.getElementById(id);

const state = { range: "24h", since: "", until: "", by: "team", measure: "cost", where: {} };
let shown = null;
let asking = null;
let timer = 0;

function readAddress() {
  const given = new URLSearchParams(location.search);
  state.since = given.get("since") ?? "";
  state.until = given.get("until") ?? "";
  state.range = state.since ? "" : given.get("range") ?? "24h";
  state.by = given.get("by") ?? "team";
  state.measure = given.get("measure") ?? "cost";
  if (!RANGE_WORDS[state.range] && !state.since) state.range = "24h";
  if (!MEASURE_WORDS[state.measure]) state.measure = "cost";
  if (![...DIMENSIONS, "service"].includes(state.by)) state.by = "team";
  state.where = Object.fromEntries(FILTERS.filter((name) => given.has(name)).map((name) => [name, given.getAll(name)]));
}

function parameters() {
  const wanted = new URLSearchParams();
  if (state.since) {
    wanted.set("since", state.since);
    wanted.set("until", state.until);
  } else wanted.set("range", state.range);
  wanted.set("by", state.by);
  for (const [name, values] of Object.entries(state.where)) for (const value of values) wanted.append(name, value);
  return wanted;
}

function change(changes, { push = true } = {}) {
  Object.assign(state, changes);
  const address = parameters();
  if (state.measure !== "cost") address.set("measure", state.measure);
  history[push ? "pushState" : "replaceState"](null, "", `?${address}`);
  showControls();
  refresh();
}

function toggle(field, value) {
  const values = state.where[field] ?? [];
  const next = values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
  const where = { ...state.where, [field]: next };
  if (!next.length) delete where[field];
  change({ where });
}

const zoom = (since, until) => change({ range: "", since, until });

function showControls() {
  for (const name of ["range", "by", "measure"]) {
    for (const input of document.querySelectorAll(`input[name="${name}"]`)) input.checked = input.value === state[name];
  }
  const chips = Object.entries(state.where).flatMap(([field, values]) => values.map((value) => chip(field, value)));
  if (chips.length > 1) {
    const clear = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "Clear all" });
    clear.addEventListener("click", () => change({ where: {} }));
    chips.push(clear);
  }
  if (!chips.length) chips.push(Object.assign(document.createElement("span"), { className: "tip", textContent: "Click a team, vendor or model to see it alone" }));
  at("filters").replaceChildren(...chips);
}

function chip(field, value) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "chip", title: "Remove this filter" });
  const name = Object.assign(document.createElement("b"), { textContent: label(value) });
  const cross = Object.assign(document.createElement("span"), { textContent: "×", className: "cross" });
  cross.setAttribute("aria-hidden", "true");
  button.append(`${field} `, name, cross);
  button.setAttribute("aria-label", `Remove the filter ${field} ${label(value)}`);
  button.addEventListener("click", () => toggle(field, value));
  return button;
}

function put(id, text, title = "") {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
  if (element.title !== title) element.title = title;
}

function putSpend(id, figures) {
  put(id, figures.cost === null ? "no price" : money(figures.cost), exactMoney(figures.cost));
}

function showFigures(overview) {
  const { totals, before, calendar, freshness } = overview;
  put("spend-title", state.since ? "Spend, chosen period" : `Spend, ${RANGE_WORDS[state.range]}`);
  putSpend("spend", totals);
  put("spend-note", comparison(totals, before), before ? `Before: ${exactMoney(before.cost)}` : "");
  putSpend("today", calendar.today);
  putSpend("last-7-days", calendar.last_7_days);
  putSpend("last-30-days", calendar.last_30_days);
  put("calls", compact(totals.calls), count(totals.calls));
  put("calls-note", `${perThousand(totals)} per 1k\n${totals.failed_calls ? `${percent(totals.failed_calls, totals.calls)} failed` : "none failed"}`, `${count(totals.failed_calls)} calls did not end well`);
  const tokens = totals.input_tokens + totals.output_tokens;
  put("tokens", compact(tokens), count(tokens));
  put("tokens-note", `${compact(totals.input_tokens)} in, ${compact(totals.output_tokens)} out\n${percent(totals.cache_read_tokens, totals.input_tokens)} of input cached`, `${count(totals.input_tokens)} in, ${count(totals.cache_read_tokens)} of them read from a cache; ${count(totals.output_tokens)} out`);
  put("unpriced", compact(totals.unpriced_calls), count(totals.unpriced_calls));
  put("unpriced-note", totals.unpriced_calls ? "in no sum until\na price is known" : "every call has a price");
  at("unpriced-card").classList.toggle("warn", totals.unpriced_calls > 0);
  put("rate", compact(freshness.calls_last_minute), count(freshness.calls_last_minute));
  put("rate-note", freshness.newest_at ? `calls per minute\nnewest ${duration(freshness.lag_seconds)} ago` : "calls per minute", freshness.newest_at ?? "");
}

function comparison(totals, before) {
  if (!before || before.cost === null || totals.cost === null || picos(before.cost) === 0n) return "nothing before to compare with";
  const change = Number(((picos(totals.cost) - picos(before.cost)) * 1000n) / picos(before.cost)) / 10;
  const arrow = change > 0 ? "▲" : change < 0 ? "▼" : "=";
  return `${arrow} ${Math.abs(change) >= 1000 ? `${compact(Math.round(Math.abs(change) / 100))}×` : `${Math.abs(change).toFixed(1)} %`} against the ${state.since ? "period" : RANGE_WORDS[state.range].replace("last ", "")} before`;
}

function showPeriod(overview) {
  const whole = overview.step_seconds % DAY_SECONDS === 0;
  const until = whole ? new Date(Date.parse(overview.until) - 1).toISOString() : overview.until;
  const words = `${(whole ? day : moment)(overview.since)} – ${(whole ? day : moment)(until)}`;
  put("period", words, `In steps of ${duration(overview.step_seconds)}, UTC`);
}

function showLegend(series) {
  const numbers = groupColours(series);
  const key = JSON.stringify([series.by, series.groups.map((group) => group.name), numbers, state.where]);
  const place = at("legend");
  if (place.dataset.shown === key) return;
  place.dataset.shown = key;
  place.replaceChildren(
    ...series.groups.map((group, number) => {
      const item = document.createElement("li");
      const swatch = Object.assign(document.createElement("span"), { className: "swatch" });
      swatch.dataset.series = numbers[number];
      if (group.name === null) {
        item.append(swatch, label(null));
        return item;
      }
      const button = Object.assign(document.createElement("button"), { type: "button", className: "pick", title: `Show only ${series.by} ${label(group.name)}` });
      button.append(swatch, label(group.name));
      button.setAttribute("aria-pressed", String((state.where[series.by] ?? []).includes(group.name)));
      button.addEventListener("click", () => toggle(series.by, group.name));
      item.append(button);
      return item;
    }),
  );
}

function showChart(overview) {
  const { series } = overview;
  put("chart-title", `${MEASURE_WORDS[state.measure]} over time, by ${series.by}`);
  showLegend(series);
  const nothing = overview.totals.calls === 0;
  at("chart-empty").hidden = !nothing;
  const leading = series.groups.find((group) => group.name !== null);
  put("chart-words", nothing ? "No calls in this period." : `${money(overview.totals.cost)} and ${count(overview.totals.calls)} calls in ${series.starts.length} steps; most for ${label(leading?.name ?? null)}. The tables below hold the same figures.`);
  draw(at("chart"), overview, state.measure, zoom).catch((failure) => trouble("The chart could not be drawn.", failure.message));
}

function showLists(overview) {
  list(
    at("no-price"),
    overview.unpriced.map((row) => [row.model, row.vendor, `${compact(row.calls)} calls`]),
    "Every call in this period has a price.",
    "Give these a price in a price file of your own, and new calls are priced by it. See",
    "weir unpriced",
  );
  list(
    at("refused"),
    overview.rejected.reasons.map((each) => [each.reason.replaceAll("_", " "), "", compact(each.pieces)]),
    "Nothing was refused in this period.",
    "Each is kept with its reason and position. See",
    "weir rejected",
  );
}

const tables = Object.fromEntries(DIMENSIONS.map((name) => [name, new Breakdown(at(`by-${name}`), name, (value) => toggle(name, value))]));

function show(overview) {
  shown = overview;
  at("empty").hidden = !overview.empty;
  at("figures").hidden = overview.empty;
  document.body.classList.toggle("is-empty", overview.empty);
  if (overview.empty) return;
  showPeriod(overview);
  showFigures(overview);
  showChart(overview);
  const numbers = groupColours(overview.series);
  for (const name of DIMENSIONS) {
    const colours = new Map(name === overview.series.by ? overview.series.groups.map((group, number) => [group.name, numbers[number]]) : []);
    tables[name].update(overview.breakdowns[name], state.where[name] ?? [], colours);
  }
  showLists(overview);
}

function trouble(what, why) {
  const place = at("trouble");
  place.hidden = !what;
  if (!what) return;
  const words = shown ? ` The figures below are those of ${time(shown.now)}.` : "";
  const text = `${what} ${why}${words}`;
  if (place.textContent !== text) place.textContent = text;
}

function live(name, text) {
  at("live").dataset.state = name;
  const place = at("live-text");
  if (place.textContent !== text) place.textContent = text;
}

async function refresh() {
  clearTimeout(timer);
  asking?.abort();
  const mine = new AbortController();
  const asked = performance.now();
  asking = mine;
  try {
    const response = await fetch(`api/overview?${parameters()}`, { signal: mine.signal });
    const answer = await response.json();
    if (mine !== asking) return;
    if (!response.ok) throw Object.assign(new Error(answer.hint ? `${answer.error}. ${answer.hint}.` : `${answer.error}.`), { told: response.status });
    trouble("", "");
    live("live", "Live");
    at("live").title = `Updated ${time(answer.now)}, every ${REFRESH_MS / 1000} s while you look`;
    show(answer);
  } catch (failure) {
    if (mine.signal.aborted) return;
    if (failure.told === 400) {
      trouble("This address asks for something that cannot be.", failure.message);
    } else if (failure.told) {
      trouble("The ledger does not answer.", failure.message);
    } else {
      trouble("The pipeline is away.", "Start it again with weir up; this page goes on by itself.");
    }
    live("away", "Not connected");
  }
  // A slow ledger is asked less often: looking at it should not be what keeps it busy.
  const pause = Math.min(Math.max(REFRESH_MS, (performance.now() - asked) * 4), SLOWEST_REFRESH_MS);
  if (!document.hidden) timer = setTimeout(refresh, pause);
}

function setTheme(chosen) {
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem("tokenweir-theme", chosen);
  } catch {
    // Storage is off: the choice holds until the page is left.
  }
  redraw();
}

function redraw() {
  if (shown && !shown.empty) showChart(shown);
}

for (const name of ["range", "by", "measure"]) {
  at(name).addEventListener("change", (event) => {
    const value = event.target.value;
    change(name === "range" ? { range: value, since: "", until: "" } : { [name]: value });
  });
}
at("theme").addEventListener("change", (event) => setTheme(event.target.value));
at("show-all").addEventListener("click", () => change({ range: "all", since: "", until: "" }));
for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
addEventListener("popstate", () => {
  readAddress();
  showControls();
  refresh();
});

const themeNow = document.documentElement.dataset.theme ?? "auto";
for (const input of document.querySelectorAll('input[name="theme"]')) input.checked = input.value === themeNow;
readAddress();
showControls();
refresh();
