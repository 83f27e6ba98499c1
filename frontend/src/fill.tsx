import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useState } from "react";

import { type Facts, factsOf } from "./facts";
import { filled } from "./tour";

/**
 * Read the schema, and fill the tour's variables in, once the server answers whoever has put in a token: when the page
 * opened there was none. Each tab is filled as it is looked at, where nobody has changed it.
 */
export function Fill() {
  const [facts, setFacts] = useState<Facts>();
  const { introspect } = useGraphiQLActions();
  const editor = useGraphiQL((state) => state.variableEditor);
  const tab = useGraphiQL((state) => state.tabs[state.activeTabIndex]);
  const isAnswered = !!tab?.response?.includes('"data"');
  useEffect(() => {
    if (!isAnswered || facts) return;
    void factsOf().then(setFacts);
    void introspect();
  }, [isAnswered, facts, introspect]);
  useEffect(() => {
    const found = facts && filled({ query: tab?.query ?? "", variables: tab?.variables ?? undefined }, facts);
    if (found) editor?.setValue(found);
  }, [facts, editor, tab?.query, tab?.variables]);
  return null;
}
