// What both charts share: the moments from left to right, and the one that is shown.

import { svg } from "room/dom.js";
import { timeOf } from "room/words.js";

export const MARGIN = { left: 56, right: 124, top: 14, bottom: 26 };
const LABEL_SPACE = 52;
const LEAST = 0.25;
const MOST = 4;
const SECOND = 1000;
const USUAL = 0.5; // of the lengths of a second or more, from the shortest

export function frame(holder, view, height) {
  const width = Math.max(holder.clientWidth, 260);
  const right = width - (width < 480 ? 16 : MARGIN.right);
  // Every moment has a stretch of its own: what it shows held from here to the next.
  const { ends, breaks } = stretches(view.moments);
  const x = (index) => MARGIN.left + ends[index] * (right - MARGIN.left);
  return {
    width,
    height,
    left: MARGIN.left,
    right,
    top: MARGIN.top,
    bottom: height - MARGIN.bottom,
    narrow: width < 480,
    x,
    breaks,
  };
}

// Where each moment begins, from 0 to 1: as long as it lasted, but no less than LEAST of an even
// share, so that it can be seen, and no more than MOST of one, which is then marked as a break.
function stretches(moments) {
  const times = moments.map((moment) => Date.parse(moment.at));
  const lasted = times.map((time, index) => Math.max(0, (times[index + 1] ?? time) - time));
  const some = lasted.filter((length) => length >= SECOND).toSorted((one, other) => one - other);
  const usual = some[Math.floor(some.length * USUAL)] ?? 1;
  const lengths = lasted.map((length) => Math.min(Math.max(length / usual, LEAST), MOST));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const ends = [0];
  for (const length of lengths) ends.push(ends.at(-1) + length / total);
  const breaks = lasted.flatMap((length, index) => (length / usual > MOST ? [index] : []));
  return { ends, breaks };
}

// Two strokes through the line of time, where a long quiet stretch is drawn shorter.
export const breakMarks = (area) =>
  area.breaks.map((index) => {
    const middle = (area.x(index) + area.x(index + 1)) / 2;
    const [low, high] = [area.bottom + 5, area.bottom - 5];
    return svg("path", {
      class: "break",
      d: `M${middle - 4},${low}L${middle},${high}M${middle + 1},${low}L${middle + 5},${high}`,
    });
  });

// A line that keeps its value from one moment to the next; a gap where it is unknown.
export function stepPath(values, x, y) {
  let path = "";
  let drawing = false;
  values.forEach((value, index) => {
    if (value == null) {
      if (drawing) path += `H${x(index)}`;
      drawing = false;
    } else {
      path += drawing ? `H${x(index)}V${y(value)}` : `M${x(index)},${y(value)}`;
      drawing = true;
    }
  });
  return drawing ? `${path}H${x(values.length)}` : path;
}

// Clock times below, where they change and there is room.
export function timeLabels({ moments }, area) {
  const labels = [];
  let before = "";
  let free = -Infinity;
  moments.forEach((moment, index) => {
    const time = timeOf(moment.at);
    if (time !== before && area.x(index) >= free) {
      labels.push(
        svg("line", {
          class: "tick",
          x1: area.x(index),
          x2: area.x(index),
          y1: area.bottom,
          y2: area.bottom + 4,
        }),
        svg(
          "text",
          { class: "label", x: area.x(index), y: area.bottom + 18, "text-anchor": "middle" },
          time,
        ),
      );
      free = area.x(index) + LABEL_SPACE;
      before = time;
    }
  });
  return labels;
}

export function cursor(index, area) {
  const [from, to] = [area.x(index), area.x(index + 1)];
  const [top, height] = [area.top - 6, area.bottom - area.top + 6];
  return [
    svg("rect", { class: "shown", x: from, width: to - from, y: top, height }),
    svg("line", { class: "cursor", x1: from, x2: from, y1: top, y2: area.bottom }),
  ];
}

// A pointer may choose a moment too; keys do it in the slider above.
export function drawing(area, view, change, title, children) {
  const root = svg(
    "svg",
    {
      width: area.width,
      height: area.height,
      viewBox: `0 0 ${area.width} ${area.height}`,
      role: "img",
      "aria-label": title,
    },
    ...children,
  );
  root.addEventListener("click", (event) => {
    const across = event.clientX - root.getBoundingClientRect().left;
    const last = view.moments.length - 1;
    const after = view.moments.findIndex((_, at) => area.x(at + 1) > across);
    const index = after === -1 ? last : after;
    change({ index, following: index === last });
  });
  return root;
}

// Whole numbers, four or so, that cover the values.
export function ticksFor(low, high) {
  const step =
    [1, 2, 5]
      .flatMap((digit) => Array.from({ length: 10 }, (_, power) => digit * 10 ** power))
      .sort((one, other) => one - other)
      .find((size) => (high - low) / size <= 4) ?? high - low;
  const first = Math.floor(low / step) * step;
  const end = Math.max(Math.ceil(high / step), first / step + 1);
  return Array.from({ length: end - first / step + 1 }, (_, index) => first + index * step);
}
