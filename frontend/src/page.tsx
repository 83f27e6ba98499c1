import { explorerPlugin } from "@graphiql/plugin-explorer";
import { ToolbarButton, useGraphiQL } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { useEffect } from "react";

import { copy } from "./copy";
import { fetcher } from "./fetcher";
import { FillVariables } from "./fill-variables";
import { type Tab, linkTo } from "./link";
import { memoryStorage } from "./memory-storage";
import { Results } from "./results/results";

const plugins = [explorerPlugin()];

/** GraphiQL with charts and tables below the response. Without a sample of the store, variables are filled in later. */
export function Page({ tabs, hasSample }: { tabs: Tab[]; hasSample: boolean }) {
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      storage={memoryStorage}
      defaultTabs={tabs}
      initialVariables={tabs[0]?.variables}
      showPersistHeadersSettings={false}
      onTabChange={({ activeTabIndex, tabs: open }) => {
        document.title = `${open[activeTabIndex]?.title ?? "MLflow GraphQL"} · MLflow GraphQL`;
      }}
    >
      <GraphiQL.Logo>
        MLflow <em>GraphQL</em>
      </GraphiQL.Logo>
      <GraphiQL.Toolbar>
        {({ prettify, copy, merge }) => (
          <>
            {prettify}
            {merge}
            {copy}
            <CopyLink />
            <WrapLines />
            {!hasSample && <FillVariables />}
          </>
        )}
      </GraphiQL.Toolbar>
      <GraphiQL.Footer>
        <Results />
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

function CopyLink() {
  const query = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.query ?? "");
  const variables = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.variables ?? "");
  return (
    <ToolbarButton
      label="Copy a link to this operation"
      onClick={() => copy("Link to this operation:", linkTo(location.href, { query, variables }))}
    >
      <svg className="graphiql-toolbar-icon" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5">
        <path d="M8.5 11.5a3.5 3.5 0 0 0 5 0l3-3a3.5 3.5 0 0 0-5-5l-1 1M11.5 8.5a3.5 3.5 0 0 0-5 0l-3 3a3.5 3.5 0 0 0 5 5l1-1" />
      </svg>
    </ToolbarButton>
  );
}

/** Wrap long lines of the operation, so that the tour's comments are readable. */
function WrapLines() {
  const editor = useGraphiQL((state) => state.queryEditor);
  useEffect(() => editor?.updateOptions({ wordWrap: "on" }), [editor]);
  return null;
}
