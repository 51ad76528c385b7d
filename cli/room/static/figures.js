// The few figures that say how things stand.

import { byId, html, replaceWhenNew } from "room/dom.js";
import { count, number, timeOf, words } from "room/words.js";

const NAMED_MAX = 3;

export function showFigures({ moment }) {
  const live = moment.shadow === null;
  const figures = [
    ...(live ? [watermark(moment)] : [lastLook(moment)]),
    waiting(moment),
    ...(live ? [lastRun(moment)] : []),
    held(moment),
    ...(moment.truth_known ? [erp(moment)] : []),
    quarantine(moment),
    ...(live ? [release(moment)] : []),
    ...(moment.refresh ? [{ name: "Refresh", value: "", note: moment.refresh }] : []),
  ];
  replaceWhenNew(byId("figures"), JSON.stringify(figures), () =>
    figures.map(({ name, value, note, alert }) =>
      html(
        "div",
        { "data-alert": alert },
        html("dt", {}, name),
        html("dd", { class: String(value).length > 9 ? "long" : null }, value),
        html("dd", { class: "note" }, note),
      ),
    ),
  );
}

function watermark({ watermark, events }) {
  const behind = events.filter(
    (event) => event.name === "items_completed" && event.logical_timestamp > (watermark ?? -1),
  ).length;
  const note = behind ? `${count(behind, "shipment")} behind` : "nothing behind";
  return { name: "Watermark", value: watermark ?? "none yet", note };
}

function waiting({ events, at, open_count: counted }) {
  if (counted !== null) {
    return { name: "Open events", value: number(counted), note: "by the last sweeps: events --open" };
  }
  const open = events.filter((event) => event.stage !== "done");
  const oldest = open.map((event) => event.published_at).sort()[0];
  const minutes = oldest ? Math.floor((Date.parse(at) - Date.parse(oldest)) / 60000) : 0;
  return {
    name: "Open events",
    value: number(open.length),
    note: oldest ? `the oldest for ${count(minutes, "minute")}` : "all are through",
  };
}

function lastRun({ runs }) {
  const [run] = runs;
  if (!run) return { name: "Last import", value: "none yet", note: "no import has run" };
  const alert = ["FAILED", "HELD"].includes(run.state);
  return {
    name: "Last import",
    value: timeOf(run.planned_at),
    alert,
    note: `${words(run.state.toLowerCase())}, ${count(run.rows, "row")}`,
  };
}

function lastLook({ shadow: { at, locations, compared } }) {
  return {
    name: "Last look",
    value: at ? timeOf(at) : "none lately",
    alert: at === null,
    note: `${count(compared, "row")} of ${count(locations, "location")}`,
  };
}

function held({ holds }) {
  return {
    name: "Held locations",
    value: number(holds.length),
    alert: holds.length > 0,
    note: holds.length ? named(holds) : "none",
  };
}

function named(holds) {
  const names = holds.slice(0, NAMED_MAX).map((hold) => hold.location);
  const more = holds.length - names.length;
  return names.join(", ") + (more > 0 ? ` and ${number(more)} more` : "");
}

function erp({ erp_down_until: until }) {
  return {
    name: "ERP",
    value: until ? "down" : "answers",
    alert: Boolean(until),
    note: until ? `until ${timeOf(until)}` : "no fault known",
  };
}

function release({ release: { reading, for_range: range, for_immediate: immediate } }) {
  return {
    name: "Release reading",
    value: reading ? words(reading) : "none yet",
    note: `seen: ${number(range)} for range, ${number(immediate)} for immediate`,
  };
}

function quarantine({ quarantined }) {
  if (quarantined === null) {
    return { name: "Quarantine", value: "–", note: "not counted lately" };
  }
  return {
    name: "Quarantine",
    value: number(quarantined),
    alert: quarantined > 0,
    note: quarantined ? "someone has to look: quarantine list" : "empty",
  };
}
