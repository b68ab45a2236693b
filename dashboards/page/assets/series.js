// Charts over time: stacked bars where the measures add up, lines where they do not; signals as marks above them.

import { chosen, go, step } from "./address.js";
import { coloursOf, levelOf } from "./colours.js";
import { make, renew } from "./elements.js";
import { label } from "./format.js";
import { inert, layout, Plot, style, timeAxis } from "./plot.js";
import { called, drawable, short, ticks, whole } from "./units.js";

const MOST_MARKS = 40;
const DASHES = ["solid", "dash", "dot", "dashdot"];
const SEVERITIES = ["critical", "warning", "info"];

export class Series {
  constructor(place, panel, card) {
    this.panel = panel;
    this.card = card;
    this.named = panel.fields[1].unit === "text";
    this.measures = panel.fields.slice(this.named ? 2 : 1);
    this.options = optionsOf(this.measures, this.named);
    this.at = Math.max(0, this.options.findIndex((option) => chosen.measure === `${panel.name}:${option.name}`));
    this.choice = this.chooser();
    this.legend = make("ul", { className: "legend", attributes: { "aria-label": "Lines of the chart" } });
    this.element = make("div", { className: "chart", attributes: { "aria-hidden": "true" } });
    place.append(make("div", { className: "above" }, this.legend, this.choice), this.element);
    this.plot = new Plot(this.element, {
      zoomed: (since, until) => go({ since, until }),
      clicked: (point) => point.data.meta === "signals" && go({ board: "signals", incident: point.customdata[1] }),
    });
  }

  chooser() {
    if (this.options.length < 2) return null;
    const group = `measure-${this.panel.name}`;
    const choice = make("fieldset", { className: "segments small" }, make("legend", { className: "hidden" }, `Measure of: ${this.panel.title}`));
    this.options.forEach((option, index) => {
      const input = make("input", { type: "radio", name: group, value: option.name, checked: index === this.at });
      choice.append(make("label", {}, input, make("span", {}, option.title)));
    });
    choice.addEventListener("change", (event) => {
      this.at = this.options.findIndex((option) => option.name === event.target.value);
      this.redraw();
    });
    return choice;
  }

  update(answer) {
    this.answer = answer;
    return this.redraw();
  }

  redraw() {
    if (!this.answer) return null;
    const lines = this.lines();
    this.showLegend(lines);
    return this.plot.draw(...this.drawing(lines));
  }

  /** Name, colour and points of each line. */
  lines() {
    const { rows } = this.answer;
    const { measures } = this.options[this.at];
    const { fields } = this.panel;
    const found = new Map();
    if (!this.named) measures.forEach((field) => found.set(field.title, { name: field.title, field, points: rows.map((row) => [row[0], row[fields.indexOf(field)]]) }));
    else {
      const [field] = measures;
      const column = fields.indexOf(field);
      for (const row of rows) {
        if (!found.has(row[1])) found.set(row[1], { name: row[1], field, points: [] });
        found.get(row[1]).points.push([row[0], row[column]]);
      }
    }
    const lines = [...found.values()];
    if (this.panel.stacked) {
      const size = (line) => line.points.reduce((sum, [, value]) => sum + (drawable(value, line.field.unit) ?? 0), 0);
      lines.sort((one, other) => (one.name === "all others") - (other.name === "all others") || size(other) - size(one));
    }
    const kind = this.named ? fields[1].variable || fields[1].name : this.panel.name;
    const colours = coloursOf(kind, lines.map((line) => line.name));
    return lines.map((line, index) => ({ ...line, colour: colours[index] }));
  }

