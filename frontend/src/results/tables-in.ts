import { type Row, cells, isListed, nameOf, valueOf } from "./cells";
import { type TableData, type Json, type Leaf, type Obj, isObject, isObjects, isPoints } from "./json";

/** Return the lists in a response that can be shown as tables: runs, experiments, groups, comparisons, flat rows. */
export function tablesIn(data: Json): TableData[] {
  const lists = new Map<string, Row[]>();
  collect(data, { path: [], parent: "", inRow: false }, lists);
  return [...lists].map(([title, rows]) => table(title, rows)).filter(({ columns }) => columns.length > 1);
}

interface Position {
  path: string[];
  /** The name of the enclosing object. */
  parent: string;
  /** Whether the enclosing object is a row whose cells already contain keyed lists. */
  inRow: boolean;
}

type Lists = Map<string, Row[]>;

function collect(value: Json, position: Position, lists: Lists): void {
  if (isComparison(value)) return put(lists, position, compared(value));
  if (isObject(value)) return collectFields(value, { ...position, parent: nameOf(value, position.parent) }, lists);
  if (!isRows(value) || (position.inRow && isListed(value))) return;
  const { path, parent } = position;
  const items = value.map((item) => (isObject(item.node) ? item.node : item));
  put(lists, position, items.map((item) => ({ ...(parent && { "": parent }), ...cells(item) })));
  // A nested list becomes one table for all parents, with a column for the parent's name.
  items.forEach((item) => collectFields(item, { path, parent: nameOf(item, parent), inRow: true }, lists));
}

function collectFields(value: Obj, position: Position, lists: Lists): void {
  for (const [name, item] of Object.entries(value)) collect(item, { ...position, path: [...position.path, name] }, lists);
}

function put(lists: Lists, { path }: Position, rows: Row[]): void {
  const title = path.filter((name) => name !== "nodes" && name !== "edges").join(" › ");
  lists.set(title, [...(lists.get(title) ?? []), ...rows]);
}

const isRows = (value: Json): value is Obj[] => isObjects(value) && !isPoints(value);

const isComparison = (value: Json): value is Obj => isObject(value) && Object.values(value).some(isCompared);

const isCompared = (value: Json | undefined): value is Obj[] =>
  isObjects(value) && value.every((item) => typeof item.key === "string" && Array.isArray(item.values));

/** Convert a comparison, which has a list of values for each key, into one row for each run. */
function compared(value: Obj): Row[] {
  const runs = isObjects(value.runs) ? value.runs : [];
  const rows: Row[] = runs.map((run) => cells(run));
  for (const [name, list] of Object.entries(value)) {
    if (!isCompared(list)) continue;
    for (const { key, values } of list) {
      (values as Json[]).forEach((item, run) => {
        (rows[run] ??= { run: run + 1 })[`${name}.${key}`] = valueOf({ value: item });
      });
    }
  }
  return rows;
}

function table(title: string, rows: Row[]): TableData {
  const all = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  // Drop a column that is always null if other rows have an object with nested columns under this name.
  const isNone = (name: string) => rows.every((row) => row[name] == null) && all.some((other) => other.startsWith(`${name}.`));
  const columns = all.filter((name) => !isNone(name));
  return { title, columns, rows: rows.map((row) => columns.map((name): Leaf => row[name] ?? null)) };
}
