import { fetcher } from "./fetcher";

/** Values from the store that the tour's operations take as variables. */
export interface StoreSample {
  experimentId: string;
  experimentName: string;
  runId: string;
  runIds: string[];
  metric: string;
  param: string;
}

// A small sample is enough. Counting the runs of each experiment takes minutes on a large store.
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
 * Sample the newest finished runs and choose values that most of them share, so that each operation returns data.
 * Return undefined if the request fails, for example without a token.
 */
export async function sampleStore(): Promise<StoreSample | undefined> {
  try {
    const response = await fetcher({ query: NEWEST });
    return response?.data?.runs && sampleOf(response.data.runs.nodes);
  } catch {
    // The tour opens without a sample; running an operation shows the error.
    return undefined;
  }
}

function sampleOf(runs: Run[]): StoreSample {
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

/** Choose a metric that many runs have. Prefer metrics with a history, then losses, then metrics not named after training. */
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

/** Choose the param with the most values that several runs share. */
function paramOf(runs: Run[]): string | undefined {
  const params = [...Map.groupBy(runs.flatMap((run) => run.params), ({ key }) => key)];
  const groups = (some: Run["params"]) => [...Map.groupBy(some, ({ value }) => value).values()];
  return first(params, ([, some]) => [groups(some).filter(({ length }) => length > 1).length])?.[0];
}

/** Return the item with the highest ranks, compared in order; the first of equal items. */
function first<Item>(items: Item[], ranks: (item: Item) => number[]): Item | undefined {
  const compare = (one: number[], other: number[]) => one.map((rank, at) => rank - other[at]!).find(Boolean) ?? 0;
  return items.toSorted((one, other) => compare(ranks(other), ranks(one)))[0];
}

/** The variables of the tour without a sample. */
export const DEFAULT_SAMPLE = sampleOf([]);
