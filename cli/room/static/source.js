// Where the moments come from: inside a report, or from the server as they happen.

import { byId, setAttribute, setText } from "room/dom.js";

export function follow(listener) {
  const recorded = byId("moments");
  if (recorded) {
    tell("Recorded", "recorded");
    for (const moment of JSON.parse(recorded.textContent)) listener.moment(moment);
    return;
  }
  const events = new EventSource("./moments");
  events.addEventListener("open", () => {
    tell("Live", "live");
    listener.live(true);
  });
  events.addEventListener("error", () => {
    tell("Connection lost, trying again", "lost");
    listener.live(false);
  });
  events.addEventListener("begin", () => listener.begin());
  events.addEventListener("moment", (event) => listener.moment(JSON.parse(event.data)));
}

function tell(text, kind) {
  setText(byId("link"), text);
  setAttribute(byId("link"), "data-kind", kind);
}
