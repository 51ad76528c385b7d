// Every event in the column of the stage it has reached.

import { byId, html, replaceWhenNew } from "room/dom.js";
import { count, number, words } from "room/words.js";

const STAGES = [
  { stages: ["under_way"], name: "On its way from NewStore", truth: true },
  { stages: ["stored", "refused"], name: "Stored, not in the ERP" },
  { stages: ["booked"], name: "In the ERP, until an import counts it" },
  { stages: ["done"], name: "Through", truth: true },
];
// A shadow books nothing itself.
const LEFT = {
  stages: ["stored", "refused", "booked"],
  name: "Left to the other system",
};
const SHOWN_MAX = 6;

export function showEvents({ moment }) {
  byId("stages-of").hidden = !moment.by_search;
  const known = moment.shadow
    ? [LEFT]
    : STAGES.filter((stage) => moment.truth_known || !stage.truth);
  replaceWhenNew(byId("stages"), JSON.stringify([moment.events, known]), () =>
    known.map((stage) =>
      column(
        stage,
        moment.events.filter((event) => stage.stages.includes(event.stage)),
      ),
    ),
  );
}

function column({ name, stages }, events) {
  const newest = events.toReversed();
  const more = newest.length - SHOWN_MAX;
  return html(
    "li",
    { "data-stage": stages[0] },
    html("h3", {}, html("span", { class: "total" }, number(events.length)), " ", name),
    events.length
      ? html(
          "ul",
          {},
          ...newest.slice(0, SHOWN_MAX).map(chip),
          more > 0 ? html("li", { class: "empty" }, `and ${number(more)} more`) : null,
        )
      : html("p", { class: "empty" }, "none"),
  );
}

function chip(event) {
  const name = event.name.replace("items_", "");
  return html(
    "li",
    { class: "chip", "data-stage": event.stage },
    html("strong", {}, String(event.logical_timestamp)),
    ` ${words(name)} `,
    html(
      "span",
      { class: "note" },
      `${event.request} at ${event.location}, ${count(event.products.length, "unit")}`,
    ),
    event.stage === "refused" ? html("span", { class: "remark" }, `refused: ${event.note}`) : null,
    event.stage !== "refused" && event.note ? html("span", { class: "note" }, event.note) : null,
  );
}
