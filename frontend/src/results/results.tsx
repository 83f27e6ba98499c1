import { useGraphiQL } from "@graphiql/react";
import { useMemo, useState } from "react";

import { Charts } from "./charts";
import { curvesIn } from "./curves-in";
import { Tables } from "./tables";
import { tablesIn } from "./tables-in";

/** The response as charts and tables; nothing if it contains neither curves nor lists. */
export function Results() {
  const response = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.response ?? "");
  const { curves, tables } = useMemo(() => parseResults(response), [response]);
  const [chosen, choose] = useState<"curves" | "table" | "none">();
  if (!curves.length && !tables.length) return null;
  const fallback = curves.length ? "curves" : "table";
  const view = (chosen === "curves" && !curves.length) || (chosen === "table" && !tables.length) ? fallback : (chosen ?? fallback);
  const tab = (name: "curves" | "table", count: number) =>
    count > 0 && (
      <button
        type="button"
        role="tab"
        aria-selected={view === name}
        onClick={() => choose(view === name ? "none" : name)}
      >
        {name === "curves" ? "Curves" : "Table"}
      </button>
    );
  return (
    <section className={`results results-${view}`} aria-label="Charts and tables of the response">
      <div role="tablist">
        {tab("curves", curves.length)}
        {tab("table", tables.length)}
      </div>
      {view === "curves" && <Charts curves={curves} />}
      {view === "table" && <Tables tables={tables} />}
    </section>
  );
}

function parseResults(response: string) {
  try {
    const data = JSON.parse(response).data ?? null;
    return { curves: curvesIn(data), tables: tablesIn(data) };
  } catch {
    return { curves: [], tables: [] };
  }
}
