import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { useQuery } from "urql";

import { graphql } from "./gql";
import type { CurvesQuery } from "./gql/graphql";

const CURVES = graphql(`
  query Curves($runIds: [ID!]!, $metric: String!) {
    runs(where: { runId: { in: $runIds } }, first: 50) {
      nodes {
        runId
        name
        metric(key: $metric) {
          series {
            steps
            values
          }
        }
      }
    }
  }
`);

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"];

type Run = CurvesQuery["runs"]["nodes"][number];

/** The history of a metric of the runs chosen, in one chart. */
export function Curves({ runIds, metric }: { runIds: string[]; metric: string }) {
  const [{ data, error }] = useQuery({ query: CURVES, variables: { runIds, metric }, pause: !runIds.length });
  if (!runIds.length) return <p>Choose runs to see their curves.</p>;
  if (error) return <p role="alert">{error.message}</p>;
  if (!data) return <p>Loading…</p>;
  const drawn = data.runs.nodes.filter((run) => run.metric);
  return drawn.length ? <Chart runs={drawn} /> : <p>None of these runs has logged {metric}.</p>;
}

function Chart({ runs }: { runs: Run[] }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const series = runs.map(({ metric }) => [metric!.series.steps, metric!.series.values] as uPlot.AlignedData);
    const plot = new uPlot(
      {
        width: place.current!.clientWidth,
        height: 320,
        scales: { x: { time: false } },
        series: [
          { label: "step" },
          ...runs.map(({ name }, number) => ({
            label: name ?? "",
            stroke: COLOURS[number % COLOURS.length],
            spanGaps: true,
          })),
        ],
      },
      uPlot.join(series),
      place.current!,
    );
    return () => plot.destroy();
  }, [runs]);
  return <div className="chart" ref={place} />;
}
