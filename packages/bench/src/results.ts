/**
 * What a run measures: the raw numbers, as they are written to a file.
 */
import * as Schema from "effect/Schema"

const Figures = Schema.Record({ key: Schema.String, value: Schema.Number })
const Rounds = <A, I>(one: Schema.Schema<A, I>) => Schema.Record({ key: Schema.String, value: Schema.Array(one) })

/** What one child counted of one client under one load. Latency in milliseconds, CPU in microseconds, memory in megabytes. */
export const Counted = Schema.Struct({
  perSecond: Schema.Number,
  cpu: Schema.Number,
  p50: Schema.Number,
  p99: Schema.Number,
  memory: Schema.Number
})

export type Counted = typeof Counted.Type

/** Memory in megabytes: alive at each tenth of the way, and the peak of the process. */
export const ManyStores = Schema.Struct({
  stores: Schema.Number,
  seconds: Schema.Number,
  /** Microseconds for a store, the full collections of garbage included. */
  cpu: Schema.Number,
  alive: Schema.Array(Schema.Number),
  peak: Schema.Number
})

export type ManyStores = typeof ManyStores.Type

/** What the emulator served: latency in milliseconds, and the CPU of its process for one request, in microseconds. */
export const Emulated = Schema.Struct({ perSecond: Schema.Number, p50: Schema.Number, cpu: Schema.Number })

export type Emulated = typeof Emulated.Type

/** Microseconds by what is decoded. */
export const Decoding = Figures

/** Everything that a run measures. */
export const Results = Schema.Struct({
  machine: Schema.Struct({
    node: Schema.String,
    cores: Schema.Number,
    /** Processes that wanted a core, on average over the minute before the run. */
    busyBefore: Schema.Number
  }),
  /** By load, then by client: one for each round. */
  loads: Schema.Record({ key: Schema.String, value: Rounds(Counted) }),
  /** By task, then by client: one for each round. */
  tasks: Schema.Record({ key: Schema.String, value: Rounds(Counted) }),
  /** By task, then by client: by how many megabytes the process grew, one for each round. */
  growth: Schema.Record({ key: Schema.String, value: Rounds(Schema.Number) }),
  decoding: Decoding,
  /** Milliseconds by what is imported: one for each round. */
  imports: Rounds(Schema.Number),
  /** Bytes by program. */
  bundles: Figures,
  manyStores: Schema.Array(ManyStores),
  /** By what is requested: one for each round. */
  emulator: Rounds(Emulated)
})

export type Results = typeof Results.Type

/** The middle of several numbers. */
export const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper
}

/** The median of each figure over the rounds. */
export const medianOf = (rounds: ReadonlyArray<Counted>): Counted => ({
  perSecond: median(rounds.map(({ perSecond }) => perSecond)),
  cpu: median(rounds.map(({ cpu }) => cpu)),
  p50: median(rounds.map(({ p50 }) => p50)),
  p99: median(rounds.map(({ p99 }) => p99)),
  memory: median(rounds.map(({ memory }) => memory))
})
