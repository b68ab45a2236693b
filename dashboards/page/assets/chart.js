// The stacked bars over time, drawn by plotly.js.

import { compact, count, label, money, picos } from "./format.js";

const NAMED_COLOURS = 6;
const LARGEST_DRAWN = 9e15;

const plotly = new Promise((resolve, reject) => {
  const script = document.getElementById("plotly");
  if (window.Plotly) return resolve(window.Plotly);
  script.addEventListener("load", () => resolve(window.Plotly));
  script.addEventListener("error", () => reject(new Error("plotly.js did not load")));
});

// A group keeps its colour for as long as the page is open, whatever its rank becomes.
const colours = new Map();

function colourOf(by, name, present) {
  if (name === null) return "other";
  const key = JSON.stringify([by, name]);
  if (!colours.has(key)) {
    const taken = new Set(present.map((other) => colours.get(JSON.stringify([by, other]))));
    for (let number = 1; number <= NAMED_COLOURS; number += 1) {
      if (!taken.has(number)) {
        colours.set(key, number);
        break;
      }
    }
  }
  return colours.get(key) ?? "other";
}

/** Colour numbers of the groups of a series, in its order; the CSS has a variable for each. */
export function groupColours(series) {
  const names = series.groups.map((group) => group.name);
  return names.map((name) => colourOf(series.by, name, names));
}

/** Text that plotly shows as it is: it would otherwise read a few HTML tags in it. */
const inert = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The tick format of an axis that reaches up to `top`. */
function tickFormat(measure, top) {
  if (measure !== "cost") return top >= 10_000 ? ".3~s" : ",.3~r";
  if (top >= 10_000) return "$.3~s";
  return top >= 10 ? "$,.0f" : top >= 0.1 ? "$,.2f" : "$,.2~r";
}

const DAY_SECONDS = 86_400;
let drawn = "";

/**
 * Draws a series into `element`; called again, it changes what is there, and nothing where nothing changed, so that
 * an open hover text stays open. zoomed(since, until) on a drag.
 */
export async function draw(element, overview, measure, zoomed) {
  const { series, step_seconds: step } = overview;
  const wanted = JSON.stringify([series, overview.since, measure, style("--raised"), element.clientWidth]);
  if (wanted === drawn) return;
  drawn = wanted;
  const numbers = groupColours(series);
  const stepMs = step * 1000;
  let totals = series.starts.map(() => 0);
  const traces = series.groups.map((group, at) => {
    const values = group[measure].map((value) => (measure === "cost" ? Number(picos(value)) / 1e12 : value));
    totals = totals.map((total, index) => total + values[index]);
    return {
      type: "bar",
      name: inert(label(group.name)),
      x: series.starts,
      y: values.map((value) => (value > 0 && value < LARGEST_DRAWN ? value : null)),
      customdata: group[measure].map((value) => (measure === "cost" ? money(value) : measure === "calls" ? count(value) : compact(value))),
      hovertemplate: "%{customdata}<extra>%{fullData.name}</extra>",
      offset: stepMs * 0.06,
      width: stepMs * 0.88,
      marker: { color: style(`--series-${numbers[at]}`), line: { width: 0 } },
    };
  });
  const top = Math.max(...totals, 0);
  const text = style("--muted");
  const layout = {
    barmode: "stack",
    showlegend: false,
    margin: { l: 58, r: 8, t: 8, b: 44 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: style("--font"), size: 12, color: text },
    hovermode: "x unified",
    hoverlabel: { bgcolor: style("--raised"), bordercolor: style("--line"), font: { color: style("--text"), size: 12, family: style("--font") } },
    dragmode: matchMedia("(pointer: fine)").matches ? "zoom" : false,
    xaxis: {
      type: "date",
      range: [overview.since, overview.until],
      showgrid: false,
      linecolor: style("--line"),
      ticks: "outside",
      ticklen: 4,
      tickcolor: style("--line"),
      nticks: Math.max(3, Math.min(10, Math.floor(element.clientWidth / 90))),
      hoverformat: step >= DAY_SECONDS ? "%a %-d %b %Y" : "%a %-d %b, %H:%M",
      fixedrange: false,
    },
    yaxis: {
      rangemode: "tozero",
      range: top > 0 ? [0, top * 1.06] : [0, 1],
      gridcolor: style("--grid"),
      zerolinecolor: style("--line"),
      tickformat: tickFormat(measure, top),
      nticks: 6,
      fixedrange: true,
    },
  };
  const library = await plotly;
  await library.react(element, traces, layout, { displayModeBar: false, responsive: true, doubleClick: false });
  if (!element.dataset.listening) {
    element.dataset.listening = "yes";
    element.on("plotly_relayout", (change) => {
      const from = change["xaxis.range[0]"];
      const to = change["xaxis.range[1]"];
      if (from && to) zoomed(`${from.replace(" ", "T").slice(0, 19)}Z`, `${to.replace(" ", "T").slice(0, 19)}Z`);
    });
  }
}
