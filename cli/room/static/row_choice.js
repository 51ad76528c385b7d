// Which stock row the chart is about.

import { byId, html, replaceWhenNew } from "room/dom.js";
import { ALL, keyOf, nameOf } from "room/rows.js";

export function wireRowChoice(change) {
  byId("row").addEventListener("change", (event) => change({ row: event.target.value }));
}

export function showRowChoice({ moment, row }) {
  const select = byId("row");
  const keys = JSON.stringify(moment.rows.map(keyOf));
  replaceWhenNew(select, keys, () => [
    html("option", { value: ALL }, moment.rows.length === 1 ? "The only row" : "All rows together"),
    ...moment.rows.map((each) => html("option", { value: keyOf(each) }, nameOf(each))),
  ]);
  if (select.value !== row) select.value = row;
}
