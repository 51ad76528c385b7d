// The chart of what NewStore promises against what may be promised.

import { byId, html, replaceWhenNew, svg } from "room/dom.js";
import { breakMarks, cursor, drawing, frame, stepPath, ticksFor, timeLabels } from "room/axes.js";
import { figuresOf } from "room/rows.js";
import { brief, gapText, number } from "room/words.js";

const HEIGHT = 220;

export function showChart(view, change) {
  const rows = view.moments.map((moment) => figuresOf(moment, view.row));
  const promise = rows.map((row) => row.atp_units ?? null);
  const truth = rows.map((row) => row.promisable_units ?? null);
  showReadout(promise[view.index], truth[view.index], rows[view.index]);
  showLegend(view.moment.truth_known);
  const area = frame(byId("promise-chart"), view, HEIGHT);
  const known = [...promise, ...truth].filter((value) => value != null);
  const ticks = ticksFor(...span(known));
  const [low, high] = [ticks[0], ticks.at(-1)];
  const y = (value) => area.bottom - ((value - low) / (high - low)) * (area.bottom - area.top);
  const title = describe(promise, truth, view.index);
  byId("promise-chart").replaceChildren(
    drawing(area, view, change, title, [
      pattern(),
      ...cursor(view.index, area),
      ...ticks.flatMap((tick) => grid(tick, y(tick), area)),
      ...between(promise, truth, area, y),
      ...timeLabels(view, area),
      ...breakMarks(area),
      svg("path", { class: "line promise", d: stepPath(promise, area.x, y) }),
      svg("path", { class: "line truth", d: stepPath(truth, area.x, y) }),
      ...dots(view.index, promise, truth, area, y),
      ...(area.narrow ? [] : names(promise, truth, area, y)),
    ]),
  );
}

// Of a line's figures the differences matter: the scale need not begin at nought.
function span(values) {
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const room = Math.max(2, (high - low) / 8);
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}

function showReadout(promise, truth, row) {
  const gap = promise == null || truth == null ? null : promise - truth;
  const parts = [["promise", "Promise (ATP)", number(promise)]];
  if (truth != null) parts.push(["truth", "Truth", number(truth)]);
  parts.push(["", "ERP shows", number(row.erp_units)]);
  if (gap != null) parts.push([gap > 0 ? "over" : "", "Difference", gapText(gap)]);
  replaceWhenNew(byId("readout"), JSON.stringify(parts), () =>
    parts.map(([kind, name, value]) =>
      html(
        "span",
        { class: `read ${kind}` },
        html("span", { class: "swatch", "aria-hidden": "true" }),
        `${name} `,
        html("strong", {}, value),
      ),
    ),
  );
}

// The pattern stands in the chart, which is on the same page.
function showLegend(known) {
  const entries = [
    ["over", "promised and not there"],
    ["under", "there and not promised yet"],
  ];
  replaceWhenNew(byId("promise-legend"), String(known), () =>
    (known ? entries : []).map(([kind, text]) =>
      html(
        "li",
        {},
        svg(
          "svg",
          { width: 28, height: 14, "aria-hidden": "true" },
          svg("rect", { class: kind, x: 1, y: 1, width: 26, height: 12 }),
        ),
        text,
      ),
    ),
  );
}

const pattern = () =>
  svg(
    "defs",
    {},
    svg(
      "pattern",
      {
        id: "hatch",
        width: 6,
        height: 6,
        patternUnits: "userSpaceOnUse",
        patternTransform: "rotate(45)",
      },
      svg("line", { class: "hatch", x1: 0, y1: 0, x2: 0, y2: 6 }),
    ),
  );

const grid = (tick, y, area) => [
  svg("line", { class: tick === 0 ? "base" : "grid", x1: area.left, x2: area.right, y1: y, y2: y }),
  svg("text", { class: "label", x: area.left - 8, y: y + 4, "text-anchor": "end" }, brief(tick)),
];

// Units that are there and not yet promised are plain; those promised and not there are hatched.
function between(promise, truth, area, y) {
  return promise.flatMap((value, index) => {
    const other = truth[index];
    if (value == null || other == null || value === other) return [];
    const [from, to] = [area.x(index), area.x(index + 1)];
    const kind = value > other ? "gap over" : "gap under";
    const top = Math.min(y(value), y(other));
    return [
      svg("rect", {
        class: kind,
        x: from,
        width: to - from,
        y: top,
        height: Math.abs(y(value) - y(other)),
      }),
    ];
  });
}

const dots = (index, promise, truth, area, y) =>
  [
    ["truth", truth[index]],
    ["promise", promise[index]],
  ]
    .filter(([, value]) => value != null)
    .map(([kind, value]) =>
      svg("circle", { class: `dot ${kind}`, cx: area.x(index), cy: y(value), r: 4 }),
    );

// Named where they end; apart, so that neither covers the other.
function names(promise, truth, area, y) {
  const [last, lastTruth] = [promise.at(-1), truth.at(-1)];
  const text = (kind, label, at) =>
    svg("text", { class: `name ${kind}`, x: area.right + 8, y: at + 4 }, label);
  if (last == null) return [];
  if (lastTruth == null) return [text("promise", "Promise", y(last))];
  if (last === lastTruth) return [text("promise", "Promise = truth", y(last))];
  const [up, down] = last > lastTruth ? [last, lastTruth] : [lastTruth, last];
  const push = Math.max(0, (16 - (y(down) - y(up))) / 2);
  const [upper, lower] = last > lastTruth ? ["Promise", "Truth"] : ["Truth", "Promise"];
  return [
    text(upper.toLowerCase(), upper, y(up) - push),
    text(lower.toLowerCase(), lower, y(down) + push),
  ];
}

function describe(promise, truth, index) {
  const now =
    truth[index] == null
      ? `promise ${number(promise[index])}`
      : `promise ${number(promise[index])}, truth ${number(truth[index])}`;
  const over = promise.filter((value, at) => truth[at] != null && value > truth[at]).length;
  return (
    `Promise against truth over ${promise.length} moments. At the moment shown: ${now}.` +
    ` The promise was above the truth at ${over} of them.`
  );
}
