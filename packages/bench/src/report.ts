/**
 * What a run shows: tables in Markdown, for the terminal and for docs, and a drawing for the README.
 */
import { type Counted, type Emulated, type ManyStores, median, medianOf, type Results } from "./results.js"

/** What a record holds, where a table needs it. */
const at = <A>(record: Readonly<Record<string, A>>, key: string): A => {
  const value = record[key]
  if (value === undefined) throw new Error(`Nothing was measured for ${key}`)
  return value
}

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n")
}

const digits = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(value < 1 ? 2 : 3)

const ratio = (value: number): string => value.toFixed(2)

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`

interface Column {
  readonly title: string
  readonly of: (counted: Counted) => number
}

const perSecond: Column = { title: "requests/s", of: (counted) => counted.perSecond }
const cpu: Column = { title: "CPU µs", of: (counted) => counted.cpu }
const p50: Column = { title: "p50 ms", of: (counted) => counted.p50 }
const p99: Column = { title: "p99 ms", of: (counted) => counted.p99 }
const memory: Column = { title: "peak MB", of: (counted) => counted.memory }

type Medians = Readonly<Record<string, Counted>>

const mediansOf = (results: Results, load: string): Medians =>
  Object.fromEntries(Object.entries(at(results.loads, load)).map(([name, rounds]) => [name, medianOf(rounds)]))

/** Each figure with its ratios: to undici, and to apify-client. */
const loadTable = (medians: Medians, columns: ReadonlyArray<Column>): string =>
  table(
    ["client", ...columns.map(({ title }) => title)],
    Object.entries(medians).map(([name, counted]) => [
      name,
      ...columns.map(({ of }) => {
        const value = of(counted)
        const ratios = ["undici", "apify-client"].map((other) => ratio(value / of(at(medians, other))))
        return `${digits(value)} (${ratios.join(", ")})`
      })
    ])
  )

const loadTables = (results: Results): string =>
  Object.keys(results.loads)
    .map((load) => {
      // At a fixed rate the throughput is the rate, and the CPU is that of the timer that keeps it.
      const columns = load.endsWith("in flight") ? [perSecond, cpu, p50, p99, memory] : [p50, p99, memory]
      return `**${load}**: figure (÷ undici, ÷ apify-client)\n\n${loadTable(mediansOf(results, load), columns)}`
    })
    .join("\n\n")

const firstAlive = ({ alive }: ManyStores): number => alive[0] ?? Number.NaN
const lastAlive = ({ alive }: ManyStores): number => alive[alive.length - 1] ?? Number.NaN

/** A transport of ours and the bare client that sends by the same: on the same layer, or on the same library without it. */
const beside = [
  ["HttpClient undici", "undici", "at most 1"],
  ["HttpClient fetch", "fetch", "at most 1.1"],
  ["UndiciTransport", "undici", "at most 1"],
  ["FetchTransport", "fetch", "at most 1"]
] as const

/** The goals of the project, and what was measured. */
const targetTable = (results: Results): string => {
  const medians = mediansOf(results, "32 in flight")
  const compare = ({ of }: Column, one: string, other: string) => of(at(medians, one)) / of(at(medians, other))
  const imported = (name: string) => median(at(results.imports, name))
  const few = results.manyStores[0]
  const many = results.manyStores[results.manyStores.length - 1]
  if (few === undefined || many === undefined) throw new Error("Many stores were not measured")
  return table(
    ["figure, 32 in flight where it matters", "wanted", "measured"],
    [
      [
        "CPU of apify-client ÷ getStore, UndiciTransport",
        "at least 4",
        ratio(compare(cpu, "apify-client", "getStore, UndiciTransport"))
      ],
      [
        "CPU of apify-client ÷ getStore, HttpClient undici",
        "at least 4",
        ratio(compare(cpu, "apify-client", "getStore, HttpClient undici"))
      ],
      [
        "CPU of getStore, UndiciTransport ÷ undici",
        "at most 1.1",
        ratio(compare(cpu, "getStore, UndiciTransport", "undici"))
      ],
      [
        "CPU of getStore, UndiciTransport ÷ undici, dispatch",
        "",
        ratio(compare(cpu, "getStore, UndiciTransport", "undici, dispatch"))
      ],
      [
        "CPU of getStore, UndiciTransport, traced ÷ undici",
        "at most 1.5",
        ratio(compare(cpu, "getStore, traced", "undici"))
      ],
      [
        "CPU of getStore, HttpClient undici ÷ undici",
        "at most 2.5",
        ratio(compare(cpu, "getStore, HttpClient undici", "undici"))
      ],
      ...beside.map(([ours, bare]) => [
        `throughput of getStore, ${ours} ÷ HttpClient, ${bare}`,
        "at least 1",
        ratio(compare(perSecond, `getStore, ${ours}`, `HttpClient, ${bare}`))
      ]),
      ...beside.map(([ours, bare, bound]) => [
        `CPU of getStore, ${ours} ÷ HttpClient, ${bare}`,
        bound,
        ratio(compare(cpu, `getStore, ${ours}`, `HttpClient, ${bare}`))
      ]),
      ...["FetchTransport", "HttpClient fetch"].map((transport) => [
        `throughput of getStore, ${transport} ÷ apify-client`,
        "at least 1.5",
        ratio(compare(perSecond, `getStore, ${transport}`, "apify-client"))
      ]),
      [
        "cold import of @effect-apify/http ÷ the modules of Effect that it uses",
        "at most 1.1",
        ratio(imported("@effect-apify/http") / imported("Effect's modules, one by one"))
      ],
      ...["FetchTransport", "HttpClient fetch"].map((transport) => [
        `bundle of getStore, ${transport}, gzip`,
        "at most 90 kB",
        kilobytes(at(results.bundles, `getStore, ${transport}`))
      ]),
      [
        `memory alive at the end of ${many.stores.toLocaleString("en-US")} stores ÷ of ${few.stores.toLocaleString("en-US")}`,
        "does not grow",
        ratio(lastAlive(many) / lastAlive(few))
      ],
      ...taskTargets(results),
      [
        "CPU of the emulator for one Get store",
        "at most 400 µs",
        `${digits(emulatedIn(results, "Get store, 32 in flight").cpu)} µs`
      ],
      ...[
        ["Get store, 32 in flight", "under 1 ms"],
        ["a record of 1 kB, 32 in flight", "under 1 ms"],
        ["1,000 keys of a million", "under 10 ms"]
      ].map(([name = "", bound = ""]) => [
        `p50 of the emulator: ${name}`,
        bound,
        `${digits(emulatedIn(results, name).p50)} ms`
      ])
    ]
  )
}

const emulatedIn = (results: Results, name: string): Emulated => {
  const rounds = at(results.emulator, name)
  return {
    cpu: median(rounds.map(({ cpu }) => cpu)),
    p50: median(rounds.map(({ p50 }) => p50)),
    perSecond: median(rounds.map(({ perSecond }) => perSecond))
  }
}

interface TaskColumn {
  readonly title: string
  /** The figure of each round. */
  readonly rounds: (results: Results, task: string, client: string) => ReadonlyArray<number>
}

/** What one client's rounds of a task say. */
const taskFigure = (results: Results, task: string, client: string, { rounds }: TaskColumn): number =>
  median(rounds(results, task, client))

const countedColumn = (title: string, of: (counted: Counted) => number): TaskColumn => ({
  title,
  rounds: (results, task, client) => at(at(results.tasks, task), client).map(of)
})

const taskRate = countedColumn("a second", ({ perSecond }) => perSecond)
const taskCpu = countedColumn("CPU µs", ({ cpu }) => cpu)
const taskMemory = countedColumn("peak MB", ({ memory }) => memory)
const taskGrowth: TaskColumn = {
  title: "MB above what it was before, at the peak",
  rounds: (results, task, client) => at(at(results.growth, task), client)
}

/** The goals for records, and what was measured. */
const taskTargets = (results: Results): ReadonlyArray<ReadonlyArray<string>> => {
  const figure = (task: string, column: TaskColumn, client = "UndiciTransport") =>
    taskFigure(results, task, client, column)
  const toUndici = (task: string, column: TaskColumn, undici = "undici") =>
    figure(task, column) / figure(task, column, undici)
  const small = ["get 1 kB, 32 in flight", "put 1 kB, 32 in flight"]
  const streams = ["download 1 GiB", "upload 1 GiB"]
  const list = "list 100,000 keys"
  return [
    ...small.map((task) => [`CPU of UndiciTransport ÷ undici: ${task}`, "at most 1.2", ratio(toUndici(task, taskCpu))]),
    ...small.map((task) => [
      `CPU of apify-client ÷ UndiciTransport: ${task}`,
      "at least 5",
      ratio(figure(task, taskCpu, "apify-client") / figure(task, taskCpu))
    ]),
    ...streams.map((task) => [
      `throughput of UndiciTransport ÷ undici: ${task}`,
      "at least 0.8",
      ratio(toUndici(task, taskRate))
    ]),
    ...streams.map((task) => [
      `growth of memory with UndiciTransport: ${task}`,
      "at most 32 MB",
      `${digits(figure(task, taskGrowth))} MB`
    ]),
    [
      `CPU of UndiciTransport ÷ undici: ${list}, page by page`,
      "at most 1.3",
      ratio(toUndici(`${list}, page by page`, taskCpu))
    ],
    ...["undici, 60 a second", "undici"].map((undici) => [
      `CPU of UndiciTransport ÷ ${undici}: ${list}`,
      "at most 1.3",
      ratio(toUndici(list, taskCpu, undici))
    ]),
    ...["links, one by one", "links, 16 at a time"].map((task) => [
      `${task}, a second`,
      "at least 20,000",
      digits(figure(task, taskRate))
    ])
  ]
}

/** One figure of every client at every task, with its ratio to undici's. */
const taskTable = (results: Results, column: TaskColumn): string => {
  const clients = [...new Set(Object.values(results.tasks).flatMap((counted) => Object.keys(counted)))]
  return table(
    [column.title, ...clients],
    Object.entries(results.tasks).map(([task, counted]) => [
      task,
      ...clients.map((client) => {
        if (counted[client] === undefined) return ""
        const value = taskFigure(results, task, client, column)
        const shown = digits(value)
        return counted.undici === undefined || column === taskGrowth
          ? shown
          : `${shown} (${ratio(value / taskFigure(results, task, "undici", column))})`
      })
    ])
  )
}

const taskTables = (results: Results): string =>
  [
    "**Records**: figure (÷ undici), for one record, one listing or one link",
    ...[taskCpu, taskRate, taskMemory, taskGrowth].map((column) => taskTable(results, column))
  ].join("\n\n")

const otherTables = (results: Results): ReadonlyArray<string> => [
  table(
    ["decoding alone", "µs"],
    Object.entries(results.decoding).map(([name, micros]) => [name, digits(micros)])
  ),
  table(
    ["cold import", "ms", "÷ undici", "÷ apify-client"],
    Object.entries(results.imports).map(([name, rounds]) => [
      name,
      digits(median(rounds)),
      ...["undici", "apify-client"].map((other) => ratio(median(rounds) / median(at(results.imports, other))))
    ])
  ),
  table(
    ["bundle, minified and gzip", "size", "÷ apify-client"],
    Object.entries(results.bundles).map(([name, bytes]) => [
      name,
      kilobytes(bytes),
      ratio(bytes / at(results.bundles, "apify-client"))
    ])
  ),
  table(
    [
      "many stores, 64 at a time",
      "seconds",
      "stores/s",
      "CPU µs",
      "alive MB, a tenth of the way",
      "alive MB, at the end",
      "peak MB"
    ],
    results.manyStores.map((run) => [
      run.stores.toLocaleString("en-US"),
      digits(run.seconds),
      digits(run.stores / run.seconds),
      digits(run.cpu),
      digits(firstAlive(run)),
      digits(lastAlive(run)),
      digits(run.peak)
    ])
  ),
  table(
    ["the emulator", "CPU µs of its process", "requests/s", "p50 ms"],
    Object.keys(results.emulator).map((name) => {
      const { cpu, p50, perSecond } = emulatedIn(results, name)
      return [name, digits(cpu), digits(perSecond), digits(p50)]
    })
  )
]

/** Everything, as Markdown. */
export const tables = (results: Results): string => {
  const { busyBefore, cores, node } = results.machine
  const rounds = Object.values(at(results.loads, "32 in flight"))[0]?.length ?? 0
  return [
    `Node ${node} on ${cores} cores, ${busyBefore.toFixed(1)} of them busy with other things at the start; medians of ${rounds} rounds.`,
    targetTable(results),
    loadTables(results),
    taskTables(results),
    ...otherTables(results)
  ].join("\n\n")
}

const BEGIN = "<!-- Written by npx pnpm@12 bench. -->"
const END = "<!-- Until here. -->"

/** A page with the tables of this run in place of those of the last. */
export const withTables = (page: string, results: Results): string => {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`The page has no place for the tables: ${BEGIN} … ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n\n${tables(results)}\n\n${page.slice(end)}`
}

const ROW = 26
const LABEL = 150
const BAR = 220
const PANEL = LABEL + BAR + 90

/** One figure of every client as bars, from the top left corner on. */
const panel = (medians: Medians, { of }: Column, title: string, unit: string): string => {
  const most = Math.max(...Object.values(medians).map(of))
  const rows = Object.entries(medians).map(([name, counted], index) => {
    const y = 40 + index * ROW
    const width = Math.max(1, (of(counted) / most) * BAR)
    const kind = name.startsWith("getStore") ? "ours" : "other"
    return [
      `<text class="name" x="${LABEL - 8}" y="${y + 13}">${name}</text>`,
      `<rect class="${kind}" x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="18" rx="2"/>`,
      `<text x="${(LABEL + width + 6).toFixed(1)}" y="${y + 13}">${digits(of(counted))}${unit}</text>`
    ].join("")
  })
  return [`<text class="title" x="0" y="20">${title}</text>`, ...rows].join("\n")
}

/** CPU and throughput of every client at 32 in flight, for light and for dark pages. */
export const drawing = (results: Results): string => {
  const medians = mediansOf(results, "32 in flight")
  const height = 50 + Object.keys(medians).length * ROW
  const width = 2 * PANEL
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>CPU per request and requests a second, 32 in flight</title>
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.name { text-anchor: end }
.other { fill: #afb8c1 }
.ours { fill: #1f6feb }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .other { fill: #484f58 }
  .ours { fill: #58a6ff }
}
</style>
<g>
${panel(medians, cpu, "CPU per request: less is better", " µs")}
</g>
<g transform="translate(${PANEL} 0)">
${panel(medians, perSecond, "Requests a second: more is better", "")}
</g>
</svg>
`
}
