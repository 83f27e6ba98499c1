import license from "rollup-plugin-license";
import { defineConfig } from "vite";

const out = "../gql_server/http/graphiql/built";

export default defineConfig({
  // Relative, so that the page works under whatever path a proxy serves it.
  base: "./",
  build: {
    outDir: out,
    emptyOutDir: true,
    // The page is at /graphql, its files are at /graphiql/<name>-<hash>.<ending>.
    assetsDir: "graphiql",
    // Data URLs would have to be allowed to scripts, too, where they hold a worker.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    // Monaco, GraphiQL's editor, is most of it.
    chunkSizeWarningLimit: 5000,
    rollupOptions: {
      onwarn: (warning, warn) => {
        // "use client" is for servers that render; nothing here does.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
      plugins: [license({ thirdParty: { output: `${out}/LICENSES.txt`, includeSelf: false } })],
    },
  },
  worker: { format: "es" },
});
