// The import runs, the newest first.

import { byId, html, replaceWhenNew } from "room/dom.js";
import { glyph } from "room/glyphs.js";
import { count, dayAndTimeOf, timeOf } from "room/words.js";

const GLYPHS = { FINALIZED: "flowing", FINISHED: "flowing", FAILED: "wrong", HELD: "pause" };
const SHOWN_MAX = 5;

export function showRuns({ moment }) {
  const runs = moment.runs.slice(0, SHOWN_MAX);
  replaceWhenNew(byId("runs"), JSON.stringify([moment.runs, moment.shadow === null]), () => [
    ...(runs.length ? runs.map(line) : [html("li", { class: "empty" }, empty(moment))]),
    ...(moment.runs.length > SHOWN_MAX
      ? [
          html(
            "li",
            { class: "empty" },
            `and ${count(moment.runs.length - SHOWN_MAX, "earlier run")}`,
          ),
        ]
      : []),
  ]);
}

const empty = ({ shadow }) => (shadow ? "A shadow makes no import." : "No import has run yet.");

function line(run) {
  const readNothing = run.read === 0 && Object.keys(run.left_out).length > 0;
  const known = GLYPHS[run.state] ?? "working";
  const name = known === "flowing" && readNothing ? "stuck" : known;
  return html(
    "li",
    { "data-state": name },
    glyph(name),
    html(
      "div",
      {},
      html(
        "p",
        {},
        html("strong", {}, run.state.toLowerCase()),
        " ",
        html(
          "time",
          { datetime: run.planned_at, title: `${dayAndTimeOf(run.planned_at)} UTC` },
          timeOf(run.planned_at),
        ),
      ),
      html(
        "p",
        { class: "note" },
        `${run.full ? "full, " : ""}${readNothing ? "no stock read, " : ""}` +
          `${count(run.rows, "row")}, up to ${run.cut_end}`,
      ),
      ...remarks(run).map((text) => html("p", { class: "remark" }, text)),
    ),
  );
}

function byReason(leftOut) {
  const reasons = new Map();
  for (const [location, why] of Object.entries(leftOut)) {
    reasons.set(why, [...(reasons.get(why) ?? []), location]);
  }
  return [...reasons];
}

function remarks({ failure, job_errors: errors, left_out: leftOut }) {
  return [
    ...(failure ? [failure] : []),
    ...errors.slice(0, 3),
    ...(errors.length > 3 ? [`and ${count(errors.length - 3, "more error")}`] : []),
    ...byReason(leftOut)
      .slice(0, 3)
      .map(([why, locations]) => `without ${locations.join(", ")}: ${why}`),
  ];
}
