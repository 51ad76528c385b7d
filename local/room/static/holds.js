// Which locations are held, and why.

import { byId, html, replaceWhenNew } from "room/dom.js";
import { dayAndTimeOf, words } from "room/words.js";

export function showHolds({ moment }) {
  replaceWhenNew(byId("holds"), JSON.stringify(moment.holds), () =>
    moment.holds.length
      ? [html("ul", { class: "held" }, ...moment.holds.map(held))]
      : [html("p", { class: "empty" }, "No location is held.")],
  );
}

function remedy(kind, approvable) {
  if (kind === "operator") {
    return "Until an operator resumes it.";
  }
  return approvable ? "An operator may approve it." : "To be put right at its source.";
}

function held({ location, since, reasons }) {
  return html(
    "li",
    {},
    html("h3", {}, location),
    html("p", { class: "note" }, `since ${dayAndTimeOf(since)} UTC`),
    ...reasons.map(([kind, figures, approvable]) =>
      html(
        "p",
        {},
        html("strong", {}, words(kind)),
        `: ${figures}. `,
        html(
          "span",
          { class: "note" },
          remedy(kind, approvable),
        ),
      ),
    ),
  );
}
