// Four figures that each have a goal; not there where nobody counts them.

import { byId, html, replaceWhenNew } from "room/dom.js";
import { amount, number } from "room/words.js";

export function showTiles({ moment }) {
  const { tiles, missed } = moment;
  byId("tiles-section").hidden = tiles.length === 0;
  replaceWhenNew(byId("tiles"), JSON.stringify([tiles, missed]), () =>
    tiles.map((tile, index) =>
      html(
        "div",
        { "data-alert": missed[index] },
        html("dt", {}, tile.name),
        html("dd", {}, tile.value == null ? "not counted yet" : amount(tile.value, tile.unit)),
        html("dd", { class: "note" }, `goal: ${goal(tile)}; ${tile.since}`),
      ),
    ),
  );
}

const goal = ({ goal, unit }) => (goal ? `at most ${amount(goal, unit)}` : number(0));
