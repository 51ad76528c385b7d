// The stock table. Rows are kept and rewritten in place: who stands on one stays there.

import { byId, html, replaceWhenNew, setAttribute, setText } from "room/dom.js";
import { ALL, gapOf, keyOf, sumOf } from "room/rows.js";
import { count, gapText, number } from "room/words.js";

// What matters first, so that a narrow screen shows it; then what it is made of.
const COLUMNS = [
  { name: "Promise (ATP)", of: (row) => number(row.atp_units), strong: true },
  { name: "Truth", of: (row) => number(row.promisable_units), truth: true, strong: true },
  { name: "Difference", of: (row) => gapText(gapOf(row)), truth: true, gap: true },
  { name: "ERP shows", of: (row) => number(row.erp_units) },
  { name: "Imported", of: (row) => number(row.on_hand_units) },
  { name: "Allocated", of: (row) => number(row.open_allocations) },
  { name: "Shipped, not released", of: (row) => number(row.completed_unreleased) },
  { name: "On the shelf", of: (row) => number(row.shelf_units), truth: true },
];
const lines = new Map();

export function wireStock(change) {
  byId("find").addEventListener("input", (event) => change({ find: event.target.value }));
  byId("only").addEventListener("change", (event) => change({ only: event.target.checked }));
}

export function showStock(view, change) {
  const { moment } = view;
  const columns = COLUMNS.filter((column) => moment.truth_known || !column.truth);
  replaceWhenNew(byId("stock-head"), String(columns.length), () => [head(columns)]);
  const rows = moment.rows.filter((row) => wanted(row, view));
  const shown = rows.map((row) => line(row, columns, view, change));
  place(byId("stock-rows"), shown.length ? shown : [nothing(moment, columns)]);
  byId("stock-sum").replaceChildren(...(rows.length > 1 ? [sum(rows, columns)] : []));
  setText(
    byId("stock-count"),
    rows.length === moment.rows.length
      ? count(rows.length, "row") + "."
      : `${number(rows.length)} of ${count(moment.rows.length, "row")}.`,
  );
}

function wanted(row, { find, only }) {
  const text = `${row.location} ${row.product}`.toLowerCase();
  const found = find
    .toLowerCase()
    .split(/\s+/)
    .every((part) => text.includes(part));
  return found && (!only || row.held || (gapOf(row) ?? 0) !== 0);
}

const head = (columns) =>
  html(
    "tr",
    {},
    html("th", { scope: "col" }, "Location"),
    html("th", { scope: "col" }, "Product"),
    ...columns.map(({ name }) => html("th", { scope: "col", class: "figure" }, name)),
  );

function line(row, columns, view, change) {
  const key = keyOf(row);
  const kept = lines.get(key);
  const tr =
    kept?.childElementCount === columns.length + 2 ? kept : newLine(row, key, columns, change);
  lines.set(key, tr);
  const [location, product, ...cells] = tr.children;
  setText(location.lastChild, row.held ? "held" : "");
  setAttribute(product.firstChild, "aria-pressed", view.row === key);
  columns.forEach((column, index) => write(cells[index], column, row));
  return tr;
}

function newLine(row, key, columns, change) {
  const choose = html(
    "button",
    { type: "button", class: "choose", title: "Show in the chart above" },
    row.product,
  );
  choose.addEventListener("click", () =>
    change({ row: choose.getAttribute("aria-pressed") === "true" ? ALL : key }),
  );
  return html(
    "tr",
    {},
    html(
      "td",
      { class: "place" },
      html("span", {}, row.location),
      " ",
      html("span", { class: "badge" }),
    ),
    html("th", { scope: "row" }, choose),
    ...columns.map(() => html("td")),
  );
}

function write(cell, column, row) {
  const gap = gapOf(row);
  const kind = gap == null || gap === 0 ? "even" : gap > 0 ? "over" : "under";
  setAttribute(
    cell,
    "class",
    `figure${column.strong ? " strong" : ""}${column.gap ? ` ${kind}` : ""}`,
  );
  setText(cell, column.of(row));
}

function nothing(moment, columns) {
  const text = moment.rows.length ? "No row is like that." : "No system lists any stock yet.";
  return html("tr", {}, html("td", { colspan: columns.length + 2, class: "empty" }, text));
}

function sum(rows, columns) {
  const total = sumOf(rows);
  const cells = columns.map((column) => {
    const cell = html("td");
    write(cell, column, total);
    return cell;
  });
  return html("tr", {}, html("th", { scope: "row", colspan: 2 }, "Together"), ...cells);
}

// Moves as little as possible: an element that is moved loses the focus.
function place(body, wantedLines) {
  const keep = new Set(wantedLines);
  for (const child of [...body.children]) if (!keep.has(child)) child.remove();
  wantedLines.forEach((tr, index) => {
    if (body.children[index] !== tr) body.insertBefore(tr, body.children[index] ?? null);
  });
}
