import license from "rollup-plugin-license";
import { defineConfig } from "vite";

const out = "../gql_server/http/graphiql/built";

export default defineConfig({
  // Relative URLs, so that the page works below any path of a proxy.
  base: "./",
  build: {
    outDir: out,
    emptyOutDir: true,
    // The page is at /graphql, its files at /graphiql/<name>-<hash>.<extension>.
    assetsDir: "graphiql",
    // Workers in data URLs would need a weaker content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    // GraphiQL's editor, Monaco, is most of the bundle.
    chunkSizeWarningLimit: 5000,
    rollupOptions: {
      onwarn: (warning, warn) => {
        // "use client" concerns server rendering, which this page does not use.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
      plugins: [license({ thirdParty: { output: `${out}/LICENSES.txt`, includeSelf: false } })],
    },
  },
  worker: { format: "es" },
});
