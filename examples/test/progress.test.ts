import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { clearProgress, showBar, showCount, showProgress } from "../progress.js"

/** Everything that is written during a job with `total` stores. */
const written = (total: number, isTTY: boolean) =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    const output = { isTTY, write: (text: string) => texts.push(text) }
    for (let done = 1; done <= total; done++) yield* showProgress(output, done, total)
    return texts
  })

describe("showProgress", () => {
  it.effect("rewrites one line of a terminal, and clears it at the end", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* written(3, true), [
        "\r\u001b[K1 of 3 stores",
        "\r\u001b[K2 of 3 stores",
        "\r\u001b[K"
      ])
    })
  )

  it.effect("writes a few plain lines if the output is not a terminal", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* written(10, false), [
        "3 of 10 stores\n",
        "6 of 10 stores\n",
        "9 of 10 stores\n",
        "10 of 10 stores\n"
      ])
    })
  )
})

describe("showBar", () => {
  it.effect("has a bar on a terminal alone", () =>
    Effect.gen(function* () {
      const texts: Array<string> = []
      for (const isTTY of [true, false]) {
        const output = { isTTY, write: (text: string) => texts.push(text) }
        for (let done = 1; done <= 2; done++) yield* showBar(output, done, 2, "records")
      }
      assert.deepStrictEqual(texts, [
        "\r\u001b[K[##########----------] 1 of 2 records",
        "\r\u001b[K",
        "1 of 2 records\n",
        "2 of 2 records\n"
      ])
    })
  )
})

describe("showCount", () => {
  it.effect.each<readonly [name: string, isTTY: boolean, texts: ReadonlyArray<string>]>([
    [
      "rewrites one line of a terminal, which is cleared at the end",
      true,
      ["\r\u001b[K1 keys", "\r\u001b[K2 keys", "\r\u001b[K"]
    ],
    ["writes a plain line for each count if the output is not a terminal", false, ["1 keys\n", "2 keys\n"]]
  ])("%s", ([, isTTY, expected]) =>
    Effect.gen(function* () {
      const texts: Array<string> = []
      const output = { isTTY, write: (text: string) => texts.push(text) }
      yield* showCount(output, 1, "keys")
      yield* showCount(output, 2, "keys")
      yield* clearProgress(output)
      assert.deepStrictEqual(texts, expected)
    })
  )
})
