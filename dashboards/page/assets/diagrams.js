// Charts beside those over time: heat maps, flows from one to another, and stretches of time.

import { go, step } from "./address.js";
import { coloursOf, LEVEL_MARKS, levelOf } from "./colours.js";
import { make } from "./elements.js";
import { label, moment } from "./format.js";
import { inert, layout, Plot, style, timeAxis } from "./plot.js";
import { drawable, short, spoken, whole } from "./units.js";

const THICKEST_BAR = 22;

class Diagram {
  constructor(place, panel) {
    this.panel = panel;
    this.element = make("div", { className: "chart", attributes: { "aria-hidden": "true" } });
    place.append(this.element);
    this.plot = new Plot(this.element, { zoomed: (since, until) => go({ since, until }), clicked: (point) => this.clicked(point) });
  }

  update(answer) {
    this.answer = answer;
    return this.redraw();
  }

  redraw() {
    return this.answer ? this.plot.draw(...this.drawing()) : null;
  }

  clicked() {}
}

/** How many fell into which bucket, step by step: the darker, the more. */
export class HeatMap extends Diagram {
  drawing() {
    const { rows, since, until, step_seconds: seconds } = this.answer;
    const [, bucket, count] = this.panel.fields;
    const buckets = [...new Set(rows.map((row) => row[1]))].sort((one, other) => (one === null) - (other === null) || one - other);
    const times = [...new Set(rows.map((row) => row[0]))].sort();
    const cells = new Map(rows.map((row) => [`${row[0]} ${row[1]}`, row[2]]));
    const values = buckets.map((upper) => times.map((time) => cells.get(`${time} ${upper}`) ?? 0));
    const names = buckets.map((upper, index) => (upper === null ? `over ${short(buckets[index - 1] ?? 0, bucket.unit)}` : short(upper, bucket.unit)));
    const width = this.element.clientWidth;
    return [
      [
        {
          type: "heatmap",
          // The start of a step is the left edge of its cells.
          x: times.map((time) => new Date(Date.parse(time) + seconds * 500).toISOString()),
          y: names,
          // Drawn by the logarithm, so that a long tail is seen beside what is usual.
          z: values.map((line) => line.map((value) => (value > 0 ? Math.log10(1 + drawable(value, count.unit)) : null))),
          customdata: values.map((line, at) => line.map((value, index) => `${moment(times[index])}<br>up to ${names[at]}: ${spoken(value, count.unit)}`)),
          hovertemplate: "%{customdata}<extra></extra>",
          colorscale: [[0, style("--heat-low")], [1, style("--heat-high")]],
          showscale: false,
          xgap: width > 500 ? 1 : 0,
          ygap: 1,
        },
      ],
      layout({
        margin: { l: 64, r: 8, t: 6, b: 36 },
        xaxis: { ...timeAxis(since, until, width, seconds), zeroline: false },
        yaxis: { type: "category", fixedrange: true, showgrid: false, zeroline: false, nticks: Math.max(3, Math.floor(this.element.clientHeight / 22)), title: { text: "" } },
      }),
    ];
  }
}

/** What went from where to where, as wide as it was much. */
export class Flow extends Diagram {
  drawing() {
    const { rows } = this.answer;
    const [from, to, amount] = this.panel.fields;
    const sides = [[...new Set(rows.map((row) => row[0]))], [...new Set(rows.map((row) => row[1]))]];
    const nodes = sides.flatMap((names, side) => names.map((name) => ({ name, side })));
    const names = [...new Set(nodes.map((node) => node.name))];
    const numbers = coloursOf(from.variable || to.variable || this.panel.name, names);
    const colourOf = new Map(names.map((name, index) => [name, style(`--series-${numbers[index]}`)]));
    const place = (name, side) => nodes.findIndex((node) => node.name === name && node.side === side);
    this.nodes = nodes;
    return [
      [
        {
          type: "sankey",
          node: {
            label: nodes.map((node) => inert(label(node.name))),
            color: nodes.map((node) => colourOf.get(node.name)),
            customdata: nodes.map((node) => inert(label(node.name))),
            hovertemplate: "%{customdata}<extra></extra>",
            pad: 12,
            thickness: 14,
            line: { width: 0 },
          },
          link: {
            source: rows.map((row) => place(row[0], 0)),
            target: rows.map((row) => place(row[1], 1)),
            value: rows.map((row) => Math.abs(drawable(row[2], amount.unit) ?? 0)),
            customdata: rows.map((row) => inert(`${label(row[0])} → ${label(row[1])}: ${whole(row[2], amount.unit)}`)),
            hovertemplate: "%{customdata}<extra></extra>",
            color: rows.map((row) => translucent(colourOf.get(row[0]))),
          },
          textfont: { color: style("--text"), size: 12, family: style("--font") },
        },
      ],
      layout({ margin: { l: 8, r: 8, t: 8, b: 12 }, dragmode: false }),
    ];
  }

  clicked(point) {
    const node = this.nodes[point.pointNumber];
    if (point.source || !node) return;
    const way = step(this.panel, this.panel.fields[node.side], node.name);
    if (way) go(way.changes);
  }
}

/** When each thing began and ended, a line for each name. */
export class TimeLine extends Diagram {
  drawing() {
    const { rows, since, until, now } = this.answer;
    const colour = { bad: style("--bad"), warning: style("--warn-strong"), good: style("--good"), neutral: style("--series-1") };
    const begins = rows.map((row) => (row[0] < since ? since : row[0]));
    const ends = rows.map((row) => row[1] ?? now);
    const least = (Date.parse(until) - Date.parse(since)) / 250;
    const names = [...new Set(rows.map((row) => row[2]))];
    const most = Math.max(8, Math.floor(this.element.clientWidth / 26));
    const cut = (name) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
    const mark = new Map(rows.map((row) => [row[2], LEVEL_MARKS[levelOf(row[3])]]));
    return [
      [
        {
          type: "bar",
          orientation: "h",
          base: begins,
          x: rows.map((_, index) => Math.max(Date.parse(ends[index]) - Date.parse(begins[index]), least)),
          y: rows.map((row) => names.indexOf(row[2])),
          width: Math.min(0.62, (THICKEST_BAR * Math.max(names.length, 4)) / this.element.clientHeight),
          marker: { color: rows.map((row) => colour[levelOf(row[3])]), line: { width: 0 } },
          customdata: rows.map((row) => inert(`${row[2]}: ${row[3]}`) + `<br>${moment(row[0])} – ${row[1] ? moment(row[1]) : "now"}`),
          hovertemplate: "%{customdata}<extra></extra>",
        },
      ],
      layout({
        margin: { l: 12, r: 8, t: 6, b: 36 },
        hovermode: "closest",
        xaxis: { ...timeAxis(since, until, this.element.clientWidth, 0), showgrid: true, gridcolor: style("--grid") },
        yaxis: { fixedrange: true, automargin: true, tickvals: names.map((_, index) => index), ticktext: names.map((name) => `${inert(cut(label(name)))} ${mark.get(name)}`), range: [Math.max(names.length, 4) - 0.5, -0.5], showgrid: false, zeroline: false },
      }),
    ];
  }

  clicked(point) {
    const row = this.answer.rows[point.pointNumber];
    for (const [index, field] of this.panel.fields.entries()) {
      const way = step(this.panel, field, row[index]);
      if (way?.variable === "incident") return go(way.changes);
    }
    return undefined;
  }
}

/** A theme's #rrggbb, translucent, in a form that plotly knows. */
function translucent(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgba(${red},${green},${blue},0.38)`;
}
