// The answer gets more room than the operation: it is drawn there, too.
const kept = new Map([["graphiql:editorFlex", "0.6"]]);

/** What GraphiQL would put into the browser's storage, gone with the page: operations and headers may hold secrets. */
export const memory = {
  get length() {
    return kept.size;
  },
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
  clear: () => kept.clear(),
};
