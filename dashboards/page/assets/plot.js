// What every chart drawn by plotly.js has in common: the library, the theme's colours, one way to draw.

const library = new Promise((resolve, reject) => {
  const script = document.getElementById("plotly");
  if (window.Plotly) return resolve(window.Plotly);
  script.addEventListener("load", () => resolve(window.Plotly));
  script.addEventListener("error", () => reject(new Error("plotly.js did not load")));
});

/** Text that plotly shows as it is: it would otherwise read a few HTML tags in it. */
export const inert = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** A colour or font of the theme as it is now. */
export const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The layout that all charts share. */
export function layout(changes) {
  const font = { family: style("--font"), size: 12, color: style("--muted") };
  return {
    showlegend: false,
    margin: { l: 56, r: 8, t: 10, b: 36 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font,
    hoverlabel: { bgcolor: style("--raised"), bordercolor: style("--line"), align: "left", font: { color: style("--text"), size: 12, family: font.family } },
    dragmode: matchMedia("(pointer: fine)").matches ? "zoom" : false,
    ...changes,
  };
}

/** An axis of time from `since` to `until` for an element so wide. */
export function timeAxis(since, until, width, step) {
  return {
    type: "date",
    range: [since, until],
    showgrid: false,
    linecolor: style("--line"),
    ticks: "outside",
    ticklen: 4,
    tickcolor: style("--line"),
    nticks: Math.max(3, Math.min(10, Math.floor(width / 80))),
    tickformatstops: [
      { dtickrange: [null, 86_399_999], value: "%H:%M\n%-d %b" },
      { dtickrange: [86_400_000, "M1"], value: "%-d %b" },
      { dtickrange: ["M1", null], value: "%b %Y" },
    ],
    hoverformat: step >= 86_400 ? "%a %-d %b %Y" : "%a %-d %b, %H:%M",
    fixedrange: false,
  };
}

/** Draws into an element and keeps what is there where nothing changed, so that an open hover text stays open. */
export class Plot {
  /** zoomed(since, until) after a drag; clicked(point) after a click. */
  constructor(element, { zoomed, clicked } = {}) {
    this.element = element;
    this.zoomed = zoomed;
    this.clicked = clicked;
    this.drawn = "";
    this.latest = 0;
  }

  async draw(traces, plan) {
    const width = Math.round(this.element.clientWidth);
    const height = Math.round(this.element.clientHeight);
    if (!width || !height) return;
    const wanted = JSON.stringify([traces, plan, width, height]);
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    this.latest += 1;
    const mine = this.latest;
    const plotly = await library;
    if (mine !== this.latest) return;
    await plotly.react(this.element, traces, { ...plan, width, height }, { displayModeBar: false, doubleClick: false });
    if (this.listening) return;
    this.listening = true;
    this.element.on("plotly_relayout", (change) => {
      const from = change["xaxis.range[0]"];
      const to = change["xaxis.range[1]"];
      if (from && to && this.zoomed) this.zoomed(utc(from), utc(to));
    });
    this.element.on("plotly_click", (event) => this.clicked?.(event.points[0]));
  }

  /** The chart as a picture, as a data: address. */
  async picture(scale) {
    const plotly = await library;
    const { clientWidth: width, clientHeight: height } = this.element;
    return { address: await plotly.toImage(this.element, { format: "png", width, height, scale }), width, height };
  }

  async remove() {
    if (this.listening) (await library).purge(this.element);
  }
}

const utc = (text) => `${String(text).replace(" ", "T").slice(0, 19)}Z`;
