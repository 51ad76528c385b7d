// A stock row's figures, or those of all rows together.

export const ALL = "";

export const keyOf = (row) => JSON.stringify([row.location, row.product]);

export const nameOf = (row) => `${row.location} · ${row.product}`;

export const gapOf = (row) =>
  row.atp_units == null || row.promisable_units == null
    ? null
    : row.atp_units - row.promisable_units;

const FIGURES = [
  "erp_units",
  "on_hand_units",
  "open_allocations",
  "completed_unreleased",
  "atp_units",
  "shelf_units",
  "promisable_units",
];

// A sum is unknown where one of its parts is.
export function sumOf(rows) {
  const sum = {};
  for (const figure of FIGURES) {
    const known = rows.every((row) => row[figure] != null);
    sum[figure] = known ? rows.reduce((total, row) => total + row[figure], 0) : null;
  }
  return sum;
}

export function figuresOf(moment, rowKey) {
  if (rowKey === ALL) return sumOf(moment.rows);
  return moment.rows.find((row) => keyOf(row) === rowKey) ?? {};
}
