// What a shadow saw last: NewStore's promises beside what would have been sent; a click looks one up.

import { byId, html, replaceWhenNew, setText } from "room/dom.js";
import { lookUp } from "room/look_up.js";
import { count, gapText, number } from "room/words.js";

export function showShadow({ moment: { shadow } }) {
  byId("shadow").hidden = shadow === null;
  if (shadow === null) return;
  const { rows, differing } = shadow;
  const costliest = differing > rows.length ? `, the costliest ${number(rows.length)} of them here` : "";
  setText(byId("shadow-count"), `${count(differing, "row")} of ${number(shadow.compared)} differ${costliest}.`);
  replaceWhenNew(byId("shadow-rows"), JSON.stringify(rows), () =>
    rows.length ? rows.map(line) : [nothing()],
  );
}

function line(row) {
  const off = row.too_many ? row.too_many : -row.too_few;
  const product = html("button", { type: "button", class: "choose" }, row.product);
  product.addEventListener("click", () => lookUp(row.location, row.product));
  return html(
    "tr",
    {},
    html("td", { class: "place" }, row.location),
    html("th", { scope: "row" }, product),
    html("td", { class: `figure ${off > 0 ? "over" : "under"}` }, gapText(off)),
    html("td", { class: "figure" }, number(row.certain)),
    html("td", { class: "figure" }, number(row.atp_units)),
    html("td", { class: "figure" }, number(row.should_be)),
    html("td", { class: "figure" }, number(row.would_send)),
  );
}

const nothing = () =>
  html(
    "tr",
    {},
    html("td", { colspan: 7, class: "empty" }, "Every promise was as it should be."),
  );
