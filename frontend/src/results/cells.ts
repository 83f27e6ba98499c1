import { type Json, type Leaf, type Obj, isLeaf, isObjects } from "./json";

/** A row of a table: its cells by column name. */
export type Row = Record<string, Leaf>;

/** Flatten an object into the cells of one row. A list of keyed objects becomes one column for each key. */
export function cells(item: Obj, prefix = ""): Row {
  return Object.assign({}, ...Object.entries(item).map(([name, value]) => cellsOf(value, prefix + name))) as Row;
}

function cellsOf(value: Json, column: string): Row {
  if (isLeaf(value)) return { [column]: value };
  if (isObjects(value) && isListed(value)) return Object.assign({}, ...value.map((pair) => listed(pair, column))) as Row;
  if (Array.isArray(value)) return value.length > 0 && value.every(isLeaf) ? { [column]: value.join(", ") } : {};
  // The rows of a connection are a separate table; this row shows only its scalar fields, such as totalCount.
  if (isConnection(value)) return cells(Object.fromEntries(Object.entries(value).filter(([, item]) => isLeaf(item))), `${column}.`);
  return "value" in value ? valued(value, column) : cells(value, `${column}.`);
}

/** Return whether each item has a distinct key: params, tags, metrics, the keys of a group. */
export const isListed = (items: Obj[]) =>
  items.every((item) => keyOf(item) !== undefined) && new Set(items.map(keyOf)).size === items.length;

const keyOf = ({ key, name, value }: Obj): string | undefined => {
  if (typeof key === "string") return key;
  return typeof name === "string" && value !== undefined ? name : undefined;
};

function listed(pair: Obj, column: string): Row {
  const { key, ...rest } = pair;
  if (typeof key !== "string") delete rest.name;
  return valued(rest, `${column}.${keyOf(pair)}`);
}

/** Name the column of the value after the key, and the columns of its other fields below it. */
function valued({ value, nonFinite, ...rest }: Obj, column: string): Row {
  const own = value === undefined ? {} : { [column]: valueOf({ value, nonFinite }) };
  return { ...own, ...cells(rest, `${column}.`) };
}

const NON_FINITE: Record<string, number> = { NAN: NaN, POSITIVE_INFINITY: Infinity, NEGATIVE_INFINITY: -Infinity };

/** Return a metric's value as a number; JSON cannot represent values that are not finite. */
export function valueOf({ value, nonFinite }: { value: Json; nonFinite?: Json }): Leaf {
  if (value === null && typeof nonFinite === "string") return NON_FINITE[nonFinite] ?? nonFinite;
  return isLeaf(value) ? value : null;
}

const isConnection = (value: Obj) => "nodes" in value || "edges" in value || "pageInfo" in value || "steps" in value;

/** Return the name that identifies an object in the tables of its nested lists. */
export function nameOf({ name, key, runId }: Obj, otherwise: string): string {
  return [name, key, runId].find((text) => typeof text === "string") ?? otherwise;
}
