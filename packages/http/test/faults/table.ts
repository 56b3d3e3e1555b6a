/**
 * What the tests of a file have shown, row by row, printed at their end.
 */
import { afterAll } from "vitest"

export interface TableRow {
  readonly row: number
  readonly transport: string
  readonly cases: number
  readonly outcomes: string
  /** That the server has read. */
  readonly requests: string
  readonly deviates: string
}

/** Takes the rows of a file's tests; they stand in the table once they hold. */
export const printedTable = (): ((row: TableRow) => void) => {
  const rows: Array<TableRow> = []
  afterAll(() => {
    if (rows.length > 0) console.table(rows.sort((one, other) => one.row - other.row))
  })
  return (row) => {
    rows.push(row)
  }
}
