/**
 * Apify's own client over the stores of runs: of a run, of the last run of an Actor, and of a task.
 */
import { assert, describe, layer } from "@effect/vitest"
import { ApifyClient } from "apify-client"
import * as Effect from "effect/Effect"
import { Emulator } from "../src/index.js"
import {
  ACTOR,
  collectBytes,
  first,
  JANE,
  officialLayer,
  refusal,
  second,
  TASK,
  third,
  withClients
} from "./officialClients.js"

const MISSING = "AAAAAAAAAAAAAAAAA"

officialLayer("apify-client, the stores of runs", (it) => {
  describe("run(id).keyValueStore()", () => {
    it.effect("is the run's default store", () =>
      withClients(async ({ jane }) =>
        assert.strictEqual((await jane.run(first.id).keyValueStore().get())?.id, first.store)
      )
    )

    it.effect("has the records of that store, in every form", () =>
      withClients(async ({ jane }) => {
        const client = jane.run(first.id).keyValueStore()
        await client.setRecord({ key: "OUTPUT", value: { done: true } })
        assert.deepStrictEqual((await jane.keyValueStore(first.store).getRecord("OUTPUT"))?.value, { done: true })
        assert.deepStrictEqual((await client.getRecord("OUTPUT"))?.value, { done: true })
        assert.strictEqual((await client.getRecord("OUTPUT", { buffer: true }))?.value.length, 18)
        const stream = (await client.getRecord("OUTPUT", { stream: true }))?.value ?? assert.fail()
        assert.strictEqual((await collectBytes(stream)).length, 18)
        assert.isTrue(await client.recordExists("OUTPUT"))
      })
    )

    it.effect("lists keys with URLs that lead to the store, and open it", () =>
      withClients(async ({ jane, url }) => {
        const client = jane.run(second.id).keyValueStore()
        await client.setRecord({ key: "listed", value: 1 })
        const item = (await client.listKeys({ prefix: "listed" })).items[0] ?? assert.fail()
        assert.isTrue(item.recordPublicUrl.startsWith(`${url}/v2/key-value-stores/${second.store}/records/listed`))
        assert.strictEqual(await (await fetch(item.recordPublicUrl)).json(), 1)
      })
    )

    it.effect("deletes a record", () =>
      withClients(async ({ jane }) => {
        const client = jane.run(first.id).keyValueStore()
        await client.setRecord({ key: "deleted", value: 1 })
        await client.deleteRecord("deleted")
        assert.isFalse(await client.recordExists("deleted"))
      })
    )

    it.effect("changes the store", () =>
      withClients(async ({ jane }) => {
        await jane.run(first.id).keyValueStore().update({ title: "Of a run" })
        assert.deepInclude(await jane.keyValueStore(first.store).get(), { title: "Of a run" })
      })
    )

    it.effect("is closed to others", () =>
      withClients(async ({ john }) => {
        const client = john.run(first.id).keyValueStore()
        assert.deepStrictEqual(await refusal(client.setRecord({ key: "a", value: 1 })), [
          403,
          "insufficient-permissions"
        ])
      })
    )

    it.effect("is undefined for a run that is missing, which nothing can be put into", () =>
      withClients(async ({ jane }) => {
        const client = jane.run(MISSING).keyValueStore()
        assert.isUndefined(await client.get())
        assert.isUndefined(await client.getRecord("a"))
        assert.deepStrictEqual(await refusal(client.setRecord({ key: "a", value: 1 })), [404, "record-not-found"])
      })
    )
  })

  describe("actor(id).lastRun().keyValueStore()", () => {
    it.effect("is the store of the newest run, however the Actor is named", () =>
      withClients(async ({ jane }) => {
        for (const actor of [ACTOR, "jane/jane-actor", "jane-actor"]) {
          assert.strictEqual((await jane.actor(actor).lastRun().keyValueStore().get())?.id, third.store, actor)
        }
      })
    )

    it.effect("is the store of the newest run of a status", () =>
      withClients(async ({ jane }) => {
        const client = jane.actor(ACTOR).lastRun({ status: "SUCCEEDED" }).keyValueStore()
        assert.strictEqual((await client.get())?.id, first.store)
      })
    )

    it.effect("is the store of the newest run of an origin", () =>
      withClients(async ({ jane }) => {
        const client = jane.actor(ACTOR).lastRun({ origin: "WEB" }).keyValueStore()
        assert.strictEqual((await client.get())?.id, first.store)
      })
    )

    it.effect("is the store of the newest run of a status and an origin, below the store too", () =>
      withClients(async ({ jane }) => {
        const client = jane.actor(ACTOR).lastRun({ status: "FAILED", origin: "API" }).keyValueStore()
        await client.setRecord({ key: "of-the-second", value: 2 })
        assert.isTrue(await jane.keyValueStore(second.store).recordExists("of-the-second"))
        assert.strictEqual((await client.listKeys({ prefix: "of-the-second" })).count, 1)
        assert.strictEqual((await client.getRecord("of-the-second"))?.value, 2)
        assert.isTrue(await client.recordExists("of-the-second"))
        await client.deleteRecord("of-the-second")
        assert.isFalse(await jane.keyValueStore(second.store).recordExists("of-the-second"))
      })
    )

    it.effect("is undefined where no run is such", () =>
      withClients(async ({ jane }) => {
        assert.isUndefined(await jane.actor(ACTOR).lastRun({ status: "ABORTED" }).keyValueStore().get())
        assert.isUndefined(await jane.actor(ACTOR).lastRun({ status: "FAILED", origin: "WEB" }).keyValueStore().get())
      })
    )

    it.effect("is undefined for an Actor that is missing, which nothing can be put into", () =>
      withClients(async ({ jane }) => {
        const client = jane.actor("jane/missing").lastRun().keyValueStore()
        assert.isUndefined(await client.get())
        assert.deepStrictEqual(await refusal(client.setRecord({ key: "a", value: 1 })), [
          404,
          "record-or-token-not-found"
        ])
      })
    )
  })

  describe("task(id).lastRun().keyValueStore()", () => {
    it.effect("is the store of the newest run of the task", () =>
      withClients(async ({ jane }) => {
        for (const task of [TASK, "jane/jane-task"]) {
          assert.strictEqual((await jane.task(task).lastRun().keyValueStore().get())?.id, second.store, task)
        }
        assert.strictEqual(
          (await jane.task(TASK).lastRun({ status: "SUCCEEDED" }).keyValueStore().get())?.id,
          first.store
        )
      })
    )

    it.effect("is undefined for a task that is missing", () =>
      withClients(async ({ jane }) =>
        assert.isUndefined(await jane.task("jane/missing").lastRun().keyValueStore().get())
      )
    )
  })
})

