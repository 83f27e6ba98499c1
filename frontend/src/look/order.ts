import type { Leaf } from "./shapes";

export interface Order {
  column: string;
  descending: boolean;
}

/**
 * Compare two cells: numbers come before text, and what has no value comes last, in both directions. Missing last is
 * what the graph's own orders do.
 */
export function compared(left: Leaf, right: Leaf, descending: boolean): number {
  const [one, other] = [rank(left), rank(right)];
  if (one !== other) return one - other;
  const difference = one === NUMBER ? numberOf(left) - numberOf(right) : collator.compare(String(left), String(right));
  return descending ? -difference : difference;
}

const [NUMBER, TEXT, MISSING] = [0, 1, 2];
// "run 9" comes before "run 10".
const collator = new Intl.Collator(undefined, { numeric: true });

function rank(cell: Leaf): number {
  if (cell === null || cell === "") return MISSING;
  return Number.isNaN(numberOf(cell)) ? TEXT : NUMBER;
}

/** Return the number that a cell is, or means: a param such as "1e-05" is text. */
function numberOf(cell: Leaf): number {
  if (typeof cell === "number") return cell;
  if (typeof cell !== "string" || !/^\s*[+-]?(\.?\d|inf(inity)?\s*$)/i.test(cell)) return NaN;
  return Number(cell.replace(/inf(inity)?/i, "Infinity"));
}
