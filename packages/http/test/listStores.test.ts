/**
 * Listing stores, against servers whose lists change, repeat and break.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { type ListStoresOptions, listStores, listStoresPage } from "../src/index.js"
import { layerRespond, RecordedRequests, type Respond } from "../src/testing.js"

const storeJson = (id: string): object => ({
  id,
  createdAt: "2019-12-12T07:34:14.202Z",
  modifiedAt: "2019-12-13T08:36:13.202Z",
  accessedAt: "2019-12-14T08:36:13.202Z"
})

interface PageServer {
  readonly items: ReadonlyArray<unknown>
  /** The most items that it gives at once. Default: 1,000. */
  readonly most?: number
  /** Whether it says so. Default: true. */
  readonly isHonest?: boolean
  readonly total?: number
}

const numberIn = (url: URL, name: string): number => Number(url.searchParams.get(name))

const pageOf = (
  requested: string,
  { isHonest = true, items, most = 1000, total = items.length }: PageServer
): Response => {
  const url = new URL(requested)
  const offset = numberIn(url, "offset")
  const limit = numberIn(url, "limit")
  const page = items.slice(offset, offset + Math.min(limit, most))
  return Response.json({
    data: {
      total,
      offset,
      limit: isHonest ? Math.min(limit, most) : limit,
      desc: url.searchParams.get("desc") === "true",
      count: page.length,
      unnamed: url.searchParams.get("unnamed") === "true",
      items: page
    }
  })
}

const serving =
  (server: PageServer): Respond =>
  ({ url }) =>
    Effect.sync(() => pageOf(url, server))

const idsOf = (options?: ListStoresOptions) =>
  Effect.map(Stream.runCollect(listStores(options)), (stores) => [...stores].map(({ id }): string => id))

/** What was given, and what the listing ended with. */
const givenAndEnd = (options?: ListStoresOptions) =>
  Effect.gen(function* () {
    const given: Array<string> = []
    const error = yield* Effect.flip(
      Stream.runForEach(listStores(options), ({ id }) => Effect.sync(() => given.push(id)))
    )
    return { given, error }
  })

const queries = Effect.gen(function* () {
  const requests = yield* (yield* RecordedRequests).all
  return requests.map(({ url }) => url.slice(url.indexOf("?") + 1))
})

const ids = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, n) => `store${n}`)

const stores = (count: number): ReadonlyArray<object> => ids(count).map(storeJson)

const place = fc.double({ min: 0, max: 1, noNaN: true })

/** Changes between two requests: any number of deletions, and fewer additions than a page has items. */
const changes = fc.record({
  deletions: fc.array(place, { maxLength: 12 }),
  additions: fc.array(place, { maxLength: 2 })
})

