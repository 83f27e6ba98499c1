import { type DocumentNode, parse, visit } from "graphql";

import type { Tab } from "./link";
import { DEFAULT_SAMPLE, type StoreSample } from "./store-sample";

const documents = import.meta.glob<string>("./tour/*.graphql", { query: "?raw", import: "default", eager: true });

/** Return the tour's operations as tabs, with variables taken from the store. */
export function tour(sample: StoreSample = DEFAULT_SAMPLE): Tab[] {
  return Object.keys(documents)
    .sort()
    .map((name) => ({ query: documents[name]!, variables: variables(documents[name]!, sample) }));
}

/** Return a tab's variables taken from the store; undefined if the user has changed the tab. */
export function filledVariables({ query, variables: current }: Tab, sample: StoreSample): string | undefined {
  const isUnchanged = Object.values(documents).includes(query) && current === variables(query, DEFAULT_SAMPLE);
  return isUnchanged ? variables(query, sample) : undefined;
}

function variables(source: string, sample: StoreSample): string | undefined {
  const names = declared(parse(source));
  if (!names.length) return undefined;
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, sample[name as keyof StoreSample]])), null, 2);
}

function declared(document: DocumentNode): string[] {
  const names: string[] = [];
  visit(document, { VariableDefinition: (node) => void names.push(node.variable.name.value) });
  return names;
}
