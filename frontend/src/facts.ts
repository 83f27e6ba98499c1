import { ask } from "./ask";

/** What the tour's operations take as variables. */
export interface Facts {
  experimentId: string;
  experimentName: string;
  runId: string;
  runIds: string[];
  metric: string;
  param: string;
}

// As many as tell what a store is about; counting the runs of each experiment takes a large one minutes.
const NEWEST = `{
  runs(first: 50, filter: "status = 'FINISHED'") {
    nodes { runId experimentId experiment { name } params { key value } metrics { key step } }
  }
}`;

interface Run {
  runId: string;
  experimentId: string;
  experiment: { name: string } | null;
  params: { key: string; value: string }[];
  metrics: { key: string; step: number }[];
}

/**
 * Ask what most of the newest finished runs have in common, so that each operation of the tour has something to show.
 * Undefined where the server does not say, for want of a token perhaps.
 */
export async function factsOf(): Promise<Facts | undefined> {
  try {
    const answer = await ask({ query: NEWEST });
    return answer?.data?.runs && told(answer.data.runs.nodes);
  } catch {
    // Without an answer now the tour opens all the same; running an operation then shows what is wrong.
    return undefined;
  }
}

function told(runs: Run[]): Facts {
  const experiments = [...Map.groupBy(runs, (run) => run.experimentId).values()];
  const largest = first(experiments, (some) => [some.length]) ?? [];
  const metric = metricOf(largest);
  const measured = largest.filter((run) => run.metrics.some(({ key }) => key === metric));
  const shown = measured.length > 0 ? measured : largest;
  const [newest] = shown;
  return {
    experimentId: newest?.experimentId ?? "0",
    experimentName: newest?.experiment?.name ?? "Default",
    runId: newest?.runId ?? "00000000000000000000000000000000",
    runIds: shown.slice(0, 4).map((run) => run.runId),
    metric: metric ?? "loss",
    param: paramOf(largest) ?? "lr",
  };
}

/** Choose a metric of many runs: rather one with a history, and of those a loss, and of those not the training's. */
function metricOf(runs: Run[]): string | undefined {
  const metrics = [...Map.groupBy(runs.flatMap((run) => run.metrics), ({ key }) => key)];
  const most = Math.max(...metrics.map(([, some]) => some.length));
  const common = metrics.filter(([, some]) => some.length > most / 2);
  return first(common, ([key, some]) => [
    Number(some.some(({ step }) => step > 0)),
    Number(/loss|error/i.test(key)),
    Number(!/train/i.test(key)),
    some.length,
  ])?.[0];
}

/** Choose the param by which most groups of several runs are made. */
function paramOf(runs: Run[]): string | undefined {
  const params = [...Map.groupBy(runs.flatMap((run) => run.params), ({ key }) => key)];
  const groups = (some: Run["params"]) => [...Map.groupBy(some, ({ value }) => value).values()];
  return first(params, ([, some]) => [groups(some).filter(({ length }) => length > 1).length])?.[0];
}

/** Return the item whose first differing rank is the highest; of equals, the first. */
function first<Item>(items: Item[], ranks: (item: Item) => number[]): Item | undefined {
  const compare = (one: number[], other: number[]) => one.map((rank, at) => rank - other[at]!).find(Boolean) ?? 0;
  return items.toSorted((one, other) => compare(ranks(other), ranks(one)))[0];
}

/** What the tour's operations take where nothing is told. */
export const GUESSES = told([]);
