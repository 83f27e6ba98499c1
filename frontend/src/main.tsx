import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "uplot/dist/uPlot.min.css";
import "./page.css";

import { createRoot } from "react-dom/client";

import { operationFromUrl } from "./link";
import { Page } from "./page";
import { sampleStore } from "./store-sample";
import { tour } from "./tour";

const root = createRoot(document.getElementById("page")!);
const linked = operationFromUrl(location.search);
const sample = await sampleStore();
root.render(<Page tabs={[...(linked ? [linked] : []), ...tour(sample)]} hasSample={!!sample} />);