  drawing(lines) {
    const { since, until, step_seconds: seconds } = this.answer;
    const { measures } = this.options[this.at];
    const { unit } = measures[0];
    const all = lines.flatMap((line) => line.points.map(([, value]) => drawable(value, unit))).filter((value) => value !== null);
    const totals = new Map();
    for (const line of lines) for (const [time, value] of line.points) totals.set(time, (totals.get(time) ?? 0) + (drawable(value, unit) ?? 0));
    const top = Math.max(0, ...(this.panel.stacked ? totals.values() : all));
    const bottom = Math.min(0, ...all);
    const { tickformat, ticksuffix = "", scale = 1 } = ticks(unit, top);
    const traces = lines.map((line, index) => this.trace(line, index, scale, seconds * 1000));
    const times = lines.flatMap((line) => line.points.map(([time]) => time)).sort();
    const [begin, end] = this.panel.heeds_period
      ? [times.length && times[0] < since ? times[0] : since, times.length && times.at(-1) > until ? times.at(-1) : until]
      : [times[0] ?? since, times.at(-1) ?? until];
    const marks = this.marks(begin, end);
    if (marks) traces.push(marks);
    const limits = this.panel.thresholds.filter((each) => each.level !== "good" && each.value <= top * 1.5);
    return [
      traces,
      layout({
        barmode: "relative",
        hovermode: lines.length > 12 ? "closest" : "x unified",
        xaxis: timeAxis(begin, end, this.element.clientWidth, this.panel.stepped ? seconds : 0),
        yaxis: {
          range: top > bottom ? [bottom * scale * 1.06, top * scale * 1.06] : [0, 1],
          gridcolor: style("--grid"),
          zerolinecolor: style("--line"),
          tickformat,
          ticksuffix,
          nticks: Math.max(3, Math.floor(this.element.clientHeight / 45)),
          fixedrange: true,
        },
        yaxis2: { overlaying: "y", range: [0, 1], visible: false, fixedrange: true },
        shapes: [
          ...limits.map((each) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: each.value * scale, y1: each.value * scale, line: { color: style(`--${each.level === "bad" ? "bad" : "warn"}`), width: 1.5, dash: "dash" } })),
          ...(marks ? marks.x.map((x, index) => ({ type: "line", yref: "paper", y0: 0, y1: 1, x0: x, x1: x, layer: "below", line: { color: marks.marker.color[index], width: 1, dash: "dot" } })) : []),
        ],
      }),
    ];
  }

  trace(line, index, scale, stepMs) {
    const { unit } = line.field;
    const colour = style(`--series-${line.colour}`);
    const shared = {
      name: inert(label(line.name)),
      x: line.points.map(([time]) => time),
      y: line.points.map(([, value]) => scaled(drawable(value, unit), scale)),
      customdata: line.points.map(([, value]) => (unit === "calls" || unit === "tokens" ? short(value, unit) : unit.startsWith("usd") ? short(value, unit) : whole(value, unit))),
      hovertemplate: "%{customdata}<extra>%{fullData.name}</extra>",
    };
    if (this.panel.stacked) {
      return { ...shared, type: "bar", offset: stepMs * 0.06, width: stepMs * 0.88, marker: { color: colour, line: { width: 0 } } };
    }
    const few = line.points.length < 40;
    return {
      ...shared,
      ...(this.panel.stepped ? gapped(shared, stepMs) : {}),
      type: "scatter",
      mode: few ? "lines+markers" : "lines",
      line: { color: colour, width: 2, dash: line.colour === "other" ? "dot" : DASHES[Math.floor(index / 8) % DASHES.length] },
      marker: { color: colour, size: 5, symbol: index % 8 },
    };
  }

  /** The signals of the period as a trace at the upper edge; null where there are none. */
  marks(begin, end) {
    const incidents = this.card.incidents()
      .filter((each) => each.time >= begin && each.time <= end)
      .sort((one, other) => SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity))
      .slice(0, MOST_MARKS);
    if (!incidents.length) return null;
    const colour = { bad: style("--bad"), warning: style("--warn"), good: style("--good"), neutral: style("--muted") };
    return {
      type: "scatter",
      mode: "markers",
      meta: "signals",
      yaxis: "y2",
      name: "signal",
      x: incidents.map((each) => each.time),
      y: incidents.map(() => 0.985),
      customdata: incidents.map((each) => [inert(`${each.severity}: ${each.title}`), each.incident]),
      hovertemplate: "%{customdata[0]}<extra></extra>",
      marker: { symbol: "triangle-down", size: 9, color: incidents.map((each) => colour[levelOf(each.severity)]) },
    };
  }

  showLegend(lines) {
    const field = this.named ? this.panel.fields[1] : null;
    renew(this.legend, [lines.map((line) => [line.name, line.colour]), chosen], () =>
      lines.map((line) => {
        const swatch = make("span", { className: "swatch", data: { series: line.colour } });
        const name = make("span", { className: "line-name", title: label(line.name) }, label(line.name));
        const way = field && step(this.panel, field, line.name);
        if (!way) return make("li", {}, swatch, name);
        const isChosen = !way.away && (chosen.where[way.variable] ?? []).includes(line.name);
        const button = make("button", { type: "button", className: "pick", title: `Only ${label(line.name)}`, attributes: { "aria-pressed": String(isChosen) } }, swatch, name);
        button.addEventListener("click", () => go(step(this.panel, field, line.name).changes));
        return make("li", {}, button);
      }),
    );
    // What scrolls can be reached by the keyboard, and nothing else stands in the way of it.
    if (this.legend.scrollHeight > this.legend.clientHeight + 1) this.legend.tabIndex = 0;
    else this.legend.removeAttribute("tabindex");
  }

  legendTexts() {
    return this.lines().map((line) => ({ text: label(line.name), colour: style(`--series-${line.colour}`) }));
  }
}

/** What can be shown: each measure on its own where lines have names, else all measures of one unit together. */
function optionsOf(measures, named) {
  if (named) return distinct(measures.map((field) => ({ name: field.name, title: field.title, measures: [field] })));
  const units = new Map();
  for (const field of measures) units.set(field.unit, [...(units.get(field.unit) ?? []), field]);
  return distinct([...units.values()].map((fields) => ({ name: fields[0].name, title: fields[0].title, measures: fields })));
}

/** Titles that are alike get the words of their unit. */
function distinct(options) {
  const alike = (option) => options.filter((other) => other.title === option.title).length > 1;
  return options.map((option) => (alike(option) ? { ...option, title: `${option.title}, ${called(option.measures[0].unit)}` } : option));
}

const scaled = (value, scale) => (value === null || Math.abs(value) > 9e15 ? null : value * scale);

/** A break in the line where steps have no value. */
function gapped({ x, y, customdata }, stepMs) {
  const out = { x: [], y: [], customdata: [] };
  x.forEach((time, index) => {
    if (index && Date.parse(time) - Date.parse(x[index - 1]) > stepMs * 1.5) {
      out.x.push(new Date(Date.parse(x[index - 1]) + stepMs).toISOString());
      out.y.push(null);
      out.customdata.push("");
    }
    out.x.push(time);
    out.y.push(y[index]);
    out.customdata.push(customdata[index]);
  });
  return out;
}