officialLayer("apify-client, deleting the store of a run", (it) => {
  it.effect("leaves the run without one", () =>
    Effect.flatMap(Emulator, ({ url }) =>
      Effect.promise(async () => {
        const jane = new ApifyClient({ baseUrl: url, token: JANE, maxRetries: 0 })
        await jane.run(first.id).keyValueStore().delete()
        assert.isUndefined(await jane.keyValueStore(first.store).get())
        assert.isUndefined(await jane.run(first.id).keyValueStore().get())
      })
    )
  )
})

layer(Emulator.layer({ seed: `${import.meta.dirname}/../seed.example.json` }))(
  "apify-client, the example seed",
  (it) => {
    it.effect("has runs with stores", () =>
      Effect.flatMap(Emulator, ({ url }) =>
        Effect.promise(async () => {
          const client = new ApifyClient({ baseUrl: url, maxRetries: 0, token: "apify_api_jane" })
          const found = await Promise.all(
            [
              client.run("JanesFirstRun0001"),
              client.actor("janedoe/my-actor").lastRun({ status: "FAILED" }),
              client.actor("johndoe/scraper").lastRun({ origin: "SCHEDULER" }),
              client.task("my-task").lastRun()
            ].map((run) => run.keyValueStore().get())
          )
          assert.deepStrictEqual(
            found.map((store) => store?.name),
            ["open-by-id", "open-by-id", "restricted", "restricted"]
          )
        })
      )
    )
  }
)
