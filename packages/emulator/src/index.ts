/**
 * A local Apify: serves Get store over real HTTP from an embedded database.
 *
 * @since 0.1.0
 */
export * from "./Accounts.js"
export * from "./Api.js"
export * from "./Database.js"
export * from "./Emulator.js"
export * from "./getStore.js"
export * from "./loadSeed.js"
export * from "./Operation.js"
export * from "./Problem.js"
export * from "./Seed.js"
export * from "./Stores.js"
