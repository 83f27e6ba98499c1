import { type Curve, type Json, isObject, isPoints } from "./json";

/** Return the curves anywhere in a response, labelled with the names of their runs and experiments. */
export function curvesIn(data: Json): Curve[] {
  const found: Curve[] = [];
  walk(data, { path: [], label: [], metric: "" }, found);
  return found;
}

interface Position {
  /** The path in the response: field names and list indices. */
  path: string[];
  /** The names of the enclosing objects: an experiment, a run. */
  label: string[];
  metric: string;
}

function walk(value: Json, position: Position, found: Curve[]): void {
  if (isPoints(value)) {
    add(found, position, value.map((point) => point.step ?? null), value.map((point) => point.value ?? null));
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => walk(item, { ...position, path: [...position.path, String(index)] }, found));
  } else if (isObject(value)) {
    if (Array.isArray(value.steps) && Array.isArray(value.values)) add(found, position, value.steps, value.values);
    const here = inside(value, position);
    for (const [name, item] of Object.entries(value)) walk(item, { ...here, path: [...here.path, name] }, found);
  }
}

function inside(value: { [name: string]: Json }, position: Position): Position {
  if (typeof value.key === "string") return { ...position, metric: value.key };
  const name = value.name ?? value.runId;
  return typeof name === "string" ? { ...position, label: [...position.label, name] } : position;
}

function add(found: Curve[], position: Position, steps: Json[], values: Json[]): void {
  // If the query does not select the key, the field's name or alias names the metric.
  const field = position.path.filter((name) => !/^\d+$/.test(name) && name !== "series" && name !== "history").at(-1);
  found.push({
    metric: position.metric || (field ?? ""),
    label: position.label.slice(-2).join(" · ") || position.path.join("."),
    steps: steps.map(Number),
    values: values.map((value) => (typeof value === "number" ? value : null)),
  });
}
