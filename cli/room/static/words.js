// Numbers and instants as people read them; every time is UTC.

const instants = new Map();

function formatted(options, instant) {
  const key = JSON.stringify(options);
  if (!instants.has(key)) {
    instants.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options }));
  }
  return instants.get(key).format(new Date(instant));
}

export const timeOf = (instant) =>
  formatted({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, instant);

export const dayAndTimeOf = (instant) =>
  `${formatted({ day: "numeric", month: "short", year: "numeric" }, instant)}, ${timeOf(instant)}`;

export const number = (value) => (value == null ? "–" : value.toLocaleString("en-GB"));

const compact = new Intl.NumberFormat("en-US", {
  notation: "compact",
  maximumSignificantDigits: 5,
});

// For where there is little room.
export const brief = (value) => (Math.abs(value) < 100000 ? number(value) : compact.format(value));

export const count = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;

// Seconds as people say them; all else with its unit.
export function amount(value, unit) {
  if (unit !== "seconds") return `${number(value)} ${unit}`;
  if (value < 120) return count(Math.round(value), "second");
  return value < 7200
    ? count(Math.round(value / 60), "minute")
    : count(Math.round(value / 360) / 10, "hour");
}

export const words = (name) => name.replaceAll("_", " ");

// What the promise is off by, in words: NewStore must never promise too many.
export function gapText(gap) {
  if (gap == null) return "–";
  if (gap === 0) return "exact";
  return gap > 0 ? `${number(gap)} too many` : `${number(-gap)} too few`;
}
