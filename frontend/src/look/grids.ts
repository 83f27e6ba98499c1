import { type Row, cells, isListed, nameOf, valueOf } from "./cells";
import { type Grid, type Json, type Leaf, type Obj, isObject, isObjects, isPoints } from "./shapes";

/** Find the lists of an answer that read well as tables: runs, experiments, groups, a comparison, flat rows. */
export function gridsIn(data: Json): Grid[] {
  const lists = new Map<string, Row[]>();
  collect(data, { path: [], parent: "", inRow: false }, lists);
  return [...lists].map(([title, rows]) => grid(title, rows)).filter(({ columns }) => columns.length > 1);
}

interface Place {
  path: string[];
  /** The name of what is around. */
  parent: string;
  /** Whether what is around is a row already, whose cells hold what is under keys. */
  inRow: boolean;
}

type Lists = Map<string, Row[]>;

function collect(value: Json, place: Place, lists: Lists): void {
  if (isComparison(value)) return put(lists, place, compared(value));
  if (isObject(value)) return collectFields(value, { ...place, parent: nameOf(value, place.parent) }, lists);
  if (!isRows(value) || (place.inRow && isListed(value))) return;
  const { path, parent } = place;
  const items = value.map((item) => (isObject(item.node) ? item.node : item));
  put(lists, place, items.map((item) => ({ ...(parent && { "": parent }), ...cells(item) })));
  // A list inside of a list is one table for all parents, whose names it gets.
  items.forEach((item) => collectFields(item, { path, parent: nameOf(item, parent), inRow: true }, lists));
}

function collectFields(value: Obj, place: Place, lists: Lists): void {
  for (const [name, item] of Object.entries(value)) collect(item, { ...place, path: [...place.path, name] }, lists);
}

function put(lists: Lists, { path }: Place, rows: Row[]): void {
  const title = path.filter((name) => name !== "nodes" && name !== "edges").join(" › ");
  lists.set(title, [...(lists.get(title) ?? []), ...rows]);
}

const isRows = (value: Json): value is Obj[] => isObjects(value) && !isPoints(value);

const isComparison = (value: Json): value is Obj => isObject(value) && Object.values(value).some(isCompared);

const isCompared = (value: Json | undefined): value is Obj[] =>
  isObjects(value) && value.every((item) => typeof item.key === "string" && Array.isArray(item.values));

/** Turn a comparison, which has a list of values for each key, into a row for each run. */
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

function grid(title: string, rows: Row[]): Grid {
  const all = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  // Where one row has nothing, and others have an object with columns of its own, that is no column.
  const isNone = (name: string) => rows.every((row) => row[name] == null) && all.some((other) => other.startsWith(`${name}.`));
  const columns = all.filter((name) => !isNone(name));
  return { title, columns, rows: rows.map((row) => columns.map((name): Leaf => row[name] ?? null)) };
}
