/**
 * Packs what we publish, as a registry would get it. It needs `dist`, which `tsc -b` makes.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { pnpm, root, run, temporary } from "./step.js"

const Listing = Schema.parseJson(
  Schema.Struct({
    name: Schema.String,
    files: Schema.Array(Schema.Struct({ path: Schema.String }))
  })
)

const Ranges = Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { default: () => ({}) })
const Manifest = Schema.parseJson(Schema.Struct({ dependencies: Ranges, peerDependencies: Ranges }))

const Visibility = Schema.parseJson(
  Schema.Struct({ private: Schema.optionalWith(Schema.Boolean, { default: () => false }) })
)

/** A package, and what an install needs to know of its tarball. */
export interface Packed {
  /** Its folder in `packages`. */
  readonly folder: string
  readonly name: string
  readonly tarball: string
  readonly files: ReadonlyArray<string>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

const isPublic = (folder: string): boolean =>
  !Schema.decodeSync(Visibility)(readFileSync(join(root, "packages", folder, "package.json"), "utf8")).private

const pack = (folder: string): Packed => {
  const tarball = join(temporary, `${folder}.tgz`)
  const listing = pnpm(`${folder}: pack`, join(root, "packages", folder), "pack", "--json", "--out", tarball)
  const { files, name } = Schema.decodeSync(Listing)(listing)
  const manifest = run(`${folder}: manifest`, root, "tar", "-xzOf", tarball, "package/package.json")
  return { folder, name, tarball, files: files.map(({ path }) => path), ...Schema.decodeSync(Manifest)(manifest) }
}

/** Packs every package that is not private. */
export const packAll = (): ReadonlyArray<Packed> => readdirSync(join(root, "packages")).filter(isPublic).map(pack)
