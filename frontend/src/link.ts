/** The initial content of an editor tab. */
export interface Tab {
  query: string;
  variables?: string;
}

/** Return the operation in the URL parameters `query` and `variables`, if there is one. */
export function operationFromUrl(search: string): Tab | undefined {
  const parameters = new URLSearchParams(search);
  const query = parameters.get("query");
  if (!query) return undefined;
  return { query, variables: parameters.get("variables") || undefined };
}

/** Return a URL of this page that opens with an operation. It contains no headers, because they can hold secrets. */
export function linkTo(page: string, { query, variables }: { query: string; variables: string }): string {
  const url = new URL(page);
  url.hash = "";
  url.search = "";
  url.searchParams.set("query", query);
  if (variables.trim()) url.searchParams.set("variables", variables);
  return url.href;
}
