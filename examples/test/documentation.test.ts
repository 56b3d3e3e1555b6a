/**
 * Every program in the READMEs, the docs and the doc comments compiles, as strictly as the packages do, and every link between
 * pages leads somewhere.
 */
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { text } from "node:stream/consumers"
import { assert, beforeAll, describe, it } from "@effect/vitest"

const ROOT = join(import.meta.dirname, "../..")

/** In the workspace, so that the packages are found as in the examples. */
const FOLDER = join(ROOT, "examples", ".documentation")

/** A program, and the line of the file that it starts at. */
interface Program {
  readonly path: string
  readonly line: number
  readonly code: ReadonlyArray<string>
}

const filesIn = (folder: string, extension: string): ReadonlyArray<string> =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name))

const packages = readdirSync(join(ROOT, "packages")).map((name) => join("packages", name))
const sources = packages.flatMap((folder) => filesIn(join(folder, "src"), ".ts"))
const pages = [
  "README.md",
  // The reference has the programs of the doc comments once more.
  ...filesIn("docs", ".md").filter((path) => !path.startsWith(join("docs", "reference"))),
  ...packages.flatMap((folder) =>
    readdirSync(join(ROOT, folder)).flatMap((name) => (name === "README.md" ? [join(folder, name)] : []))
  )
]

/** A page's text, without its blocks of code. */
const proseOf = (path: string): string => readFileSync(join(ROOT, path), "utf8").replace(/^```[\s\S]*?^```/gm, "")

/** The anchors that GitHub gives the headings of a page. */
const anchorsOf = (path: string): ReadonlySet<string> => {
  const anchors = new Map<string, number>()
  for (const [, heading = ""] of proseOf(path).matchAll(/^#+ (.+)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replace(/ /g, "-")
    const earlier = anchors.get(anchor) ?? 0
    anchors.set(anchor, earlier + 1)
    if (earlier > 0) anchors.set(`${anchor}-${earlier}`, 1)
  }
  return new Set(anchors.keys())
}

const linesOf = (path: string): ReadonlyArray<string> => {
  const lines = readFileSync(join(ROOT, path), "utf8").split("\n")
  return path.endsWith(".ts") ? lines.map((line) => /^\s*\* ?(.*)$/.exec(line)?.[1] ?? "") : lines
}

/** The `ts` blocks of a page, or of the doc comments of a module. */
const programsIn = (path: string): ReadonlyArray<Program> => {
  const lines = linesOf(path)
  return lines.flatMap((text, index) => {
    if (text.trim() !== "```ts") return []
    return [{ path, line: index + 2, code: lines.slice(index + 1, lines.indexOf("```", index + 1)) }]
  })
}

const programs = [...pages, ...sources].flatMap(programsIn)

/** The errors of each program that has any, by its index. Throws if the compiler fails for another reason. */
const compile = async (): Promise<ReadonlyMap<number, ReadonlyArray<string>>> => {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER)
  const config = {
    extends: "../../tsconfig.base.json",
    compilerOptions: {
      lib: ["ES2022", "DOM", "DOM.Iterable"],
      types: ["node"],
      composite: false,
      declarationMap: false,
      noEmit: true,
      // A short program may end in a constant.
      noUnusedLocals: false
    },
    include: ["*.ts"]
  }
  writeFileSync(join(FOLDER, "tsconfig.json"), JSON.stringify(config))
  programs.forEach(({ code }, index) => {
    writeFileSync(join(FOLDER, `${index}.ts`), code.join("\n"))
  })
  const tsc = join(ROOT, "node_modules/.bin/tsc")
  const compiler = spawn(tsc, ["-p", FOLDER, "--pretty", "false"], {
    cwd: FOLDER,
    stdio: ["ignore", "pipe", "inherit"]
  })
  const [stdout, status] = await Promise.all([
    text(compiler.stdout),
    new Promise((resolve) => compiler.once("close", resolve))
  ])
  rmSync(FOLDER, { recursive: true, force: true })

  const errors = new Map<number, Array<string>>()
  for (const message of stdout.split(/\n(?=\S)/)) {
    const [, index, line, error] = /^(\d+)\.ts\((\d+),\d+\): (.*)/s.exec(message) ?? []
    const program = programs[Number(index)]
    if (program === undefined) continue
    const place = `${program.path}:${program.line + Number(line) - 1}: ${error}`
    errors.set(Number(index), [...(errors.get(Number(index)) ?? []), place.trim()])
  }
  if (status !== 0 && errors.size === 0) throw new Error(`tsc failed:\n${stdout}`)
  return errors
}

describe("the documentation", () => {
  let errors: ReadonlyMap<number, ReadonlyArray<string>> = new Map()
  // However long the compiler takes.
  beforeAll(async () => {
    errors = await compile()
  }, 0)

  it.each(programs.map(({ path, line }, index) => ({ place: `${path}:${line}`, index })))(
    "$place compiles",
    ({ index }) => {
      assert.deepStrictEqual(errors.get(index) ?? [], [])
    }
  )

  it("has a program in each example", () => {
    const empty = sources.flatMap((path) => {
      const lines = linesOf(path)
      return lines.flatMap((text, index) =>
        text.startsWith("@example") && lines[index + 1] !== "```ts" ? [`${path}:${index + 1}`] : []
      )
    })
    assert.deepStrictEqual(empty, [])
  })

  it("has programs in the README and in each package that is published", () => {
    const places = new Set(programs.map(({ path }) => path.replace(/\/src\/.*/, "")))
    assert.containsAllKeys(Object.fromEntries([...places].map((place) => [place, true])), [
      "README.md",
      "packages/domain",
      "packages/http",
      "packages/emulator"
    ])
  })

  it.each([
    ...pages,
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "llms.txt",
    ...filesIn("docs/reference", ".md")
  ])("%s links to what is there", (page) => {
    const links = [...proseOf(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
    const broken = links.filter(([, path = "", anchor]) => {
      const target = path === "" ? page : join(dirname(page), path)
      return !existsSync(join(ROOT, target)) || (anchor !== undefined && !anchorsOf(target).has(anchor))
    })
    assert.deepStrictEqual(
      broken.map(([link]) => link),
      []
    )
  })
})