describe("listStores", () => {
  it.effect.prop(
    "gives every store that stays once, whatever else is added and deleted meanwhile",
    [
      fc.nat({ max: 30 }),
      fc.array(changes, { maxLength: 12 }),
      fc.integer({ min: 4, max: 9 }),
      fc.integer({ min: 4, max: 9 }),
      fc.boolean()
    ],
    ([count, changes, pageSize, most, isHonest]) => {
      const list = [...ids(count)]
      const staying = new Set(list)
      const known = new Set(list)
      let requests = 0
      const respond: Respond = ({ url }) =>
        Effect.sync(() => {
          const { additions = [], deletions = [] } = changes[requests - 1] ?? {}
          for (const at of deletions) {
            for (const id of list.splice(Math.floor(at * list.length), 1)) staying.delete(id)
          }
          for (const at of additions) {
            const id = `added${known.size}`
            known.add(id)
            list.splice(Math.floor(at * (list.length + 1)), 0, id)
          }
          requests += 1
          return pageOf(url, { items: list.map(storeJson), most, isHonest })
        })
      return Effect.gen(function* () {
        const given = yield* idsOf({ pageSize })
        assert.lengthOf(new Set(given), given.length, "one is given twice")
        assert.deepStrictEqual(
          [...staying].filter((id) => !given.includes(id)),
          [],
          "missing"
        )
        assert.isTrue(given.every((id) => known.has(id)))
        assert.isBelow(requests, 500)
      }).pipe(Effect.provide(layerRespond(respond)))
    }
  )

  it.effect.prop(
    "gives the stores that its offset and limit leave, in their order, of a list that stays the same",
    [
      fc.nat({ max: 30 }),
      fc.nat({ max: 35 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 })
    ],
    ([count, offset, limit, pageSize, most]) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* idsOf({ offset, limit, pageSize }), ids(count).slice(offset, offset + limit))
      }).pipe(Effect.provide(layerRespond(serving({ items: stores(count), most }))))
  )

  it.effect("asks for pages that overlap by one store, and for one page more, which shows that there is none", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* idsOf({ pageSize: 3 }), ids(5))
      assert.deepStrictEqual(yield* queries, ["offset=0&limit=3", "offset=2&limit=3", "offset=4&limit=3"])
    }).pipe(Effect.provide(layerRespond(serving({ items: stores(5) }))))
  )

  it.effect("asks for no more than its limit", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* idsOf({ offset: 1, limit: 4, pageSize: 3 }), ids(10).slice(1, 5))
      assert.deepStrictEqual(yield* queries, ["offset=1&limit=3", "offset=3&limit=2"])
    }).pipe(Effect.provide(layerRespond(serving({ items: stores(10) }))))
  )

  it.effect("sends the filter with every page", () =>
    Effect.gen(function* () {
      yield* idsOf({ desc: true, unnamed: true, ownership: "sharedWithMe", pageSize: 2 })
      const filter = "desc=true&unnamed=true&ownership=sharedWithMe"
      assert.deepStrictEqual(yield* queries, [
        `offset=0&limit=2&${filter}`,
        `offset=1&limit=2&${filter}`,
        `offset=2&limit=2&${filter}`
      ])
    }).pipe(Effect.provide(layerRespond(serving({ items: stores(3) }))))
  )

  it.effect("of no stores asks once", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* idsOf(), [])
      assert.deepStrictEqual(yield* queries, ["offset=0&limit=250"])
    }).pipe(Effect.provide(layerRespond(serving({ items: [] }))))
  )

  it.effect.each([
    [true, 2],
    [false, 2],
    [true, 1],
    [false, 1]
  ] as const)(
    "row 93: gives every store once where the server lowers the limit (says so: %s, to %s)",
    ([isHonest, most]) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* idsOf({ pageSize: 100 }), ids(7))
      }).pipe(Effect.provide(layerRespond(serving({ items: stores(7), most, isHonest }))))
  )

  it.effect(
    "row 93: takes no page of known stores for the end, where the server lowers the limit and does not say so",
    () => {
      let requests = 0
      const respond: Respond = ({ url }) =>
        Effect.sync(() => {
          requests += 1
          const items = requests === 1 ? stores(3) : [storeJson("added"), ...stores(3)]
          return pageOf(url, { items, most: 2, isHonest: false })
        })
      return Effect.gen(function* () {
        assert.deepStrictEqual(yield* idsOf({ pageSize: 3 }), ids(3))
      }).pipe(Effect.provide(layerRespond(respond)))
    }
  )

  it.effect.each([0, 3, 1_000_000])("row 95: ignores a total of %s", (total) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* idsOf({ pageSize: 2 }), ids(5))
    }).pipe(Effect.provide(layerRespond(serving({ items: stores(5), total }))))
  )

  it.effect.each([1, 2, 5])("ends where a server gives the same page of %s for ever, with each store once", (count) => {
    let requests = 0
    const respond: Respond = () =>
      Effect.sync(() => {
        requests += 1
        return pageOf(`http://x/?offset=0&limit=${count}`, { items: stores(count) })
      })
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* idsOf({ pageSize: count }), ids(count))
      assert.isAtMost(requests, 4)
    }).pipe(Effect.provide(layerRespond(respond)))
  })

  it.effect("row 94: reads again what moved to places that it had read, after deletions there", () => {
    let list = ids(9)
    let requests = 0
    const respond: Respond = ({ url }) =>
      Effect.sync(() => {
        requests += 1
        if (requests === 2) list = list.slice(3)
        return pageOf(url, { items: list.map(storeJson) })
      })
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* idsOf({ pageSize: 4 }), ids(9))
      assert.deepStrictEqual(yield* queries, [
        "offset=0&limit=4",
        "offset=3&limit=4",
        "offset=0&limit=4",
        "offset=3&limit=4",
        "offset=5&limit=4"
      ])
    }).pipe(Effect.provide(layerRespond(respond)))
  })

  it.effect("row 91: gives the stores before one that is not valid, and then the error that names its place", () =>
    Effect.gen(function* () {
      const { error, given } = yield* givenAndEnd({ pageSize: 3 })
      assert.deepStrictEqual(given, ["store0", "store1", "store2", "store3"])
      assert.deepInclude(error, {
        _tag: "MalformedResponseError",
        problems: [
          { path: ["data", "items", 2, "createdAt"], problem: "is not an ISO 8601 date and time with a time zone" }
        ]
      })
      assert.include(error.message, "data.items[2].createdAt")
    }).pipe(
      Effect.provide(
        layerRespond(
          serving({ items: [...stores(4), { ...storeJson("store4"), createdAt: "yesterday" }, storeJson("store5")] })
        )
      )
    )
  )

  it.effect.each([null, 1, "x", [], {}])("names the place of an item that is %j", (item) =>
    Effect.gen(function* () {
      const { error, given } = yield* givenAndEnd()
      assert.deepStrictEqual(given, ["store0"])
      assert.isTrue(
        error._tag === "MalformedResponseError" &&
          error.problems.length > 0 &&
          error.problems.every(({ path }) => path.slice(0, 3).join() === "data,items,1")
      )
    }).pipe(Effect.provide(layerRespond(serving({ items: [...stores(1), item] }))))
  )

  it.effect("row 92: asks again for the page that failed, and gives no store twice", () => {
    let requests = 0
    const respond: Respond = ({ url }) =>
      Effect.sync(() => {
        requests += 1
        return requests === 2 ? new Response("busy", { status: 503 }) : pageOf(url, { items: stores(5) })
      })
    return Effect.gen(function* () {
      const all = yield* Effect.fork(idsOf({ pageSize: 3 }))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* Fiber.join(all), ids(5))
      assert.deepStrictEqual(yield* queries, [
        "offset=0&limit=3",
        "offset=2&limit=3",
        "offset=2&limit=3",
        "offset=4&limit=3"
      ])
    }).pipe(Effect.provide(layerRespond(respond)))
  })

  it.effect("row 92: gives no store twice where a page could not be read at first", () => {
    let requests = 0
    const respond: Respond = ({ url }) =>
      Effect.sync(() => {
        requests += 1
        const page = pageOf(url, { items: stores(3) })
        return requests === 1 ? new Response('{"data":', { headers: page.headers }) : page
      })
    return Effect.gen(function* () {
      const all = yield* Effect.fork(idsOf())
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* Fiber.join(all), ids(3))
    }).pipe(Effect.provide(layerRespond(respond)))
  })

  it.effect("row 96: left early, asks for no further page", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Stream.runCount(Stream.take(listStores({ pageSize: 2 }), 2)), 2)
      assert.deepStrictEqual(yield* queries, ["offset=0&limit=2"])
    }).pipe(Effect.provide(layerRespond(serving({ items: stores(5) }))))
  )

  it.effect("begins anew each time that it is run", () =>
    Effect.gen(function* () {
      const listing = listStores({ pageSize: 2 })
      assert.strictEqual(yield* Stream.runCount(listing), 3)
      assert.strictEqual(yield* Stream.runCount(listing), 3)
    }).pipe(Effect.provide(layerRespond(serving({ items: stores(3) }))))
  )

  it.effect("stops its request when it is interrupted", () => {
    let isStopped = false
    const respond: Respond = () =>
      Effect.onInterrupt(Effect.never, () =>
        Effect.sync(() => {
          isStopped = true
        })
      )
    return Effect.gen(function* () {
      const all = yield* Effect.fork(idsOf())
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(all)
      assert.isTrue(isStopped)
    }).pipe(Effect.provide(layerRespond(respond)))
  })

  it.effect("gives nothing where nothing is wanted, and sends nothing", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* idsOf({ limit: 0 }), [])
      assert.deepStrictEqual(yield* queries, [])
    }).pipe(Effect.provide(layerRespond(serving({ items: stores(2) }))))
  )

  it.effect.each([
    { limit: -1 },
    { limit: 1.5 },
    { limit: Number.NaN },
    { pageSize: 0 },
    { pageSize: Number.POSITIVE_INFINITY },
    { offset: -1 },
    { offset: 0.5 }
  ])("calls %j a defect, and sends nothing", (options) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(idsOf(options))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      assert.deepStrictEqual(yield* queries, [])
    }).pipe(Effect.provide(layerRespond(serving({ items: [] }))))
  )
})

