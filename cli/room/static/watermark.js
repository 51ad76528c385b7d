// The chart of each event's way, and of the watermark climbing over them.

import { byId, svg } from "room/dom.js";
import { breakMarks, cursor, drawing, frame, stepPath, timeLabels } from "room/axes.js";

const HEIGHT = { least: 180, forEach: 9, most: 400 };
const LABEL_EVERY = 18;

export function showWatermark(view, change) {
  const ways = waysOf(view.moments);
  const stamps = [...new Set(ways.map((way) => way.stamp))].sort((one, other) => one - other);
  const height = Math.min(Math.max(HEIGHT.least, stamps.length * HEIGHT.forEach), HEIGHT.most);
  const area = frame(byId("watermark-chart"), view, height);
  // By rank: a counter may have holes of any size. Below the first is "none yet".
  const rankY = (rank) =>
    area.bottom - ((rank + 0.5) / (stamps.length + 1)) * (area.bottom - area.top);
  const y = (stamp) => rankY(stamps.filter((each) => each <= stamp).length);
  // Just above the last event it has passed.
  const above = (stamp) => rankY(stamps.filter((each) => each <= stamp).length + 0.5);
  const marks = view.moments.map((moment) =>
    moment.watermark == null ? null : above(moment.watermark),
  );
  byId("watermark-chart").replaceChildren(
    drawing(area, view, change, describe(view, stamps), [
      ...cursor(view.index, area),
      svg("line", {
        class: "base",
        x1: area.left,
        x2: area.right,
        y1: area.bottom,
        y2: area.bottom,
      }),
      ...settled(marks, area),
      ...labels(stamps, y, area),
      ...timeLabels(view, area),
      ...breakMarks(area),
      ...ways.flatMap((way) => drawWay(way, area, y(way.stamp), view.moments.length)),
      svg("path", { class: "line watermark", d: stepPath(marks, area.x, (at) => at) }),
      ...(area.narrow || marks.at(-1) == null
        ? []
        : [
            svg(
              "text",
              { class: "name watermark", x: area.right + 8, y: marks.at(-1) + 4 },
              "Watermark",
            ),
          ]),
    ]),
    legend(),
  );
}

// For each event, from which moment on it was at which stage.
function waysOf(moments) {
  const ways = new Map();
  moments.forEach((moment, index) => {
    for (const event of moment.events) {
      const key = JSON.stringify([
        event.location,
        event.logical_timestamp,
        event.name,
        event.request,
      ]);
      if (!ways.has(key)) ways.set(key, { stamp: event.logical_timestamp, legs: [] });
      const { legs } = ways.get(key);
      if (legs.at(-1)?.stage !== event.stage) legs.push({ stage: event.stage, from: index });
    }
  });
  return [...ways.values()];
}

function drawWay({ legs }, area, y, moments) {
  return legs.map(({ stage, from }, place) => {
    const to = legs[place + 1]?.from ?? moments;
    if (stage === "done")
      return svg("circle", { class: "way done", cx: area.x(from), cy: y, r: 3.5 });
    return svg("line", { class: `way ${stage}`, x1: area.x(from), x2: area.x(to), y1: y, y2: y });
  });
}

const settled = (marks, area) =>
  marks.flatMap((top, index) =>
    top == null
      ? []
      : [
          svg("rect", {
            class: "settled",
            x: area.x(index),
            width: area.x(index + 1) - area.x(index),
            y: top,
            height: area.bottom - top,
          }),
        ],
  );

function labels(stamps, y, area) {
  let free = Infinity;
  return stamps.flatMap((stamp) => {
    if (y(stamp) > free) return [];
    free = y(stamp) - LABEL_EVERY;
    return [
      svg(
        "text",
        { class: "label", x: area.left - 8, y: y(stamp) + 4, "text-anchor": "end" },
        short(stamp),
      ),
    ];
  });
}

const short = (stamp) => (stamp < 100000 ? String(stamp) : `…${String(stamp).slice(-4)}`);

function legend() {
  const entries = [
    ["under_way", "on its way"],
    ["stored", "stored, not in the ERP"],
    ["booked", "in the ERP, until an import counts it"],
    ["done", "through"],
  ];
  const list = document.createElement("ul");
  list.className = "legend";
  for (const [stage, text] of entries) {
    const mark =
      stage === "done"
        ? svg("circle", { class: "way done", cx: 14, cy: 6, r: 3.5 })
        : svg("line", { class: `way ${stage}`, x1: 0, x2: 28, y1: 6, y2: 6 });
    const item = document.createElement("li");
    item.append(svg("svg", { width: 28, height: 12, "aria-hidden": "true" }, mark), ` ${text}`);
    list.append(item);
  }
  return list;
}

function describe({ moment, moments }, stamps) {
  const open = moment.events.filter((event) => event.stage !== "done").length;
  const mark =
    moment.watermark == null ? "there is no watermark yet" : `the watermark is ${moment.watermark}`;
  return (
    `Ways of events with ${stamps.length} logical timestamps over ${moments.length} moments.` +
    ` At the moment shown ${mark} and ${open} events are open.`
  );
}
