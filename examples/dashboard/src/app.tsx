import { useState } from "react";
import { useQuery } from "urql";

import { Curves } from "./curves";
import { graphql } from "./gql";
import { Runs } from "./runs";

const EXPERIMENTS = graphql(`
  query Experiments {
    experiments(first: 100) {
      nodes {
        experimentId
        name
        metricKeys
        runs(first: 0) {
          totalCount
        }
      }
    }
  }
`);

/** Experiments, the runs of the one chosen, and the curves of the runs chosen. */
export function App() {
  const [{ data, error }] = useQuery({ query: EXPERIMENTS });
  const [chosen, choose] = useState<string>();
  const [metric, setMetric] = useState<string>();
  const [runs, setRuns] = useState<string[]>([]);
  if (error) return <p role="alert">{error.message}</p>;
  if (!data) return <p>Loading…</p>;
  const experiments = data.experiments.nodes;
  const experiment = experiments.find(({ experimentId }) => experimentId === chosen) ?? experiments[0];
  if (!experiment) return <p>There are no experiments yet.</p>;
  const keys = experiment.metricKeys ?? [];
  const key = metric && keys.includes(metric) ? metric : firstOf(keys);
  return (
    <>
      <nav aria-label="Experiments">
        {experiments.map(({ experimentId, name, runs: { totalCount } }) => (
          <button
            key={experimentId}
            type="button"
            aria-current={experimentId === experiment.experimentId}
            onClick={() => {
              choose(experimentId);
              setRuns([]);
            }}
          >
            {name} ({totalCount})
          </button>
        ))}
      </nav>
      <label>
        Metric{" "}
        <select value={key} onChange={(event) => setMetric(event.target.value)}>
          {keys.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {key && (
        <>
          <Runs
            key={`${experiment.experimentId} ${key}`}
            experimentId={experiment.experimentId}
            metric={key}
            chosen={runs}
            onChoose={setRuns}
          />
          <Curves runIds={runs} metric={key} />
        </>
      )}
    </>
  );
}

/** Begin with a loss, which most runs log: the first by name may be of one run alone. */
function firstOf(keys: string[]): string | undefined {
  return keys.find((key) => /loss/i.test(key)) ?? keys[0];
}
