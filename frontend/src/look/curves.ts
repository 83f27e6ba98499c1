import { type Curve, type Json, isObject, isPoints } from "./shapes";

/** Find the curves of an answer, wherever they stand in it, with the names of what they are of. */
export function curvesIn(data: Json): Curve[] {
  const found: Curve[] = [];
  walk(data, { path: [], label: [], metric: "" }, found);
  return found;
}

interface Place {
  /** Where in the answer, by names and list places. */
  path: string[];
  /** The names of what is around: an experiment's, a run's. */
  label: string[];
  metric: string;
}

function walk(value: Json, place: Place, found: Curve[]): void {
  if (isPoints(value)) {
    add(found, place, value.map((point) => point.step ?? null), value.map((point) => point.value ?? null));
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => walk(item, { ...place, path: [...place.path, String(index)] }, found));
  } else if (isObject(value)) {
    if (Array.isArray(value.steps) && Array.isArray(value.values)) add(found, place, value.steps, value.values);
    const here = inside(value, place);
    for (const [name, item] of Object.entries(value)) walk(item, { ...here, path: [...here.path, name] }, found);
  }
}

function inside(value: { [name: string]: Json }, place: Place): Place {
  if (typeof value.key === "string") return { ...place, metric: value.key };
  const name = value.name ?? value.runId;
  return typeof name === "string" ? { ...place, label: [...place.label, name] } : place;
}

function add(found: Curve[], place: Place, steps: Json[], values: Json[]): void {
  // Without its key selected, a metric is called as the field is, or its alias.
  const field = place.path.filter((name) => !/^\d+$/.test(name) && name !== "series" && name !== "history").at(-1);
  found.push({
    metric: place.metric || (field ?? ""),
    label: place.label.slice(-2).join(" · ") || place.path.join("."),
    steps: steps.map(Number),
    values: values.map((value) => (typeof value === "number" ? value : null)),
  });
}
