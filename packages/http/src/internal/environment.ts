import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import type { Options } from "../ApifyClient.js"
import { checkOptions, type Settings2 as Settings } from "./settings.js"
export const environment = (options: Options): Effect.Effect<Settings, ConfigError.ConfigError> =>
  Effect.flatten(Effect.succeed(checkOptions(options)))
