// The response pane is wider than the editor, because it shows the charts and tables.
const items = new Map([["graphiql:editorFlex", "0.6"]]);

/** Storage for GraphiQL that is discarded when the page closes, because operations and headers can hold secrets. */
export const memoryStorage = {
  get length() {
    return items.size;
  },
  getItem: (key: string) => items.get(key) ?? null,
  setItem: (key: string, value: string) => void items.set(key, value),
  removeItem: (key: string) => void items.delete(key),
  clear: () => items.clear(),
};
