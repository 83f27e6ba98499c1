import type { FetcherOpts, FetcherParams } from "@graphiql/toolkit";
import { Kind, parse } from "graphql";

// The headers that were used last. Tabs without their own headers use them; they are forgotten when the page closes.
let lastHeaders: Record<string, string> = {};

/** Send an operation to the page's own URL, with the tab's headers or, without any, the headers used last. */
export async function fetcher(params: FetcherParams, options?: FetcherOpts): Promise<any> {
  const headers = Object.entries(options?.headers ?? {});
  if (headers.length > 0) lastHeaders = Object.fromEntries(headers);
  const response = await fetch(location.pathname, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
      ...lastHeaders,
    },
    body: JSON.stringify(withoutRedundantName(params)),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    // For example a proxy's error page: show its text in the response pane.
    return { errors: [{ message: `The server responded with status ${response.status}: ${text.slice(0, 500)}` }] };
  }
}

/** Omit the operation name if the document has one operation: after a tab change the editor still has the previous name. */
function withoutRedundantName(params: FetcherParams): FetcherParams {
  try {
    const operations = parse(params.query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    return operations.length === 1 ? { ...params, operationName: undefined } : params;
  } catch {
    return params;
  }
}
