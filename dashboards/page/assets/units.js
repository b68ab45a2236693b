// How a value of each unit reads, in short and whole, and as a number to draw. The units are those of
// dashboards.panels.panel.Unit; money stays an exact decimal string until it is drawn.

import { compact, count, day, duration, exactMoney, figure, label, milliseconds, moment, money, picos } from "./format.js";

const nothing = "–";
const number = (short, whole = (value) => String(value), after = "") => ({ short, whole, after, numeric: true });
const amount = (after = "") => ({ short: money, whole: exactMoney, after, numeric: true, money: true });

const UNITS = {
  text: { short: label, whole: () => "", after: "" },
  time: { short: moment, whole: (value) => value, after: "" },
  day: { short: day, whole: (value) => value, after: "" },
  usd: amount(),
  usd_per_day: amount("a day"),
  usd_per_million_tokens: amount("per 1M tokens"),
  usd_per_thousand_calls: amount("per 1k calls"),
  calls: number(compact, count, "calls"),
  tokens: number(compact, count, "tokens"),
  count: number(compact, count),
  tokens_per_second: number(figure, String, "tokens/s"),
  calls_per_second: number(figure, String, "calls/s"),
  milliseconds: number(milliseconds, (value) => `${value} ms`),
  seconds: number(duration, (value) => `${value} s`),
  days: number((value) => `${figure(value)} d`, (value) => `${value} days`),
  percent: number((value) => `${share(value)} %`, (value) => `${value} %`),
  ratio: number((value) => `${figure(value)}×`, (value) => `${value} times`),
  number: number(figure),
};

function share(value) {
  const size = Math.abs(value);
  if (size > 0 && size < 0.1) return size < 0.01 ? (value < 0 ? ">−0.01" : "<0.01") : value.toFixed(2);
  return value.toFixed(size < 9.95 ? 1 : 0);
}

const of = (unit) => UNITS[unit] ?? UNITS.number;

export const isNumeric = (unit) => of(unit).numeric === true;
export const isMoney = (unit) => of(unit).money === true;

/** The value in short. unknown: how null reads, a dash unless it is said. */
export function short(value, unit, unknown = nothing) {
  if (value === null) return unknown;
  const text = of(unit).short(value);
  return isNumeric(unit) ? text.replace(/^-/, "−") : text;
}

/** The value whole, for hover texts and screen readers. */
export function whole(value, unit) {
  if (value === null) return isMoney(unit) ? exactMoney(null) : isNumeric(unit) ? "Nothing to tell it from" : "";
  const { whole: exact, after } = of(unit);
  const text = exact(value);
  return text && after && isNumeric(unit) ? `${text} ${after}` : text;
}

/** The words that stand after a lone figure: "a day", "calls"; often none. */
export const after = (unit) => of(unit).after;

/** What the unit is called where it tells two figures apart. */
export const called = (unit) => after(unit) || (isMoney(unit) ? "dollars" : unit.replaceAll("_", " "));

/** The value in short with its words. */
export const spoken = (value, unit) => (value === null || !after(unit) ? short(value, unit) : `${short(value, unit)} ${after(unit)}`);

/** How null reads in each column: where a row's own spend is not known its calls have no price; other figures are not there. */
export function unknowns(fields) {
  const spend = fields.findIndex((field) => field.unit === "usd");
  return fields.map((_, index) => (index === spend ? "no price" : nothing));
}

/** A number to draw with; null stays null. Exactness ends here. */
export function drawable(value, unit) {
  if (value === null) return null;
  if (unit === "time" || unit === "day") return Date.parse(value);
  return isMoney(unit) ? Number(picos(value)) / 1e12 : Number(value);
}

/** Smaller, equal or larger, for sorting; exact for money, null last whichever way. */
export function compare(one, other, unit, descending) {
  if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1;
  let order;
  if (isMoney(unit)) {
    const [a, b] = [picos(one), picos(other)];
    order = a < b ? -1 : a > b ? 1 : 0;
  } else if (isNumeric(unit)) order = one - other;
  else order = String(one).localeCompare(String(other), "en", { numeric: true });
  return descending ? -order : order;
}

/** What plotly writes at the ticks of an axis of this unit that reaches up to `top`. */
export function ticks(unit, top) {
  if (isMoney(unit)) {
    if (top >= 10_000) return { tickformat: "$.3~s" };
    return { tickformat: top >= 10 ? "$,.0f" : top >= 0.1 ? "$,.2f" : "$,.2~r" };
  }
  if (unit === "milliseconds") return top >= 2000 ? { tickformat: ",.3~r", scale: 1 / 1000, ticksuffix: " s" } : { tickformat: ",.3~r", ticksuffix: " ms" };
  if (unit === "seconds") return { tickformat: top >= 10_000 ? ".3~s" : ",.3~r", ticksuffix: " s" };
  if (unit === "percent") return { tickformat: ",.3~r", ticksuffix: " %" };
  if (unit === "ratio") return { tickformat: ",.3~r", ticksuffix: "×" };
  if (unit === "days") return { tickformat: ",.3~r", ticksuffix: " d" };
  return { tickformat: top >= 10_000 ? ".3~s" : ",.3~r" };
}
