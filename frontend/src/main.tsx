import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "uplot/dist/uPlot.min.css";
import "./page.css";

import { createRoot } from "react-dom/client";

import { factsOf } from "./facts";
import { linked } from "./link";
import { Page } from "./page";
import { tour } from "./tour";

const root = createRoot(document.getElementById("page")!);
const link = linked(location.search);
const facts = await factsOf();
root.render(<Page tabs={[...(link ? [link] : []), ...tour(facts)]} isTold={!!facts} />);
