/**
 * A run whose store is in memory, and whose events come from the test.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Actor from "../src/Actor.js"
import { RunId, storeOfRun } from "../src/index.js"
import { layerRespond } from "../src/testing.js"

/** What the server does with a put: stores it, refuses it, or stores it after a time. */
export type OnPut = "store" | "refuse" | Duration.Duration

const refusal = () =>
  new Response(JSON.stringify({ error: { type: "insufficient-permissions", message: "As planned" } }), { status: 403 })

/** Everything in a record's life: what is in it, what was put, and how many puts were under way at once. */
export class StateServer {
  record: string | undefined
  readonly puts: Array<string> = []
  onPut: OnPut = "store"
  mostPuts = 0
  /** How many puts were of what the record held already. */
  repetitions = 0
  private open = 0
  readonly events = Effect.runSync(PubSub.unbounded<Actor.ActorEvent>())

  /** The name of an event is all that matters to state. */
  readonly tell = (name: string): Effect.Effect<boolean> => PubSub.publish(this.events, { name, data: undefined })

  readonly layer = Layer.merge(
    layerRespond(({ body, method }) =>
      Effect.suspend(() => {
        if (method === "GET") return Effect.succeed(this.get())
        return this.put(body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : body._tag)
      })
    ),
    Layer.succeed(Actor.Actor, {
      store: storeOfRun(RunId.make("HG7ML7M8z78YcAPEB")),
      inputKey: "INPUT",
      subscribe: PubSub.subscribe(this.events)
    })
  )

  private get(): Response {
    return this.record === undefined
      ? new Response(JSON.stringify({ error: { type: "record-not-found", message: "Record was not found" } }), {
          status: 404
        })
      : new Response(this.record, { headers: { "content-type": "application/json" } })
  }

  private put(text: string): Effect.Effect<Response> {
    const { onPut } = this
    this.puts.push(text)
    if (text === this.record) this.repetitions += 1
    if (onPut === "refuse") return Effect.succeed(refusal())
    this.open += 1
    this.mostPuts = Math.max(this.mostPuts, this.open)
    return Effect.sync(() => {
      this.record = text
      return new Response("{}", { status: 201 })
    }).pipe(
      Effect.delay(Duration.isDuration(onPut) ? onPut : Duration.zero),
      Effect.ensuring(
        Effect.sync(() => {
          this.open -= 1
        })
      )
    )
  }
}
