import { useEffect, useRef } from "react";
import uPlot from "uplot";

import type { Curve } from "./json";

const MAX_CHARTS = 12;
const MAX_CURVES = 24;
/** The colour-blind safe palette of Okabe and Ito, without yellow. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7f7f7f"];

/** One chart for each metric, with a curve for each run. */
export function Charts({ curves }: { curves: Curve[] }) {
  // Metrics with long histories come before metrics with one value.
  const metrics = [...Map.groupBy(curves, (curve) => curve.metric)].sort(([, one], [, other]) => longest(other) - longest(one));
  const more = metrics.length - MAX_CHARTS;
  return (
    <div className="charts">
      {metrics.slice(0, MAX_CHARTS).map(([metric, some]) => (
        <Chart key={metric} metric={metric} curves={some} />
      ))}
      {more > 0 && <p>{more} more metrics in the response are not drawn.</p>}
    </div>
  );
}

function Chart({ metric, curves }: { metric: string; curves: Curve[] }) {
  const container = useRef<HTMLDivElement>(null);
  const more = curves.length - MAX_CURVES;
  useEffect(() => {
    const element = container.current!;
    const plot = new uPlot(options(metric, curves, element), dataOf(curves.slice(0, MAX_CURVES)), element);
    const watcher = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, [metric, curves]);
  return (
    <figure>
      <figcaption>{more > 0 ? `${metric} (${more} more curves are not drawn)` : metric}</figcaption>
      <div ref={container} />
    </figure>
  );
}

const longest = (curves: Curve[]) => Math.max(...curves.map(({ steps }) => steps.length));

const HEIGHT = 170;

function options(metric: string, curves: Curve[], container: HTMLElement): uPlot.Options {
  const ink = getComputedStyle(container).color;
  const axis = { stroke: ink, grid: { stroke: "#8884", width: 1 }, ticks: { stroke: "#8884", width: 1 } };
  return {
    width: container.clientWidth,
    height: HEIGHT,
    scales: { x: { time: false } },
    axes: [axis, { ...axis, size: 64 }],
    series: [
      { label: "step" },
      ...curves.slice(0, MAX_CURVES).map((curve, number) => ({
        label: curve.label || metric,
        stroke: COLOURS[number % COLOURS.length],
        dash: number < COLOURS.length ? undefined : [6, 3],
        width: 1.5,
        points: { show: curve.steps.length < 3, filter: isolated },
      })),
    ],
  };
}

const NULL_EXPAND = 2;

/**
 * Align the curves, which have different steps, on one axis. A curve continues across steps that it does not have and
 * breaks where its value is not a number.
 */
function dataOf(curves: Curve[]): uPlot.AlignedData {
  const tables = curves.map((curve) => [curve.steps, curve.values] as uPlot.AlignedData);
  return uPlot.join(tables, tables.map(() => [NULL_EXPAND, NULL_EXPAND]));
}

/** Return the indices of isolated points, which have a gap or an end on both sides. */
function isolated(plot: uPlot, series: number, show: boolean): number[] | null {
  if (show) return null;
  const values = plot.data[series]!;
  const points = [...values.keys()].filter((index) => values[index] !== undefined);
  const isGap = (index: number | undefined) => index === undefined || values[index] === null;
  const found = points.filter((index, at) => !isGap(index) && isGap(points[at - 1]) && isGap(points[at + 1]));
  return found.length > 0 ? found : null;
}
