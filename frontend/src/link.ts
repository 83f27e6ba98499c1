/** What a tab of the editor starts with. */
export interface Tab {
  query: string;
  variables?: string;
}

/** Read the operation that a link carries in `?query=&variables=`, if it carries one. */
export function linked(search: string): Tab | undefined {
  const parameters = new URLSearchParams(search);
  const query = parameters.get("query");
  if (!query) return undefined;
  return { query, variables: parameters.get("variables") || undefined };
}

/** Make a link to this page that opens with an operation. Headers stay out of it: they hold secrets. */
export function linkTo(page: string, { query, variables }: { query: string; variables: string }): string {
  const url = new URL(page);
  url.hash = "";
  url.search = "";
  url.searchParams.set("query", query);
  if (variables.trim()) url.searchParams.set("variables", variables);
  return url.href;
}
