/**
 * JSON schemas of draft 07.
 *
 * @since 0.1.0
 */
import { Ajv, type ValidateFunction } from "ajv"
import * as Option from "effect/Option"

/**
 * The validator of a JSON schema; `None` if it is none, or refers to one elsewhere.
 *
 * @since 0.1.0
 * @category validation
 */
export const compileJsonSchema: (jsonSchema: object) => Option.Option<ValidateFunction> = Option.liftThrowable(
  // An instance keeps what it compiles. Warnings would go to the console. `$async`, which draft 07 does not have, would make
  // a validator whose result is a promise.
  (jsonSchema) =>
    new Ajv({ strict: false, logger: false, validateFormats: false }).compile({ ...jsonSchema, $async: false })
)
