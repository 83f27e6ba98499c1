import { useGraphiQL } from "@graphiql/react";
import { useMemo, useState } from "react";

import { Charts } from "./charts";
import { curvesIn } from "./curves";
import { gridsIn } from "./grids";
import { Tables } from "./tables";

/** What was asked, to look at: its curves drawn, its lists as tables. Nothing where the answer has neither. */
export function Look() {
  const response = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.response ?? "");
  const { curves, grids } = useMemo(() => seen(response), [response]);
  const [chosen, choose] = useState<"curves" | "table" | "none">();
  if (!curves.length && !grids.length) return null;
  const fallback = curves.length ? "curves" : "table";
  const view = (chosen === "curves" && !curves.length) || (chosen === "table" && !grids.length) ? fallback : (chosen ?? fallback);
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
    <section className={`look look-${view}`} aria-label="The answer, drawn">
      <div role="tablist">
        {tab("curves", curves.length)}
        {tab("table", grids.length)}
      </div>
      {view === "curves" && <Charts curves={curves} />}
      {view === "table" && <Tables grids={grids} />}
    </section>
  );
}

function seen(response: string) {
  try {
    const data = JSON.parse(response).data ?? null;
    return { curves: curvesIn(data), grids: gridsIn(data) };
  } catch {
    return { curves: [], grids: [] };
  }
}
