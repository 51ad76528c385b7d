// The one line to read first.

import { byId, html, replaceWhenNew, setAttribute, setText } from "room/dom.js";
import { glyph } from "room/glyphs.js";
import { dayAndTimeOf } from "room/words.js";

// What stands between two backticks is a command.
const withCommands = (text) =>
  text.split("`").map((part, index) => (index % 2 ? html("code", {}, part) : part));

export function showStatus({ moment }) {
  const { level, headline, reasons } = moment.status;
  setAttribute(byId("status"), "data-level", level);
  setText(byId("status-headline"), headline);
  replaceWhenNew(byId("status-glyph"), level, () => [glyph(level)]);
  replaceWhenNew(byId("status-reasons"), JSON.stringify(reasons), () =>
    reasons.map((reason) => html("li", {}, ...withCommands(reason))),
  );
  setText(byId("clock"), `${dayAndTimeOf(moment.at)} UTC`);
  setAttribute(byId("clock"), "datetime", moment.at);
}
