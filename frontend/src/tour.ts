import { type DocumentNode, parse, visit } from "graphql";

import { type Facts, GUESSES } from "./facts";
import type { Tab } from "./link";

const documents = import.meta.glob<string>("./tour/*.graphql", { query: "?raw", import: "default", eager: true });

/** Return the tour's operations as tabs, with variables that mean something in the store behind this page. */
export function tour(facts: Facts = GUESSES): Tab[] {
  return Object.keys(documents)
    .sort()
    .map((name) => ({ query: documents[name]!, variables: variables(documents[name]!, facts) }));
}

/** Return what the variables of a tab are once the facts are known; undefined where it is not as the tour opened it. */
export function filled({ query, variables: own }: Tab, facts: Facts): string | undefined {
  const isOpened = Object.values(documents).includes(query) && own === variables(query, GUESSES);
  return isOpened ? variables(query, facts) : undefined;
}

function variables(source: string, facts: Facts): string | undefined {
  const names = declared(parse(source));
  if (!names.length) return undefined;
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, facts[name as keyof Facts]])), null, 2);
}

function declared(document: DocumentNode): string[] {
  const names: string[] = [];
  visit(document, { VariableDefinition: (node) => void names.push(node.variable.name.value) });
  return names;
}
