import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useState } from "react";

import { type StoreSample, sampleStore } from "./store-sample";
import { filledVariables } from "./tour";

/**
 * Load the schema and fill in the tour's variables after the first successful response. Without a token the page could
 * not load them when it opened. Each tab is filled when it is opened, unless the user has changed it.
 */
export function FillVariables() {
  const [sample, setSample] = useState<StoreSample>();
  const { introspect } = useGraphiQLActions();
  const editor = useGraphiQL((state) => state.variableEditor);
  const tab = useGraphiQL((state) => state.tabs[state.activeTabIndex]);
  const hasData = !!tab?.response?.includes('"data"');
  useEffect(() => {
    if (!hasData || sample) return;
    void sampleStore().then(setSample);
    void introspect();
  }, [hasData, sample, introspect]);
  useEffect(() => {
    const variables =
      sample && filledVariables({ query: tab?.query ?? "", variables: tab?.variables ?? undefined }, sample);
    if (variables) editor?.setValue(variables);
  }, [sample, editor, tab?.query, tab?.variables]);
  return null;
}
