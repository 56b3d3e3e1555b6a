/**
 * A local Apify: serves key-value stores over HTTP from a database on this machine.
 *
 * @since 0.1.0
 */
export { DatabaseError } from "./Database.js"
export { DEMO_SECOND_TOKEN, DEMO_TOKEN, demoSeed } from "./demo.js"
export { Emulator, type EmulatorError, type EmulatorOptions, ListenError } from "./Emulator.js"
export { InvalidSeedError, type SeedJson } from "./Seed.js"
