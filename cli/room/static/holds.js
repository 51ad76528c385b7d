// Which locations are held, and why.

import { byId, html, replaceWhenNew } from "room/dom.js";
import { count, dayAndTimeOf, words } from "room/words.js";

const SHOWN_MAX = 5;

export function showHolds({ moment }) {
  const { holds, mispicks } = moment;
  replaceWhenNew(byId("holds"), JSON.stringify([holds, mispicks]), () => [
    holds.length
      ? html(
          "ul",
          { class: "held" },
          ...holds.slice(0, SHOWN_MAX).map(held),
          holds.length > SHOWN_MAX ? more(holds.length - SHOWN_MAX) : null,
        )
      : html("p", { class: "empty" }, "No location is held."),
    ...(mispicks.length ? [html("ul", { class: "held" }, ...mispicks.map(mispicked))] : []),
  ]);
}

const more = (number) =>
  html("li", { class: "empty" }, `and ${count(number, "more location")}: holds list`);

function remedy(kind, approvable) {
  if (kind === "operator") {
    return "Until an operator resumes it.";
  }
  return approvable ? "An operator may approve it." : "To be put right at its source.";
}

function mispicked({ location, product, units, since }) {
  return html(
    "li",
    {},
    html("h3", {}, `${product} at ${location}`),
    html("p", { class: "note" }, `since ${dayAndTimeOf(since)} UTC`),
    html(
      "p",
      {},
      html("strong", {}, "mispick"),
      `: ${count(units, "unit")} not on the shelf. `,
      html("span", { class: "note" }, "Until it is counted, or found: holds mispicks."),
    ),
  );
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
