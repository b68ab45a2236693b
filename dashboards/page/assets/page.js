// The page's clock: what is chosen stands in the address, what is shown are the panels' answers, asked for again every
// few seconds while someone can see them.

import { boardOf, chosen, known, question, readAddress, whenChanged } from "./address.js";
import { ask } from "./ask.js";
import { BoardView } from "./board.js";
import { showBoards, showChips, showGroups, showPeriod, showPeriodChoice } from "./controls.js";
import { put } from "./elements.js";
import { Filters } from "./filters.js";
import { time } from "./format.js";

const REFRESH_MS = 5000;
const SLOWEST_REFRESH_MS = 60_000;
const at = (id) => document.getElementById(id);

const filters = new Filters(at("filters"));
const view = new BoardView(at("panels"), { told: answered });
let asking = null;
let timer = 0;
let newest = "";

function answered(answer) {
  newest = answer.now;
  showPeriod(answer);
}

/** The controls and the panels as chosen, before anything is asked. */
function follow() {
  const board = boardOf(chosen.board);
  document.title = `${board.title} · Tokenweir`;
  showBoards(board);
  showPeriodChoice();
  showGroups(board);
  filters.follow(board);
  showChips(board);
  view.show(board);
}

function trouble(what, why = "") {
  const place = at("trouble");
  place.hidden = !what;
  if (what) put(place, `${what} ${why}${newest ? ` The figures below are those of ${time(newest)}.` : ""}`);
}

function live(name, text) {
  at("live").dataset.state = name;
  put(at("live-text"), text);
}

function empty(isEmpty) {
  at("empty").hidden = !isEmpty;
  at("panels").hidden = isEmpty;
  document.body.classList.toggle("is-empty", isEmpty);
}

/** Asks everything that is to be seen, once. */
async function round() {
  clearTimeout(timer);
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const { signal } = mine;
  const begun = performance.now();
  const cards = view.wanted;
  const ledger = ask("ledger", "", signal).then((answer) => empty(answer.empty));
  const asked = cards.map((card) => card.ask(signal));
  const incidents = view.drawsIncidents ? ask("annotations", question(), signal).then((answer) => view.setIncidents(answer.incidents)) : null;
  const outcomes = await Promise.allSettled([ledger, ...asked]);
  await Promise.allSettled([incidents]);
  if (signal.aborted || mine !== asking) return;
  judge(cards, outcomes);
  // A slow ledger is asked less often: looking at it should not be what keeps it busy.
  const pause = Math.min(Math.max(REFRESH_MS, (performance.now() - begun) * 4), SLOWEST_REFRESH_MS);
  if (!document.hidden) timer = setTimeout(round, pause);
}

const TROUBLES = {
  away: "The pipeline is away.",
  ledger: "The ledger does not answer.",
  wrong: "This address asks for something that cannot be.",
};

/** Trouble that all share is said once, at the top; a panel's own trouble stands in its place. */
function judge(cards, [ledger, ...outcomes]) {
  const failures = outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason : null));
  const first = failures.find(Boolean) ?? ledger.reason;
  const all = first && (failures.every(Boolean) || ledger.status === "rejected");
  if (all) {
    trouble(TROUBLES[first.kind] ?? "The page made a mistake.", first.message);
    live("away", "Not connected");
    return;
  }
  trouble("");
  live("live", "Live");
  at("live").title = `Updated ${time(newest || new Date().toISOString())}, every ${REFRESH_MS / 1000} s while you look`;
  cards.forEach((card, index) => failures[index] && card.fail(failures[index]));
}

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("tokenweir-theme", theme);
  } catch {
    // Storage is off: the choice holds until the page is left.
  }
  view.redraw();
}

/** The first time: what boards there are. Asked again until someone answers. */
async function begin() {
  try {
    Object.assign(known, await ask("boards"));
  } catch (failure) {
    trouble(TROUBLES[failure.kind] ?? "The page made a mistake.", failure.message);
    live("away", "Not connected");
    setTimeout(begin, REFRESH_MS);
    return;
  }
  readAddress();
  follow();
  round();
}

at("theme").addEventListener("change", (event) => setTheme(event.target.value));
const themeNow = document.documentElement.dataset.theme ?? "auto";
for (const input of document.querySelectorAll('input[name="theme"]')) input.checked = input.value === themeNow;
for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}
at("fold").addEventListener("click", () => {
  const open = at("filters").classList.toggle("open");
  at("fold").setAttribute("aria-expanded", String(open));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view.redraw());
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : round()));
whenChanged((before) => {
  follow();
  round();
  if (before.board !== chosen.board || before.panel !== chosen.panel) {
    scrollTo(0, 0);
    at("board-title").focus({ preventScroll: true });
  }
});
begin();
