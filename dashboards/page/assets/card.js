// One panel on the page: its question, how to read it, its menu, and its answer in whatever form its kind has. Each
// asks for itself, so that what is there stands, and what fails says so in its own place.

import { address, chosen, question, variableTitle } from "./address.js";
import { ask } from "./ask.js";
import { Flow, HeatMap, TimeLine } from "./diagrams.js";
import { disclosure, make, put } from "./elements.js";
import { savePicture } from "./picture.js";
import { Series } from "./series.js";
import { onward, Stat } from "./stat.js";
import { inWords, Table } from "./table.js";

const LONGEST_MESSAGE = 160;
const CHARTS = { timeseries: Series, heatmap: HeatMap, flow: Flow, timeline: TimeLine };

export class Card {
  /** incidents(): what is drawn into charts over time. told(answer): called with each answer. */
  constructor(board, panel, { incidents, told, alone }) {
    Object.assign(this, { board, panel, incidents, told, alone });
    this.asTable = false;
    this.stale = true;
    const id = `panel-${panel.name}`;
    this.title = make("h2", { id }, panel.title);
    this.scope = make("p", { className: "scope", hidden: true });
    this.place = make("div", { className: "view" });
    this.words = make("p", { className: "hidden" });
    this.note = make("div", { className: "note", attributes: { role: "status" } });
    this.body = make("div", { className: "body", data: { state: "loading" } }, this.place, this.words, this.note);
    this.element = make(
      "article",
      { className: "panel", data: { panel: panel.name, kind: panel.kind }, attributes: { "aria-labelledby": id } },
      make("header", {}, make("div", { className: "question" }, this.title, this.scope), this.about(), this.menu()),
      this.body,
    );
    this.element.style.setProperty("--height", `${panel.height * 40}px`);
    this.view = this.make();
    const resized = new ResizeObserver(() => this.redraw());
    resized.observe(this.place);
    this.let_go = () => {
      resized.disconnect();
      this.view.plot?.remove();
    };
  }

  /** How many of twelve columns it takes on a wide screen, and on one of middling width. */
  span(wide, middling) {
    this.element.style.setProperty("--width", wide);
    this.element.style.setProperty("--middling", middling);
  }

  get isChart() {
    return this.panel.kind in CHARTS;
  }

  make() {
    if (this.panel.kind === "stat" && !this.asTable) return new Stat(this.place, this.panel);
    if (this.isChart && !this.asTable) return new CHARTS[this.panel.kind](this.place, this.panel, this);
    return new Table(this.place, this.panel, { bars: this.panel.kind === "bars" });
  }

  about() {
    const summary = make("summary", { className: "icon", attributes: { "aria-label": `How to read: ${this.panel.title}` } }, make("span", { attributes: { "aria-hidden": "true" } }, "i"));
    return disclosure(summary, "about", make("p", {}, this.panel.description));
  }

  menu() {
    const summary = make("summary", { className: "icon", attributes: { "aria-label": `Menu of: ${this.panel.title}` } }, make("span", { attributes: { "aria-hidden": "true" } }, "⋯"));
    this.flip = make("button", { type: "button", hidden: !this.isChart }, "Show as table");
    this.flip.addEventListener("click", () => this.turn());
    this.single = make("a", { data: { way: "" } }, this.alone ? "Back to the board" : "Open alone");
    this.csv = make("a", { attributes: { download: "" } }, "Save as CSV");
    const png = make("button", { type: "button" }, "Save as PNG");
    png.addEventListener("click", () => this.save());
    const copy = make("button", { type: "button" }, "Copy link to this panel");
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(new URL(address({ panel: this.panel.name }), location.href).href);
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy link to this panel"), 1500);
    });
    const whole = disclosure(summary, "menu", make("ul", {}, ...[this.flip, this.single, copy, this.csv, png].map((item) => make("li", {}, item))));
    for (const item of [this.flip, this.single, this.csv, png]) item.addEventListener("click", () => (whole.open = false));
    return whole;
  }

  /** Links and notes that follow what is chosen. */
  follow() {
    const away = this.panel.drill_down && this.panel.drill_down !== chosen.board;
    this.single.href = address({ panel: this.alone ? "" : this.panel.name });
    this.csv.href = `api/panels/${this.board.name}/${this.panel.name}.csv?${question()}`;
    const passed = Object.keys(chosen.where).filter((name) => !this.panel.variables.includes(name));
    this.scope.hidden = !passed.length;
    put(this.scope, passed.length ? `not narrowed by ${passed.map((name) => variableTitle(name).toLowerCase()).join(", ")}` : "");
    this.link?.remove();
    this.link = away ? onward(this.panel, chosen.since ? {} : { range: question().get("range") }) : null;
    if (this.link) this.element.append(this.link);
  }

  /** Asks for the answer and shows it. Throws what `ask` throws, and shows it where it is the panel's own trouble. */
  async ask(signal) {
    this.element.setAttribute("aria-busy", String(this.stale));
    try {
      const answer = await ask(`panels/${this.board.name}/${this.panel.name}`, question(), signal);
      if (signal.aborted) return;
      this.stale = false;
      this.show(answer);
      this.told(answer);
    } finally {
      if (!signal.aborted) this.element.setAttribute("aria-busy", "false");
    }
  }

  show(answer) {
    this.answer = answer;
    const empty = !answer.rows.length;
    this.state(empty ? "empty" : "ready");
    put(this.note, empty ? this.panel.empty : "");
    put(this.words, this.isChart && !this.asTable ? inWords(this.panel, answer.rows) : "");
    if (empty) return;
    try {
      Promise.resolve(this.view.update(answer)).catch((failure) => this.fail(failure));
    } catch (failure) {
      this.fail(failure);
    }
  }

  /** The panel's own trouble; figures that are there stay, and are said to be old. */
  fail(failure) {
    this.state(this.answer ? "old" : "failed");
    const { message } = failure;
    const most = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
    put(this.note, `This panel could not be answered: ${most}${this.answer ? " What is shown is older." : ""}`, message);
  }

  state(name) {
    if (this.body.dataset.state !== name) this.body.dataset.state = name;
  }

  redraw() {
    if (!this.answer?.rows.length || !this.view.redraw) return;
    Promise.resolve(this.view.redraw()).catch((failure) => this.fail(failure));
  }

  /** From chart to table and back. */
  turn() {
    this.asTable = !this.asTable;
    this.view.plot?.remove();
    this.place.replaceChildren();
    this.view = this.make();
    this.element.classList.toggle("as-table", this.asTable);
    put(this.flip, this.asTable ? "Show as chart" : "Show as table");
    if (this.answer) this.show(this.answer);
    this.element.querySelector(".menu summary").focus();
  }

  async save() {
    try {
      await savePicture(this);
    } catch (failure) {
      put(this.note, `The picture could not be made: ${failure.message}`);
    }
  }
}
