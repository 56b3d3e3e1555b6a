/**
 * Writes the reference and `llms.txt`: the doc comments and signatures of everything public, as the sources have them.
 *
 *     tsx scripts/reference.ts [--check]
 *
 * With `--check` it writes nothing, and fails if one of them is not current.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
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

/** What a module exports that it imports from a private one. */
const passedOnBy = (file: ts.SourceFile): ReadonlyArray<Item> => {
  const names = exportsOf(file)
  return file.statements.filter(ts.isImportDeclaration).flatMap(({ moduleSpecifier }) => {
    const path = ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text : ""
    if (!path.startsWith("./internal/")) return []
    const items = itemsOf(parse(join(dirname(file.fileName), path.replace(/js$/, "ts"))))
    return items.filter(({ name }) => names.has(name))
  })
}

const itemsOf = (file: ts.SourceFile): ReadonlyArray<Item> => [
  ...file.statements.flatMap((node) => {
    const comment = commentOf(file, node)
    if (!comment.includes("@category") || comment.includes("@internal")) return []
    const category = tagOf(comment, "category") ?? ""
    return declarationsOf(file, node).map(([name, signature]) => ({ name, signature, category, text: textOf(comment) }))
  }),
  ...passedOnBy(file)
]

const parse = (path: string): ts.SourceFile =>
  ts.createSourceFile(path, readFileSync(join(root, path), "utf8"), ts.ScriptTarget.ESNext, true)

/** The names in the lists of names that a module exports. */
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

const sectionsOf = ({ items }: Module): ReadonlyArray<readonly [category: string, items: ReadonlyArray<Item>]> => {
  const present = new Set(items.map(({ category }) => category))
  const categories = [...present].sort((a, b) => Number(b === FIRST) - Number(a === FIRST))
  return categories.map((category) => [category, items.filter((item) => item.category === category)])
}

const modules = packages.map((name) => [name, modulesIn(name)] as const)

/** The link to each name of a module. GitHub numbers headings that are the same, those of categories included. */
const linksOf = (module: Module): ReadonlyMap<string, string> => {
  const links = new Map<string, string>()
  const headings = new Map<string, number>()
  const anchorOf = (heading: string): string => {
    const anchor = heading.toLowerCase()
    const earlier = headings.get(anchor) ?? 0
    headings.set(anchor, earlier + 1)
    return earlier === 0 ? anchor : `${anchor}-${earlier}`
  }
  for (const [category, items] of sectionsOf(module)) {
    anchorOf(category)
    for (const { name } of items) {
      const link = `${fileOf(module)}#${anchorOf(name)}`
      // A schema and its type have one name. The schema comes first, and says more.
      if (!links.has(name)) links.set(name, link)
    }
  }
  return links
}

const links = new Map(modules.flatMap(([, modules]) => modules).map((module) => [module, linksOf(module)]))

/** To the name of a module, such as `ApifyClient.Options`, of this module, or of the only other one that has it. */
const linkOf = (module: Module, mentioned: string): string | undefined => {
  const [name = "", qualifier] = mentioned.split(".").reverse()
  const named = [...links].filter(([{ path }]) => qualifier === undefined || path.endsWith(`/${qualifier}`))
  const found = named.flatMap(([, names]) => names.get(name) ?? [])
  return (
    (qualifier === undefined ? links.get(module)?.get(name) : undefined) ?? (found.length === 1 ? found[0] : undefined)
  )
}

/** Links to what an item mentions: a block of code cannot have them. */
const mentionsOf = (module: Module, { name, signature, text }: Item): string => {
  const code = signature.replace(/\/\*[\s\S]*?\*\/|"[^"]*"/g, "").match(/(?<![\w.])(?:[A-Z]\w*\.)?[A-Z]\w*/g)
  const prose = text.replace(/^```[\s\S]*?^```/gm, "").match(/(?<=`)(?:[A-Z]\w*\.)?\w+(?=`)/g)
  const mentioned = new Set([...(code ?? []), ...(prose ?? [])])
  mentioned.delete(name)
  const found = [...mentioned].flatMap((mentioned) => {
    const link = linkOf(module, mentioned)
    return link === undefined ? [] : [`[\`${mentioned}\`](${link})`]
  })
  return found.length === 0 ? "" : `\n\nSee also: ${found.join(", ")}.`
}

const pageOf = (module: Module): string => {
  const sections = sectionsOf(module).flatMap(([category, items]) => [
    `## ${category}`,
    ...items.map((item) => {
      // "typescript" and not "ts": what is "ts" compiles.
      const code = `\`\`\`typescript\n${item.signature}\n\`\`\``
      return `### ${item.name}\n\n${code}\n\n${item.text}${mentionsOf(module, item)}`
    })
  ])
  return `${[`# ${module.path}`, module.text, ...sections].join("\n\n")}\n`
}

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
