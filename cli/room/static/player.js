// Which moment is shown; the latest, as long as nobody chooses another.

import { byId, setAttribute, setText } from "room/dom.js";
import { number, timeOf } from "room/words.js";

export function wirePlayer(state, change) {
  const go = (index) => {
    const last = state.moments.length - 1;
    const within = Math.min(Math.max(index, 0), Math.max(last, 0));
    change({ index: within, following: within === last });
  };
  byId("moment").addEventListener("input", (event) => go(event.target.valueAsNumber - 1));
  byId("earlier").addEventListener("click", () => go(state.index - 1));
  byId("later").addEventListener("click", () => go(state.index + 1));
  byId("follow").addEventListener("click", () => change({ following: true }));
}

export function showPlayer({ moments, index, following, moment }) {
  const slider = byId("moment");
  const place = `Moment ${number(index + 1)} of ${number(moments.length)}, ${timeOf(moment.at)}`;
  slider.max = moments.length;
  slider.value = index + 1;
  setAttribute(slider, "aria-valuetext", `${place}. ${moment.told}`.trim());
  setText(byId("told-place"), place);
  setText(byId("told"), moment.told);
  setAttribute(byId("follow"), "aria-pressed", following);
  byId("follow").hidden = Boolean(byId("moments")); // nothing comes after what was recorded
  // Not `disabled`, which would take the focus away from whoever stands on it.
  setAttribute(byId("earlier"), "aria-disabled", index === 0);
  setAttribute(byId("later"), "aria-disabled", index === moments.length - 1);
}
