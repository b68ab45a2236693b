// Which colour a name has. It keeps it for as long as the page is open, on every panel, unless two names of one chart
// would share it.

import { OTHERS } from "./address.js";

export const COLOURS = 8;
const given = new Map();

/** Colour numbers of these names, in their order; "other" for what is not named on its own or comes too late. */
export function coloursOf(kind, names) {
  const key = (name) => JSON.stringify([kind, name]);
  const taken = new Set();
  const numbers = new Map();
  const waiting = [];
  for (const name of names) {
    const number = given.get(key(name));
    if (name === OTHERS || name === null) numbers.set(name, "other");
    else if (number && !taken.has(number)) {
      taken.add(number);
      numbers.set(name, number);
    } else waiting.push(name);
  }
  for (const name of waiting) {
    let number = 1;
    while (taken.has(number) && number <= COLOURS) number += 1;
    if (number > COLOURS) {
      numbers.set(name, "other");
      continue;
    }
    taken.add(number);
    numbers.set(name, number);
    if (!given.has(key(name))) given.set(key(name), number);
  }
  return names.map((name) => numbers.get(name));
}

const LEVELS = { critical: "bad", error: "bad", bad: "bad", open: "warning", warning: "warning", info: "neutral", resolved: "good", over: "good", ok: "good", good: "good" };

/** How a state or severity is to be taken: good, warning, bad or neutral. */
export const levelOf = (word) => LEVELS[String(word).toLowerCase()] ?? "neutral";

/** The level of a figure by a panel's thresholds; "" where it has none, or lies below the first. */
export function levelAt(thresholds, value) {
  let level = "";
  if (value !== null) for (const each of [...thresholds].sort((a, b) => a.value - b.value)) if (value >= each.value) level = each.level;
  return level;
}

export const LEVEL_WORDS = { good: "✓ good", warning: "▲ watch", bad: "✕ bad" };
export const LEVEL_MARKS = { good: "✓", warning: "▲", bad: "✕", neutral: "●" };
