import { useMemo, useState } from "react";

import { type Order, compared } from "./order";
import type { Leaf, TableData } from "./json";

const MAX_ROWS = 500;

/** The tables of a response. Clicking a column header sorts by it. */
export function Tables({ tables }: { tables: TableData[] }) {
  return (
    <div className="tables">
      {tables.map((table) => (
        <Table key={table.title} table={table} />
      ))}
    </div>
  );
}

function Table({ table }: { table: TableData }) {
  const [order, setOrder] = useState<Order>();
  const rows = useMemo(() => sorted(table, order), [table, order]);
  const sortBy = (column: string) =>
    setOrder({ column, descending: order?.column === column && !order.descending });
  const more = rows.length - MAX_ROWS;
  return (
    <table>
      <caption>
        {table.title} ({rows.length} {rows.length === 1 ? "row" : "rows"}{more > 0 && `, the first ${MAX_ROWS} are shown`})
      </caption>
      <thead>
        <tr>
          {table.columns.map((column) => (
            <th key={column} scope="col" aria-sort={ariaSort(column, order)}>
              <button type="button" onClick={() => sortBy(column)}>
                {column || "parent"}
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, MAX_ROWS).map((row, number) => (
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

function sorted({ columns, rows }: TableData, order: Order | undefined): Leaf[][] {
  const index = order ? columns.indexOf(order.column) : -1;
  if (!order || index < 0) return rows;
  return rows.toSorted((one, other) => compared(one[index] ?? null, other[index] ?? null, order.descending));
}
