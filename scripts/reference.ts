/**
 * Writes the reference and `llms.txt`: the doc comments and signatures of everything public, as the sources have them.
 *
 *     tsx scripts/reference.ts [--check]
 *
 * With `--check` it writes nothing, and fails if one of them is not current.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript-5.9"
import { fail, pass, root } from "./step.js"

const FOLDER = "docs/reference"

/** In the order in which people need them. */
const packages = ["http", "domain", "emulator"] as const

interface Item {
  readonly name: string
  readonly signature: string
  readonly text: string
  readonly category: string
}

interface Module {
  /** What it is imported by. */
  readonly path: string
  readonly text: string
  readonly items: ReadonlyArray<Item>
}

/** The lines of a doc comment, without its stars. */
const linesOf = (comment: string): ReadonlyArray<string> =>
  comment
    .replace(/^\/\*\*\s?|\s*\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))

/** A doc comment as Markdown: its text and examples, and its parameters as a list. */
const textOf = (comment: string): string =>
  linesOf(comment)
    .filter((line) => !/^@(?:since|category|example)\b/.test(line))
    .map((line) => line.replace(/^@param (\w+) /, "- `$1`: ").replace(/^@returns /, "Returns "))
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim()

const tagOf = (comment: string, tag: string): string | undefined => new RegExp(`@${tag} (.+)`).exec(comment)?.[1]

/** The first sentence of a text, on one line. */
const summaryOf = (text: string): string => (/^[\s\S]*?\.(?=\s|$)/.exec(text)?.[0] ?? text).replace(/\s+/g, " ")

const commentOf = (file: ts.SourceFile, node: ts.Node): string => {
  const ranges = ts.getLeadingCommentRanges(file.text, node.pos) ?? []
  const text = ranges.map(({ end, pos }) => file.text.slice(pos, end)).filter((text) => text.startsWith("/**"))
  return text.at(-1) ?? ""
}

const isPrivate = (node: ts.ClassElement | ts.ParameterDeclaration): boolean =>
  (node.name !== undefined && ts.isPrivateIdentifier(node.name)) ||
  (ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword))

/** What comes before the body of a function. */
const headOf = (file: ts.SourceFile, node: ts.FunctionLikeDeclaration, start = node.getStart(file)): string => {
  const end = ts.isArrowFunction(node) ? node.equalsGreaterThanToken.pos : (node.body?.pos ?? node.end)
  return file.text.slice(start, end).trimEnd()
}

/** A member of a class without its body, with its comment. */
const memberOf = (file: ts.SourceFile, node: ts.ClassElement): ReadonlyArray<string> => {
  // Its fields are public, whoever may call it.
  if (ts.isConstructorDeclaration(node)) {
    return node.parameters
      .filter((parameter) => ts.isParameterPropertyDeclaration(parameter, node) && !isPrivate(parameter))
      .map((parameter) => `  ${file.text.slice(parameter.pos, parameter.end).trim().replace(/^ {4}/gm, "  ")}`)
  }
  const comment = commentOf(file, node)
  if (isPrivate(node) || comment.includes("@internal")) return []
  const start = comment === "" ? node.getStart(file) : file.text.indexOf(comment, node.pos)
  if (ts.isMethodDeclaration(node) || ts.isAccessor(node)) return [`  ${headOf(file, node, start)}`]
  if (!ts.isPropertyDeclaration(node)) return []
  const { initializer, name, type } = node
  if (type !== undefined) return [`  ${file.text.slice(start, type.end)}`]
  if (initializer !== undefined && ts.isArrowFunction(initializer)) return [`  ${headOf(file, initializer, start)}`]
  const isShort = initializer !== undefined && !initializer.getText(file).includes("\n")
  return [`  ${file.text.slice(start, isShort ? node.end : name.end)}`]
}

const classOf = (file: ts.SourceFile, node: ts.ClassDeclaration): string => {
  const members = node.members.flatMap((member) => memberOf(file, member))
  const head = file.text.slice(node.getStart(file), node.members.pos).replace(/^export /, "")
  return members.length === 0 ? `${head}}` : `${head}\n${members.join("\n")}\n}`
}

const LONGEST_VALUE = 20

const constantOf = (file: ts.SourceFile, { initializer, name, type }: ts.VariableDeclaration): string => {
  const text = name.getText(file)
  if (type !== undefined) return `const ${text}: ${type.getText(file)}`
  if (initializer === undefined) return `const ${text}`
  if (ts.isArrowFunction(initializer)) return `const ${text} = ${headOf(file, initializer)}`
  const value = initializer.getText(file).split("\n")
  return `const ${text} = ${value.length <= LONGEST_VALUE ? value.join("\n") : `${value[0]} …`}`
}

