// One row by search: its sum as a picture, what holds it, and what happened to it.

import { byId, html, svg } from "room/dom.js";
import { count, dayAndTimeOf, number } from "room/words.js";

const BAR = { height: 22, gap: 8, label: 210, right: 60 };
const PARTS = {
  added_back: "after the range, but in the snapshot: added back",
  subtracted: "not in the base yet: taken off",
  in_base: "in the base already",
  after: "after the range: for a later import",
};

export function wireLookUp() {
  byId("look-up-form").addEventListener("submit", (event) => {
    event.preventDefault();
    lookUp(byId("look-up-location").value.trim(), byId("look-up-product").value.trim());
  });
  byId("look-up-location").addEventListener("input", (event) => suggest(event.target.value));
}

// Only a live stack can be asked for rows, so only there is anything to look up.
export function showLookUp({ moment, live }) {
  byId("look-up").hidden = !live || !moment.by_search;
}

async function suggest(text) {
  const answer = await fetch(`./locations?find=${encodeURIComponent(text)}`);
  if (!answer.ok) return;
  const found = await answer.json();
  byId("look-up-locations").replaceChildren(...found.map((id) => html("option", { value: id })));
}

export async function lookUp(location, product) {
  byId("look-up-location").value = location;
  byId("look-up-product").value = product;
  const holder = byId("look-up-answer");
  holder.replaceChildren(html("p", { class: "empty" }, "Looking it up…"));
  try {
    const asked = new URLSearchParams({ location, product });
    const answer = await fetch(`./row?${asked}`);
    const found = await answer.json();
    holder.replaceChildren(...(found.error ? [html("p", {}, found.error)] : shown(found)));
  } catch {
    holder.replaceChildren(html("p", {}, "The page has lost its connection; try again."));
  }
  byId("look-up").scrollIntoView({ block: "nearest" });
}

const shown = (row) => [
  html("h3", {}, row.headline),
  sum(row),
  ...row.lines.map((line) => html("p", {}, line)),
  html("h3", {}, "What happened"),
  html(
    "ol",
    { class: "timeline" },
    ...row.timeline.map(({ at, kind, what }) =>
      html(
        "li",
        { "data-kind": kind },
        html("time", { datetime: at }, `${dayAndTimeOf(at)} UTC`),
        ` ${what}`,
      ),
    ),
  ),
];

// From the base, term by term, to what was computed: each bar begins where the last one ended.
function sum(row) {
  const steps = stepsOf(row);
  const reached = steps.flatMap(({ from, to }) => [from, to]);
  const [low, high] = [Math.min(0, ...reached), Math.max(1, ...reached)];
  const width = Math.max(byId("look-up-answer").clientWidth, 320);
  const label = width < 480 ? 110 : BAR.label;
  const x = (value) => label + ((value - low) / (high - low)) * (width - label - BAR.right);
  const height = steps.length * (BAR.height + BAR.gap);
  return svg(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": inWords(row) },
    svg("line", { class: "base", x1: x(0), x2: x(0), y1: 0, y2: height }),
    ...steps.flatMap((step, index) => bar(step, index * (BAR.height + BAR.gap), x)),
  );
}

function stepsOf(row) {
  let at = row.base;
  const steps = [{ kind: "total", from: 0, to: at, name: "base", text: number(at) }];
  for (const term of row.terms.filter(({ units }) => units)) {
    const text = `${term.units > 0 ? "+" : "−"}${number(Math.abs(term.units))}`;
    const name = `event ${term.logical_timestamp}`;
    steps.push({ kind: term.part, from: at, to: at + term.units, name, text });
    at += term.units;
  }
  steps.push({ kind: "total", from: 0, to: row.quantity, name: row.total ?? "as of the range", text: number(row.quantity) });
  return steps;
}

function bar({ kind, from, to, name, text }, top, x) {
  const [left, right] = [Math.min(x(from), x(to)), Math.max(x(from), x(to))];
  const middle = top + BAR.height / 2 + 4;
  return [
    svg("text", { class: "label", x: 0, y: middle }, name),
    svg("rect", {
      class: `bar ${kind}`,
      x: left,
      y: top,
      width: Math.max(right - left, 2),
      height: BAR.height,
    }),
    svg("text", { class: "name", x: right + 6, y: middle }, text),
  ];
}

function inWords({ base, terms, quantity }) {
  const told = terms.map(
    ({ logical_timestamp: at, units, part }) =>
      `event ${at}: ${count(Math.abs(units), "unit")}, ${PARTS[part]}`,
  );
  return [`Base ${number(base)}`, ...told, `together ${number(quantity)}`].join("; ");
}
