/**
 * JSON schemas of draft 07.
 *
 * @since 0.1.0
 */
import { Ajv, type ValidateFunction } from "ajv"
import * as Option from "effect/Option"

// An instance keeps what it compiles. Warnings would go to the console. `$async`, which draft 07 does not have, would make
// a validator whose result is a promise.
const compile = Option.liftThrowable((jsonSchema: object, unicodeRegExp: boolean) =>
  new Ajv({ strict: false, logger: false, validateFormats: false, unicodeRegExp }).compile({
    ...jsonSchema,
    $async: false
  })
)

/**
 * The validator of a JSON schema; `None` if it is none, or refers to one elsewhere. Draft 07 does not say that patterns are
 * in Unicode mode, where `\_` is an error: so they are only if all of them can be.
 *
 * @since 0.1.0
 * @category validation
 */
export const compileJsonSchema = (jsonSchema: object): Option.Option<ValidateFunction> =>
  Option.orElse(compile(jsonSchema, true), () => compile(jsonSchema, false))
