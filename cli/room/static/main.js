// Holds what is shown, and has every view draw it anew when it changes.

import { byId } from "room/dom.js";
import { showChart } from "room/promise.js";
import { showEvents } from "room/events.js";
import { showFigures } from "room/figures.js";
import { showHistory, wireHistory } from "room/history.js";
import { showHolds } from "room/holds.js";
import { showPlayer, wirePlayer } from "room/player.js";
import { showRuns } from "room/runs.js";
import { showDrift } from "room/drift.js";
import { showShadow } from "room/shadow.js";
import { showLookUp, wireLookUp } from "room/look_up.js";
import { showStatus } from "room/status.js";
import { showTiles } from "room/tiles.js";
import { showUnstored } from "room/unstored.js";
import { showStock, wireStock } from "room/stock.js";
import { showWatermark } from "room/watermark.js";
import { showRowChoice, wireRowChoice } from "room/row_choice.js";
import { follow } from "room/source.js";
import { ALL } from "room/rows.js";

const MOMENTS_MAX = 200; // as many as the server keeps

export function start() {
  const state = {
    moments: [],
    index: -1,
    following: true,
    live: false,
    row: ALL,
    find: "",
    only: false,
  };
  let planned = false;

  function draw() {
    planned = false;
    const moment = state.moments[state.index];
    if (!moment) return;
    const view = { ...state, moment };
    byId("promise").hidden = byId("stock").hidden = moment.by_search;
    byId("charts").hidden = moment.shadow !== null; // it has no watermark
    const views = [
      showStatus,
      showTiles,
      showFigures,
      showPlayer,
      showRowChoice,
      showChart,
      showWatermark,
      showHistory,
      showHolds,
      showUnstored,
      showRuns,
      showEvents,
      showStock,
      showDrift,
      showShadow,
      showLookUp,
    ];
    for (const show of views) show(view, change);
  }

  function change(changes = {}) {
    Object.assign(state, changes);
    if (state.following) state.index = state.moments.length - 1;
    if (!planned) {
      planned = true;
      requestAnimationFrame(draw);
    }
  }

  wirePlayer(state, change);
  wireRowChoice(change);
  wireStock(change);
  wireLookUp();
  wireHistory(change);
  new ResizeObserver(() => change()).observe(document.querySelector(".charts"));
  follow({
    begin: () => change({ moments: [], index: -1, following: true }),
    live: (live) => change({ live }),
    moment: (moment) => {
      state.moments.push(moment);
      if (state.moments.length > MOMENTS_MAX) {
        state.moments.shift();
        state.index = Math.max(0, state.index - 1);
      }
      change();
    },
  });
}
