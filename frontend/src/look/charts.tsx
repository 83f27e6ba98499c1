import { useEffect, useRef } from "react";
import uPlot from "uplot";

import type { Curve } from "./shapes";

const MOST_CHARTS = 12;
const MOST_CURVES = 24;
/** Told apart by people who see few colours, too: Okabe and Ito's, without the yellow. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7f7f7f"];

/** One chart for each metric, with a curve for each run. */
export function Charts({ curves }: { curves: Curve[] }) {
  // What has a course comes before what has one value.
  const metrics = [...Map.groupBy(curves, (curve) => curve.metric)].sort(([, one], [, other]) => longest(other) - longest(one));
  const more = metrics.length - MOST_CHARTS;
  return (
    <div className="charts">
      {metrics.slice(0, MOST_CHARTS).map(([metric, some]) => (
        <Chart key={metric} metric={metric} curves={some} />
      ))}
      {more > 0 && <p>{more} more metrics are in the answer, and not drawn.</p>}
    </div>
  );
}

function Chart({ metric, curves }: { metric: string; curves: Curve[] }) {
  const place = useRef<HTMLDivElement>(null);
  const more = curves.length - MOST_CURVES;
  useEffect(() => {
    const element = place.current!;
    const plot = new uPlot(options(metric, curves, element), dataOf(curves.slice(0, MOST_CURVES)), element);
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
      <div ref={place} />
    </figure>
  );
}

const longest = (curves: Curve[]) => Math.max(...curves.map(({ steps }) => steps.length));

const HEIGHT = 170;

function options(metric: string, curves: Curve[], place: HTMLElement): uPlot.Options {
  const ink = getComputedStyle(place).color;
  const axis = { stroke: ink, grid: { stroke: "#8884", width: 1 }, ticks: { stroke: "#8884", width: 1 } };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    scales: { x: { time: false } },
    axes: [axis, { ...axis, size: 64 }],
    series: [
      { label: "step" },
      ...curves.slice(0, MOST_CURVES).map((curve, number) => ({
        label: curve.label || metric,
        stroke: COLOURS[number % COLOURS.length],
        dash: number < COLOURS.length ? undefined : [6, 3],
        width: 1.5,
        points: { show: curve.steps.length < 3, filter: alone },
      })),
    ],
  };
}

const NULL_EXPAND = 2;

/**
 * Bring the curves, each with steps of its own, onto one axis of steps. A curve goes on over the steps that only others
 * have, and breaks where its own value is not a number.
 */
function dataOf(curves: Curve[]): uPlot.AlignedData {
  const tables = curves.map((curve) => [curve.steps, curve.values] as uPlot.AlignedData);
  return uPlot.join(tables, tables.map(() => [NULL_EXPAND, NULL_EXPAND]));
}

/** Return the places of the points that no line reaches, with a gap or an end on either side. */
function alone(plot: uPlot, series: number, show: boolean): number[] | null {
  if (show) return null;
  const values = plot.data[series]!;
  const own = [...values.keys()].filter((place) => values[place] !== undefined);
  const isGap = (place: number | undefined) => place === undefined || values[place] === null;
  const found = own.filter((place, at) => !isGap(place) && isGap(own[at - 1]) && isGap(own[at + 1]));
  return found.length > 0 ? found : null;
}