describe("listStoresPage", () => {
  it.effect("gives a page, and what the server says of it", () =>
    Effect.gen(function* () {
      const page = yield* listStoresPage({ offset: 1, limit: 2, desc: true })
      assert.deepStrictEqual(
        page.items.map(({ id }): string => id),
        ["store1", "store2"]
      )
      assert.deepInclude(page, { total: 5, offset: 1, limit: 2, count: 2, desc: true, unnamed: false })
      assert.deepStrictEqual(yield* queries, ["offset=1&limit=2&desc=true"])
    }).pipe(Effect.provide(layerRespond(serving({ items: stores(5) }))))
  )

  it.effect("fails where an item is not valid", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(listStoresPage())
      assert.strictEqual(error._tag, "MalformedResponseError")
    }).pipe(Effect.provide(layerRespond(serving({ items: [...stores(2), {}] }))))
  )

  it.effect.each(["null", "[]", "{}", '{"data":null}', '{"data":[]}', '{"data":{"items":{}}}'])(
    "does not take %s",
    (body) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(listStoresPage())
        assert.strictEqual(error._tag, "MalformedResponseError")
      }).pipe(
        Effect.provide(
          layerRespond(() => Effect.succeed(new Response(body, { headers: { "content-type": "application/json" } })))
        )
      )
  )

  it.effect.each([201, 204, 206, 302, 404])("does not take the status %s", (status) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(listStoresPage())
      assert.strictEqual(error._tag, "UnexpectedResponseError")
    }).pipe(Effect.provide(layerRespond(() => Effect.succeed(new Response(null, { status })))))
  )

  it.effect.each([{ limit: 0 }, { offset: -1 }])("calls %j a defect", (options) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(listStoresPage(options))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
    }).pipe(Effect.provide(layerRespond(serving({ items: [] }))))
  )
})
