// The rows that the last reconciliation found to differ; a click looks one up.

import { byId, html, replaceWhenNew } from "room/dom.js";
import { lookUp } from "room/look_up.js";
import { gapText, number } from "room/words.js";

export function showDrift({ moment }) {
  const { drifts } = moment;
  byId("drift").hidden = drifts.length === 0;
  replaceWhenNew(byId("drift-rows"), JSON.stringify(drifts), () => drifts.map(line));
}

function line(drift) {
  const kind = drift.drift_units > 0 ? "over" : "under";
  const product = html("button", { type: "button", class: "choose" }, drift.product);
  product.addEventListener("click", () => lookUp(drift.location, drift.product));
  return html(
    "tr",
    {},
    html("td", { class: "place" }, drift.location),
    html("th", { scope: "row" }, product),
    html("td", { class: `figure ${kind}` }, gapText(drift.drift_units)),
    html("td", { class: "figure" }, number(drift.atp_units)),
    html("td", {}, drift.causes.join(", ")),
  );
}
