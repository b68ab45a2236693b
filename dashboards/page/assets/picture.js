// A panel as a PNG: its question, what was chosen, and its answer, drawn on a canvas in the colours of the page.

import { chosen, rangeWords, rangeNow, variableTitle } from "./address.js";
import { day, label, moment } from "./format.js";
import { make } from "./elements.js";
import { style } from "./plot.js";

const SCALE = 2;
const EDGE = 20;
const LINE = 20;
const MOST_ROWS = 40;
const LEAST_WIDTH = 480;

/** Saves the card's panel as tokenweir-<board>-<panel>.png. */
export async function savePicture(card) {
  const canvas = await drawn(card);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const link = make("a", { href: URL.createObjectURL(blob), download: `tokenweir-${card.board.name}-${card.panel.name}.png` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function drawn(card) {
  const { view } = card;
  const chart = card.answer?.rows.length && view.plot ? await view.plot.picture(SCALE) : null;
  const texts = chart || !card.answer?.rows.length ? null : view.texts?.() ?? statTexts(card);
  const width = Math.max(LEAST_WIDTH, chart?.width ?? card.element.clientWidth) + 2 * EDGE;
  const canvas = make("canvas");
  const pen = canvas.getContext("2d");
  const legend = chart ? view.legendTexts?.() ?? [] : [];
  const font = (size, weight = 400) => (pen.font = `${weight} ${size}px ${style("--font")}`);

  font(16, 600);
  const title = wrapped(pen, card.panel.title, width - 2 * EDGE);
  font(12);
  const below = wrapped(pen, circumstances(card), width - 2 * EDGE);
  const lines = rowsOfLegend(pen, legend, width - 2 * EDGE);
  const rows = texts ? texts.rows.slice(0, MOST_ROWS) : [];
  const height = EDGE + title.length * 22 + below.length * 17 + 10 + lines.length * LINE + (chart?.height ?? 0) + (texts ? (rows.length + 1) * LINE + 8 : 0) + (chart || texts ? 0 : LINE) + EDGE;
  canvas.width = width * SCALE;
  canvas.height = height * SCALE;
  pen.scale(SCALE, SCALE);
  pen.fillStyle = style("--raised");
  pen.fillRect(0, 0, width, height);
  pen.textBaseline = "top";

  let y = EDGE;
  const write = (text, x, colour) => {
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
  };
  font(16, 600);
  for (const line of title) {
    write(line, EDGE, style("--text"));
    y += 22;
  }
  font(12);
  for (const line of below) {
    write(line, EDGE, style("--muted"));
    y += 17;
  }
  y += 10;
  for (const line of lines) {
    for (const { text, colour, x } of line) {
      pen.fillStyle = colour;
      pen.fillRect(EDGE + x, y + 2, 10, 10);
      write(text, EDGE + x + 16, style("--text"));
    }
    y += LINE;
  }
  if (chart) pen.drawImage(await loaded(chart.address), EDGE, y, chart.width, chart.height);
  else if (texts) table(pen, { ...texts, rows }, y, width, font);
  else write(card.panel.empty, EDGE, style("--muted"));
  return canvas;
}

/** The board, the period and what was chosen, in one sentence. */
function circumstances(card) {
  const { since, until } = card.answer ?? {};
  const period = chosen.since || !since ? (since ? `${moment(since)} – ${moment(until)}` : "") : `${rangeWords(rangeNow())}, ${day(since)} – ${day(until)}`;
  const narrowed = Object.entries(chosen.where).map(([name, values]) => `${variableTitle(name)}: ${values.map(label).join(", ")}`);
  return [card.board.title, `${period} UTC`, ...narrowed].join(" · ");
}

function statTexts(card) {
  const row = (term, value) => [term, value];
  const lead = card.element.querySelector(".lead");
  const rows = [row(card.panel.fields[0].title, lead.textContent), ...[...card.element.querySelectorAll(".beside > div")].map((each) => row(each.firstChild.textContent, each.lastChild.textContent))];
  return { heads: ["", ""], rows, numeric: [false, true] };
}

function table(pen, { heads, rows, numeric }, top, width, font) {
  font(12);
  const wanted = heads.map((head, index) => Math.max(pen.measureText(head).width, ...rows.map((row) => pen.measureText(row[index]).width)) + 16);
  const total = wanted.reduce((sum, each) => sum + each, 0);
  const room = width - 2 * EDGE;
  const widths = wanted.map((each) => (each / total) * room);
  [heads, ...rows].forEach((row, at) => {
    const y = top + at * LINE;
    font(12, at === 0 ? 600 : 400);
    pen.fillStyle = style(at === 0 ? "--muted" : "--text");
    let x = EDGE;
    row.forEach((text, index) => {
      const most = widths[index] - 10;
      let shown = text;
      while (shown.length > 1 && pen.measureText(shown).width > most) shown = `${shown.slice(0, -2)}…`;
      pen.textAlign = numeric[index] ? "right" : "left";
      pen.fillText(shown, numeric[index] ? x + widths[index] - 6 : x, y);
      x += widths[index];
    });
    pen.textAlign = "left";
    pen.fillStyle = style("--line");
    pen.fillRect(EDGE, y + LINE - 4, room, 1);
  });
}

function rowsOfLegend(pen, items, room) {
  const lines = [];
  let x = 0;
  for (const item of items) {
    const width = pen.measureText(item.text).width + 34;
    if (!lines.length || x + width > room) {
      lines.push([]);
      x = 0;
    }
    lines.at(-1).push({ ...item, x });
    x += width;
  }
  return lines;
}

function wrapped(pen, text, room) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (pen.measureText(longer).width > room && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

function loaded(source) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.addEventListener("load", () => resolve(image));
    image.addEventListener("error", () => reject(new Error("the chart gave no picture")));
    image.src = source;
  });
}
