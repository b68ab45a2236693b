// How numbers and times read. Money comes as an exact decimal string and is only ever rounded here, on integers
// of 10^-12 USD.

const PICOS = 10n ** 12n;
const plain = new Intl.NumberFormat("en-US");
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

/** An exact decimal string as an integer of 10^-12. */
export function picos(text) {
  const negative = text.startsWith("-");
  const [whole, fraction = ""] = text.replace("-", "").split(".");
  const amount = BigInt(whole) * PICOS + BigInt(fraction.slice(0, 12).padEnd(12, "0"));
  return negative ? -amount : amount;
}

/** $1,234.56; below a dollar as many decimals as it takes to show two digits: $0.42, $0.0042. */
export function money(amount) {
  if (amount === null) return "no price";
  const exact = typeof amount === "bigint" ? amount : picos(amount);
  const size = exact < 0n ? -exact : exact;
  let decimals = 2;
  if (size > 0n && size < PICOS) {
    const leading = 12 - size.toString().length;
    decimals = Math.min(Math.max(2, leading + 2), 12);
  }
  const step = 10n ** BigInt(12 - decimals);
  const rounded = (size + step / 2n) / step;
  const digits = rounded.toString().padStart(decimals + 1, "0");
  const whole = plain.format(BigInt(digits.slice(0, -decimals)));
  let fraction = digits.slice(-decimals);
  while (fraction.length > 2 && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
  return `${exact < 0n ? "−" : ""}$${whole}.${fraction}`;
}

/** The whole amount, for the hover text. */
export const exactMoney = (text) => (text === null ? "No price is known" : text.startsWith("-") ? `−$${text.slice(1)}` : `$${text}`);

export const count = (number) => plain.format(number);

/** 12.3K, 4.09M; whole below ten thousand. */
export const compact = (number) => (number < 10_000 ? plain.format(number) : short.format(number));

/** How long, in the largest unit that fits: 3 s, 5 min, 2 h, 4 d. */
export function duration(seconds) {
  const size = Math.abs(seconds);
  if (size < 9.95) return `${Number(seconds.toFixed(1))} s`;
  if (size < 99.5) return `${Math.round(seconds)} s`;
  if (size < 5940) return `${Math.round(seconds / 60)} min`;
  if (size < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

/** A duration in ms, as engineers read it: 340 ms, 1.24 s, 4.2 min. */
export function milliseconds(value) {
  if (Math.abs(value) < 9.95) return `${Number(value.toFixed(1))} ms`;
  if (Math.abs(value) < 999.5) return `${Math.round(value)} ms`;
  if (Math.abs(value) < 99_500) return `${Number((value / 1000).toPrecision(3))} s`;
  return `${Number((value / 60_000).toPrecision(3))} min`;
}

/** A number without a unit in at most three digits, whole where it is large. */
export const figure = (value) => (Math.abs(value) >= 1000 ? plain.format(Math.round(value)) : plain.format(Number(value.toPrecision(3))));

const dayTime = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC",
});
const dayOnly = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: "UTC",
});

export const moment = (text) => dayTime.format(new Date(text)).replace(",", "");
export const day = (text) => dayOnly.format(new Date(text));
export const time = (text) => clock.format(new Date(text));

/** A dimension's value as it reads; the empty one has no name of its own. */
export const label = (name) => (name === null ? "Other" : name === "" ? "(none)" : name);
