/** A value of a parsed response. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Obj = { [name: string]: Json };
/** The content of a table cell. */
export type Leaf = null | boolean | number | string;

/** A metric's history, from `series` or `history` in a response. */
export interface Curve {
  metric: string;
  label: string;
  steps: number[];
  values: (number | null)[];
}

export interface TableData {
  title: string;
  columns: string[];
  rows: Leaf[][];
}

export const isObject = (value: Json | undefined): value is Obj =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isLeaf = (value: Json | undefined): value is Leaf => value === null || typeof value !== "object";

export const isObjects = (value: Json | undefined): value is Obj[] =>
  Array.isArray(value) && value.length > 0 && value.every(isObject);

/** Return whether a list contains points of a history. */
export const isPoints = (value: Json | undefined): value is Obj[] =>
  isObjects(value) && value.every((item) => typeof item.step === "number" && "value" in item && !("key" in item));
