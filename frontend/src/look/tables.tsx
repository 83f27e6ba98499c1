import { useMemo, useState } from "react";

import { type Order, compared } from "./order";
import type { Grid, Leaf } from "./shapes";

const MOST_ROWS = 500;

/** The tables of an answer, each of which sorts by the column that is pressed. */
export function Tables({ grids }: { grids: Grid[] }) {
  return (
    <div className="tables">
      {grids.map((grid) => (
        <Table key={grid.title} grid={grid} />
      ))}
    </div>
  );
}

function Table({ grid }: { grid: Grid }) {
  const [order, setOrder] = useState<Order>();
  const rows = useMemo(() => sorted(grid, order), [grid, order]);
  const press = (column: string) =>
    setOrder({ column, descending: order?.column === column && !order.descending });
  const more = rows.length - MOST_ROWS;
  return (
    <table>
      <caption>
        {grid.title} ({rows.length}{more > 0 && `, of which the first ${MOST_ROWS} are shown`})
      </caption>
      <thead>
        <tr>
          {grid.columns.map((column) => (
            <th key={column} scope="col" aria-sort={ariaSort(column, order)}>
              <button type="button" onClick={() => press(column)}>
                {column || "of"}
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, MOST_ROWS).map((row, number) => (
          <tr key={number}>
            {row.map((cell, column) => (
              <td key={column} className={typeof cell === "number" ? "number" : undefined}>
                {cell === null ? "" : String(cell)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ariaSort(column: string, order: Order | undefined) {
  if (order?.column !== column) return "none";
  return order.descending ? "descending" : "ascending";
}

function sorted({ columns, rows }: Grid, order: Order | undefined): Leaf[][] {
  const place = order ? columns.indexOf(order.column) : -1;
  if (!order || place < 0) return rows;
  return rows.toSorted((one, other) => compared(one[place] ?? null, other[place] ?? null, order.descending));
}
