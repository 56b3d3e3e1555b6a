/**
 * When requests are sent, and what is counted of them.
 *
 * In a closed loop a fixed number of workers send requests, each the next when it has its response. That gives throughput and
 * CPU at a concurrency, and the latency of one of so many; but while a client stalls nobody sends, and the requests that would
 * have waited are missing from its percentiles (coordinated omission). So there is an open loop as well: requests are sent at
 * a fixed rate whatever became of those before, and latency counts from when each was due.
 */
import { setImmediate, setTimeout } from "node:timers/promises"
import type { Counted } from "./results.js"

/** Workers of a closed loop, or an open loop's arrivals a second. */
export type Load = { readonly inFlight: number } | { readonly perSecond: number }

/** Records each request, and says when there are enough. */
export interface Meter {
  readonly isOver: boolean
  /** A request that was sent, or due, at a time has its response. */
  readonly record: (since: number) => void
}

/** A client under load. */
export interface Client {
  /** Sends one request. */
  readonly get: () => Promise<unknown>
  /** Sends one request after the other until the meter says that it is over, as the client's users would. */
  readonly work: (meter: Meter) => Promise<void>
}

/** Ends after a number of requests. */
class Countdown implements Meter {
  constructor(private requests: number) {}

  get isOver(): boolean {
    return this.requests <= 0
  }

  record(): void {
    this.requests--
  }
}

const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN

/** What requests took in so many milliseconds. */
const countedOf = (latencies: ReadonlyArray<number>, millis: number, cpu: NodeJS.CpuUsage): Counted => {
  const requests = latencies.length
  const sorted = [...latencies].sort((a, b) => a - b)
  return {
    perSecond: (requests * 1_000) / millis,
    cpu: (cpu.user + cpu.system) / requests,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    memory: process.resourceUsage().maxRSS / 1024
  }
}

/** Connections that were closed meanwhile are opened again in this time, in milliseconds. */
const SETTLING_MILLIS = 300

/** Counts for a number of milliseconds, once the load has settled. */
class Stopwatch implements Meter {
  private readonly latencies: Array<number> = []
  private readonly settled = performance.now() + SETTLING_MILLIS
  private begun: { readonly at: number; readonly cpu: NodeJS.CpuUsage } | undefined
  private ended: { readonly after: number; readonly cpu: NodeJS.CpuUsage } | undefined

  constructor(private readonly duration: number) {}

  get isOver(): boolean {
    return this.ended !== undefined
  }

  record(since: number): void {
    const now = performance.now()
    if (this.ended !== undefined || now < this.settled) return
    if (this.begun === undefined) {
      this.begun = { at: now, cpu: process.cpuUsage() }
      return
    }
    this.latencies.push(now - since)
    const after = now - this.begun.at
    if (after >= this.duration) this.ended = { after, cpu: process.cpuUsage(this.begun.cpu) }
  }

  get counted(): Counted {
    if (this.ended === undefined) throw new Error("The load ended before its time")
    return countedOf(this.latencies, this.ended.after, this.ended.cpu)
  }
}

/** Counts what is due within a number of milliseconds, once the load has settled, however late its response is. */
class Timetable implements Meter {
  private readonly latencies: Array<number> = []
  private readonly settled = performance.now() + SETTLING_MILLIS
  private readonly cpu = process.cpuUsage()

  constructor(private readonly duration: number) {}

  get isOver(): boolean {
    return performance.now() >= this.settled + this.duration
  }

  record(since: number): void {
    if (since >= this.settled && since < this.settled + this.duration) this.latencies.push(performance.now() - since)
  }

  get counted(): Counted {
    return countedOf(this.latencies, this.duration, process.cpuUsage(this.cpu))
  }
}

/** Counts a number of requests. Those that are in flight when it is reached are counted too. */
class Tally implements Meter {
  private readonly latencies: Array<number> = []
  private readonly begun = performance.now()
  private readonly cpu = process.cpuUsage()

  constructor(private readonly requests: number) {}

  get isOver(): boolean {
    return this.latencies.length >= this.requests
  }

  record(since: number): void {
    this.latencies.push(performance.now() - since)
  }

  get counted(): Counted {
    return countedOf(this.latencies, performance.now() - this.begun, process.cpuUsage(this.cpu))
  }
}

/** Times at a fixed rate, each given when it is due. Timers are too coarse for the last millisecond. */
async function* arrivals(perSecond: number): AsyncGenerator<number> {
  const start = performance.now()
  for (let count = 0; ; count++) {
    const due = start + (count * 1_000) / perSecond
    if (due - performance.now() > 2) await setTimeout(due - performance.now() - 1)
    while (performance.now() < due) await setImmediate()
    yield due
  }
}

const openLoop = async (client: Client, perSecond: number, meter: Meter): Promise<void> => {
  const underWay = new Set<Promise<void>>()
  let failure: unknown
  for await (const due of arrivals(perSecond)) {
    if (meter.isOver || failure !== undefined) break
    const request = client.get().then(
      () => meter.record(due),
      (error) => {
        failure = error
      }
    )
    underWay.add(request)
    request.finally(() => underWay.delete(request))
  }
  await Promise.all(underWay)
  if (failure !== undefined) throw failure
}

const closedLoop = async (client: Client, inFlight: number, meter: Meter): Promise<void> => {
  await Promise.all(Array.from({ length: inFlight }, () => client.work(meter)))
}

/** Enough to be at work, few enough not to swell what is measured later. */
const WARM_UP_IN_FLIGHT = 8

/** Puts a client under load for a number of requests, so that its code is compiled for what is to come. */
export const warmUp = async (load: Load, client: Client, requests: number): Promise<void> => {
  const countdown = new Countdown(requests)
  if ("inFlight" in load) return closedLoop(client, load.inFlight, countdown)
  const worker = async (): Promise<void> => {
    while (!countdown.isOver) {
      await client.get()
      countdown.record()
    }
  }
  await Promise.all(Array.from({ length: WARM_UP_IN_FLIGHT }, worker))
}

/** Puts a client under load for a number of milliseconds. */
export const count = async (load: Load, client: Client, duration: number): Promise<Counted> => {
  const meter = "inFlight" in load ? new Stopwatch(duration) : new Timetable(duration)
  await ("inFlight" in load ? closedLoop(client, load.inFlight, meter) : openLoop(client, load.perSecond, meter))
  return meter.counted
}

/** Sends a number of requests in a closed loop, or a few more. */
export const countRequests = async (inFlight: number, client: Client, requests: number): Promise<Counted> => {
  const tally = new Tally(requests)
  await closedLoop(client, inFlight, tally)
  return tally.counted
}
