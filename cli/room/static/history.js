// The charts' figures, for whoever cannot see or trust a picture.

import { byId, html, replaceWhenNew } from "room/dom.js";
import { figuresOf, gapOf } from "room/rows.js";
import { gapText, number, timeOf } from "room/words.js";

const COLUMNS = ["Moment", "Time", "Promise", "Truth", "Difference", "ERP shows", "Watermark"];

// Drawn only while it is open: hundreds of lines for few readers.
export function wireHistory(change) {
  byId("history-rows")
    .closest("details")
    .addEventListener("toggle", () => change());
}

export function showHistory({ moments, row }) {
  if (!byId("history-rows").closest("details").open) return;
  replaceWhenNew(byId("history-head"), "all", () => [
    html("tr", {}, ...COLUMNS.map((name) => html("th", { scope: "col" }, name))),
  ]);
  const key = `${row} ${moments[0].number} ${moments.at(-1).number}`;
  replaceWhenNew(byId("history-rows"), key, () => moments.map((moment) => line(moment, row)));
}

function line(moment, rowKey) {
  const row = figuresOf(moment, rowKey);
  const cells = [
    timeOf(moment.at),
    number(row.atp_units),
    number(row.promisable_units),
    gapText(gapOf(row)),
    number(row.erp_units),
    String(moment.watermark ?? "–"),
  ];
  return html(
    "tr",
    {},
    html("th", { scope: "row" }, number(moment.number)),
    ...cells.map((cell) => html("td", {}, cell)),
  );
}
