import "uplot/dist/uPlot.min.css";
import "./app.css";

import { createRoot } from "react-dom/client";
import { Client, Provider, cacheExchange, fetchExchange } from "urql";

import { App } from "./app";

const client = new Client({
  url: import.meta.env.VITE_GRAPHQL_URL ?? "http://127.0.0.1:8000/graphql",
  exchanges: [cacheExchange, fetchExchange],
  // With GQL_AUTH on: fetchOptions: () => ({ headers: { authorization: `Bearer ${token()}` } }),
  preferGetMethod: false,
});

createRoot(document.getElementById("app")!).render(
  <Provider value={client}>
    <App />
  </Provider>,
);
