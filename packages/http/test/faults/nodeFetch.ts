/**
 * Makes Node's `fetch` choose its agent before undici is loaded, which would put its own in place.
 */
await fetch("data:,")
