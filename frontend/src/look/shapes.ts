/** A value of a decoded answer. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Obj = { [name: string]: Json };
/** What stands in a cell of a table. */
export type Leaf = null | boolean | number | string;

/** A history: where an answer has `series`, or `history`. */
export interface Curve {
  metric: string;
  label: string;
  steps: number[];
  values: (number | null)[];
}

export interface Grid {
  title: string;
  columns: string[];
  rows: Leaf[][];
}

export const isObject = (value: Json | undefined): value is Obj =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isLeaf = (value: Json | undefined): value is Leaf => value === null || typeof value !== "object";

export const isObjects = (value: Json | undefined): value is Obj[] =>
  Array.isArray(value) && value.length > 0 && value.every(isObject);

/** Say whether a list is of points of a history. */
export const isPoints = (value: Json | undefined): value is Obj[] =>
  isObjects(value) && value.every((item) => typeof item.step === "number" && "value" in item && !("key" in item));
