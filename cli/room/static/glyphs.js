// One shape for each meaning, so that no meaning is a colour's alone.

import { svg } from "room/dom.js";

const PATHS = {
  flowing:
    "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm-1.4 14.2-4-4 1.5-1.5 2.5 2.5 5.3-5.3 1.5 1.5-6.8 6.8Z",
  stuck: "M12 2 1 21h22L12 2Zm-1.1 7h2.2v6h-2.2V9Zm0 7.5h2.2v2.2h-2.2v-2.2Z",
  wrong:
    "M8 2h8l6 6v8l-6 6H8l-6-6V8l6-6Zm.9 5.4L7.4 8.9l3.1 3.1-3.1 3.1 1.5 1.5 3.1-3.1 3.1 3.1 1.5-1.5-3.1-3.1 3.1-3.1-1.5-1.5-3.1 3.1-3.1-3.1Z",
  shadow:
    "M12 5C7 5 2.7 8 1 12c1.7 4 6 7 11 7s9.3-3 11-7c-1.7-4-6-7-11-7Zm0 11.5a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9Zm0-2.2a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6Z",
  pause: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20ZM8.4 7.5h2.4v9H8.4v-9Zm4.8 0h2.4v9h-2.4v-9Z",
  working: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm0 2.2v7.8l5.6 5.5A7.8 7.8 0 1 1 12 4.2Z",
};

export function glyph(name) {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: "shape", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name], fill: "currentColor", "fill-rule": "evenodd" }),
  );
}
