import type { Leaf } from "./json";

export interface Order {
  column: string;
  descending: boolean;
}

/**
 * Compare two cells. Numbers come before text. Missing values come last in both directions, as in the graph's own orders.
 */
export function compared(left: Leaf, right: Leaf, descending: boolean): number {
  const [one, other] = [rank(left), rank(right)];
  if (one !== other) return one - other;
  const difference = one === NUMBER ? numberOf(left) - numberOf(right) : collator.compare(String(left), String(right));
  return descending ? -difference : difference;
}

const [NUMBER, TEXT, MISSING] = [0, 1, 2];
// Order "run 9" before "run 10".
const collator = new Intl.Collator(undefined, { numeric: true });

function rank(cell: Leaf): number {
  if (cell === null || cell === "") return MISSING;
  return Number.isNaN(numberOf(cell)) ? TEXT : NUMBER;
}

/** Return the cell as a number, or NaN. Params such as "1e-05" are text. */
function numberOf(cell: Leaf): number {
  if (typeof cell === "number") return cell;
  if (typeof cell !== "string" || !/^\s*[+-]?(\.?\d|inf(inity)?\s*$)/i.test(cell)) return NaN;
  return Number(cell.replace(/inf(inity)?/i, "Infinity"));
}
