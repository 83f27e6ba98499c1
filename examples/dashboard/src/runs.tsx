import { useState } from "react";
import { useQuery } from "urql";

import { graphql } from "./gql";
import type { RunOrder, SortDirection } from "./gql/graphql";

const PAGE = 5;

const RUNS = graphql(`
  query Runs($experimentId: ID!, $metric: String!, $first: Int!, $after: String, $orderBy: [RunOrder!]) {
    experiment(experimentId: $experimentId) {
      runs(first: $first, after: $after, orderBy: $orderBy) {
        totalCount
        nodes {
          runId
          name
          status
          startedAt
          durationSeconds
          metric(key: $metric) {
            value
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

interface Props {
  experimentId: string;
  metric: string;
  chosen: string[];
  onChoose(runIds: string[]): void;
}

/** The runs of an experiment, page by page, in the order of the column that is pressed. */
export function Runs({ experimentId, metric, chosen, onChoose }: Props) {
  const columns: [string, RunOrder][] = [
    ["Run", { attribute: "NAME" }],
    ["Status", { attribute: "STATUS" }],
    ["Started", { attribute: "STARTED_AT" }],
    ["Seconds", { attribute: "DURATION" }],
    [metric, { metric }],
  ];
  const [order, setOrder] = useState<{ column: number; direction: SortDirection }>({ column: 2, direction: "DESC" });
  // The cursors that led here: the last is this page's, without any it is the first page.
  const [cursors, setCursors] = useState<string[]>([]);
  const [{ data, error, fetching }] = useQuery({
    query: RUNS,
    variables: {
      experimentId,
      metric,
      first: PAGE,
      after: cursors.at(-1) ?? null,
      orderBy: [{ ...columns[order.column]![1], direction: order.direction }],
    },
  });
  const sort = (column: number) => {
    const turned = order.column === column && order.direction === "ASC" ? "DESC" : "ASC";
    setOrder({ column, direction: turned });
    // A cursor is of one order.
    setCursors([]);
  };
  const toggle = (runId: string) =>
    onChoose(chosen.includes(runId) ? chosen.filter((one) => one !== runId) : [...chosen, runId]);
  if (error) return <p role="alert">{error.message}</p>;
  const runs = data?.experiment?.runs;
  if (!runs) return <p>Loading…</p>;
  const { hasNextPage, endCursor } = runs.pageInfo;
  return (
    <section aria-label="Runs" aria-busy={fetching}>
      <table>
        <thead>
          <tr>
            <th />
            {columns.map(([title], column) => (
              <th key={title} aria-sort={order.column === column ? (order.direction === "ASC" ? "ascending" : "descending") : "none"}>
                <button type="button" onClick={() => sort(column)}>
                  {title}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.nodes.map((run) => (
            <tr key={run.runId}>
              <td>
                <input
                  type="checkbox"
                  aria-label={`Draw ${run.name}`}
                  checked={chosen.includes(run.runId)}
                  onChange={() => toggle(run.runId)}
                />
              </td>
              <td>{run.name}</td>
              <td>{run.status}</td>
              <td>{run.startedAt && new Date(run.startedAt).toLocaleString()}</td>
              <td>{run.durationSeconds?.toFixed(1)}</td>
              <td>{run.metric?.value?.toPrecision(4)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <button type="button" disabled={!cursors.length || fetching} onClick={() => setCursors(cursors.slice(0, -1))}>
        Back
      </button>
      <button
        type="button"
        disabled={!hasNextPage || !endCursor || fetching}
        onClick={() => setCursors([...cursors, endCursor!])}
      >
        Next
      </button>
      {/* While the next page is fetched the last one is still here. */}
      {!fetching && (
        <span>
          {cursors.length * PAGE + 1} to {cursors.length * PAGE + runs.nodes.length} of {runs.totalCount}
        </span>
      )}
    </section>
  );
}
