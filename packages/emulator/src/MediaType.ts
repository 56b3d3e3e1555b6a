/**
 * Content types.
 *
 * @since 0.1.0
 */

const token = "[!#$%&'*+.^`|~\\w-]+"
const quoted = "[\\t !#-[\\]-~\\x80-\\xff]"
const parameter = `${token}=(?:${token}|"(?:${quoted}|\\\\(?:${quoted}|["\\\\]))*")`
// Nothing but a parameter begins with a space after the semicolon: a text that matches in two ways is tried in all of them.
const pattern = new RegExp(`^${token}/${token}(?:[ \\t]*;(?:[ \\t]*${parameter})?)*[ \\t]*$`)

/**
 * Whether a text is a content type, with parameters or without.
 *
 * @since 0.1.0
 * @category validation
 */
export const isContentType = (text: string): boolean => pattern.test(text)

/**
 * A content type without its parameters, in small letters.
 *
 * @since 0.1.0
 * @category decoding
 */
export const mediaTypeOf = (contentType: string): string => (contentType.split(";")[0] ?? "").trim().toLowerCase()