/** The exported names of a statement, with their signatures. */
const declarationsOf = (file: ts.SourceFile, node: ts.Statement): ReadonlyArray<readonly [string, string]> => {
  if (!ts.canHaveModifiers(node)) return []
  if (!(ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return []
  if (ts.isVariableStatement(node)) {
    return node.declarationList.declarations.map((declaration) => [
      declaration.name.getText(file),
      constantOf(file, declaration)
    ])
  }
  if (ts.isClassDeclaration(node)) return [[node.name?.text ?? "", classOf(file, node)]]
  if (ts.isFunctionDeclaration(node)) return [[node.name?.text ?? "", headOf(file, node).replace(/^export /, "")]]
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)
    ? [[node.name.text, node.getText(file).replace(/^export /, "")]]
    : []
}

const itemsOf = (file: ts.SourceFile): ReadonlyArray<Item> =>
  file.statements.flatMap((node) => {
    const comment = commentOf(file, node)
    if (!comment.includes("@category") || comment.includes("@internal")) return []
    const category = tagOf(comment, "category") ?? ""
    return declarationsOf(file, node).map(([name, signature]) => ({ name, signature, category, text: textOf(comment) }))
  })

const parse = (path: string): ts.SourceFile =>
  ts.createSourceFile(path, readFileSync(join(root, path), "utf8"), ts.ScriptTarget.ESNext, true)

/** The names that an index exports. */
const exportsOf = (file: ts.SourceFile): ReadonlySet<string> =>
  new Set(
    file.statements
      .filter(ts.isExportDeclaration)
      .flatMap(({ exportClause }) => (exportClause && ts.isNamedExports(exportClause) ? exportClause.elements : []))
      .map(({ name }) => name.text)
  )

const modulesIn = (name: string): ReadonlyArray<Module> => {
  const source = join("packages", name, "src")
  const index = parse(join(source, "index.ts"))
  const moduleOf = (path: string, file: ts.SourceFile, items: ReadonlyArray<Item>): Module => {
    const [first] = file.statements
    return { path: `@effect-apify/${path}`, text: first === undefined ? "" : textOf(commentOf(file, first)), items }
  }
  const files = readdirSync(join(root, source))
    .filter((file) => file.endsWith(".ts") && file !== "index.ts")
    .sort()
    .map((file) => [`${name}/${file.slice(0, -".ts".length)}`, parse(join(source, file))] as const)
  if (readFileSync(join(root, "packages", name, "package.json"), "utf8").includes('"./*"')) {
    return files.map(([path, file]) => moduleOf(path, file, itemsOf(file))).filter(({ items }) => items.length > 0)
  }
  // It has one entry.
  const names = exportsOf(index)
  const items = files.flatMap(([, file]) => itemsOf(file))
  return [
    moduleOf(
      name,
      index,
      items.filter(({ name }) => names.has(name))
    )
  ]
}

const fileOf = ({ path }: Module): string => `${path.replace("@effect-apify/", "").replace("/", "-")}.md`

/** What most people look for comes first. */
const FIRST = "operations"

const pageOf = ({ items, path, text }: Module): string => {
  const present = new Set(items.map(({ category }) => category))
  const categories = [...present].sort((a, b) => Number(b === FIRST) - Number(a === FIRST))
  const sections = categories.flatMap((category) => [
    `## ${category}`,
    ...items
      .filter((item) => item.category === category)
      // "typescript" and not "ts": what is "ts" compiles.
      .map(({ name, signature, text }) => `### ${name}\n\n\`\`\`typescript\n${signature}\n\`\`\`\n\n${text}`)
  ])
  return `${[`# ${path}`, text, ...sections].join("\n\n")}\n`
}

const modules = packages.map((name) => [name, modulesIn(name)] as const)

/** What the README says at its start. */
const readme = readFileSync(join(root, "README.md"), "utf8")
const introduction = readme.slice(readme.indexOf("\n\n") + 2, readme.indexOf("\n## "))
const summary = introduction.slice(0, introduction.indexOf("\n\n"))

const linkTo = (module: Module, name = ""): string =>
  `${FOLDER}/${fileOf(module)}${name === "" ? "" : `#${name.toLowerCase()}`}`

const entryOf = (module: Module): string => `- [${module.path}](${linkTo(module)}): ${summaryOf(module.text)}`

const operations = modules
  .flatMap(([, modules]) => modules)
  .flatMap((module) =>
    module.items
      .filter(({ category }) => category === FIRST)
      .map(({ name, text }) => `- [${name}](${linkTo(module, name)}): ${summaryOf(text)}`)
  )

const llms = `# effect-apify

${summary.replace(/^/gm, "> ")}
${introduction.slice(summary.length + 1).trimEnd()}

## Operations

${operations.join("\n")}

${modules.map(([name, modules]) => `## ${name}\n\n${modules.map(entryOf).join("\n")}`).join("\n\n")}

## Optional

- [README](README.md): installing it, options, errors, transports, unit tests, the emulator.
- [Examples](examples): small complete programs.
- [Decisions](docs/decisions): the reasons behind the code.
- [Seeds](docs/seed.md): what the emulator can be filled with.
`

const pages = new Map([
  ["llms.txt", llms],
  ...modules.flatMap(([, modules]) => modules.map((module) => [join(FOLDER, fileOf(module)), pageOf(module)] as const))
])

const present = existsSync(join(root, FOLDER)) ? readdirSync(join(root, FOLDER)).map((name) => join(FOLDER, name)) : []
const stale = present.filter((path) => !pages.has(path))

if (process.argv.includes("--check")) {
  const outdated = [...pages].filter(
    ([path, text]) => !existsSync(join(root, path)) || readFileSync(join(root, path), "utf8") !== text
  )
  const paths = [...stale, ...outdated.map(([path]) => path)]
  if (paths.length > 0) fail("reference", `Not current: ${paths.join(", ")}.\nRun npx pnpm@12 reference and commit it.`)
  pass("reference")
} else {
  mkdirSync(join(root, FOLDER), { recursive: true })
  for (const path of stale) rmSync(join(root, path))
  for (const [path, text] of pages) writeFileSync(join(root, path), text)
}
