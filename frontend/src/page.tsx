import { explorerPlugin } from "@graphiql/plugin-explorer";
import { ToolbarButton, useGraphiQL } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { useEffect } from "react";

import { ask } from "./ask";
import { copy } from "./copy";
import { Fill } from "./fill";
import { type Tab, linkTo } from "./link";
import { Look } from "./look/look";
import { memory } from "./memory";

const plugins = [explorerPlugin()];

/** GraphiQL over this server, with what was asked drawn under the answer; the tabs are filled later if nothing is told yet. */
export function Page({ tabs, isTold }: { tabs: Tab[]; isTold: boolean }) {
  return (
    <GraphiQL
      fetcher={ask}
      plugins={plugins}
      storage={memory}
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
            {!isTold && <Fill />}
          </>
        )}
      </GraphiQL.Toolbar>
      <GraphiQL.Footer>
        <Look />
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

/** Wrap long lines of the operation, as the answer's are: the tour's comments are there to be read. */
function WrapLines() {
  const editor = useGraphiQL((state) => state.queryEditor);
  useEffect(() => editor?.updateOptions({ wordWrap: "on" }), [editor]);
  return null;
}
