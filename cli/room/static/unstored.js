// The oldest shipments that the quarantine has and no stored event reports: they hold imports back.

import { byId, html, replaceWhenNew } from "room/dom.js";
import { dayAndTimeOf, number } from "room/words.js";

export function showUnstored({ moment: { unstored, unstored_count: all } }) {
  byId("unstored").hidden = all === 0;
  replaceWhenNew(byId("unstored-list"), JSON.stringify([unstored, all]), () => [
    ...unstored.map(line),
    all > unstored.length
      ? html("li", { class: "empty" }, `and ${number(all - unstored.length)} more: quarantine list`)
      : "",
  ]);
}

function line({ entry, location, logical_timestamp: at, since }) {
  return html(
    "li",
    {},
    html("h3", {}, location || "no readable location"),
    html("p", { class: "note" }, `since ${dayAndTimeOf(since)} UTC`),
    html("p", {}, at === null ? "no readable timestamp" : `logical timestamp ${at}`),
    html("p", { class: "note" }, `quarantine show ${entry}`),
  );
}
